"""Receptors from their kinases under named assumptions."""

from __future__ import annotations

import pytest

from statera.engagement.potency import Potency
from statera.engagement.receptor import (
    ASSUMPTIONS,
    assumption,
    expected_inhibition,
    kinase_inhibition,
    parse_kinases,
)
from statera.errors import UnknownNameError
from statera.numerics.interval import Interval
from statera.sources.fact import Relation

VALUES = {
    "JAK1": Interval.point(0.8),
    "JAK2": Interval.point(0.6),
    "JAK3": Interval(0.0, 0.1),
}


def ends(kinases: str, key: str) -> tuple[float, float]:
    value = expected_inhibition(parse_kinases(kinases), VALUES, assumption(key)).value
    assert value is not None
    return value.low, value.high


@pytest.mark.parametrize(
    ("kinases", "key", "low", "high"),
    [
        ("JAK1;JAK2", "limiting_kinase", 0.8, 0.8),
        ("JAK1;JAK2", "independent", 0.92, 0.92),
        ("JAK1;JAK2", "least_inhibited", 0.6, 0.6),
        # an upper bound on one partner
        ("JAK1;JAK3", "limiting_kinase", 0.8, 0.8),
        ("JAK1;JAK3", "independent", 0.8, 0.82),
        ("JAK1;JAK3", "least_inhibited", 0.0, 0.1),
        # a partner the source leaves open
        ("JAK1;?", "limiting_kinase", 0.8, 1.0),
        ("JAK1;?", "independent", 0.8, 1.0),
        ("JAK1;?", "least_inhibited", 0.0, 0.8),
        # one kinase listed: a homodimer
        ("JAK2", "limiting_kinase", 0.6, 0.6),
        ("JAK2", "independent", 0.84, 0.84),
        ("JAK2", "least_inhibited", 0.6, 0.6),
        # three listed, one of them without a potency
        ("JAK1;JAK2;TYK2", "limiting_kinase", 0.8, 1.0),
        ("JAK1;JAK2;TYK2", "independent", 0.92, 1.0),
        ("JAK1;JAK2;TYK2", "least_inhibited", 0.0, 0.6),
    ],
)
def test_each_assumption_by_hand(kinases: str, key: str, low: float, high: float) -> None:
    assert ends(kinases, key) == pytest.approx((low, high))


def test_missing_kinases_are_named() -> None:
    rule = assumption("independent")
    assert expected_inhibition(parse_kinases("JAK1;JAK2;TYK2"), VALUES, rule).missing == ("TYK2",)
    assert expected_inhibition(parse_kinases("JAK1;?"), VALUES, rule).missing == ("?",)
    unread = expected_inhibition(parse_kinases("NOT RETRIEVED"), VALUES, rule)
    assert unread.value is None
    assert unread.kinases.text == "not retrieved"


def test_assumptions_call_themselves_so() -> None:
    assert set(ASSUMPTIONS) == {"limiting_kinase", "independent", "least_inhibited"}
    for rule in ASSUMPTIONS.values():
        assert rule.rationale.startswith("Assumed")
        assert "assumption of this program" in rule.source
    with pytest.raises(UnknownNameError, match="no assumption"):
        assumption("limiting")


def test_reading_the_list_of_kinases() -> None:
    dimer = parse_kinases("JAK2")
    assert dimer.names == ("JAK2", "JAK2")
    assert dimer.homodimer_assumed
    assert parse_kinases("JAK1/TYK2").text == "JAK1/TYK2"
    assert not parse_kinases("JAK2;JAK2").homodimer_assumed
    assert "not stated" in parse_kinases("JAK1;JAK2;TYK2").note
    assert parse_kinases("").names == ()
    with pytest.raises(UnknownNameError, match="no kinase is called 'JAK9'"):
        parse_kinases("JAK1;JAK9")


def test_kinases_from_potencies() -> None:
    enzyme = {"matrix": "enzyme"}
    potencies = [
        Potency("x", 10.0, "nM", target="JAK1", source="A", **enzyme),  # type: ignore[arg-type]
        Potency("x", 30.0, "nM", target="JAK1", source="B", **enzyme),  # type: ignore[arg-type]
        Potency("x", 400.0, "nM", Relation.GREATER, target="JAK3", **enzyme),  # type: ignore[arg-type]
        Potency("x", 50.0, "nM", target="JAK1/2", matrix="cell"),
        Potency("x", 50.0, "nM", target="JAK2", matrix="cell"),
    ]
    got = kinase_inhibition(60.0, potencies, 0.5)
    # 30 nM unbound
    assert got["JAK1"].value.low == pytest.approx(0.5)
    assert got["JAK1"].value.high == pytest.approx(0.75)
    assert [p.source for p, _ in got["JAK1"].used] == ["A", "B"]
    assert got["JAK3"].value.low == 0.0
    assert got["JAK3"].value.high == pytest.approx(30 / 430)
    assert set(got) == {"JAK1", "JAK3"}
    # Without an unbound fraction the total is used, and that is flagged.
    total = kinase_inhibition(60.0, potencies, None)
    assert total["JAK1"].value.low == pytest.approx(60 / 90)
    assert all(basis.is_flagged for _, basis in total["JAK1"].used)
    assert "JAK2" in kinase_inhibition(60.0, potencies, 0.5, matrices=("enzyme", "cell"))
    metabolite = Potency("x", 5.0, "nM", target="JAK1", analyte="m", **enzyme)  # type: ignore[arg-type]
    assert kinase_inhibition(60.0, [metabolite], 0.5) == {}
