"""What no reordering of a PEtab problem may change."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.unit.pathway.petab_case import TABLES, objective

Floats = NDArray[np.float64]
NAMES = ("kon", "koff", "total", "scale", "sd")


def shuffled(text: str, seed: int) -> str:
    head, *rows = text.splitlines()
    random.Random(seed).shuffle(rows)
    return "\n".join([head, *rows])


def evaluated(changes: dict[str, str]) -> tuple[float, float, dict[str, float]]:
    with TemporaryDirectory() as folder:
        o = objective(Path(folder), changes)
        found = o.evaluate(o.nominal, 1)
    assert found.gradient is not None
    return found.value, found.chi2, dict(zip(o.names, map(float, found.gradient), strict=True))


@lru_cache(maxsize=1)
def expected() -> tuple[float, float, dict[str, float]]:
    return evaluated({})


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["all", *TABLES]))
def test_the_order_of_rows_and_conditions_does_not_matter(seed: int, which: str) -> None:
    names = [n for n in TABLES if n != "figures.tsv"] if which == "all" else [which]
    value, chi2, gradient = evaluated({n: shuffled(TABLES[n], seed) for n in names})
    assert np.isclose(value, expected()[0], rtol=1e-12)
    assert np.isclose(chi2, expected()[1], rtol=1e-10)
    for name in NAMES:
        assert np.isclose(gradient[name], expected()[2][name], rtol=1e-7, atol=1e-9)
