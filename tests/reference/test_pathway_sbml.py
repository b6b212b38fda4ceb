"""Three published JAK-STAT models against the trajectories of two simulators."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.network_course import course

from statera.pathway.sbml_read import read_sbml

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
