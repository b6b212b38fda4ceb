"""CPU time of stiff pathways with all sensitivities.

Run ``python benchmarks/bench_pathways.py`` for a table; the least of 7 runs, CPU time of all
threads. A batch says what a subject costs, a single call what estimation for one subject feels.
Tolerances are rtol 1e-8 and atol 1e-14 with the errors of the sensitivities controlled as well
(ours by default), the same at atol 1e-8, and atol 1e-8 with the errors of the states alone, which
is the default of CVODES and diffsol.

`boehm` has the equations of Boehm 2014 (doi 10.1021/pr5006923) at rounded estimates. `chain` is
made up for this measurement: 25 states and 24 parameters of a receptor that phosphorylates a
transcription factor, its dimer, transport, ten steps of delay and an inhibitor that feeds back.
`yamada` is a published pathway (`published_pathway.py`) with its first 24 of 72 rate constants, to
100 time units, where its file is.
LSODA of scipy solves the same joint system with the same compiled right-hand side, to show the
scale only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from bench_simulate import machine
from published_pathway import FILE, yamada
from scipy.integrate import solve_ivp

from statera.model import Model, build_model
from statera.numerics.sensitivity import compile_variational
from statera.simulate import OdeOptions, gradients

BATCH = 40
REPEATS = 7
MINUTES = np.array([2.5, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200, 240.0])
DOSE = "1 mg via none"


def _model(name: str, values: dict[str, float], dynamics: dict[str, str], initial: Any) -> Model:
    first = next(iter(dynamics))
    return build_model(
        {
            "id": f"bench/{name}",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "dynamics": dynamics,
            "initial": initial,
            "inputs": {"none": [{"kind": "bolus", "into": first, "bioavailability": "0"}]},
            "outputs": {f"y_{s}": {"expression": s} for s in dynamics},
        }
    )


@lru_cache(maxsize=1)
def boehm() -> Model:
    """Eight states, six parameters; the ratio of volumes is fixed."""
    aa, ab, bb = (f"KP*exp(-KD*t)*{x}" for x in ("A^2", "A*B", "B^2"))
    ratio = 0.45 / 1.4
    dynamics = {
        "A": f"-2*{aa} - {ab} + {ratio}*(2*XO*nAA + XE*nAB)",
        "B": f"-2*{bb} - {ab} + {ratio}*(2*XO*nBB + XE*nAB)",
        "pAB": f"{ab} - IE*pAB",
        "pAA": f"{aa} - IO*pAA",
        "pBB": f"{bb} - IO*pBB",
        "nAA": f"IO*pAA/{ratio} - XO*nAA",
        "nAB": f"IE*pAB/{ratio} - XE*nAB",
        "nBB": f"IO*pBB/{ratio} - XO*nBB",
    }
    values = {"KP": 1.97e-3, "KD": 0.027, "XO": 6.17e-3, "XE": 1e-5, "IO": 9.77e4, "IE": 0.0164}
    return _model("boehm", values, dynamics, {"A": "143.8668", "B": "63.7332"})


@lru_cache(maxsize=1)
def chain() -> Model:
    """A made-up pathway of 25 states and 24 parameters, stiff by its fast binding."""
    rates = {
        "kon": 2.0, "koff": 20.0, "kact": 30.0, "kdeact": 5.0, "kint": 0.05, "krec": 0.02,
        "kloss": 0.01, "kphos": 0.5, "kdephos": 0.05, "kdim": 1.0, "kund": 10.0, "kimp": 0.3,
        "kdis": 0.1, "kexp": 0.2, "ktr": 0.5, "ktx": 2.0, "kmd": 0.1, "ktl": 0.3, "ksd": 0.05,
        "ki": 3.0, "kg": 1.0, "kgd": 0.02, "kp": 0.1, "kpd": 0.03,
    }  # fmt: skip
    active = "kphos*RLp*S/(1 + SOCS/ki)"
    dynamics = {
        "L": "-kon*L*R + koff*RL - kloss*L",
        "R": "-kon*L*R + koff*RL + krec*I",
        "RL": "kon*L*R - koff*RL - kact*RL + kdeact*RLp",
        "RLp": "kact*RL - kdeact*RLp - kint*RLp",
        "I": "kint*RLp - krec*I",
        "S": f"-{active} + kdephos*Sp + kexp*Sn",
        "Sp": f"{active} - kdephos*Sp - 2*kdim*Sp^2 + 2*kund*D",
        "D": "kdim*Sp^2 - kund*D - kimp*D",
        "Dn": "kimp*D - kdis*Dn",
        "Sn": "2*kdis*Dn - kexp*Sn",
        "T1": "ktx*Dn - ktr*T1",
        **{f"T{i}": f"ktr*(T{i - 1} - T{i})" for i in range(2, 11)},
        "M": "ktr*T10 - kmd*M",
        "SOCS": "ktl*M - ksd*SOCS",
        "G": "kg*Dn - kgd*G",
        "P": "kp*G - kpd*P",
        "Q": "kpd*P - kloss*Q",
    }
    assert (len(dynamics), len(rates)) == (25, 24)
    return _model("chain", rates, dynamics, {"L": "5", "R": "1", "S": "100"})


def least(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the least CPU time in seconds, after one run that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


OPTIONS = {
    "all errors": OdeOptions(rtol=1e-8),
    "all errors, atol 1e-8": OdeOptions(rtol=1e-8, atol=1e-8),
    "of states, atol 1e-8": OdeOptions(rtol=1e-8, atol=1e-8, control_sensitivities=False),
}
EXACT = OdeOptions(rtol=1e-11)


def solve(model: Model, n: int, ode: OdeOptions) -> Any:
    """Solve n equal subjects with sensitivities to every parameter, 24 at most."""
    times = MINUTES / 2.4 if model.id == "bench/yamada" else MINUTES
    result = gradients(
        model, DOSE, wrt=list(model.parameters)[:24], times=times, etas=np.zeros((n, 0)), ode=ode
    )
    assert not result.statuses.any()
    return result


def error(model: Model, ode: OdeOptions) -> float:
    """Return the largest error of a sensitivity of its largest value, against rtol 1e-11."""
    loose, tight = solve(model, 1, ode), solve(model, 1, EXACT)
    worst = 0.0
    for output, exact in tight.derivatives.items():
        top = np.abs(exact[0]).max(axis=0)
        off = np.abs(loose.derivatives[output][0] - exact[0]).max(axis=0)
        # what is zero to rounding says nothing
        seen = top > 1e-9 * top.max()
        worst = max(worst, float((off[seen] / top[seen]).max()))
    return worst


def lsoda(model: Model) -> float:
    """Return the CPU seconds of scipy's LSODA for the joint system."""
    equations = [e.expression for e in model.dynamics]
    names = list(model.parameters)
    system = compile_variational(equations, [equations[0]], model.states, names)
    n, m = len(model.states), len(names)
    p = np.concatenate([[q.value for q in model.parameters.values()], np.eye(m).ravel()])
    start = np.zeros(n * (1 + m))
    for name, value in model.initial.items():
        start[model.states.index(name)] = float(value)
    out = np.zeros_like(start)

    def slope(t: float, x: Any) -> Any:
        system.rhs(t, np.ascontiguousarray(x), p, out, 0)
        return out.copy()

    return least(
        lambda: solve_ivp(
            slope, (0.0, 240.0), start, method="LSODA", rtol=1e-8, atol=1e-8, t_eval=MINUTES
        ),
        1,
    )


