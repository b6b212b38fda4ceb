"""CPU time of pathways under many conditions, beside the limits.

Run ``python benchmarks/bench_pathway_solver.py``: ms of one thread, the least of 7 runs, warm;
tolerances rtol 1e-8 and atol 1e-10. `boehm` has the equations of Boehm 2014 (doi
10.1021/pr5006923); where its PEtab files are at hand the whole objective is timed as well. `epo` is
made up for this measurement: 25 states of a receptor with two phosphorylation sites, a phosphatase,
a transcription factor and two inhibitors behind delays of five steps, 24 parameters by columns, 36
conditions that differ in dose, genotype and inhibitor. `chain` is stiffer, see `bench_pathways.py`.
Errors are those of states and of sensitivities, of the largest value of each, against rtol 1e-11.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bench_pathways import chain as chain_model
from bench_simulate import machine

from statera.numerics.expression import parse
from statera.pathway.adjoint import adjoint
from statera.pathway.compiled_network import CompiledNetwork, compile_network
from statera.pathway.initial_states import initial_states
from statera.pathway.network import Network
from statera.pathway.network_engine import NetworkEngine
from statera.pathway.objective import Objective
from statera.pathway.petab_read import read_problem
from statera.pathway.solve import Courses, Doses, PathwayOptions, Seeds, solve

MINUTES = np.array([2.5, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200, 240.0])
PLAIN = PathwayOptions()
CONTROLLED = PathwayOptions(control_slopes=True)
EXACT = PathwayOptions(rtol=1e-11, atol=1e-14, max_steps=1_000_000)
REFERENCE = Path(
    os.environ.get("STATERA_REFERENCE", Path(__file__).resolve().parents[2] / "shared/reference")
)


def network(
    name: str, rates: Mapping[str, str], parameters: Mapping[str, float], initial: Mapping[str, str]
) -> Network:
    """Return a network from formulas as text."""
    names = {*rates, *parameters, "t"}
    return Network(
        id=name,
        states=tuple(rates),
        rates=tuple(parse(e, names) for e in rates.values()),
        initial={s: parse(initial.get(s, "0"), names) for s in rates},
        parameters=parameters,
    )


def boehm() -> Network:
    """Eight states, six rate constants; nine columns, of which three move nothing here."""
    aa, ab, bb = (f"KP*exp(-KD*t)*{x}" for x in ("A^2", "A*B", "B^2"))
    ratio = 0.45 / 1.4
    rates = {
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
    values |= {"s1": 1.0, "s2": 1.0, "s3": 1.0}
    return network("boehm", rates, values, {"A": "143.8668", "B": "63.7332"})


def epo() -> Network:
    """Return a made-up pathway of 25 states; the last two parameters are experimental."""
    values = {
        "kact": 0.6, "kone": 0.3, "isocs": 8.0, "icis": 40.0, "kshp": 0.02, "sact": 0.05,
        "sdea": 0.01, "crem": 0.1, "kjak": 0.08, "kepo": 0.03, "istat": 0.5, "kimp": 0.03,
        "kexp": 0.07, "ctx": 0.4, "cdel": 0.15, "cdeg": 0.02, "ctl": 0.1, "cpd": 0.01,
        "stx": 0.3, "sdel": 0.2, "sdeg": 0.03, "stl": 0.1, "spd": 0.02, "R0": 4.0,
        "epo": 1.0, "act": 1.0,
    }  # fmt: skip
    slow = "(1 + isocs*SOCS)"
    active = "(Rp + P1 + P2 + P12)"
    bound, one = f"kact*epo*R/{slow}", f"kone*Rp/{slow}"
    two, later = (f"3*kone*{x}/({slow}*(1 + icis*EC))" for x in ("Rp", "P1"))
    last, off = f"kone*P2/{slow}", "kshp*ShpA"
    jak = f"kjak*S*{active}/{slow}"
    rec = f"kepo*S*(P1 + P12)^2/((1 + istat*CIS)*{slow})"
    rates = {
        "R": f"-{bound} + {off}*{active}",
        "Rp": f"{bound} - {one} - {two} - {off}*Rp",
        "P1": f"{one} - {later} - {off}*P1",
        "P2": f"{two} - {last} - {off}*P2",
        "P12": f"{later} + {last} - {off}*P12",
        "EC": "-crem*EC*(P12 + P1)",
        "Shp": f"-sact*Shp*{active} + sdea*ShpA",
        "ShpA": f"sact*Shp*{active} - sdea*ShpA",
        "S": f"-{jak} - {rec} + kexp*Sn",
        "Sp": f"{jak} + {rec} - kimp*Sp",
        "Sn": "kimp*Sp - kexp*Sn",
        "C1": "ctx*Sn*act - cdel*C1",
        **{f"C{i}": f"cdel*(C{i - 1} - C{i})" for i in range(2, 6)},
        "CR": "cdel*C5 - cdeg*CR",
        "CIS": "ctl*CR - cpd*CIS",
        "N1": "stx*Sn*act - sdel*N1",
        **{f"N{i}": f"sdel*(N{i - 1} - N{i})" for i in range(2, 6)},
        "NR": "sdel*N5 - sdeg*NR",
        "SOCS": "stl*NR - spd*SOCS",
    }
    assert (len(rates), len(values)) == (25, 26)
    return network("epo", rates, values, {"R": "R0", "EC": "0.3", "Shp": "10", "S": "80"})


def chain() -> Network:
    """Return the stiffer chain of `bench_pathways.py`."""
    model = chain_model()
    return Network(
        id="chain",
        states=tuple(model.states),
        rates=tuple(e.expression for e in model.dynamics),
        initial={s: parse(str(model.initial.get(s, "0")), ()) for s in model.states},
        parameters={name: float(q.value) for name, q in model.parameters.items()},
    )


def least(work: Callable[[], Any], number: int) -> float:
    """Return the least CPU ms of a call, after one that warms up."""
    work()
    times = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(number):
            work()
        times.append((time.process_time() - start) / number)
    return 1e3 * min(times)


class Case:
    """A network under conditions."""

    def __init__(self, compiled: CompiledNetwork, values: Any, columns: int) -> None:
        self.compiled, self.values = compiled, values
        seeds = np.repeat(np.eye(values.shape[1])[None, :, :columns], len(values), axis=0)
        self.initial, slopes = initial_states(compiled, values, seeds)
        self.seeds = Seeds(seeds, slopes)
        self.times = [MINUTES] * len(values)

    def run(self, options: PathwayOptions, slopes: bool, doses: Doses | None = None) -> Courses:
        return solve(
            self.compiled, self.values, self.initial, self.times, doses=doses,
            seeds=self.seeds if slopes else None, options=options,
        )  # fmt: skip

    def back(self) -> None:
        """Find the gradient of the sum of all states by the way back."""
        found = solve(self.compiled, self.values, self.initial, self.times, tape=True)
        by_values, by_initial = adjoint(found, [np.ones_like(x) for x in found.states])
        assert np.isfinite(by_values).all()
        assert np.isfinite(by_initial).all()

    def errors(self, options: PathwayOptions) -> tuple[float, float]:
        """Return the largest errors of states and sensitivities, of the peak of each."""
        found, exact = self.run(options, True), self.run(EXACT, True)
        assert found.ok
        assert exact.ok
        assert found.slopes is not None
        assert exact.slopes is not None
        worst = [0.0, 0.0]
        pairs = [(found.states, exact.states), (found.slopes, exact.slopes)]
        for kind, (ours, theirs) in enumerate(pairs):
            for a, b in zip(ours, theirs, strict=True):
                top = np.abs(b).max(axis=0)
                seen = top > 1e-9 * top.max()  # what is zero to rounding says nothing
                off = np.abs(a - b).max(axis=0)[seen] / top[seen]
                worst[kind] = max(worst[kind], float(off.max()))
        return worst[0], worst[1]


def ready(make: Callable[[], Network]) -> float:
    """Return the CPU seconds until a network that is new to the machine can be solved."""
    made = make()
    fresh = parse(f"{time.time_ns()}*1e-40", ())  # no earlier run has compiled this
    rates = (made.rates[0] + fresh, *made.rates[1:])
    start = time.process_time()
    compiled = compile_network(Network(**{**vars(made), "rates": rates}))
    first, _ = initial_states(compiled, compiled.values[None])
    solve(compiled, compiled.values[None], first, [MINUTES])
    return time.process_time() - start


def show(name: str, limit: float, measured: float, unit: str, note: str = "") -> None:
    """Print a row."""
    verdict = "" if np.isnan(limit) or measured <= limit else " missed"
    bound = "-" if np.isnan(limit) else f"{limit:g}"
    print(f"{name:52} {bound:>8} {measured:9.3f} {unit}{verdict}  {note}", flush=True)


def conditions(compiled: CompiledNetwork, count: int) -> Any:
    """Return parameters of conditions that differ in dose and in one inhibitor."""
    values = np.repeat(compiled.values[None], count, axis=0)
    if "epo" in compiled.parameters:
        values[:, compiled.index("epo")] = np.geomspace(0.05, 5.0, count)
        values[::3, compiled.index("act")] = 0.0
    return values


def whole_objective() -> None:
    """Time the objective of Boehm's problem, where its files are."""
    path = REFERENCE / "petab" / "Boehm_JProteomeRes2014" / "Boehm_JProteomeRes2014.yaml"
    if not path.is_file():
        return
    problem = read_problem(path)
    objective = Objective(problem, engine=NetworkEngine())
    theta = problem.nominal
    show("Boehm, whole objective", 0.7, least(lambda: objective.value(theta), 50), "ms")
    show("Boehm, whole gradient", 3.0, least(lambda: objective.gradient(theta), 30), "ms")


