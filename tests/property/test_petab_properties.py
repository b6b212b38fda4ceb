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
from tests.unit.pathway.petab_case import TABLES, objective, read

from statera.errors import InputError

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


ODD = [
    *("", "NaN", "inf", "-inf", "0", "-1", "1e400", "abc", "kon", "free", "time", "1;2", ";"),
    *("a b", "((", "1/0", "log(", "0.5;", "\u00e9", '"', "#", "=1+1", "9" * 400, "lambda"),
    "__import__('os')",
]


def error_of(changes: dict[str, str]) -> InputError | None:
    """Return what is wrong with the problem; None where nothing is."""
    with TemporaryDirectory() as folder:
        try:
            read(Path(folder), changes)
        except InputError as error:
            return error
    return None


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(list(TABLES)), st.integers(0, 200), st.sampled_from(ODD))
def test_a_spoiled_cell_is_an_error_with_its_place_or_still_a_problem(
    table: str, where: int, text: str
) -> None:
    rows = [line.split(" ") for line in TABLES[table].splitlines()]
    row = rows[where % len(rows)]
    row[where % len(row)] = text.replace(" ", "_") or "_"
    error = error_of({table: "\n".join(" ".join(cells) for cells in rows)})
    if error is not None:
        assert any(name in str(error.where) for name in TABLES)
        assert len(error.what) > 10