CASES: dict[str, tuple[Callable[[], Model], float]] = {
    "Boehm, 8 states, 6 parameters": (boehm, 1.5),
    "chain, 25 states, 24 parameters": (chain, 13.0),
}
if FILE.exists():
    CASES["Yamada, 33 states, 24 parameters"] = (yamada, np.nan)


def main() -> int:
    """Print the table."""
    print(f"machine: {machine()}")
    print(f"{'ms CPU':58} {'limit':>6} {'batch':>7} {'call':>7} {'error':>8}")
    for name, (make, limit) in CASES.items():
        model = make()
        for how, ode in OPTIONS.items():
            for _ in range(3):  # until loops are compiled for this number of columns
                solve(model, BATCH, ode)
            batch = least(lambda model=model, ode=ode: solve(model, BATCH, ode)) / BATCH * 1e3
            call = least(lambda model=model, ode=ode: solve(model, 1, ode), 40) * 1e3
            print(
                f"{name + '; ' + how:58} {limit:6.1f} {batch:7.2f} {call:7.2f} "
                f"{error(model, ode):8.1e}  {solve(model, 1, ode).solver}",
                flush=True,
            )
        if "--lsoda" in sys.argv and model.id != "bench/yamada":
            print(f"{name + '; LSODA':58} {lsoda(model) * 1e3:23.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
