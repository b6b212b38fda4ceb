"""Three published JAK-STAT models against the trajectories of two simulators."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.network_course import course, values_of

from statera.pathway.conserved import conservation_laws
from statera.pathway.sbml_read import read_sbml
from statera.pathway.sbml_write import sbml_text

pytestmark = pytest.mark.reference

MODELS = ("BIOMD0000000093", "BIOMD0000001077", "MODEL2307050001")


def _model(reference: Path, name: str) -> Path:
    found = sorted((reference / "pathway").glob(f"*__{name}.xml"))
    if not found:
        pytest.skip(f"no model {name} in {reference / 'pathway'}")
    return found[0]


@pytest.mark.parametrize("simulator", ["roadrunner", "copasi"])
@pytest.mark.parametrize("name", MODELS)
def test_course_of_two_simulators(reference: Path, name: str, simulator: str) -> None:
    path = _model(reference, name)
    with (reference / "pathway" / f"{name}_{simulator}.csv").open(encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    table = np.array(rows, dtype=np.float64)
    network = read_sbml(path)
    known = {*network.states, *network.parameters, *network.assigned}
    columns = [i for i, title in enumerate(head) if i and title in known]
    assert len(columns) == len(head) - 1, sorted(set(head) - known)
    found = course(network, table[:, 0], [head[i] for i in columns])
    wanted = table[:, columns]
    largest = np.abs(wanted).max(axis=0)
    worst = np.abs(found - wanted).max(axis=0)
    assert (worst <= 1e-7 * largest).all(), dict(zip(head[1:], worst / largest, strict=True))


def test_models_of_problems_are_read_and_written_the_same(reference: Path) -> None:
    files = sorted((reference / "petab").rglob("*model*.xml"))
    if not files:
        pytest.skip(f"no models in {reference / 'petab'}")
    files += sorted((reference / "pathway").glob("*.xml"))
    for path in files:
        network = read_sbml(path)
        again = read_sbml(sbml_text(network))
        assert replace(again, notes=()) == replace(network, notes=()), path


@pytest.mark.parametrize(
    ("name", "laws"),
    [
        (
            "BIOMD0000000093",
            {
                "PPX + STAT1c_star_PPX + STAT1c_star_STAT1c_star_PPX": 50.0,
                "PPN + STAT1n_star_PPN + STAT1n_star_STAT1n_star_PPN": 60.0,
            },
        ),
        ("BIOMD0000001077", {"STAT5 + pSTAT5 + npSTAT5": 31.88968311373504}),
        ("MODEL2307050001", {"STAT3 + tpSTAT3 + nSTAT3": 389.9704221714464}),
    ],
)
def test_totals_hold_along_the_course_of_a_simulator(
    reference: Path, name: str, laws: dict[str, float]
) -> None:
    network = read_sbml(_model(reference, name))
    found = {str(law): law for law in conservation_laws(network)}
    with (reference / "pathway" / f"{name}_copasi.csv").open(encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    table = dict(zip(head, np.array(rows, dtype=np.float64).T, strict=True))
    for text, total in laws.items():
        law = found[text]
        weights = {n: float(w.subs(values_of(network))) for n, w in law.weights.items()}
        course_of_total = sum(weight * table[n] for n, weight in weights.items())
        np.testing.assert_allclose(course_of_total, total, rtol=1e-9)
