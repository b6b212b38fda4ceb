"""Spillover: where it comes from, and taking it out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.cytometry.fcs_bytes import fcs_bytes

from statera.cytometry.compensation import (
    Spillover,
    compensate,
    read_spillover_csv,
    spillover_from_stains,
    spillover_of,
)
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.errors import InputError, UnknownNameError

MATRIX = np.array([[1.0, 0.25], [0.125, 1.0]])
TRUE = np.array([[100.0, 8.0, 1.0], [16.0, 400.0, 2.0], [64.0, 32.0, 3.0]])


def write(path: Path, events: np.ndarray, **keywords: str) -> FcsFile:
    path.write_bytes(fcs_bytes(events, ("A", "B", "Time"), keywords=keywords))
    return read_fcs(path)


@pytest.fixture
def mixed(tmp_path: Path) -> FcsFile:
    """Events with spillover, and the matrix in the file."""
    observed = TRUE.copy()
    observed[:, :2] = TRUE[:, :2] @ MATRIX
    return write(tmp_path / "mixed.fcs", observed, SPILL="2,A,B,1,0.25,0.125,1")


def test_the_matrix_of_the_file_gives_the_true_values(mixed: FcsFile) -> None:
    own = spillover_of(mixed)
    assert own is not None
    np.testing.assert_array_equal(own.matrix, MATRIX)
    np.testing.assert_allclose(compensate(mixed, own).events.T, TRUE, rtol=1e-12)


@pytest.mark.parametrize(
    "table", ["A,B\n1,0.25\n0.125,1\n", ",A,B\nA,1,0.25\nB,0.125,1\n", "A,B\n100,25\n12.5,100\n"]
)
def test_tables_with_and_without_names(tmp_path: Path, table: str) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text(table)
    found = read_spillover_csv(path)
    assert found.detectors == ("A", "B")
    np.testing.assert_allclose(found.matrix, MATRIX)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("A,B\n1\n", r"matrix.csv:2: expected 2 numbers"),
        ("A,B\n", "holds no matrix"),
        ("A,B\n1,1\n1,1\n", "singular"),
        ("A,A\n1,0\n0,1\n", "stands twice"),
    ],
)
def test_tables_that_are_no_matrix(tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text(table)
    with pytest.raises(InputError, match=said):
        read_spillover_csv(path)


@pytest.mark.parametrize("text", ["2,A,B,1,0.25,0.125", "x,A", "2,A,B,1,0.25,0.125,y"])
def test_a_keyword_that_is_no_matrix(tmp_path: Path, text: str) -> None:
    file = write(tmp_path / "bad.fcs", TRUE, SPILL=text)
    with pytest.raises(InputError, match="the spillover matrix"):
        spillover_of(file)


def test_a_detector_that_is_not_there(mixed: FcsFile) -> None:
    with pytest.raises(UnknownNameError, match="no channel is called 'C'"):
        compensate(mixed, Spillover(("A", "C"), ("A", "C"), MATRIX))


def test_single_stains_give_the_matrix_back(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    base = generator.normal([10.0, 20.0, 1.0], 0.01, (500, 3))
    empty = write(tmp_path / "none.fcs", base)
    stained = {}
    for i, name in enumerate("AB"):
        events = base.copy()
        events[:, :2] += 5000.0 * MATRIX[i]
        stained[name] = write(tmp_path / f"{name}.fcs", events)
    found = spillover_from_stains(stained, empty, ("A", "B"))
    np.testing.assert_allclose(found.matrix, MATRIX, atol=1e-5)
    with pytest.raises(InputError, match="no single stain for B"):
        spillover_from_stains({"A": stained["A"]}, empty, ("A", "B"))
    with pytest.raises(InputError, match="not brighter"):
        spillover_from_stains({"A": empty, "B": stained["B"]}, empty, ("A", "B"))
