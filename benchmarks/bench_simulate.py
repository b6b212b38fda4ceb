"""CPU time of population simulation.

Run ``python benchmarks/bench_simulate.py`` for a table (median of 5 runs in a warm process), or
``pytest benchmarks/bench_simulate.py`` for wall-clock statistics by pytest-benchmark. The table
holds CPU time of all threads of the process (user and system), which other work disturbs less.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
import numpy as np
import pytest

from statera.model import Model, build_model
from statera.simulate import OdeOptions, simulate

DOSE = "100 mg q24h x28"
HOURLY = np.arange(0.0, 672.5)
"""673 rows a subject."""
TROUGHS = np.arange(0.0, 673.0, 24.0)
REPEATS = 5

_PK: dict[str, Any] = {
    "units": {"time": "h", "amount": "mg"},
    "random_effects": {
        "eta_CL": {"variance": 0.09}, "eta_V": {"variance": 0.04}, "eta_KA": {"variance": 0.16}
    },
    "individual": {
        "CL": "TVCL*exp(eta_CL)", "V": "TVV*exp(eta_V)", "KA": "TVKA*exp(eta_KA)",
    },
    "dynamics": {
        "depot": "-KA*depot",
        "central": "KA*depot - CL/V*central - Q/V*central + Q/V2*peripheral",
        "peripheral": "Q/V*central - Q/V2*peripheral",
    },
    "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
    "outputs": {"C": {"expression": "1000*central/V", "unit": "ng/mL"}},
}  # fmt: skip
_VALUES = {"TVCL": 10.0, "TVV": 100.0, "TVKA": 1.0, "Q": 5.0, "V2": 150.0}


@lru_cache(maxsize=1)
def closed_form() -> Model:
    """Two compartments with first-order absorption and three random effects."""
    parameters = {k: {"value": v} for k, v in _VALUES.items()}
    return build_model({"id": "bench/closed_form", "parameters": parameters} | _PK)


@lru_cache(maxsize=1)
def indirect_response() -> Model:
    """The same with an inhibited production of a response, which needs a solver."""
    values = _VALUES | {"KIN": 5.0, "KOUT": 0.1, "IC50": 0.3}
    inhibited = "KIN*(1 - central/V/(IC50 + central/V)) - KOUT*response"
    changed = {
        "id": "bench/indirect_response",
        "parameters": {k: {"value": v} for k, v in values.items()},
        "dynamics": _PK["dynamics"] | {"response": inhibited},
        "initial": {"response": "KIN/KOUT"},
        "outputs": _PK["outputs"] | {"R": {"expression": "response"}},
    }
    return build_model(_PK | changed)


def run(model: Model, n: int, windows: Any = (), times: Any = HOURLY, workers: int = 1) -> None:
    """Simulate n subjects; fail where one of them could not be solved."""
    result = simulate(
        model, DOSE, n=n, times=times, windows=windows, seed=1, workers=workers,
        ode=OdeOptions(rtol=1e-6),
    )  # fmt: skip
    assert not result.statuses.any()


def draws() -> None:
    """400 000 draws of the parameters, four samples each under four doses."""
    times = [1.0, 24.0, 49.0, 95.0]
    simulate(closed_form(), "100 mg q24h x4", n=400_000, times=times, windows=(), seed=1)


CASES: dict[str, tuple[float | None, Callable[[], None]]] = {
    "closed form, 1 000 subjects, 673 rows": (0.03, lambda: run(closed_form(), 1_000)),
    "closed form, 10 000 subjects, 673 rows": (0.30, lambda: run(closed_form(), 10_000)),
    "ODE, indirect response, 1 000 subjects, 673 rows": (
        0.30,
        lambda: run(indirect_response(), 1_000),
    ),
    "ODE, indirect response, 10 000 subjects, 673 rows": (
        3.0,
        lambda: run(indirect_response(), 10_000),
    ),
    "closed form, 400 000 draws, 4 samples": (0.50, draws),
    "closed form, 1 000 x 673, endpoints of two windows": (
        None,
        lambda: run(closed_form(), 1_000, None),
    ),
    "closed form, 1 000, these endpoints and no rows": (
        None,
        lambda: run(closed_form(), 1_000, None, []),
    ),
}
THREADED: dict[str, Callable[[int], None]] = {
    "closed form, 1 000": lambda w: run(closed_form(), 1_000, workers=w),
    "closed form, 10 000": lambda w: run(closed_form(), 10_000, workers=w),
    "ODE, 1 000": lambda w: run(indirect_response(), 1_000, workers=w),
    "ODE, 10 000": lambda w: run(indirect_response(), 10_000, workers=w),
}
SIZES = (10, 100, 1_000, 10_000, 100_000)


def median_cpu(work: Callable[[], None], repeats: int = REPEATS) -> float:
    """Return the median CPU time in seconds, after one run that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def wall_ratio(work: Callable[[int], None], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the shortest wall time by one thread, s, and that by two against it.

    Runs alternate; the shortest is taken because another process on a core halves what two
    threads gain, and nothing makes a run faster than it is.
    """
    best = {1: float("inf"), 2: float("inf")}
    work(2)
    for _ in range(repeats):
        for workers in (1, 2):
            start = time.perf_counter()
            work(workers)
            best[workers] = min(best[workers], time.perf_counter() - start)
    return best[1], best[2] / best[1]


def ode_error(n: int = 200) -> float:
    """Return the largest error at rtol 1e-6 against 1e-11, relative to each profile's peak."""
    loose, tight = (
        simulate(
            indirect_response(), DOSE, n=n, times=HOURLY, windows=(), seed=1,
            ode=OdeOptions(rtol=rtol),
        )
        for rtol in (1e-6, 1e-11)
    )  # fmt: skip
    return max(
        float((np.abs(loose.outputs[o] - x) / np.abs(x).max(axis=1, keepdims=True)).max())
        for o, x in tight.outputs.items()
    )


def first_use() -> tuple[float, float]:
    """Return the wall time to the first profile of a new 3-state ODE model, s.

    Both models are new to the machine and the solver is compiled; the first also loads the
    solver's code into this process, the second does not.
    """
    times = []
    for k in range(2):
        new = f"{time.time_ns() % 10**9}e-12"
        start = time.perf_counter()
        model = build_model(
            {
                "id": f"bench/new{k}",
                "units": {"time": "h", "amount": "mg"},
                "parameters": {
                    "KA": {"value": 1.0}, "VM": {"value": 5.0}, "KM": {"value": 20.0},
                },
                "dynamics": {
                    "depot": "-KA*depot",
                    "central": f"KA*depot - VM*central/(KM + central) - (0.1 + {new})*central",
                    "effect": "0.2*(central - effect)",
                },
                "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
                "outputs": {"C": {"expression": "central"}, "E": {"expression": "effect"}},
            }
        )  # fmt: skip
        simulate(model, "100 mg q24h x2", times=TROUGHS[:3])
        times.append(time.perf_counter() - start)
    return times[0], times[1]


def machine() -> str:
    """Return the processor and the software that matter."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        pass
    return (
        f"{name}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"numba {numba.__version__}, numpy {np.__version__}"
    )


def main() -> int:
    """Print the table; the exit code is 1 where a limit is missed."""
    print(f"machine: {machine()}")
    if hasattr(os, "getloadavg"):
        print(f"load average: {os.getloadavg()[0]:.1f}")
    loading, warm = first_use()
    print(f"first use of a new 3-state model: {loading:.2f} s, in a warm process {warm:.2f} s")
    print(f"\n{'CPU s':56} {'limit':>7} {'median':>8}")
    missed = 0
    for name, (limit, work) in CASES.items():
        found = median_cpu(work)
        late = limit is not None and found > limit
        missed += late
        shown = "-" if limit is None else f"{limit:.2f}"
        print(f"{name:56} {shown:>7} {found:8.3f}{'  MISSED' if late else ''}", flush=True)
    print(f"\nerror of the ODE cases, against rtol 1e-11, of the peak: {ode_error():.1e}")
    print(f"\n{'wall of two threads against one':40} {'one, s':>8} {'ratio':>7}")
    for name, threaded in THREADED.items():
        one, ratio = wall_ratio(threaded)
        print(f"{name:40} {one:8.4f} {ratio:7.2f}", flush=True)
    print(f"\n{'closed form, 29 rows; subjects':32} {'CPU s':>8} {'us a subject':>13}")
    for n in SIZES:
        found = median_cpu(lambda n=n: run(closed_form(), n, (), TROUGHS))
        print(f"{n:32} {found:8.4f} {found / n * 1e6:13.2f}", flush=True)
    return int(missed > 0)


@pytest.mark.parametrize("case", list(CASES))
def test_case(benchmark: Any, case: str) -> None:
    """The same cases, timed by pytest-benchmark."""
    _, work = CASES[case]
    work()
    benchmark.pedantic(work, rounds=REPEATS)


if __name__ == "__main__":
    sys.exit(main())
