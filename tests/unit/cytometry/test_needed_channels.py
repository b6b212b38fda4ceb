"""Only what gates and statistics need is read, and gates cannot tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from statera.cytometry.compensation import Spillover
from statera.cytometry.describe_fcs import describe_fcs, mapped
from statera.cytometry.gates import FROM_FILE, BooleanGate, Dimension, Ratio, RectangleGate
from statera.cytometry.gates import Reference as To
from statera.cytometry.needed_channels import needed_channels, read_needed
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.strategy import GatingStrategy, apply_gates
from statera.cytometry.write_fcs import write_fcs
from statera.errors import UnknownNameError

NAMES = ("FSC-A", "SSC-A", "B-A", "R-A", "V-A", "G-A", "Time")
LABELS = ("", "", "CD4", "CD8", "pSTAT3", "", "")
OWN = Spillover(("B-A", "R-A"), ("B-A", "R-A"), np.array([[1.0, 0.4], [0.1, 1.0]]))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    events = np.random.default_rng(2).normal(100.0, 60.0, (len(NAMES), 400))
    return write_fcs(tmp_path / "well.fcs", events, NAMES, labels=LABELS, spillover=OWN)


def between(name: str, dimension: Dimension) -> RectangleGate:
    return RectangleGate(name, (dimension,), (60.0,), (150.0,))


@pytest.mark.parametrize(
    ("dimensions", "extra", "needed"),
    [
        ([Dimension("SSC-A")], (), ("SSC-A",)),
        ([Dimension("SSC-A", None, FROM_FILE)], (), ("SSC-A",)),
        ([Dimension("R-A", None, FROM_FILE)], (), ("B-A", "R-A")),
        ([Dimension("CD8", None, FROM_FILE)], (), ("B-A", "R-A")),
        ([Dimension("R-A")], (), ("R-A",)),
        ([Dimension("dye", None, "own")], (), ("V-A", "G-A")),
        ([Dimension(Ratio("CD4", "FSC-A"), None, FROM_FILE)], (), ("FSC-A", "B-A", "R-A")),
        ([Dimension("Time")], ("pSTAT3", "SSC-A"), ("SSC-A", "V-A", "Time")),
        ([Dimension("Time")], (Dimension("CD4", None, FROM_FILE),), ("B-A", "R-A", "Time")),
    ],
)
def test_what_gates_and_statistics_need(
    path: Path,
    dimensions: list[Dimension],
    extra: tuple[str | Dimension, ...],
    needed: tuple[str, ...],
) -> None:
    two_detectors = Spillover(("V-A", "G-A"), ("dye",), np.array([[1.0, 0.2]]))
    gates = tuple(between(f"g{i}", d) for i, d in enumerate(dimensions))
    strategy = GatingStrategy(
        (*gates, BooleanGate("not", "not", (To("g0"),))), {"own": two_detectors}
    )
    assert needed_channels(strategy, describe_fcs(path), extra) == needed
    assert needed_channels(strategy, read_fcs(path), extra) == needed
    less = read_needed(path, strategy, extra)
    assert less.names == needed
    found, whole = apply_gates(strategy, less), apply_gates(strategy, read_fcs(path))
    for name, mask in whole.items():
        np.testing.assert_array_equal(found[name], mask)
    assert 0 < whole["g0"].sum() < 400


def test_a_label_is_compensated_as_its_channel_is(path: Path) -> None:
    gates = tuple(between(n, Dimension(n, None, FROM_FILE)) for n in ("R-A", "CD8"))
    found = apply_gates(GatingStrategy(gates), read_fcs(path))
    np.testing.assert_array_equal(found["CD8"], found["R-A"])
    plain = apply_gates(GatingStrategy((between("raw", Dimension("CD8")),)), read_fcs(path))
    assert (plain["raw"] != found["CD8"]).any()


def test_what_is_not_there(path: Path) -> None:
    strategy = GatingStrategy((between("g", Dimension("SSC-A")),))
    with pytest.raises(UnknownNameError, match="no channel is called 'pSTAT5'"):
        read_needed(path, strategy, ["pSTAT5"])
    with pytest.raises(UnknownNameError, match="no spillover matrix is called 'm'"):
        read_needed(path, strategy, [Dimension("CD4", None, "m")])


def test_a_description_is_that_of_the_file(path: Path) -> None:
    found, file = describe_fcs(path), read_fcs(path)
    assert found.channels == file.channels
    assert found.keywords == file.keywords
    assert (found.version, found.n_events) == (file.version, file.n_events)


def test_an_interruption_while_bytes_are_looked_at_is_not_hidden(path: Path) -> None:
    kept = []

    def interrupted() -> None:
        with mapped(path) as content:
            kept.append(np.frombuffer(content, dtype=np.uint8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
