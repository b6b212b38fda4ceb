"""Stiff systems: CPU time of a solution, and how long a new model takes to be ready.

Run ``python benchmarks/bench_stiff.py``. CPU time is that of all threads of the process (user and
system), median of `REPEATS` runs of `SUBJECTS` subjects in a warm process. Readiness is the wall
time of the first simulation of a model whose code was never compiled, in a process in which another
model has been simulated; and of the same model in a new process, with its code on disk.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
from bench_simulate import machine

from statera.model import Model, build_model
from statera.simulate import OdeOptions, simulate

SUBJECTS, REPEATS = 200, 5
METHODS: tuple[Any, ...] = ("tsit5", "rodas5p", "auto")


def _model(name: str, dynamics: dict[str, str], values: dict[str, float], **more: Any) -> Model:
    first = next(iter(dynamics))
    return build_model(
        {
            "id": f"bench/{name}",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "dynamics": dynamics,
            "inputs": {"dose": [{"kind": "bolus", "into": first, "bioavailability": "0"}]},
            "outputs": {f"out_{s}": {"expression": s} for s in dynamics},
        }
        | more
    )


def robertson() -> Model:
    """Robertson 1966, three states, rates over nine orders of magnitude."""
    dynamics = {
        "y1": "-k1*y1 + k2*y2*y3",
        "y2": "k1*y1 - k2*y2*y3 - k3*y2^2",
        "y3": "k3*y2^2",
    }
    values = {"k1": 0.04, "k2": 1e4, "k3": 3e7}
    return _model("robertson", dynamics, values, initial={"y1": "1"})


def boehm() -> Model:
    """Boehm 2014 (doi 10.1021/pr5006923), eight states, at rounded estimates."""
    aa, ab, bb = (f"KP*exp(-KD*t)*{x}" for x in ("A^2", "A*B", "B^2"))
    dynamics = {
        "A": f"-2*{aa} - {ab} + R*(2*XO*nAA + XE*nAB)",
        "B": f"-2*{bb} - {ab} + R*(2*XO*nBB + XE*nAB)",
        "pAB": f"{ab} - IE*pAB",
        "pAA": f"{aa} - IO*pAA",
        "pBB": f"{bb} - IO*pBB",
        "nAA": "IO*pAA/R - XO*nAA",
        "nAB": "IE*pAB/R - XE*nAB",
        "nBB": "IO*pBB/R - XO*nBB",
    }
    values = {"KP": 1.97e-3, "KD": 0.027, "XO": 6.17e-3, "XE": 1e-5, "IO": 9.77e4, "IE": 0.0164,
              "R": 0.45 / 1.4}  # fmt: skip
    return _model("boehm", dynamics, values, initial={"A": "143.8668", "B": "63.7332"})


def turnover(kout: float) -> Model:
    """Saturable elimination and a response that follows it at the rate `kout`, 1/h."""
    dynamics = {
        "depot": "-0.9*depot",
        "central": "0.9*depot - 20*central/(12 + central)",
        "response": "KOUT*(20*9/(9 + central) - response)",
    }
    inputs = {"dose": [{"kind": "bolus", "into": "depot"}]}
    return _model("turnover", dynamics, {"KOUT": kout}, initial={"response": "20"}, inputs=inputs)


def cpu(model: Model, dose: str, times: Any, ode: OdeOptions) -> float:
    """Return the CPU time of a subject, us."""
    simulate(model, dose, n=2, times=times, windows=(), ode=ode)
    found = []
    for _ in range(REPEATS):
        start = time.process_time()
        result = simulate(model, dose, n=SUBJECTS, times=times, windows=(), ode=ode)
        found.append((time.process_time() - start) / SUBJECTS * 1e6)
        assert not result.statuses.any()
    return statistics.median(found)


def _solutions() -> None:
    print("\none solution, us CPU           rtol  " + "".join(f"{m:>10}" for m in METHODS[1:]))
    cases = [
        ("Robertson, 3 states, to 4e5", robertson(), np.geomspace(0.4, 4e5, 7)),
        ("Boehm, 8 states, to 240", boehm(), np.linspace(2.5, 240, 15)),
    ]
    for name, model, times in cases:
        for rtol in (1e-6, 1e-8):
            dose = f"1 mg q{times[-1]:.0f}h"
            row = [cpu(model, dose, times, OdeOptions(method=m, rtol=rtol)) for m in METHODS[1:]]
            print(f"{name:<30} {rtol:<6g}" + "".join(f"{v:10.0f}" for v in row))


def _crossover() -> None:
    print("\n14 daily doses, us CPU, rtol 1e-6    " + "".join(f"{m:>10}" for m in METHODS))
    for kout in (0.2, 5.0, 20.0, 50.0, 200.0, 1000.0):
        model = turnover(kout)
        row = [cpu(model, "60 mg q24h x14", [0.0, 335.0], OdeOptions(method=m)) for m in METHODS]
        print(f"{f'turnover {kout:g}/h':<37}" + "".join(f"{v:10.0f}" for v in row))


_READY = """
import sys, time
import numpy as np
from statera.model import build_model
from statera.simulate import OdeOptions, simulate
def model(c):
    return build_model({"id": "new", "units": {"time": "h", "amount": "mg"},
        "parameters": {"K": {"value": 1.0}},
        "dynamics": {"a": f"-K*a/(1 + {c}*a)", "b": "K*a - b/(2 + b)", "c": "b - c^2"},
        "inputs": {"dose": [{"kind": "bolus", "into": "a"}]},
        "outputs": {"C": {"expression": "c"}}})
dose, method = sys.argv[2], sys.argv[3]
def run(c):
    start = time.perf_counter()
    r = simulate(model(c), dose, times=[1.0], windows=(), ode=OdeOptions(method=method))
    assert not r.statuses.any()
    return time.perf_counter() - start
run(0.5)
print(run(float(sys.argv[1])))
"""


def _readiness() -> None:
    print("\na new model with 3 states, s wall            first use   new process   limit 2.0, 0.2")
    fresh = 1.0 + time.time() % 1e6 / 1e7
    for k, (what, dose, method) in enumerate(
        [
            ("Tsit5", "1 mg q12h", "auto"),
            ("Rodas5P", "1 mg q12h", "rodas5p"),
            ("steady state by Newton", "1 mg q12h ss", "auto"),
        ]
    ):
        found = []
        for _ in range(2):
            command = [sys.executable, "-W", "ignore", "-c", _READY, str(fresh + k), dose, method]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found.append(float(output))
        print(f"{what:<42} {found[0]:11.2f} {found[1]:13.2f}")


def main() -> None:
    """Print all tables."""
    print(f"machine: {machine()}")
    if hasattr(os, "getloadavg"):
        print(f"load average: {os.getloadavg()[0]:.1f}")
    _solutions()
    _crossover()
    _readiness()


if __name__ == "__main__":
    main()
