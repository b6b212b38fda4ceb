from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.unit.pathway.petab_case import network
from tests.unit.pathway.scipy_engine import ScipyEngine

from statera.errors import InputError
from statera.pathway.objective import Objective
from statera.pathway.petab_priors import log_density
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_read import read_problem

YAML = """\
format_version: 2.0.0
parameter_files: [parameters.tsv]
model_files:
  binding: {location: model.xml, language: sbml}
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
"""

TABLES = {
    "parameters.tsv": """\
parameterId lowerBound upperBound nominalValue estimate
kon 0.01 10 0.4 true
koff 0.01 10 0.2 true
amount 0.1 10 2.0 true
scale _ _ 1.3 false
sd 0.01 1 0.15 true
""",
    "conditions.tsv": """\
conditionId targetId targetValue
much ligand 2
much free amount
rest ligand 0
rest free amount
mixed free amount/2+complex
mixed complex kon*2
""",
    "experiments.tsv": """\
experimentId time conditionId
plain 0 much
late 5 much
twostep -inf rest
twostep 0 much
formula 0 mixed
""",
    "observables.tsv": """\
observableId observableFormula noiseFormula noiseDistribution observablePlaceholders \
noisePlaceholders
bound a*complex+b s normal a;b s
left free 0.1*left log-normal _ _
share occupancy sd laplace _ _
""",
    "measurements.tsv": """\
observableId experimentId time measurement observableParameters noiseParameters
bound plain 1 0.41 scale;0.1 sd
bound plain 5 0.92 1;0 0.2
left late 6 1.2 _ _
left late 10 0.9 _ _
share twostep 2 0.6 _ _
left formula 0 1.1 _ _
share formula 3 0.4 _ _
left _ 2 0.8 _ _
""",
}


def write(folder: Path, changes: dict[str, str] | None = None, yaml: str = YAML) -> Path:
    for name, text in {**TABLES, **(changes or {})}.items():
        rows = [line.split(" ") for line in text.splitlines()]
        cells = "\n".join("\t".join("" if c == "_" else c for c in row) for row in rows)
        (folder / name).write_text(cells + "\n", encoding="utf-8")
    (folder / "model.xml").write_text("<sbml/>", encoding="utf-8")
    path = folder / "problem.yaml"
    path.write_text(yaml, encoding="utf-8")
    return path


def read(folder: Path, changes: dict[str, str] | None = None, yaml: str = YAML) -> PetabProblem:
    return read_problem(write(folder, changes, yaml), read_model=lambda path: network())


def simulated(folder: Path, changes: dict[str, str] | None = None) -> dict[str, float]:
    o = Objective(read(folder, changes), engine=ScipyEngine())
    table = o.simulations(o.nominal)
    keys = zip(table["observableId"], table["simulationConditionId"], table["time"], strict=True)
    return {f"{o} {c} {t:g}": s for (o, c, t), s in zip(keys, table["simulation"], strict=True)}


def test_experiments_are_simulated_from_their_starts(tmp_path: Path) -> None:
    found = simulated(tmp_path)
    o = Objective(read(tmp_path), engine=ScipyEngine())
    noise = o.simulations(o.nominal)["noise"].to_list()
    kon, koff, amount = 0.4, 0.2, 2.0

    def free(time: float, start: float, first: float, bound: float, ligand: float) -> float:
        from scipy.integrate import solve_ivp

        def rate(t: float, y: np.ndarray) -> list[float]:
            r = kon * ligand * math.exp(-0.01 * t) * y[0] - koff * y[1]
            return [-r, r]

        run = solve_ivp(rate, (start, time), [first, bound], rtol=1e-11, atol=1e-13)
        return float(run.y[0, -1])

    at_one = amount + 0.1 - free(1.0, 0.0, amount, 0.1, 2.0)
    assert found["bound plain 1"] == pytest.approx(1.3 * at_one + 0.1, rel=1e-8)
    assert found["left late 6"] == pytest.approx(free(6.0, 5.0, amount, 0.1, 2.0), rel=1e-8)
    assert found["share twostep 2"] == pytest.approx(
        1 - free(2.0, 0.0, amount, 0.0, 2.0) / amount, rel=1e-6
    )
    assert found["left formula 0"] == pytest.approx(amount / 2 + 0.8)
    whole = amount / 2 + 0.8 + 0.8
    assert found["share formula 3"] == pytest.approx(
        1 - free(3.0, 0.0, amount / 2 + 0.8, 0.8, 1.0) / whole, rel=1e-8
    )
    assert found["left as it is 2"] == pytest.approx(free(2.0, 0.0, 1.0, 0.1, 1.0), rel=1e-8)
    assert noise[2] == pytest.approx(0.1 * found["left late 6"])


def test_the_gradient_is_that_of_the_value(tmp_path: Path) -> None:
    o = Objective(read(tmp_path), engine=ScipyEngine())
    theta, steps = o.nominal, 1e-4 * np.eye(4)
    expected = [
        (8 * (o.value(theta + e) - o.value(theta - e))
         - o.value(theta + 2 * e) + o.value(theta - 2 * e)) / 12e-4
        for e in steps
    ]  # fmt: skip
    np.testing.assert_allclose(o.gradient(theta), expected, atol=1e-6 * np.abs(expected).max())


PRIORS = {
    "uniform": ("0.2;8", stats.uniform(0.2, 7.8)),
    "normal": ("4;2", stats.norm(4, 2)),
    "log-normal": ("0.5;2", stats.lognorm(2, scale=math.exp(0.5))),
    "laplace": ("3;5", stats.laplace(3, 5)),
    "log-laplace": ("0.3;0.6", None),
    "log-uniform": ("0.3;5", stats.loguniform(0.3, 5)),
    "cauchy": ("3;5", stats.cauchy(3, 5)),
    "gamma": ("3;5", stats.gamma(3, scale=5)),
    "chisquare": ("4", stats.chi2(4)),
    "exponential": ("3", stats.expon(scale=3)),
    "rayleigh": ("3", stats.rayleigh(scale=3)),
}


