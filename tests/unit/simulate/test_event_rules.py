"""What event records mean: order at equal times, resets, steady states, modelled inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.data import events_from_columns
from statera.errors import InputError
from statera.model import Model
from statera.simulate import simulate, structure_of
from statera.simulate.arrays import individual_values
from statera.simulate.doses import BAD_INPUT, LAG_TOO_LONG, NO_STEADY_STATE
from statera.simulate.solve_linear import solve_linear

Make = Callable[..., Model]
Book = Callable[..., Any]
Run = Callable[..., Any]


def _at(*times: float) -> list[dict[str, float]]:
    return [{"time": t} for t in times]


def test_a_dose_record_after_an_observation_at_the_same_time_is_not_seen_by_it(
    compartments: Make, run_records: Run
) -> None:
    dose = {"time": 0.0, "evid": 1, "amt": 40}
    before, _ = run_records(compartments(), [dose, *_at(0.0)])
    after, _ = run_records(compartments(), [*_at(0.0), dose, *_at(0.0)])
    assert before.tolist() == [1.0]
    assert after.tolist() == [0.0, 1.0]


def test_a_pending_dose_is_seen_by_an_observation_at_its_time(
    compartments: Make, run_records: Run
) -> None:
    model = compartments(1, {"CL": 0.0, "LAG": 2.0})
    dose = {"time": 0.0, "evid": 1, "amt": 40, "ii": 12, "addl": 1}
    found, _ = run_records(model, [dose, *_at(12.0)])
    assert found[0] == pytest.approx(2.0)
    lagged = {"time": 0.0, "evid": 1, "amt": 40, "route": "zero"}
    found, _ = run_records(model, [lagged, *_at(2.0, 4.5)])
    assert found.tolist() == pytest.approx([0.0, 0.8])


@pytest.mark.parametrize("solved", [False, True])
def test_times_that_differ_by_rounding_are_one_time(compartments: Make, solved: bool) -> None:
    """0.1 has no exact double: 30 intervals of 0.1 h end at 3 h all the same."""
    dynamics = {"depot": "0", "central": "-1e-300*central^2"}
    model = compartments(1, {"CL": 0.0}, **({"dynamics": dynamics} if solved else {}))
    result = simulate(
        model, "40 mg via iv q0.1h x100", times=[0.3, 0.6, 0.7, 3.0], windows=[(0.0, 0.3), (0.6, 3)]
    )
    np.testing.assert_allclose(result.outputs["C"][0], [4, 7, 8, 31])
    np.testing.assert_allclose(result.endpoint("Ctrough", window=0), 3)
    np.testing.assert_allclose(result.endpoint("Ctrough", window=1), 30)


@pytest.mark.parametrize("evid", [3, 4])
def test_resets_cancel_running_infusions_and_outstanding_doses(
    compartments: Make, run_records: Run, evid: int
) -> None:
    records = [
        {"time": 0.0, "evid": 1, "amt": 100, "rate": 5, "ii": 6, "addl": 3},
        {"time": 0.0, "evid": 1, "amt": 100, "route": "lagged"},
        {"time": 0.5, "evid": evid, "amt": 40 if evid == 4 else 0},
        *_at(0.5, 4.0, 30.0),
    ]
    found, status = run_records(compartments(), records)
    left = 1.0 if evid == 4 else 0.0
    expected = left * np.exp(-0.125 * np.array([0, 3.5, 29.5]))
    assert status == 0
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("lag", [0.7, 0.3])
def test_a_dose_that_lands_at_the_time_of_a_reset_is_lost(
    compartments: Make, run_records: Run, lag: float
) -> None:
    records = [
        {"time": 0.0, "evid": 1, "amt": 40, "route": "lagged"},
        {"time": lag, "evid": 3},
        *_at(lag, 5.0),
    ]
    found, _ = run_records(compartments(1, {"LAG": lag}), records)
    assert found.tolist() == [0.0, 0.0]


def test_bioavailability_does_not_scale_a_constant_infusion(
    compartments: Make, run_records: Run
) -> None:
    found, _ = run_records(
        compartments(1), [{"evid": 1, "rate": 30, "ss": 1, "route": "zero"}, *_at(0.0)]
    )
    assert found[0] == pytest.approx(30 / 5)


def test_reset_returns_to_the_initial_state(compartments: Make, run_records: Run) -> None:
    model = compartments(1, initial={"central": "20"})
    found, _ = run_records(
        model, [{"time": 0, "evid": 1, "amt": 40}, {"time": 9, "evid": 3}, *_at(9.0, 10.0)]
    )
    np.testing.assert_allclose(found, [0.5, 0.5 * np.exp(-0.125)])


def test_bioavailability_scales_the_duration_of_an_infusion_with_a_rate(
    compartments: Make, textbook: Book, run_records: Run
) -> None:
    times = np.arange(1.0, 20.0)
    dose = {"time": 0, "evid": 1, "amt": 100, "rate": 20, "route": "zero"}
    found, _ = run_records(compartments(), [dose, *_at(*times)])
    np.testing.assert_allclose(found, 80 * textbook(1).infusion(times - 0.7, 4.0), atol=1e-14)


def test_modelled_rate_and_duration(compartments: Make, textbook: Book, run_records: Run) -> None:
    times = np.arange(1.0, 20.0)
    book = textbook(1)
    found, _ = run_records(
        compartments(), [{"evid": 1, "amt": 100, "rate": -2, "route": "zero"}, *_at(*times)]
    )
    np.testing.assert_allclose(found, 80 * book.infusion(times - 0.7, 2.5), atol=1e-14)
    found, _ = run_records(
        compartments(), [{"evid": 1, "amt": 100, "rate": -1, "route": "rate"}, *_at(*times)]
    )
    np.testing.assert_allclose(found, 100 * book.infusion(times, 100 / 30))


def test_dose_formulas_may_use_the_amount(compartments: Make, textbook: Book) -> None:
    """Bioavailability that falls with the dose, a common form of saturable absorption."""
    model = compartments(
        inputs={"oral": [{"kind": "bolus", "into": "depot", "bioavailability": "50/(50 + AMT)"}]}
    )
    times = np.arange(30.0)
    found = simulate(model, "50 mg q24h then 150 mg", times=times).outputs["C"][0]
    book = textbook(1)
    np.testing.assert_allclose(
        found, 25 * book.oral(times) + 37.5 * book.oral(times - 24), atol=1e-14
    )


def test_second_steady_state_adds_to_the_first(
    compartments: Make, textbook: Book, run_records: Run
) -> None:
    """SS=2 superposes a profile: morning and evening doses of different size."""
    times = np.arange(12.0, 23.0)
    found, _ = run_records(
        compartments(2),
        [
            {"time": 0, "evid": 1, "amt": 100, "ii": 24, "ss": 1, "addl": 1},
            {"time": 12, "evid": 1, "amt": 50, "ii": 24, "ss": 2},
            *_at(*times),
        ],
    )
    book = textbook(2)
    expected = 100 * book.bolus(times, tau=24.0) + 50 * book.bolus(times - 12, tau=24.0)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_first_steady_state_replaces_what_was_there(
    compartments: Make, textbook: Book, run_records: Run
) -> None:
    times = np.arange(5.0, 16.0)
    found, _ = run_records(
        compartments(1),
        [
            {"time": 0, "evid": 1, "amt": 5000, "ii": 6, "addl": 3},
            {"time": 5, "evid": 1, "amt": 100, "ii": 12, "ss": 1},
            *_at(*times),
        ],
    )
    np.testing.assert_allclose(found, 100 * textbook(1).bolus(times - 5, tau=12.0), rtol=1e-11)


def test_lagged_steady_state_is_seen_at_its_phase(
    compartments: Make, textbook: Book, run_records: Run
) -> None:
    """Before the lagged dose lands, the profile is that of II - lag after the last one."""
    times = np.array([0.0, 0.3, 0.69, 0.71, 3.0, 11.9])
    found, _ = run_records(
        compartments(2),
        [{"evid": 1, "amt": 100, "ii": 12, "ss": 1, "route": "lagged"}, *_at(*times)],
    )
    phase = np.where(times < 0.7, times + 12 - 0.7, times - 0.7)
    np.testing.assert_allclose(found, 80 * textbook(2).oral(phase, tau=12.0), rtol=1e-10)


@pytest.mark.parametrize("duration", [3.0, 12.0, 20.0, 24.0, 31.0])
def test_steady_state_of_infusions_that_outlast_the_interval(
    compartments: Make, textbook: Book, run_records: Run, duration: float
) -> None:
    times = np.linspace(0.0, 40.0, 81)
    dose = {"evid": 1, "amt": 100, "rate": 100 / duration, "ii": 12, "ss": 1}
    found, _ = run_records(compartments(2), [dose, *_at(*times)])
    book = textbook(2)
    # the same by 200 earlier doses: the slowest half-life is 28 h
    expected = sum(100 * book.infusion(times + 12.0 * k, duration) for k in range(200))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_constant_infusion_stops_at_the_record(
    compartments: Make, textbook: Book, run_records: Run
) -> None:
    times = np.linspace(0.0, 40.0, 81)
    found, _ = run_records(compartments(3), [{"evid": 1, "rate": 30, "ss": 1}, *_at(*times)])
    book = textbook(3)
    expected = 30 * (np.exp(-np.outer(times, book.rates)) @ (book.coefficients / book.rates))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert found[0] == pytest.approx(30 / 5)


@pytest.mark.parametrize(
    ("values", "route", "status"),
    [
        ({"F": -0.1}, "lagged", BAD_INPUT),
        ({"F": np.inf}, "lagged", BAD_INPUT),
        ({"LAG": -1.0}, "lagged", BAD_INPUT),
        ({"D": -1.0}, "zero", BAD_INPUT),
        ({"R": 0.0}, "rate", BAD_INPUT),
        ({"R": -3.0}, "rate", BAD_INPUT),
        ({"LAG": 12.0}, "lagged", LAG_TOO_LONG),
        ({"CL": 0.0}, "iv", NO_STEADY_STATE),
        ({"CL": 0.0}, "zero", NO_STEADY_STATE),
    ],
)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_steady_states_that_cannot_be(
    compartments: Make, run_records: Run, n: int, values: dict[str, float], route: str, status: int
) -> None:
    finite = {k: v for k, v in values.items() if np.isfinite(v)}
    model = compartments(n, finite)
    if finite != values:  # a parameter must be finite: let a formula overflow instead
        process = {"kind": "bolus", "into": "depot", "bioavailability": "exp(1000*KA)"}
        model = compartments(n, inputs={"lagged": [process]})
    record = {"evid": 1, "amt": 100, "ii": 12, "ss": 1, "route": route}
    _, found = run_records(model, [record, *_at(1.0)])
    assert found == status


@pytest.mark.parametrize(
    "process",
    [
        {"kind": "bolus", "bioavailability": "exp(1000*KA)"},
        {"kind": "bolus", "lag": "exp(1000*KA)"},
        {"kind": "bolus", "bioavailability": "log(-KA)"},
        {"kind": "zero_order", "duration": "exp(1000*KA)"},
        {"kind": "zero_order", "duration": "log(-KA)"},
        {"kind": "zero_order", "rate": "exp(1000*KA)"},
        {"kind": "zero_order", "duration": "exp(-740*KA/KA)"},
    ],
)
def test_no_dose_is_lost_to_an_input_that_is_not_finite(
    compartments: Make, run_records: Run, process: dict[str, str]
) -> None:
    model = compartments(inputs={"iv": [{"into": "central", **process}]})
    _, status = run_records(model, [{"evid": 1, "amt": 100}, *_at(1.0)])
    assert status == BAD_INPUT


def test_a_duration_of_zero_is_a_bolus(compartments: Make, textbook: Book) -> None:
    times = np.arange(1.0, 9.0)
    found = simulate(compartments(1, {"D": 0.0}), "100 mg via zero", times=times).outputs["C"][0]
    np.testing.assert_allclose(found, 80 * textbook(1).bolus(times - 0.7))


def test_infusion_into_several_processes_is_refused(compartments: Make) -> None:
    with pytest.raises(InputError, match="several input processes"):
        simulate(compartments(), "100 mg over 1 h via both")


def test_dose_into_a_state_by_its_name(compartments: Make, textbook: Book) -> None:
    times = np.arange(1.0, 9.0)
    found = simulate(compartments(2), "100 mg via depot", times=times).outputs["C"][0]
    np.testing.assert_allclose(found, 100 * textbook(2).oral(times))


def test_records_of_other_subjects_do_not_matter(compartments: Make) -> None:
    """Two subjects with records of their own, solved together and apart."""
    model = compartments(2)
    values = individual_values(model, {}, np.zeros((2, 0)))

    def solve(ids: list[str], *columns: list[float]) -> Any:
        time, evid, amount = columns
        events = events_from_columns(ids, time, evid, amount, ["oral"] * len(ids))
        none = np.zeros((0, 2))
        return solve_linear(model, structure_of(model), values, events, none, events.n_groups, 1)[0]

    a = ([0.0, 1.0, 9.0], [1.0, 0, 0], [50.0, 0, 0])
    b = ([3.0, 5.0], [1.0, 0], [70.0, 0])
    together = solve(list("aaabb"), *(x + y for x, y in zip(a, b, strict=True)))
    np.testing.assert_array_equal(together[0, :2, 0], solve(list("aaa"), *a)[0, :2, 0])
    np.testing.assert_array_equal(together[1, :1, 0], solve(list("bb"), *b)[0, :1, 0])
    assert np.isnan(together[1, 1, 0])
