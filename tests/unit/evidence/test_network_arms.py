"""Contrasts from arms, tables of arms and of comparisons, and judgements carried along."""

from __future__ import annotations

import numpy as np
import pytest

from statera.errors import InputError
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.network_arms import (
    network_from_counts,
    network_from_means,
    network_from_rates,
)
from statera.evidence.network_certainty import (
    judgements_of_certainty_table,
    judgements_of_network_table,
)
from statera.evidence.network_fit import NetworkOptions, network
from statera.evidence.network_funnel import comparison_adjusted
from statera.evidence.network_glm import glm_network
from statera.evidence.network_table import counts_of_table, network_of_table
from statera.evidence.read_table import parse_table


def test_rates_are_those_of_two_arms() -> None:
    data = network_from_rates(["s", "s"], ["A", "B"], [12, 5], [340.0, 290.0])
    other = effect_sizes("IRR", events_1=[12], time_1=[340], events_2=[5], time_2=[290])
    assert (data.y[0], data.v[0]) == pytest.approx((other.y[0], other.v[0]))
    assert (data.measure, data.log) == ("IRR", True)
    plain = network_from_rates(["s", "s"], ["A", "B"], [12, 5], [340.0, 290.0], measure="IRD")
    other = effect_sizes("IRD", events_1=[12], time_1=[340], events_2=[5], time_2=[290])
    assert (plain.y[0], plain.v[0]) == pytest.approx((other.y[0], other.v[0]))
    assert not plain.log


def test_rates_without_events() -> None:
    data = network_from_rates(
        ["s", "s", "t", "t"], ["A", "B", "A", "B"], [0, 5, 0, 0], [10.0, 20.0, 9.0, 9.0]
    )
    assert data.y[0] == pytest.approx(np.log(0.5 / 10) - np.log(5.5 / 20))
    assert data.notes == (
        "Study s has an arm without events: 0.5 added to each.",
        "Study t has no event in any arm and is left out: it tells nothing of a ratio.",
    )
    with pytest.raises(InputError, match="cannot be"):
        network_from_rates(["s", "s"], ["A", "B"], [1, 1], [0.0, 9.0])
    with pytest.raises(InputError, match="IRR or IRD"):
        network_from_rates(["s", "s"], ["A", "B"], [1, 1], [9.0, 9.0], measure="OR")


@pytest.mark.parametrize("measure", ["MD", "SMD", "ROM"])
def test_means_of_two_arms(measure: str) -> None:
    mean, sd, size = [5.1, 4.2], [1.3, 1.6], [24, 31]
    data = network_from_means(["s", "s"], ["A", "B"], mean, sd, size, measure=measure)
    other = effect_sizes(
        measure, mean_1=mean[:1], sd_1=sd[:1], total_1=size[:1], mean_2=mean[1:], sd_2=sd[1:],
        total_2=size[1:],
    )  # fmt: skip
    assert (data.y[0], data.v[0]) == pytest.approx((other.y[0], other.v[0]), rel=1e-12)


def test_standardised_differences_of_three_arms_agree_with_each_other() -> None:
    data = network_from_means(
        ["s"] * 3, list("ABC"), [5.0, 4.0, 2.5], [1.0, 1.4, 0.9], [20, 25, 22], measure="SMD"
    )
    result = network(data)  # refuses contrasts that contradict each other
    pooled = ((19 * 1.0 + 24 * 1.4**2 + 21 * 0.9**2) / 64) ** 0.5
    bias = 1 - 3 / (4 * 64 - 1)  # the usual approximation of the exact factor
    assert result.common.estimate[0, 2] == pytest.approx(2.5 / pooled * bias, rel=1e-4)
    with pytest.raises(InputError, match="cannot be used for ROM"):
        network_from_means(["s", "s"], ["A", "B"], [-1, 1], [1, 1], [9, 9], measure="ROM")
    with pytest.raises(InputError, match="MD, SMD or ROM"):
        network_from_means(["s", "s"], ["A", "B"], [1, 1], [1, 1], [9, 9], measure="OR")


LONG = """study,treatment,events,total
m,A,2,60
m,B,6,62
m,C,9,58
t,A,4,80
t,C,11,77
"""
WIDE = """study,treatment_1,treatment_2,events_1,total_1,events_2,total_2
m,A,B,2,60,6,62
m,A,C,2,60,9,58
m,B,C,6,62,9,58
t,C,A,11,77,4,80
"""


def test_rows_of_comparisons_with_counts_are_arms() -> None:
    long, wide = parse_table(LONG), parse_table(WIDE)
    one = network(network_of_table(long, "OR"), NetworkOptions(tau2="DL"))
    other = network(network_of_table(wide, "OR"), NetworkOptions(tau2="DL"))
    np.testing.assert_allclose(one.random.estimate, other.random.estimate, atol=1e-12)
    assert counts_of_table(wide).events.tolist() == [2, 6, 9, 11, 4]
    columns = [long.names, long.carried["treatment"], *long.columns.values()]
    fit = glm_network(*columns)  # type: ignore[arg-type]  # columns of a table
    assert fit.studies == 2
    with pytest.raises(InputError, match="in another"):
        network_of_table(parse_table(WIDE.replace("m,A,C,2,60", "m,A,C,3,60")), "OR")
    with pytest.raises(InputError, match="'events' is empty"):
        network_of_table(parse_table(LONG.replace("m,B,6,62", "m,B,,62")), "OR")


