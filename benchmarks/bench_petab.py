"""CPU time of PEtab objectives, their gradients and Fisher matrices, beside their limits.

Run ``python benchmarks/bench_petab.py`` for a table (least of 7 batches in a warm process; set
OPENBLAS_NUM_THREADS=1 so that waiting threads are not counted), or
``pytest benchmarks/bench_petab.py`` for statistics by pytest-benchmark. Boehm 2014 is read from the
reference data ($STATERA_REFERENCE, or ../shared/reference) where they are there; the large problem
is made here: a cascade of 25 states, 36 conditions, 113 estimated parameters.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from statera.numerics.expression import symbol
from statera.pathway.network import Network
from statera.pathway.network_engine import NetworkEngine
from statera.pathway.objective import Objective
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_read import read_problem
from statera.pathway.solve import PathwayOptions

LIMITS = {"Boehm": (0.7, 3.0), "large": (30.0, 400.0)}
"""Limits of objective and gradient, CPU ms."""
BATCHES = 7
STAGES, DOSES, OBSERVED = 12, 36, 20


def boehm() -> PetabProblem:
    """Read Boehm 2014: 8 states, 1 condition, 9 estimated parameters."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    base = Path(os.environ.get("STATERA_REFERENCE", folder)) / "petab" / "Boehm_JProteomeRes2014"
    if not base.is_dir():
        pytest.skip(f"no reference data in {base}")
    return read_problem(base / "Boehm_JProteomeRes2014.yaml")


def cascade(stages: int = STAGES) -> Network:
    """Make a cascade of activations with a feedback: 25 states, 24 rate constants in 12 stages."""
    states = [n for i in range(stages) for n in (f"rest{i}", f"active{i}")] + ["product"]
    rates: dict[str, sp.Expr] = dict.fromkeys(states, sp.Integer(0))
    brake = 1 + symbol("product") / 10
    for i in range(stages):
        drive = symbol("dose") / brake if i == 0 else symbol(f"active{i - 1}")
        forward = symbol(f"on{i}") * drive * symbol(f"rest{i}")
        back = symbol(f"off{i}") * symbol(f"active{i}") / (1 + symbol(f"active{i}"))
        rates[f"rest{i}"] += back - forward
        rates[f"active{i}"] += forward - back
    rates["product"] = symbol(f"active{stages - 1}") - symbol("product") / 5
    parameters = {f"{k}{i}": 1.0 for i in range(stages) for k in ("on", "off")}
    initial = {n: sp.Integer(1 if n.startswith("rest") else 0) for n in states}
    return Network(
        "cascade", tuple(states), tuple(rates.values()), initial, {**parameters, "dose": 1.0}
    )


def large(folder: Path, stages: int = STAGES, doses: int = DOSES) -> PetabProblem:
    """Write and read the large problem: each condition has its dose, 20 rows and a scale."""
    random = np.random.default_rng(4)
    estimated = {f"{k}{i}": 0.5 + i / 10 for i in range(stages) for k in ("on", "off")}
    estimated |= {f"sd{j}": 0.1 for j in range(OBSERVED)}
    estimated |= {f"offset{j}": 0.05 for j in range(OBSERVED)}
    estimated |= {f"scale{c}": 1.0 for c in range(doses)}
    estimated |= {f"gain{j}": 1.0 for j in range(min(OBSERVED, 113 - len(estimated)))}
    gains = [f"gain{j}" for j in range(OBSERVED) if f"gain{j}" in estimated]
    head = ["parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"]
    tables = {
        "parameters": [head, *([n, "log10", 1e-5, 1e5, v, 1] for n, v in estimated.items())],
        "conditions": [
            ["conditionId", "dose"], *([f"c{c}", 10 ** (-1 + c / 12)] for c in range(doses))
        ],
        "observables": [
            ["observableId", "observableFormula", "noiseFormula"],
            *(
                [
                    f"o{j}",
                    f"{gains[j] if j < len(gains) else 1}*observableParameter1_o{j}"
                    f"*active{j % stages} + offset{j}",
                    f"sd{j}",
                ]
                for j in range(OBSERVED)
            ),
        ],
        "measurements": [
            [
                *("observableId", "simulationConditionId", "time"),
                *("measurement", "observableParameters"),
            ],
            *(
                [f"o{(j + c) % OBSERVED}", f"c{c}", t, random.uniform(0.1, 0.9), f"scale{c}"]
                for c in range(doses)
                for j, t in enumerate(np.repeat([1.0, 5.0, 10.0, 20.0, 60.0], 4))
            ),
        ],
    }  # fmt: skip
    for name, rows in tables.items():
        text = "\n".join("\t".join(str(cell) for cell in row) for row in rows)
        (folder / f"{name}.tsv").write_text(text + "\n", encoding="utf-8")
    (folder / "model.xml").write_text("<sbml/>", encoding="utf-8")
    (folder / "large.yaml").write_text(
        "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n"
        "- sbml_files: [model.xml]\n  condition_files: [conditions.tsv]\n"
        "  observable_files: [observables.tsv]\n  measurement_files: [measurements.tsv]\n",
        encoding="utf-8",
    )
    return read_problem(folder / "large.yaml", read_model=lambda path: cascade(stages))


