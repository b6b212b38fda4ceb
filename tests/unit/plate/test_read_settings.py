from __future__ import annotations

from pathlib import Path

import pytest

from statera.errors import InputError
from statera.plate.read_settings import read_settings
from statera.plate.settings import CompensationKind, GatingMethod, Model
from statera.plate.simulated_plate import SimulatedPlate

GOOD = """\
schema = "statera.plate/1"
drug = "baricitinib"
plate_map = "map.csv"
[panel]
fsc_area = "FSC-A"
[panel.markers]
CD3 = "FITC-A"
[panel.readouts]
pSTAT3 = "APC-A"
[populations]
T = "CD3+"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plate.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    found = read_settings(write(tmp_path, GOOD))
    assert found.plate_map == tmp_path / "map.csv"
    assert found.files == tmp_path
    assert found.name == "plate"
    assert found.gating.method is GatingMethod.AUTOMATIC
    assert found.compensation.kind is CompensationKind.FILE
    assert found.fit.model is Model.FOUR
    assert found.panel.populations == {"T": "CD3+"}


def test_gates_of_a_file_map_populations_to_gates(tmp_path: Path) -> None:
    text = GOOD + '[gating]\nmethod = "gatingml"\nfile = "gates.xml"\n[fit]\nmodel = "3pl"\n'
    found = read_settings(write(tmp_path, text))
    assert found.gating.populations == {"T": "CD3+"}
    assert found.panel.populations == {}
    assert found.gating.file == tmp_path / "gates.xml"
    assert found.fit.model is Model.THREE


def test_the_simulated_plate_is_read(plate: SimulatedPlate) -> None:
    found = read_settings(plate.settings)
    assert found.matrix == "cell"
    assert found.about["overview"]["purpose"].startswith("Simulated")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("statera.plate/1", "statera.plate/9"), "the file says schema"),
        (('drug = "baricitinib"', ""), "'drug' is missing"),
        (('plate_map = "map.csv"', 'plates = "map.csv"'), "'plate_map' is missing"),
        (("[panel.readouts]\npSTAT3", "[panel.readout]\npSTAT3"), "names no readout"),
        (('T = "CD3+"', ""), "no population is named"),
        (('T = "CD3+"', 'T = "CD4+"'), "CD4"),
        (('T = "CD3+"', 'T = "CD3"'), "has no sign"),
        (("[populations]", '[gating]\nmethod = "magic"\n[populations]'), "'method' is 'magic'"),
        (("[populations]", '[gating]\nmethod = "flowjo"\n[populations]'), "needs a file of gates"),
        (("[populations]", "[fit]\nlevel = 95\n[populations]"), "'level' is 95"),
        (("[populations]", '[fit]\nmodle = "4pl"\n[populations]'), "'modle' is not a known key"),
        (("[populations]", "[quality]\nmin_events = 2.5\n[populations]"), "'min_events' is 2.5"),
        (("[populations]", '[compensation]\nfrom = "table"\n[populations]'), "is not named"),
        (('drug = "baricitinib"', 'drug = "baricitinib"\nmatrix = "soup"'), "is not a matrix"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(InputError, match=said) as caught:
        read_settings(write(tmp_path, GOOD.replace(*change)))
    assert caught.value.where is not None