@pytest.mark.parametrize("kind", list(PRIORS))
def test_priors_are_densities_between_the_bounds(tmp_path: Path, kind: str) -> None:
    numbers, distribution = PRIORS[kind]
    lines = TABLES["parameters.tsv"].splitlines()
    rows = [f"{lines[0]} priorDistribution priorParameters", f"{lines[1]} {kind} {numbers}"]
    problem = read(tmp_path, {"parameters.tsv": "\n".join([*rows, *lines[2:]])})
    prior = problem.parameters[0].objective_prior
    assert prior is not None
    x, step = 0.45, 1e-6
    value, slope, _ = log_density(prior, "lin", x)
    if distribution is None:
        base = stats.laplace(0.3, 0.6)
        expected = base.logpdf(math.log(x)) - math.log(x)
        mass = base.cdf(math.log(10)) - base.cdf(math.log(0.01))
    else:
        expected = distribution.logpdf(x)
        mass = distribution.cdf(10) - distribution.cdf(0.01)
    assert value == pytest.approx(expected - math.log(mass), rel=1e-10)
    up, down = (log_density(prior, "lin", x + s)[0] for s in (step, -step))
    assert slope == pytest.approx((up - down) / (2 * step), abs=1e-7)
    other = problem.parameters[1].objective_prior
    assert other is not None
    assert log_density(other, "lin", 1.0)[0] == pytest.approx(-math.log(9.99))
    starts = problem.starts(200, np.random.default_rng(2))[:, 0]
    assert ((starts > 0.01) & (starts < 10)).all()
    assert len(np.unique(starts)) == 200


def test_names_of_the_mapping_table_are_those_of_the_problem(tmp_path: Path) -> None:
    (tmp_path / "mapping.tsv").write_text(
        "petabEntityId\tmodelEntityId\nbinding_rate\tkon\nligand_bound\tcomplex\n", encoding="utf-8"
    )
    changes = {
        "parameters.tsv": TABLES["parameters.tsv"].replace("kon", "binding_rate"),
        "conditions.tsv": TABLES["conditions.tsv"]
        .replace("kon", "binding_rate")
        .replace("complex", "ligand_bound"),
        "observables.tsv": TABLES["observables.tsv"].replace("complex", "ligand_bound"),
    }
    plain = Objective(read(tmp_path), engine=ScipyEngine())
    mapped = Objective(
        read(tmp_path, changes, YAML + "mapping_files: [mapping.tsv]\n"), engine=ScipyEngine()
    )
    assert mapped.names[0] == "binding_rate"
    assert mapped.value(mapped.nominal) == pytest.approx(plain.value(plain.nominal), rel=1e-12)


BAD = [
    ("parameters.tsv", "0.4 true", "0.4 1", "parameters.tsv:2:5", "neither true nor false"),
    ("parameters.tsv", "kon 0.01", "kon _", "parameters.tsv:2:2", "needs both bounds"),
    ("conditions.tsv", "much ligand 2", "much kon 2", "conditions.tsv:2:2", "called 'kon'"),
    ("conditions.tsv", "much ligand", "much lgand", "conditions.tsv:2:2", "called 'lgand'"),
    ("conditions.tsv", "rest free", "rest ligand", "conditions.tsv:5:2", "'ligand' twice"),
    ("conditions.tsv", "amount/2+", "amount/2*/", "conditions.tsv:6:3", "is expected"),
    ("conditions.tsv", "kon*2", "kom*2", "conditions.tsv:7:3", "'kom' is not defined"),
    ("experiments.tsv", "plain 0 much", "plain 0 more", "experiments.tsv:2:3", "called 'more'"),
    ("experiments.tsv", "plain 0", "plain soon", "experiments.tsv:2:2", "is not a number"),
    ("observables.tsv", "log-normal", "lognormal", "observables.tsv:3:4", "is not known"),
    ("observables.tsv", "free 0.1", "free*left 0.1", "observables.tsv:3", "a circle"),
    ("measurements.tsv", "bound plain", "bound plane", "measurements.tsv:2:2", "called 'plane'"),
    ("measurements.tsv", "late 6", "late 4", "measurements.tsv:4:3", "before the start at 5"),
    ("measurements.tsv", "scale;0.1", "scale", "measurements.tsv:2:5", "1 values are given for 2"),
]


@pytest.mark.parametrize(("table", "old", "new", "place", "words"), BAD)
def test_a_bad_cell_is_named_by_file_row_and_column(
    tmp_path: Path, table: str, old: str, new: str, place: str, words: str
) -> None:
    assert old in TABLES[table]
    with pytest.raises(InputError) as caught:
        read(tmp_path, {table: TABLES[table].replace(old, new, 1)})
    assert str(caught.value.where) == str(tmp_path / place)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("language: sbml", "language: bngl", "only sbml is read"),
        ("model_files:\n  binding: {location: model.xml, language: sbml}\n", "", "model_files"),
        ("measurement_files: [measurements.tsv]\n", "", "measurement_files is missing"),
        ("experiments.tsv", "none.tsv", "the file none.tsv does not exist"),
        ("format", "extensions: {select: {version: 1, required: true}}\nformat", "select"),
    ],
)
def test_what_is_not_read_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, yaml=YAML.replace(old, new, 1))
    assert words in str(caught.value)
