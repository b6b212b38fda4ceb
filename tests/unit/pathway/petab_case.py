"""A small problem of our own, written table by table so that a test can spoil one of them."""

from __future__ import annotations

from pathlib import Path

import sympy as sp
from tests.unit.pathway.scipy_engine import ScipyEngine

from statera.numerics.expression import symbol
from statera.pathway.network import Network
from statera.pathway.objective import Objective
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_read import read_problem

YAML = """\
format_version: 1
parameter_file: parameters.tsv
problems:
- sbml_files: [model.xml]
  condition_files: [conditions.tsv]
  observable_files: [observables.tsv]
  measurement_files: [measurements.tsv]
  visualization_files: [figures.tsv]
"""

TABLES = {
    "parameters.tsv": """\
parameterId parameterScale lowerBound upperBound nominalValue estimate
kon log10 1e-3 10 0.4 1
koff log 1e-3 10 0.2 1
total lin 0.1 10 2.5 1
scale lin 0 10 1.3 1
offset lin -1 1 0.1 0
sd log10 1e-2 10 0.15 1
""",
    "conditions.tsv": """\
conditionId ligand free
rest 0 total
low 0.5 total
high 2 total
after 2 NaN
""",
    "observables.tsv": """\
observableId observableFormula observableTransformation noiseFormula noiseDistribution
bound scale*complex+offset lin noiseParameter1_bound normal
share observableParameter1_share*occupancy log10 sd+0.01*abs(complex) normal
left free+0.001*time log noiseParameter1_left*sd laplace
""",
    "measurements.tsv": """\
observableId preequilibrationConditionId simulationConditionId time measurement \
observableParameters noiseParameters datasetId
bound _ low 1 0.41 _ sd a
bound _ low 1 0.48 _ sd a
bound _ low 5 0.92 _ 0.2 a
bound _ high 1 1.1 _ sd b
bound _ high inf 2.4 _ sd b
share _ high 2 0.9 1.5 _ b
share _ high 5 1.3 scale _ b
left _ low 5 1.4 _ 1 c
left _ high 2 0.6 _ 2 c
left rest after 0 2.4 _ 1 d
bound rest after 3 2.0 _ sd d
""",
    "figures.tsv": "plotId yValues\np1 bound\n",
}


def network() -> Network:
    """Binding of a ligand that decays; the occupancy is an assigned name."""
    t, free, complex_ = symbol("t"), symbol("free"), symbol("complex")
    bind = symbol("kon") * symbol("ligand") * sp.exp(-symbol("decay") * t) * free
    rate = bind - symbol("koff") * complex_
    return Network(
        "binding",
        ("free", "complex"),
        (-rate, rate),
        {"free": symbol("total"), "complex": symbol("total") / 10},
        {"kon": 1.0, "koff": 1.0, "ligand": 1.0, "total": 1.0, "decay": 0.01},
        {"occupancy": complex_ / (free + complex_)},
    )


def write(folder: Path, changes: dict[str, str] | None = None, yaml: str = YAML) -> Path:
    """Write the problem with some tables replaced; `_` stands for an empty cell."""
    for name, text in {**TABLES, **(changes or {})}.items():
        rows = [line.split(" ") for line in text.splitlines()]
        cells = "\n".join("\t".join("" if c == "_" else c for c in row) for row in rows)
        (folder / name).write_text(cells + "\n", encoding="utf-8")
    (folder / "model.xml").write_text("<sbml/>", encoding="utf-8")
    path = folder / "problem.yaml"
    path.write_text(yaml, encoding="utf-8")
    return path


def read(folder: Path, changes: dict[str, str] | None = None, yaml: str = YAML) -> PetabProblem:
    """Read the problem with some tables replaced."""
    return read_problem(write(folder, changes, yaml), read_model=lambda path: network())


def objective(folder: Path, changes: dict[str, str] | None = None) -> Objective:
    """Return the objective of the problem, solved by scipy."""
    return Objective(read(folder, changes), engine=ScipyEngine())
