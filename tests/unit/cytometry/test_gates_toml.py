"""Gates as TOML: what is written is read again, and errors say where they are."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from tests.unit.cytometry.fcs_bytes import fcs_bytes
from tests.unit.cytometry.random_strategies import gating_strategies

from statera.cytometry.flowjo_bins import BinOptions, binned_strategy
from statera.cytometry.gates import BooleanGate, Dimension, PolygonGate, RectangleGate, Reference
from statera.cytometry.gates_toml import read_gates_toml
from statera.cytometry.gates_toml_write import gates_toml_text, write_gates_toml
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.scales import Linear, Logicle
from statera.cytometry.strategy import GatingStrategy, apply_gates
from statera.errors import InputError

GATES = """\
schema = "statera.gates/1"

[scales.fluorescence]
kind = "logicle"
T = 262144
W = 0.5
M = 4.5

[matrices.stains]
file = "stains.csv"

[dimensions."CD4"]
channel = "PE-A"
scale = "fluorescence"
compensation = "stains"

[[gate]]
name = "Cells"
kind = "rectangle"
dimensions = ["FSC-A"]
low = [1000]

[[gate]]
name = "CD4+"
kind = "rectangle"
parent = "Cells"
dimensions = ["CD4", "FSC-A"]
low = [0.5, -inf]
high = [inf, 50000]
closed = true

[[gate]]
name = "quarters"
kind = "quadrant"
dimensions = ["FSC-A", "CD4"]
dividers = [[5000], [0.4, 0.6]]
[[gate.cell]]
name = "small"
place = [0, -1]
[[gate.cell]]
name = "large, bright"
place = [1, 2]

[[gate]]
name = "CD4-"
kind = "boolean"
parent = "Cells"
operation = "and"
of = [{ name = "CD4+", complement = true }, { name = "Cells" }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stains.csv").write_text("PE-A,APC-A\n1,0.1\n0.2,1\n", encoding="utf-8")
    (tmp_path / "gates.toml").write_text(GATES, encoding="utf-8")
    return tmp_path


def changed(folder: Path, old: str, new: str) -> Path:
    assert old in GATES
    path = folder / "changed.toml"
    path.write_text(GATES.replace(old, new, 1), encoding="utf-8")
    return path


def test_gates_are_defined_once_and_applied_to_files(folder: Path) -> None:
    strategy = read_gates_toml(folder / "gates.toml")
    assert strategy.populations == ("Cells", "CD4+", "small", "large, bright", "CD4-")
    gate = strategy.gates[1]
    assert isinstance(gate, RectangleGate)
    assert gate.dimensions == (
        Dimension("PE-A", Logicle(262144.0, 0.5, 4.5), "stains"),
        Dimension("FSC-A"),
    )
    assert (gate.low, gate.high, gate.closed) == ((0.5, -np.inf), (np.inf, 50000.0), True)
    rng = np.random.default_rng(20260102)
    values = np.abs(rng.normal(0, 20_000, (500, 3)))
    path = folder / "well.fcs"
    path.write_bytes(fcs_bytes(values, ("FSC-A", "PE-A", "APC-A")))
    masks = apply_gates(strategy, read_fcs(path))
    cells = masks["Cells"]
    np.testing.assert_array_equal(cells, values[:, 0].astype(np.float32) >= 1000)
    np.testing.assert_array_equal(masks["CD4-"], cells & ~masks["CD4+"])
    assert 0 < masks["CD4+"].sum() < cells.sum()


@given(gating_strategies())
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_again(strategy: GatingStrategy) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "gates.toml"
        write_gates_toml(strategy, path)
        read = read_gates_toml(path)
    assert read.gates == strategy.gates
    assert set(read.spillovers) == set(strategy.spillovers)
    for name, matrix in strategy.spillovers.items():
        np.testing.assert_array_equal(read.spillovers[name].matrix, matrix.matrix)
        assert read.spillovers[name].dyes == matrix.dyes
        assert read.spillovers[name].detectors == matrix.detectors


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('schema = "statera.gates/1"', 'schema = "x"', 1, "the file says schema 'x'"),
        ("T = 262144", "T = true", 5, "'T' is true or false"),
        ("T = 262144\n", "", 3, "'T' is missing"),
        ("W = 0.5", "W = 3", 4, "make no logicle scale"),
        ('kind = "logicle"', 'kind = "logicel"', 4, "which is not known"),
        ("M = 4.5", "M = 4.5\nB = 1", 8, "'B' is not a known key"),
        ('"stains.csv"', '"nowhere.csv"', 10, "cannot read the table"),
        ('scale = "fluorescence"', 'scale = "fluor"', 14, "there is no scale 'fluor'"),
        ('compensation = "stains"', 'compensation = "stain"', 15, "there is no matrix 'stain'"),
        ("low = [1000]", "low = [1000, 2]", 21, "'low' has 2 numbers"),
        ("low = [1000]", 'low = ["a"]', 21, "not a number"),
        ("low = [1000]", "low = [nan]", 21, "not finite"),
        ("low = [0.5, -inf]", "low = [0.5, 60000]", 28, "is empty"),
        ('parent = "Cells"', 'parent = "Cell"', 26, "there is no gate 'Cell'"),
        ('name = "small"', 'name = "Cells"', 33, "two gates are called 'Cells'"),
        ("place = [1, 2]", "place = [1, 3]", 42, "names no interval"),
        ("[[5000], [0.4, 0.6]]", "[[5000], [0.6, 0.4]]", 36, "do not rise"),
        ('operation = "and"', 'operation = "not"', 49, "joins 2 gates"),
        ('{ name = "Cells" }]', '{ name = "Cellz" }]', 49, "there is no gate 'Cellz'"),
        ("closed = true", "closed = true\nclosd = true", 31, "'closd' is not a known key"),
    ],
)
def test_errors_name_the_line(folder: Path, old: str, new: str, line: int, said: str) -> None:
    path = changed(folder, old, new)
    with pytest.raises(InputError) as caught:
        read_gates_toml(path)
    found = re.match(rf"{re.escape(str(path))}:(\d+):\d+: (.*)", str(caught.value))
    assert found is not None, str(caught.value)
    assert said in found.group(2)
    assert int(found.group(1)) == line


