"""Files that are written are read back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.cytometry.compensation import Spillover, spillover_of
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.repair import Defect
from statera.cytometry.write_fcs import write_fcs
from statera.errors import InputError

NAMES = ("FSC-A", "BV421-A", "APC-A")
EVENTS = np.array([[1.5, 2.0, 3.0, 4.0], [-10.25, 0.0, 1e6, 7.0], [5.0, 6.0, 7.0, 8.0]])
SPILL = Spillover(NAMES[1:], NAMES[1:], np.array([[1.0, 0.1], [1 / 3, 1.0]]))


def test_events_names_labels_matrix_and_keywords_come_back(tmp_path: Path) -> None:
    path = write_fcs(
        tmp_path / "well.fcs", EVENTS, NAMES, labels=("", "CD4", "pSTAT3 (Y705)"),
        spillover=SPILL, ranges=(262144.0, 1e6, 0.5), keywords={"$FIL": "A01.fcs", "note": "µ/µ"},
    )  # fmt: skip
    file = read_fcs(path)
    assert file.version == "FCS3.1"
    assert file.repairs == ()
    assert file.names == NAMES
    assert [c.label for c in file.channels] == ["", "CD4", "pSTAT3 (Y705)"]
    assert [c.range for c in file.channels] == [262144.0, 1e6, 0.5]
    assert file.keywords["$FIL"] == "A01.fcs"
    assert file.keywords["NOTE"] == "µ/µ"
    np.testing.assert_array_equal(file.events, EVENTS)
    own = spillover_of(file)
    assert own is not None
    assert own.detectors == NAMES[1:]
    np.testing.assert_array_equal(own.matrix, SPILL.matrix)


@given(n=st.integers(0, 40), channels=st.integers(1, 30), words=st.integers(0, 200))
def test_any_size_is_read_without_repair(
    tmp_path_factory: pytest.TempPathFactory, n: int, channels: int, words: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.fcs"
    events = np.arange(n * channels, dtype=np.float64).reshape(channels, n)
    more = {"NOTE": "x" * words} if words else {}
    write_fcs(path, events, [f"C{i}" for i in range(channels)], keywords=more)
    file = read_fcs(path)
    assert file.repairs == ()
    np.testing.assert_array_equal(file.events, events)


def test_the_same_events_make_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_fcs(tmp_path / f"{n}.fcs", EVENTS, NAMES) for n in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_values_are_rounded_to_32_bits_and_what_is_no_number_is_kept(tmp_path: Path) -> None:
    path = write_fcs(tmp_path / "x.fcs", [[0.1, np.nan, np.inf]], ["A"])
    file = read_fcs(path)
    np.testing.assert_array_equal(file.events, np.float32([[0.1, np.nan, np.inf]]))
    assert [r.defect for r in file.repairs] == [Defect.NOT_FINITE]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"events": EVENTS.T}, r"events of shape \(4, 3\) do not fit 3 channels"),
        ({"names": ("A", "A", "B")}, "names of channels are 'A', 'A', 'B'"),
        ({"names": ("A", "B,C", "D")}, "hold no comma"),
        ({"names": ("A", "B\f", "D")}, "control characters"),
        ({"labels": ("x",)}, "1 labels and 3 ranges"),
        ({"events": EVENTS * 1e36}, "BV421-A holds values that 32 bits cannot hold"),
        ({"keywords": {"$TOT": "5"}}, r"\$TOT follows from the events"),
        ({"keywords": {"$P2N": "B"}}, r"\$P2N follows from the events"),
        ({"keywords": {"NOTE": " "}}, "no empty values"),
        ({"spillover": Spillover(("X",), ("X",), np.eye(1))}, "no channel is called X"),
        ({"path": "absent/well.fcs"}, "cannot write the file"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    given = {"path": "well.fcs", "events": EVENTS, "names": NAMES} | changes
    path, events, names = given.pop("path"), given.pop("events"), given.pop("names")
    with pytest.raises(InputError, match=said):
        write_fcs(tmp_path / path, events, names, **given)
