"""Arrays of concentrations give what single concentrations give."""

from __future__ import annotations

import numpy as np
import pytest

from statera.engagement import (
    ASSUMPTIONS,
    Potency,
    expected_inhibition,
    kinase_course,
    kinase_inhibition,
    parse_kinases,
    receptor_course,
)
from statera.sources import Relation

_POTENCIES = (
    Potency(drug="x", target="JAK1", value=5.0, unit="nM", matrix="enzyme"),
    Potency(drug="x", target="JAK1", value=9.0, unit="nM", matrix="enzyme"),
    Potency(
        drug="x", target="JAK3", value=400.0, unit="nM", matrix="enzyme", relation=Relation.GREATER
    ),
    Potency(drug="x", target="TYK2", value=53.0, unit="nM", matrix="whole_blood"),
)
_TOTAL = np.array([[0.0, 1.0, 20.0], [300.0, 4000.0, 1e5]])


@pytest.mark.parametrize("rule", list(ASSUMPTIONS))
@pytest.mark.parametrize("listed", ["JAK1;JAK3", "JAK3", "JAK1;TYK2", "JAK1;?", "JAK1;JAK2;TYK2"])
def test_the_same_as_one_by_one(rule: str, listed: str) -> None:
    kinases = parse_kinases(listed)
    course = kinase_course(_TOTAL, _POTENCIES, 0.5)
    found = receptor_course(kinases, course, ASSUMPTIONS[rule], _TOTAL)
    assert found is not None
    for index in np.ndindex(_TOTAL.shape):
        single = kinase_inhibition(float(_TOTAL[index]), _POTENCIES, 0.5)
        values = {name: one.value for name, one in single.items()}
        expected = expected_inhibition(kinases, values, ASSUMPTIONS[rule]).value
        assert expected is not None
        assert found.low[index] == pytest.approx(expected.low, abs=1e-15)
        assert found.high[index] == pytest.approx(expected.high, abs=1e-15)


def test_an_unknown_receptor_has_none() -> None:
    course = kinase_course(_TOTAL, _POTENCIES, None)
    rule = ASSUMPTIONS["limiting_kinase"]
    assert receptor_course(parse_kinases(""), course, rule, _TOTAL) is None
    assert set(course) == {"JAK1", "JAK3"}
