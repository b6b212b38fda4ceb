"""CPU time of outputs with their exact sensitivities, against the same without.

Run ``python benchmarks/bench_gradients.py`` for a table (median of 5 runs in a warm process), or
``pytest benchmarks/bench_gradients.py`` for statistics by pytest-benchmark. CPU time is that of all
threads of the process (user and system).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from statera.model import Model, build_model
from statera.simulate import OdeOptions, gradients, simulate

DOSE = "100 mg q24h x28"
HOURLY = np.arange(0.0, 672.5)
"""673 rows a subject."""
SUBJECTS = 1000
REPEATS = 5
WRT = ("TVCL", "TVV", "TVKA", "Q", "V2")
TIGHT = OdeOptions(rtol=1e-8)


@lru_cache(maxsize=2)
def two_compartments(closed_form: bool = True) -> Model:
    """Two compartments with first-order absorption; the solver is forced by a vanishing term."""
    values = {"TVCL": 10.0, "TVV": 100.0, "TVKA": 1.0, "Q": 5.0, "V2": 150.0}
    nothing = "" if closed_form else " + 1e-300*central^2"
    return build_model(
        {
            "id": "bench/two_compartments",
            "parameters": {k: {"value": v} for k, v in values.items()},
            "units": {"time": "h", "amount": "mg"},
            "random_effects": {
                "eta_CL": {"variance": 0.09},
                "eta_V": {"variance": 0.04},
                "eta_KA": {"variance": 0.16},
            },
            "individual": {
                "CL": "TVCL*exp(eta_CL)", "V": "TVV*exp(eta_V)", "KA": "TVKA*exp(eta_KA)",
            },
            "dynamics": {
                "depot": "-KA*depot",
                "central": f"KA*depot - CL/V*central - Q/V*central + Q/V2*peripheral{nothing}",
                "peripheral": "Q/V*central - Q/V2*peripheral",
            },
            "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
            "outputs": {"C": {"expression": "1000*central/V", "unit": "ng/mL"}},
        }
    )  # fmt: skip


PATHWAY = {"loss": 0.027, "k_ea": 0.005, "k_eb": 0.0062, "k_ia": 0.0164, "k_ib": 9.0, "k_p": 0.002}
MINUTES = np.array([0, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200, 240.0])


@lru_cache(maxsize=1)
def pathway() -> Model:
    """A pathway of the shape and size of a dimerising transcription factor.

    Eight states and six parameters: phosphorylation to three dimers, import into a nucleus,
    export. The rates are mild enough for a method that is not for stiff systems.
    """
    stimulus = "k_p*exp(-loss*t)"
    aa, ab, bb = (f"{stimulus}*{pair}" for pair in ("a*a", "a*b", "b*b"))
    return build_model(
        {
            "id": "bench/pathway",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in PATHWAY.items()},
            "dynamics": {
                "a": f"-2*{aa} - {ab} + 2*0.32*k_eb*naa + 0.32*k_ea*nab",
                "b": f"-2*{bb} - {ab} + 2*0.32*k_eb*nbb + 0.32*k_ea*nab",
                "aa": f"{aa} - k_ib*aa",
                "ab": f"{ab} - k_ia*ab",
                "bb": f"{bb} - k_ib*bb",
                "naa": "3.1*k_ib*aa - k_eb*naa",
                "nab": "3.1*k_ia*ab - k_ea*nab",
                "nbb": "3.1*k_ib*bb - k_eb*nbb",
            },
            "initial": {"a": "143.9", "b": "63.7"},
            "inputs": {"none": [{"kind": "bolus", "into": "a", "bioavailability": "0"}]},
            "outputs": {name: {"expression": name} for name in ("a", "b", "aa", "ab", "naa")},
        }
    )


def plain(model: Model, etas: Any, times: Any, dose: str = DOSE) -> None:
    """Simulate; fail where a subject could not be solved."""
    result = simulate(model, dose, etas=etas, times=times, windows=(), ode=TIGHT)
    assert not result.statuses.any()


def slopes(model: Model, wrt: Any, etas: Any, times: Any, dose: str = DOSE) -> None:
    """Solve with sensitivities; fail where a subject could not be solved."""
    result = gradients(model, dose, wrt=wrt, etas=etas, times=times, ode=TIGHT)
    assert not result.statuses.any()


ETAS = np.random.default_rng(1).normal(size=(SUBJECTS, 3)) * [0.3, 0.2, 0.4]
NONE = np.zeros((SUBJECTS, 0))
_EMPTY = "1 mg via none"

CASES: dict[str, tuple[int, int, Callable[[], None]]] = {
    "2-cmt oral, closed form, 673 rows": (
        1000, 0, lambda: plain(two_compartments(), ETAS, HOURLY)
    ),
    "2-cmt oral, closed form, 673 rows, 5 parameters": (
        1000, 5, lambda: slopes(two_compartments(), WRT, ETAS, HOURLY)
    ),
    "2-cmt oral, solver, 673 rows": (
        100, 0, lambda: plain(two_compartments(False), ETAS[:100], HOURLY)
    ),
    "2-cmt oral, solver, 673 rows, 5 parameters": (
        100, 5, lambda: slopes(two_compartments(False), WRT, ETAS[:100], HOURLY)
    ),
    "pathway of 8 states, 16 rows": (
        1000, 0, lambda: plain(pathway(), NONE, MINUTES, _EMPTY)
    ),
    "pathway of 8 states, 16 rows, 6 parameters": (
        1000, 6, lambda: slopes(pathway(), list(PATHWAY), NONE, MINUTES, _EMPTY)
    ),
}  # fmt: skip


def median_cpu(work: Callable[[], None], repeats: int = REPEATS) -> float:
    """Return the median CPU time in seconds, after one run that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> int:
    """Print the table: in all, a subject, and against the same without sensitivities."""
    print(
        f"{'rtol 1e-8 where a solver is needed':52} {'CPU s':>8} {'us a subject':>13} {'ratio':>6}"
    )
    before = 0.0
    for name, (n, m, work) in CASES.items():
        found = median_cpu(work)
        ratio = f"{found / before:6.1f}" if m else ""
        before = found
        print(f"{name:52} {found:8.4f} {found / n * 1e6:13.1f} {ratio}", flush=True)
    return 0


@pytest.mark.parametrize("case", list(CASES))
def test_case(benchmark: Any, case: str) -> None:
    """The same cases, timed by pytest-benchmark."""
    work = CASES[case][2]
    work()
    benchmark.pedantic(work, rounds=REPEATS)


if __name__ == "__main__":
    sys.exit(main())