def test_rates_from_a_table() -> None:
    text = LONG.replace("total", "time")
    assert counts_of_table(parse_table(text), rates=True).measure == "IRR"
    assert network_of_table(parse_table(text), "IRR").measure == "IRR"
    with pytest.raises(InputError, match="no column 'total'"):
        counts_of_table(parse_table(text))


CONTRASTS = """study,treatment_1,treatment_2,y,se,certainty,rob_overall
s1,A,B,0.4,0.2,low,high
s2,B,A,-0.2,0.2,low,low
s3,A,C,0.6,0.3,high,low
s4,A,C,0.9,0.3,moderate,some
"""


def test_judgements_of_network_table_are_by_pair() -> None:
    judged = judgements_of_network_table(parse_table(CONTRASTS))
    assert judged.of("B", "A") == {"certainty": "low", "rob_overall": "high 1, low 1"}
    assert judged.of("A", "C")["certainty"] == "high; moderate"
    assert judged.of("B", "C") == {}
    plain = judgements_of_network_table(parse_table(WIDE))
    assert plain.certainty == ()


def test_risk_of_bias_of_arms_is_counted_by_comparison() -> None:
    head, *rows = LONG.strip().splitlines()
    text = "\n".join([f"{head},rob,certainty", *(f"{r},{'low' if r[0] == 'm' else 'high'},x"
                                               for r in rows)])  # fmt: skip
    judged = judgements_of_network_table(parse_table(text))
    assert judged.of("A", "C") == {"rob": "high 1, low 1"}
    assert judged.of("A", "B") == {"rob": "low 1"}
    assert judged.certainty == ()
    assert "certainty is left out: it judges comparisons" in judged.notes[0]


def test_a_table_of_certainty() -> None:
    text = "treatment_1,treatment_2,certainty,why\nC,B,very low,indirect\nA,B,high,\n"
    judged = judgements_of_certainty_table(parse_table(text), ("A", "B", "C"))
    assert judged.certainty == ("certainty", "why")
    assert judged.of("B", "C") == {"certainty": "very low", "why": "indirect"}
    both = judgements_of_network_table(parse_table(CONTRASTS)).joined(judged)
    assert both.of("A", "B") == {"certainty": "high", "rob_overall": "high 1, low 1", "why": ""}
    for wrong, words in (
        (text.replace("C,B", "Z,B"), "treatment Z is not in the network"),
        (text.replace("C,B", "B,A"), "stands twice"),
        (text.replace("C,B", "B,B"), "compared with itself"),
        ("treatment_1,treatment_2\nA,B\n", "no column judges"),
    ):
        with pytest.raises(InputError, match=words):
            judgements_of_certainty_table(parse_table(wrong), ("A", "B", "C"))


def test_the_funnel_centres_each_comparison_and_tests_what_is_left() -> None:
    data = network_of_table(parse_table(CONTRASTS), "MD")
    result = network(data, NetworkOptions(tau2="EE"))
    funnel = comparison_adjusted(result, ["A", "B", "C"])
    assert set(funnel.comparisons) == {"B vs A", "C vs A"}
    # s1 is turned to -0.4 and s2 stands at -0.2: the mean of B vs A is -0.3
    np.testing.assert_allclose(funnel.difference, [-0.1, 0.1, 0.15, -0.15], atol=1e-12)
    turned = comparison_adjusted(result, ["C", "B", "A"])
    np.testing.assert_allclose(turned.difference, -funnel.difference, atol=1e-12)
    assert (funnel.df, funnel.alone.any()) == (2, np.False_)
    with pytest.raises(InputError, match="every treatment once"):
        comparison_adjusted(result, ["A", "B"])


def test_the_regression_test_of_a_funnel_is_eggers() -> None:
    generator = np.random.default_rng(2)
    se = generator.uniform(0.1, 0.6, 12)
    y = 0.2 + 1.5 * se + generator.normal(size=12) * se
    names = [f"s{i}" for i in range(12)]
    rows = "\n".join(f"{n},B,A,{a},{b}" for n, a, b in zip(names, y, se, strict=True))
    table = parse_table(f"study,treatment_1,treatment_2,y,se\n{rows}\nx,C,A,0.5,0.3\n")
    result = network(network_of_table(table, "MD"))
    funnel = comparison_adjusted(result, ["A", "B", "C"])
    assert funnel.alone.tolist() == [False] * 12 + [True]
    # weighted regression on the standard error, written out
    root = 1 / se
    design = np.column_stack([root, root * se])
    beta, rest, *_ = np.linalg.lstsq(design, root * y, rcond=None)
    spread = float(rest[0]) / 10
    error = (spread * np.linalg.inv(design.T @ design)[1, 1]) ** 0.5
    assert funnel.intercept == pytest.approx(beta[1])
    assert (funnel.intercept_se, funnel.df) == pytest.approx((error, 10))


def test_counts_and_unknown_measures() -> None:
    with pytest.raises(InputError, match="OR, RR or RD"):
        network_from_counts(["s", "s"], ["A", "B"], [1, 1], [9, 9], measure="HR")
    with pytest.raises(InputError, match="A stands twice"):
        network_from_counts(["s"] * 3, ["A", "A", "B"], [1, 1, 1], [9, 9, 9])
    with pytest.raises(InputError, match="rows of arms do not lead to a hazard ratio"):
        network_of_table(parse_table(LONG), "HR")
