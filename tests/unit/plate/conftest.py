"""A simulated plate, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from statera.plate.simulated_plate import SimulatedPlate, SimulationOptions, simulate_plate

SMALL = SimulationOptions(donors=("D1",), cytokines=("IL-6",), events=2500, seed=3)


@pytest.fixture(scope="session")
def plate(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPlate:
    """Two donors, two cytokines; IL-15 does not reach CD11b."""
    return simulate_plate(tmp_path_factory.mktemp("plate"), SimulationOptions(events=2500, seed=7))


@pytest.fixture
def small(tmp_path: Path) -> SimulatedPlate:
    """A plate to be spoilt."""
    return simulate_plate(tmp_path / "small", SMALL)