@lru_cache(maxsize=2)
def problem(name: str) -> PetabProblem:
    """Return a problem, read once."""
    if name == "Boehm":
        return boehm()
    with tempfile.TemporaryDirectory() as folder:
        return large(Path(folder))


@lru_cache(maxsize=6)
def prepared(name: str, gradient: str = "auto") -> tuple[Objective, Any]:
    """Return an objective and a point, everything compiled."""
    found = problem(name)
    o = Objective(found, engine=NetworkEngine(PathwayOptions()), gradient=gradient)
    for order in (0, 1, 2):
        assert o.evaluate(found.nominal, order).ok
    return o, found.nominal


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("name", list(LIMITS))
def test_objective(benchmark: Callable[..., Any], name: str, order: int) -> None:
    o, theta = prepared(name)
    benchmark(o.evaluate, theta, order)


@pytest.mark.parametrize("gradient", ["forward", "adjoint"])
@pytest.mark.parametrize("name", list(LIMITS))
def test_gradient(benchmark: Callable[..., Any], name: str, gradient: str) -> None:
    o, theta = prepared(name, gradient)
    benchmark(o.evaluate, theta, 1)


def milliseconds(call: Callable[[], Any]) -> float:
    """Return the least CPU time of a call over batches of about 0.2 s."""
    start = time.process_time()
    call()
    size = max(1, int(0.2 / max(time.process_time() - start, 1e-5)))
    best = float("inf")
    for _ in range(BATCHES):
        start = time.process_time()
        for _ in range(size):
            call()
        best = min(best, (time.process_time() - start) / size)
    return 1e3 * best


def main() -> None:
    """Print a table."""
    print(f"{'problem':8} {'what':10} {'CPU ms':>8} {'limit':>7}")
    for name, limits in LIMITS.items():
        start = time.perf_counter()
        o, theta = prepared(name)
        ready = time.perf_counter() - start
        print(f"{name:8} {'ready, s':10} {ready:8.2f}", file=sys.stderr)
        for order, what in enumerate(("objective", "gradient", "with Fisher")):
            spent = milliseconds(lambda o=o, theta=theta, order=order: o.evaluate(theta, order))
            limit = f"{limits[order]:7.1f}" if order < 2 else ""
            print(f"{name:8} {what:11}{spent:8.3f} {limit}")
        for gradient in ("forward", "adjoint"):
            o, theta = prepared(name, gradient)
            spent = milliseconds(lambda o=o, theta=theta: o.evaluate(theta, 1))
            chosen = "  (auto)" if prepared(name)[0].gradients == (gradient,) else ""
            print(f"{name:8}   {gradient:9}{spent:8.3f} {limits[1]:7.1f}{chosen}")


if __name__ == "__main__":
    main()
