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


def run(model: Model, n: int, windows: Any = (), times: Any = HOURLY) -> None:
    """Simulate n subjects; fail where one of them could not be solved."""
    result = simulate(
        model, DOSE, n=n, times=times, windows=windows, seed=1, ode=OdeOptions(rtol=1e-6)
    )
    assert not result.statuses.any()


CASES: dict[str, tuple[float | None, Callable[[], None]]] = {
    "closed form, 1 000 subjects, 673 rows": (0.05, lambda: run(closed_form(), 1000)),
    "ODE with indirect response, 1 000 subjects, 673 rows": (
        0.40,
        lambda: run(indirect_response(), 1000),
    ),
    "closed form, as above, with endpoints of two windows": (
        None,
        lambda: run(closed_form(), 1000, None),
    ),
    "closed form, endpoints of two windows and no rows": (
        None,
        lambda: run(closed_form(), 1000, None, []),
    ),
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
    print(f"\n{'CPU s':56} {'limit':>7} {'median':>8}")
    missed = 0
    for name, (limit, work) in CASES.items():
        found = median_cpu(work)
        late = limit is not None and found > limit
        missed += late
        shown = "-" if limit is None else f"{limit:.2f}"
        print(f"{name:56} {shown:>7} {found:8.3f}{'  MISSED' if late else ''}", flush=True)
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