def main() -> int:
    """Print the table."""
    print(f"machine: {machine()}")
    print(f"{'':52} {'limit':>8} {'measured':>9}")
    whole_objective()
    cases = {
        "Boehm, 1 condition, 9 columns": (boehm, 1, 9, 0.7, 3.0),
        "epo, 36 conditions, 24 columns": (epo, 36, 24, 30.0, 400.0),
        "chain, 36 conditions, 24 columns": (chain, 36, 24, np.nan, np.nan),
    }
    for name, (make, count, columns, objective, gradient) in cases.items():
        compiled = compile_network(make())
        case = Case(compiled, conditions(compiled, count), columns)
        number = 50 if count == 1 else 2
        show(f"{name}: states", objective, least(lambda c=case: c.run(PLAIN, False), number), "ms")
        for label, options in (("states control", PLAIN), ("all control", CONTROLLED)):
            spent = least(lambda c=case, o=options: c.run(o, True), max(1, number // 2))
            state, slope = case.errors(options)
            steps = int(case.run(options, True).steps.sum())
            show(f"{name}: slopes, {label}", gradient, spent, "ms",
                 f"{steps} steps, errors {state:.0e} {slope:.0e}")  # fmt: skip
        show(f"{name}: all parameters, the way back", gradient,
             least(case.back, max(1, number // 2)), "ms")  # fmt: skip
    compiled = compile_network(epo())
    for columns in (1, 4, 8, 16, 24):
        case = Case(compiled, conditions(compiled, 36), columns)
        spent = least(lambda c=case: c.run(PLAIN, True), 1)
        show(f"epo, 36 conditions, {columns} columns: slopes", np.nan, spent, "ms")
    for name, make in (("Boehm", boehm), ("epo", epo)):
        show(f"{name}: a new model ready", 5.0, ready(make), "s")
    compiled = compile_network(boehm())
    case = Case(compiled, conditions(compiled, 1), 9)
    at = np.linspace(0.0, 239.0, 500)
    doses = Doses(np.zeros(500, int), at, np.zeros(500, int), np.full(500, 0.1))
    show("Boehm with 500 doses: states", np.nan,
         least(lambda: case.run(PLAIN, False, doses), 3), "ms")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
