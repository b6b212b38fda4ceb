"""Simulation of event tables: compartments and routes, rows, names, units and statuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from statera.data import EventTable, events_from_columns, read_events
from statera.errors import DomainError, InputError, UnknownNameError
from statera.model import Model, build_model
from statera.simulate import simulate, simulate_events

Make = Callable[..., Model]
WEIGHT = {
    "W": {"unit": "kg", "reference": 70.0, "soft": {"min": 40, "max": 120},
          "hard": {"min": 1, "max": 400}},
}  # fmt: skip


def _table(*records: Mapping[str, Any], **covariates: list[float]) -> EventTable:
    def column(name: str) -> list[float]:
        return [float(r.get(name, 0)) for r in records]

    return events_from_columns(
        subject=[r.get("id", "1") for r in records],
        time=column("time"),
        evid=column("evid"),
        amount=column("amt"),
        route=[r.get("route", "") for r in records],
        rate=column("rate"),
        interval=column("ii"),
        additional=column("addl"),
        steady_state=column("ss"),
        compartment=column("cmt"),
        covariates=covariates,
    )


def _dose(**changes: Any) -> dict[str, Any]:
    return {"time": 0.0, "evid": 1, "amt": 80.0} | changes


def _first(model: Model, *records: Mapping[str, Any], **options: Any) -> list[float]:
    result = simulate_events(model, _table(*records), **options)
    assert not result.failures
    values: list[float] = next(iter(result.outputs.values())).tolist()
    return values


def test_a_table_gives_what_a_regimen_gives(compartments: Make) -> None:
    model = compartments(2)
    times = [0.5, 3.0, 24.0, 30.0, 47.0]
    wanted = simulate(model, "80 mg via oral q12h x4", times=times, windows=[]).outputs["C"][0]
    found = _first(model, _dose(route="oral", ii=12, addl=3), *[{"time": t} for t in times])
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_numbers_names_and_routes_name_the_same_input(compartments: Make) -> None:
    inputs = {
        "oral": [{"kind": "bolus", "into": "depot", "bioavailability": "F"}],
        "central": [{"kind": "zero_order", "into": "central", "duration": "D"}],
    }
    model = compartments(2, inputs=inputs)
    see = {"time": 5.0}
    oral = _first(model, _dose(route="oral"), see)
    assert _first(model, _dose(cmt=1), see) == oral
    assert _first(model, _dose(), see) == oral  # the default route
    assert _first(model, _dose(cmt=2, route="oral"), see) == oral  # a name before a number
    plain = _first(model, _dose(route="depot"), see)
    assert plain[0] == pytest.approx(oral[0] / 0.8)
    slow = _first(model, _dose(route="central"), see)
    assert _first(model, _dose(cmt=2), see) == slow
    peripheral = _first(model, _dose(cmt=3), see)
    assert peripheral == _first(model, _dose(route="p2"), see)


def test_several_inputs_into_a_compartment_need_a_choice(compartments: Make) -> None:
    model = compartments(1)
    see = {"time": 5.0}
    with pytest.raises(InputError, match="of test/1 has several inputs: oral"):
        _first(model, _dose(cmt=1), see)
    chosen = _first(model, _dose(cmt=1), see, routes={1: "lagged"})
    assert chosen == _first(model, _dose(route="lagged"), see)
    with pytest.raises(UnknownNameError, match="no route is called 'rectal'"):
        _first(model, _dose(cmt=1), see, routes={1: "rectal"})
    with pytest.raises(InputError, match="has no compartment 3"):
        _first(model, _dose(cmt=3), see)
    with pytest.raises(UnknownNameError, match="no route is called 'orla'"):
        _first(model, _dose(route="orla"), see)


def test_rows_are_those_of_the_table(compartments: Make) -> None:
    outputs = {"C": {"expression": "central/V"}, "A": {"expression": "depot"}}
    table = _table(
        _dose(id="b", route="oral"), {"id": "b", "time": 1.0}, {"id": "b", "time": 2.0},
        _dose(id="a", route="oral"),
        {"id": "c", "time": 7.0},
    )  # fmt: skip
    result = simulate_events(compartments(1, outputs=outputs), table)
    assert result.subject_ids == ("b", "a", "c")
    assert result.offsets.tolist() == [0, 2, 2, 3]
    frame = result.to_polars()
    assert frame.columns == ["subject", "time", "C", "A", "status"]
    assert frame["subject"].to_list() == ["b", "b", "c"]
    assert frame["time"].to_list() == [1.0, 2.0, 7.0]
    assert frame["A"].to_list() == pytest.approx([80 * np.exp(-1.3), 80 * np.exp(-2.6), 0.0])
    assert frame["status"].to_list() == ["ok"] * 3
    times, values = result.of("b", "A")
    assert times.tolist() == [1.0, 2.0]
    assert values.tolist() == frame["A"].to_list()[:2]
    assert result.of("a")[0].size == 0
    with pytest.raises(UnknownNameError, match="no subject"):
        result.of("z")
    with pytest.raises(UnknownNameError, match="no output"):
        result.of("b", "D")


def test_a_table_without_observations_has_no_rows(compartments: Make) -> None:
    result = simulate_events(compartments(1), _table(_dose(route="oral")))
    assert result.to_polars().shape == (0, 4)
    assert result.to_polars().schema["subject"] == pl.String


def test_a_subject_that_fails_has_a_status_and_the_others_are_solved(compartments: Make) -> None:
    model = compartments(1, {"LAG": 6.0})
    table = _table(
        _dose(id="good", route="lagged", ii=12, ss=1), {"id": "good", "time": 1.0},
        _dose(id="bad", route="lagged", ii=4, ss=1), {"id": "bad", "time": 1.0},
    )  # fmt: skip
    result = simulate_events(model, table)
    assert [f[0] for f in result.failures] == ["bad"]
    assert np.isnan(result.outputs["C"]).tolist() == [False, True]
    assert "1 of 2 subjects could not be solved" in result.warnings
    assert result.to_polars()["status"].to_list()[1].startswith("the lag is not shorter")


@pytest.fixture(scope="module")
def by_weight() -> Model:
    return build_model(
        {
            "id": "test/weight",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"TVCL": {"value": 5.0}, "V": {"value": 40.0}},
            "random_effects": {"eta": {"variance": 0.09}},
            "covariates": WEIGHT,
            "individual": {"CL": "TVCL*(W/70)^0.75*exp(eta)"},
            "dynamics": {"central": "-CL/V*central"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"C": {"expression": "central/V"}},
            "dose": {"soft": {"max": 100}, "hard": {"max": 1000}},
        }
    )


PAIR = (_dose(), {"time": 5.0})


def test_names_of_covariates_are_matched_and_the_rest_is_said(by_weight: Model) -> None:
    lower = simulate_events(by_weight, _table(*PAIR, w=[90, 90], CRP=[1, 1]), typical=True)
    upper = simulate_events(by_weight, _table(*PAIR, W=[90, 90]), typical=True)
    assert lower.outputs["C"].tolist() == upper.outputs["C"].tolist()
    assert lower.warnings == ("columns CRP: not covariates of test/weight, not used",)
    absent = simulate_events(by_weight, _table(*PAIR), typical=True)
    assert absent.warnings == ("W is not in the table: the reference 70 kg is used",)
    assert absent.outputs["C"][0] == pytest.approx(2 * np.exp(-5 * 5 / 40))
    with pytest.raises(InputError, match="stands in two columns"):
        simulate_events(by_weight, _table(*PAIR, W=[90, 90], w=[90, 90]))


def test_leaving_the_domain_is_a_warning_or_an_error(by_weight: Model) -> None:
    found = simulate_events(by_weight, _table(*PAIR, W=[90, 130]))
    assert "W = 130 kg: outside the data of test/weight" in found.warnings[0]
    with pytest.raises(DomainError, match="W = 700 kg"):
        simulate_events(by_weight, _table(*PAIR, W=[90, 700]))
    high = simulate_events(by_weight, _table(_dose(amt=200), {"time": 1.0}, W=[70, 70]))
    assert "dose 200 mg: outside the doses behind test/weight" in high.warnings[0]
    with pytest.raises(DomainError, match="a dose of 2000 mg"):
        simulate_events(by_weight, _table(_dose(amt=2000), {"time": 1.0}, W=[70, 70]))


def test_random_effects_are_drawn_given_or_none(by_weight: Model) -> None:
    records = [r | {"id": str(s)} for s in range(4) for r in PAIR]
    table = _table(*records, W=[70.0] * 8)
    drawn = simulate_events(by_weight, table, seed=3)
    assert drawn.etas.shape == (4, 1)
    assert np.unique(drawn.outputs["C"]).size == 4
    again = simulate_events(by_weight, table, etas=drawn.etas)
    assert again.outputs["C"].tolist() == drawn.outputs["C"].tolist()
    other = simulate_events(by_weight, table, seed=4)
    assert (other.etas != drawn.etas).all()
    fewer = simulate_events(by_weight, _table(*records[:4], W=[70.0] * 4), seed=3)
    assert fewer.outputs["C"].tolist() == drawn.outputs["C"][:2].tolist()
    wanted = 2 * np.exp(-5 * np.exp(drawn.etas[:, 0]) * 5 / 40)
    np.testing.assert_allclose(drawn.outputs["C"], wanted, rtol=1e-13)
    assert not simulate_events(by_weight, table, typical=True).etas.any()
    with pytest.raises(InputError, match="numbers of subjects disagree"):
        simulate_events(by_weight, table, etas=np.zeros((3, 1)))


def test_units_of_the_model_do_not_show(compartments: Make) -> None:
    records = [_dose(cmt=2, rate=20.0, ii=12, addl=2), {"time": 3.0}, {"time": 30.0}]
    hours = compartments(1, inputs={"iv": [{"kind": "bolus", "into": "central"}]})
    days = compartments(
        1,
        {"CL": 5.0 * 24, "KA": 1.3 * 24},
        units={"time": "day", "amount": "g"},
        inputs={"iv": [{"kind": "bolus", "into": "central"}]},
        outputs={"C": {"expression": "1000*central/V", "unit": "mg/L"}},
    )
    np.testing.assert_allclose(_first(days, *records), _first(hours, *records), rtol=1e-12)
    result = simulate_events(days, _table(*records))
    assert result.times.tolist() == [3.0, 30.0]


def test_doses_by_weight_do_not_multiply_inputs(compartments: Make) -> None:
    """Amounts differ in all subjects; formulas that hold AMT still see each amount."""
    by_amount = [{"kind": "bolus", "into": "central", "bioavailability": "where(AMT > 30, 1, 0.5)"}]
    model = compartments(
        1, inputs={"iv": by_amount, "plain": [{"kind": "bolus", "into": "central"}]}
    )
    records = []
    for s in range(6):
        amount = 10.0 * (s + 1)
        records += [_dose(id=str(s), amt=amount, route="iv" if s % 2 else "plain"),
                    {"id": str(s), "time": 0.0}]  # fmt: skip
    assert _first(model, *records) == pytest.approx(
        [10 / 40, 10 / 40, 30 / 40, 40 / 40, 50 / 40, 60 / 40]
    )


def test_time_goes_back_at_a_reset(compartments: Make) -> None:
    model = compartments(1)
    first = [_dose(route="both", ii=6, addl=9), {"time": 2.0}, {"time": 20.0}]
    second = [_dose(route="iv", evid=4), {"time": 4.0}]
    found = _first(model, *first, *second)
    assert found[:2] == _first(model, *first)
    assert found[2:] == _first(model, *second)


def test_data_of_a_file_are_taken_as_they_are(compartments: Make) -> None:
    columns = {"ID": [1, 1], "TIME": [0, 1], "AMT": [40, None], "CMT": [2, 2]}
    model = compartments(1, {"CL": 0.0}, inputs={"iv": [{"kind": "bolus", "into": "central"}]})
    assert simulate_events(model, read_events(columns)).outputs["C"].tolist() == [1.0]


@pytest.fixture(scope="module")
def saturable() -> Model:
    return build_model(
        {
            "id": "test/saturable",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"VM": {"value": 20.0}, "KM": {"value": 30.0}},
            "covariates": WEIGHT,
            "individual": {"S": "VM*W/70"},
            "dynamics": {"central": "-S*central/(KM + central)"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"A": {"expression": "central"}, "W2": {"expression": "2*W"}},
        }
    )


def test_a_model_that_needs_a_solver_takes_a_value_a_subject(saturable: Model) -> None:
    """Against the implicit solution KM ln(x0/x) + x0 - x = S t."""
    records = [
        r | {"id": str(s)} for s in range(3) for r in (_dose(), {"time": 2.0}, {"time": 6.0})
    ]
    weights = [w for w in (70.0, 35.0, 105.0) for _ in range(3)]
    result = simulate_events(saturable, _table(*records[:-1], W=weights[:-1]))
    assert result.outputs["A"].size == 5
    for s, subject in enumerate(result.subject_ids):
        times, amounts = result.of(subject)
        used = 30 * np.log(80 / amounts) + 80 - amounts
        np.testing.assert_allclose(used, 20 * weights[3 * s] / 70 * times, rtol=1e-5)
    assert result.outputs["W2"].tolist() == [140, 140, 70, 70, 210]
