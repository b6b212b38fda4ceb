"""Charts made of rows: forest, groups, rates, selectivity, heat table."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from statera.numerics.interval import Interval
from statera.plot.forest import ForestGroup, ForestOptions, ForestRow, _text, draw_forest
from statera.plot.groups import GroupRow, draw_groups
from statera.plot.heat import HeatRow, draw_heat
from statera.plot.rates import RateGroup, RateRow, _say, draw_rates
from statera.plot.rows import Heads, Row, draw_frame
from statera.plot.selectivity import Potency, draw_selectivity
from statera.plot.selectivity import _say as say_potency
from statera.plot.theme import theme
from statera.sources.fact import Relation

Checked = Callable[[str], Any]


def _height(root: Any) -> float:
    return float(root.get("viewBox").split()[3])


def test_forest_of_differences_and_of_ratios(checked: Checked, names: dict[str, str]) -> None:
    rows = (
        ForestRow("A", 1.2, 0.8, 1.9, ("10/100", "8/100")),
        ForestRow("No interval", 1.1),
        ForestRow("No estimate", None, text="not retrieved"),
        ForestRow("Pool", 1.1, 0.9, 1.3, pooled=True),
    )
    for scale in ("difference", "ratio"):
        options = ForestOptions(
            scale=scale,  # type: ignore[arg-type]
            x_label="Measure",
            arms=("Drug", "Control"),
            favours=("left", "right"),
        )
        svg = draw_forest([ForestGroup("Group", rows), ForestGroup("", rows)], options, **names)
        checked(svg)
        assert svg == draw_forest(
            [ForestGroup("Group", rows), ForestGroup("", rows)], options, **names
        )


def test_thirty_rows_get_the_room_they_need(checked: Checked, names: dict[str, str]) -> None:
    def draw(count: int) -> float:
        rows = tuple(ForestRow(f"Trial {i}", 1.0 + i / 50, 0.5, 2.0) for i in range(count))
        return _height(checked(draw_forest([ForestGroup("", rows)], **names)))

    assert draw(30) - draw(10) == pytest.approx(2 * (draw(20) - draw(10)), abs=0.1)
    assert (draw(30) - draw(10)) / 20 >= 1.5 * 9.5  # points a row, type of 9.5 points


def test_intervals_beyond_the_limits_end_in_arrows(names: dict[str, str]) -> None:
    def draw(high: float) -> int:
        row = ForestRow("A", 1.2, 0.8, high)
        options = ForestOptions(scale="ratio", limits=(0.5, 2.0))
        return draw_forest([ForestGroup("", (row,))], options, **names).count("<use ")

    # One marker more; the text at the right has the same number of letters.
    assert draw(9.5) == draw(1.5) + 1


def test_forest_text_is_plain_about_what_is_missing() -> None:
    options = ForestOptions(decimals=2)
    assert _text(ForestRow("a", -1.5, -2.0, 0.25), options) == "−1.50 (−2.00 to 0.25)"
    assert _text(ForestRow("a", 1.5), options) == "1.50 (no interval)"
    assert _text(ForestRow("a", None), options) == "no estimate"


@pytest.mark.parametrize(
    ("row", "scale", "message"),
    [
        (ForestRow("a", 1.0, 0.5), "difference", "needs both ends"),
        (ForestRow("a", 3.0, 0.5, 2.0), "difference", "not within its interval"),
        (ForestRow("a", 1.0, -0.5, 2.0), "ratio", "must be positive"),
    ],
)
def test_forest_names_what_is_wrong(
    names: dict[str, str], row: ForestRow, scale: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        draw_forest([ForestGroup("", (row,))], ForestOptions(scale=scale), **names)


def test_groups_with_either_value_missing(checked: Checked, names: dict[str, str]) -> None:
    rows = [
        GroupRow("both", 400, 260, 650, 410, 300, 500, "−2 %"),
        GroupRow("simulated only", 400, 260, 650, note="not published"),
        GroupRow("published only", published=410),
        GroupRow("neither", note="not retrieved"),
    ]
    checked(draw_groups(rows, **names))
    checked(draw_groups(rows[3:], **names))


def test_rates(checked: Checked, names: dict[str, str]) -> None:
    rows = (RateRow("a", 2.7, 2.4, 3.0, "who"), RateRow("b", 0.0), RateRow("c", None))
    checked(draw_rates([RateGroup("Outcome", rows)], **names))
    assert [_say(row) for row in rows] == ["2.7 (2.4 to 3)", "0 (no interval)", "not known"]
    with pytest.raises(ValueError, match="must not be negative"):
        draw_rates([RateGroup("o", (RateRow("a", -1.0),))], **names)
    with pytest.raises(ValueError, match="needs both ends"):
        draw_rates([RateGroup("o", (RateRow("a", 1.0, high=2.0),))], **names)


def test_selectivity_draws_a_bound_as_an_arrow(checked: Checked, names: dict[str, str]) -> None:
    def arrow(relation: Relation) -> tuple[float, float] | None:
        """Return where the arrow of the second potency starts and ends."""
        potencies = [Potency("JAK1", 5.0), Potency("JAK3", 400.0, relation, 500.0)]
        svg = draw_selectivity(potencies, **names)
        checked(svg)
        found = re.search(r'd="M ([\d.]+) [\d.]+ Q [\d. ]+? ([\d.]+) [\d.]+" style="fill:none', svg)
        return (float(found[1]), float(found[2])) if found else None

    assert arrow(Relation.EQUAL) is None
    assert arrow(Relation.RANGE) is None
    above, below = arrow(Relation.GREATER), arrow(Relation.LESS)
    assert above is not None
    assert below is not None
    assert above[0] == pytest.approx(below[0])  # both start at the bound
    assert below[1] < below[0] < above[1]


@pytest.mark.parametrize(
    ("relation", "text"),
    [
        (Relation.EQUAL, "400 nM"),
        (Relation.GREATER, "> 400 nM"),
        (Relation.AT_MOST, "≤ 400 nM"),
        (Relation.AT_LEAST, "≥ 400 nM"),
        (Relation.ABOUT, "~ 400 nM"),
        (Relation.RANGE, "400 to 500 nM"),
    ],
)
def test_potencies_keep_their_sign(relation: Relation, text: str) -> None:
    assert say_potency(Potency("a", 400.0, relation, 500.0), "nM") == text


def test_selectivity_names_what_is_wrong(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        draw_selectivity([Potency("a", 0.0)], **names)
    with pytest.raises(ValueError, match="needs both ends"):
        draw_selectivity([Potency("a", 5.0, Relation.RANGE)], **names)


def test_heat_table_splits_bounds_and_hatches_gaps(checked: Checked, names: dict[str, str]) -> None:
    def draw(value: Interval | None) -> str:
        svg = draw_heat([HeatRow("IL-6", (value,))], ["4 mg"], **names)
        checked(svg)
        return svg

    assert "<pattern" in draw(None)
    assert "<pattern" not in draw(Interval.point(0.5))
    fills = draw(Interval(0.2, 1.0)).count('style="fill:#')
    assert fills > draw(Interval.point(0.5)).count('style="fill:#')
    with pytest.raises(ValueError, match="one value for each column"):
        draw_heat([HeatRow("IL-6", (None,))], ["1 mg", "4 mg"], **names)


def test_long_labels_are_broken_and_rows_do_not_overlap() -> None:
    rows = [Row("short"), Row("a very long label " * 6), Row("Heading", heading=True), Row("x")]
    with theme():
        frame = draw_frame(rows, Heads(label="Head"))
    gaps = [b - a for a, b in pairwise(frame.centres)]
    assert min(gaps) > 0.2
    assert gaps[0] > 1.5 * gaps[2]


def test_a_chart_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        draw_frame([], Heads())
