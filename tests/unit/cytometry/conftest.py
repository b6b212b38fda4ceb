"""Kernels are compiled before tests that have a time limit for each of their examples."""

from __future__ import annotations

import numpy as np
import pytest

from statera.cytometry.gates import Dimension, EllipsoidGate, PolygonGate
from statera.cytometry.median import median
from statera.cytometry.scales import Logicle


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels() -> None:
    """Call each once."""
    x = np.linspace(0.0, 1.0, 5)
    d = (Dimension("x"), Dimension("y"))
    PolygonGate("p", d, ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))).inside([x, x])
    EllipsoidGate("e", d, (0.0, 0.0), ((1.0, 0.0), (0.0, 1.0))).inside([x, x])
    Logicle(262144.0, 0.5, 4.5)(x)
    median(x)
