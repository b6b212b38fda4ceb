"""The table ``mixture`` of a model, and subpopulations of simulated subjects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.unit.estimate.simulated import oral

from statera.data import events_from_columns
from statera.errors import InputError
from statera.model import Model, SpecError
from statera.simulate import gradients, simulate, simulate_events

PARAMETERS: dict[str, Any] = {
    "CL1": {"value": 1.0},
    "CL2": {"value": 4.0},
    "p2": {"value": 0.3},
    "V0": {"value": 20.0},
}


def two(mixture: Any = None, **changes: Any) -> Model:
    table = {"variable": "SUBPOP", "probabilities": {"slow": "rest", "fast": "p2"}}
    return oral(
        **{
            "parameters": PARAMETERS,
            "individual": {
                "CL": "where(SUBPOP == 1, CL1, CL2)",
                "V": "V0*exp(eta_V)",
                "KA": "1",
            },
            "random_effects": {"eta_V": {"variance": 0.04}},
            "residual": {},
            "mixture": table if mixture is None else mixture,
            **changes,
        }
    )


def test_rest_is_what_the_others_leave() -> None:
    model = two()
    assert model.mixture is not None
    assert model.mixture.names == ("slow", "fast")
    assert [str(s.expression) for s in model.mixture.subpopulations] == ["1 - p2", "p2"]
    number = model.covariates["SUBPOP"]
    assert number.reference == 1.0
    assert (number.hard.low, number.hard.high) == (1.0, 2.0)
    assert oral().mixture is None


@pytest.mark.parametrize(
    ("mixture", "where", "what"),
    [
        ({"variable": "S", "probabilities": {"one": "1"}}, "probabilities", "two subpopulations"),
        ({"variable": "S", "probabilities": {"a": "rest", "b": "rest"}}, "b", "only one"),
        ({"variable": "S", "probabilities": {"a": "p2", "b": "p2"}}, "probabilities", "0.6, not"),
        # right at the values of the parameters, and nowhere else
        ({"variable": "S", "probabilities": {"a": "p2", "b": 0.7}}, "probabilities", "not to 1"),
        ({"variable": "S", "probabilities": {"a": "rest", "b": "CL2"}}, "a", "between 0 and 1"),
        ({"variable": "S", "probabilities": {"a": "rest", "b": "p3"}}, "b", "p3"),
        ({"variable": "S", "probabilities": {"a": "rest", "b": "eta_V"}}, "b", "eta_V"),
        ({"variable": "CL1", "probabilities": {"a": "rest", "b": "p2"}}, "", "used twice"),
        ({"variable": "exp", "probabilities": {"a": "rest", "b": "p2"}}, "variable", "as a name"),
        ({"probabilities": {"a": "rest", "b": "p2"}}, "variable", "is missing"),
        ({"variable": "S", "probabilities": {"a": "rest", "b": "p2"}, "k": 2}, "k", "k"),
    ],
)
def test_what_is_wrong_is_told(mixture: Any, where: str, what: str) -> None:
    with pytest.raises(SpecError) as caught:
        two(mixture)
    assert what in str(caught.value)
    assert where in str(caught.value.where)


def test_subpopulations_are_drawn_by_their_probabilities() -> None:
    model = two()
    result = simulate(model, "100 mg", times=[1.0, 8.0], n=2000, seed=4)
    drawn = result.covariates["SUBPOP"]
    assert set(np.unique(drawn)) == {1.0, 2.0}
    assert (drawn == 2.0).mean() == pytest.approx(0.3, abs=0.03)
    late = result.outputs["C"][:, 1]
    assert np.median(late[drawn == 2.0]) < 0.5 * np.median(late[drawn == 1.0])
    fewer = simulate(model, "100 mg", times=[1.0], n=50, seed=4)
    np.testing.assert_array_equal(fewer.covariates["SUBPOP"], drawn[:50])


def test_subpopulations_can_be_given() -> None:
    model = two()
    slow = simulate(model, "100 mg", times=[8.0], n=2, covariates={"subpop": [1, 2]}, typical=True)
    assert slow.covariates["SUBPOP"].tolist() == [1.0, 2.0]
    assert slow.outputs["C"][0, 0] > slow.outputs["C"][1, 0]
    assert not any("most probable" in w for w in slow.warnings)
    typical = simulate(model, "100 mg", times=[8.0], typical=True)
    assert typical.outputs["C"][0, 0] == pytest.approx(slow.outputs["C"][0, 0])
    assert any("most probable" in w for w in typical.warnings)


def test_event_records_draw_subpopulations() -> None:
    model = two()
    n = 300
    columns: dict[str, Any] = {
        "time": np.tile([0.0, 8.0], n),
        "evid": np.tile([1, 0], n),
        "amount": np.tile([100.0, 0.0], n),
        "subject": np.repeat(np.arange(n), 2),
    }
    result = simulate_events(model, events_from_columns(**columns), seed=2)
    assert result.subpopulations is not None
    assert (result.subpopulations == 2.0).mean() == pytest.approx(0.3, abs=0.08)
    assert not any("SUBPOP" in w for w in result.warnings)
    given = {"SUBPOP": np.repeat(np.where(np.arange(n) % 3 == 0, 2.0, 1.0), 2)}
    known = simulate_events(model, events_from_columns(**columns, covariates=given), seed=2)
    np.testing.assert_array_equal(known.subpopulations, given["SUBPOP"][::2])
    same = known.subpopulations == result.subpopulations
    np.testing.assert_array_equal(known.outputs["C"][same], result.outputs["C"][same])


def test_a_probability_by_a_covariate_that_leaves_its_range() -> None:
    model = two(
        {"variable": "SUBPOP", "probabilities": {"slow": "rest", "fast": "p2*WT/70"}},
        covariates={"WT": {"unit": "kg", "reference": 70}},
    )
    heavy = simulate(model, "100 mg", times=[8.0], n=500, covariates={"WT": 200.0}, seed=1)
    assert (heavy.covariates["SUBPOP"] == 2.0).mean() == pytest.approx(6.0 / 7.0, abs=0.05)
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        simulate(model, "100 mg", times=[8.0], n=5, covariates={"WT": 300.0})


def test_sensitivities_are_those_of_the_most_probable_subpopulation() -> None:
    model = two()
    etas = np.array([[0.1], [-0.2]])
    found = gradients(model, "100 mg", wrt=["CL1", "CL2"], times=[8.0], etas=etas)
    assert (found.derivatives["C"][:, 0, 0] < 0.0).all()
    assert (found.derivatives["C"][:, 0, 1] == 0.0).all()
    assert any("most probable" in w for w in found.warnings)