OTHER = """\
schema = "statera.gates/1"
[[gate]]
name = "g"
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('kind = "polygon"\ndimensions = ["a"]\nvertices = [[0, 0]]', "a polygon of 1 dimensions"),
        ('kind = "polygon"\ndimensions = ["a", "b"]\nvertices = [[0, 0], [1, 1]]', "of 2 points"),
        ('kind = "polygon"\ndimensions = ["a", "b"]\nvertices = [[0, 0], [1]]', "row 2"),
        ('kind = "polygon"\ndimensions = ["a", "b"]', "'vertices' is missing"),
        ('kind = "ellipsoid"\ndimensions = ["a"]\nmean = [0, 1]', "'mean' has 2 numbers"),
        (
            'kind = "ellipsoid"\ndimensions = ["a", "b"]\nmean = [0, 1]\n'
            "covariance = [[1, 2], [2, 4]]",
            "singular",
        ),
        (
            'kind = "ellipsoid"\ndimensions = ["a", "b"]\nmean = [0, 1]\ncovariance = [[1, 0.5]]',
            "not square",
        ),
        ('kind = "quadrant"\ndimensions = ["a"]\ndividers = [[1]]', "has no cells"),
        ('kind = "boolean"\noperation = "or"', "joins 0 gates"),
    ],
)
def test_shapes_that_are_none_are_refused(tmp_path: Path, body: str, said: str) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(OTHER + body, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(said)):
        read_gates_toml(path)


def test_a_file_without_gates_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text('schema = "statera.gates/1"\n', encoding="utf-8")
    with pytest.raises(InputError, match="holds no gates"):
        read_gates_toml(path)


def test_gates_on_bins_have_no_form() -> None:
    dimensions = (Dimension("a", Linear(9.0)), Dimension("b", Linear(9.0)))
    gate = PolygonGate("p", dimensions, ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    with pytest.raises(InputError, match="no form in TOML"):
        gates_toml_text(binned_strategy(GatingStrategy((gate,)), BinOptions()))


def test_names_that_toml_must_quote(tmp_path: Path) -> None:
    name = 'a "quoted"\\ [gate] = #1\t\x7f'
    gate = RectangleGate(name, (Dimension('ch "1"'),), (0.0,), (1.0,))
    strategy = GatingStrategy((gate, BooleanGate("not it", "not", (Reference(name),))))
    write_gates_toml(strategy, tmp_path / "gates.toml")
    assert read_gates_toml(tmp_path / "gates.toml").gates == strategy.gates
