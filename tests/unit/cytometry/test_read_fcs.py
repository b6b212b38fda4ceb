"""Files as instruments write them, and as they should not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.cytometry.fcs_bytes import fcs_bytes

from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.repair import Defect, FcsError
from statera.errors import InputError, UnknownNameError

EVENTS = np.array([[1.0, 20.0, 300.0], [4.0, 50.0, 600.0], [7.0, 80.0, 900.0], [2.0, 3.0, 4.0]])
NAMES = ("FSC-A", "FL1-A", "Time")
TRUE = (4096, 4096 + EVENTS.size * 4 - 1)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file from the arguments of `fcs_bytes`."""

    def made(**more: Any) -> Path:
        path = tmp_path / "well.fcs"
        events, names = more.pop("events", EVENTS), more.pop("names", NAMES)
        path.write_bytes(fcs_bytes(events, names, **more))
        return path

    return made


def defects(path: Path) -> list[Defect]:
    return [repair.defect for repair in read_fcs(path).repairs]


@pytest.mark.parametrize("version", ["FCS2.0", "FCS3.0", "FCS3.1", "FCS3.2"])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize(("kind", "bits"), [("F", 32), ("D", 64), ("I", 16), ("I", 32), ("I", 64)])
def test_numbers_of_all_kinds(
    write: Write, version: str, little: bool, kind: str, bits: int
) -> None:
    file = read_fcs(write(version=version, little=little, kind=kind, bits=bits))
    assert file.version == version
    assert file.names == NAMES
    np.testing.assert_array_equal(file.events, EVENTS.T)
    assert file.repairs == ()


def test_widths_may_differ_and_be_of_three_bytes(write: Write) -> None:
    rows = np.array([[200, 60_000, 70_000], [1, 2, 3]])
    data = b"".join(
        int(a).to_bytes(1, "little") + int(b).to_bytes(2, "little") + int(c).to_bytes(3, "little")
        for a, b, c in rows
    )
    file = read_fcs(write(events=rows, kind="I", bits=[8, 16, 24], data=data))
    np.testing.assert_array_equal(file.events, rows.T)


def test_bits_above_the_range_are_masked(write: Write) -> None:
    rows = np.array([[1023 + 1024 * 5, 7, 9]])
    file = read_fcs(write(events=rows, kind="I", bits=16, keywords={"$P1R": "1024"}))
    assert file.channel("FSC-A")[0] == 1023.0


def test_widths_of_ten_bits_in_words_of_sixteen(write: Write) -> None:
    rows = np.array([[1000, 7, 9], [3, 4, 5]])
    data = rows.astype("<u2").tobytes()
    path = write(events=rows, kind="I", bits=[10, 10, 10], data=data, keywords={"$P1R": "1024"})
    file = read_fcs(path)
    np.testing.assert_array_equal(file.events, rows.T)
    assert defects(path) == [Defect.ODD_WIDTH]


def test_scales_of_integers_gain_and_time(write: Write) -> None:
    rows = np.array([[512, 100, 50]])
    keywords = {"$P1E": "4,0", "$P1R": "1024", "$P2G": "4", "$P3G": "0.01", "$TIMESTEP": "0.1"}
    path = write(events=rows, kind="I", bits=16, keywords=keywords)
    file = read_fcs(path)
    assert file.events[:, 0].tolist() == [100.0, 25.0, 5.0]
    assert read_fcs(path, raw=True).events[:, 0].tolist() == [512.0, 100.0, 50.0]


def test_decades_of_floats_are_not_applied(write: Write) -> None:
    path = write(keywords={"$P1E": "4,0"})
    np.testing.assert_array_equal(read_fcs(path).events, EVENTS.T)
    assert defects(path) == [Defect.SCALE_OF_FLOATS]


def test_only_wanted_channels_by_name_or_label(write: Write) -> None:
    path = write(keywords={"$P2S": "pSTAT3"})
    file = read_fcs(path, ["pSTAT3", "FSC-A"])
    np.testing.assert_array_equal(file.events, EVENTS.T[[1, 0]])
    with pytest.raises(UnknownNameError, match="no channel is called 'pSTAT5'"):
        read_fcs(path, ["pSTAT5"])


def test_an_end_one_byte_too_far_is_repaired(write: Write) -> None:
    wrong = (TRUE[0], TRUE[1] + 1)
    path = write(header_data=wrong, text_data=wrong)
    np.testing.assert_array_equal(read_fcs(path).events, EVENTS.T)
    assert defects(path) == [Defect.END_ONE_TOO_FAR]


@pytest.mark.parametrize("where", ["header_data", "text_data"])
def test_of_two_places_the_possible_one_is_followed(write: Write, where: str) -> None:
    path = write(**{where: (TRUE[0], TRUE[1] + 40)})
    np.testing.assert_array_equal(read_fcs(path).events, EVENTS.T)
    assert defects(path) == [Defect.OFFSETS_DISAGREE]


def test_two_possible_places_need_a_look(write: Write) -> None:
    path = write(text_data=(TRUE[0] + 4, TRUE[1] + 4), after=b"\0" * 8)
    file = read_fcs(path)
    np.testing.assert_array_equal(file.events, EVENTS.T)
    assert [r.defect for r in file.repairs if r.doubtful] == [Defect.OFFSETS_UNDECIDED]


def test_blank_offsets_of_the_header_are_those_of_the_text(write: Write) -> None:
    path = write(header_data=(0, 0))
    np.testing.assert_array_equal(read_fcs(path).events, EVENTS.T)
    assert defects(path) == []


def test_a_doubled_delimiter_stands_for_itself(write: Write) -> None:
    file = read_fcs(write(keywords={"$P2S": "CD3//CD28", "NOTE": "x//"}))
    assert file.channels[1].label == "CD3/CD28"


def test_empty_values_make_a_doubled_delimiter_none(tmp_path: Path) -> None:
    content = fcs_bytes(EVENTS, NAMES, keywords={"$MODE": "", "$NEXTDATA": ""}, mark="|")
    head, rest = content[:58], content[58:]
    text = rest[: rest.index(b" ")]
    longer = text.replace(b"$DATATYPE|", b"$CYT||$DATATYPE|")
    wide = len(longer) - len(text)
    fixed = head[:18] + f"{58 + len(longer) - 1:>8}".encode() + head[26:]
    assert int(head[18:26]) + wide == 58 + len(longer) - 1
    path = tmp_path / "empty.fcs"
    path.write_bytes((fixed + longer).ljust(4096) + content[4096:])
    file = read_fcs(path)
    np.testing.assert_array_equal(file.events, EVENTS.T)
    assert [r.defect for r in file.repairs] == [Defect.EMPTY_VALUES]


def test_names_that_stand_twice_or_not_at_all(write: Write) -> None:
    path = write(names=("A", "A", "B"), keywords={"$P3N": ""})
    assert read_fcs(path).names == ("A", "A-2", "P3")
    assert defects(path) == [Defect.DUPLICATE_NAME, Defect.MISSING_NAME]


def test_values_that_are_not_finite_are_said(write: Write) -> None:
    events = EVENTS.copy()
    events[1, 1] = np.nan
    (repair,) = read_fcs(write(events=events)).repairs
    assert repair.defect is Defect.NOT_FINITE
    assert "1 values of FL1-A" in repair.sentence


def test_several_data_sets_need_a_choice(tmp_path: Path) -> None:
    second = fcs_bytes(EVENTS[:2], NAMES)
    size = len(fcs_bytes(EVENTS, NAMES, keywords={"$NEXTDATA": "4144"}))
    first = fcs_bytes(EVENTS, NAMES, keywords={"$NEXTDATA": str(size)})
    path = tmp_path / "two.lmd"
    path.write_bytes(first + second)
    with pytest.raises(FcsError, match=r"2 data sets: 1: 4 events .*, 2: 2 events"):
        read_fcs(path)
    np.testing.assert_array_equal(read_fcs(path, dataset=2).events, EVENTS[:2].T)
    with pytest.raises(FcsError, match="no data set 3"):
        read_fcs(path, dataset=3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keywords": {"$MODE": "C"}}, "no events but a histogram"),
        ({"keywords": {"$DATATYPE": "A"}}, "stored as 'A'"),
        ({"keywords": {"$BYTEORD": "3,4,1,2"}}, "in the order '3,4,1,2'"),
        ({"keywords": {"$TOT": "5"}}, "5 events of 12 bytes need 60"),
        ({"keywords": {"$TOT": "many"}}, r"\$TOT is 'many'"),
        ({"keywords": {"$PAR": ""}}, r"does not say \$PAR"),
        ({"version": "FCX3.1"}, "no version of FCS"),
        ({"header_data": (60, 107), "text_data": (60, 107)}, "inside the text"),
        ({"header_data": (0, 0), "text_data": (0, 0)}, "neither header nor text"),
    ],
)
def test_files_that_lie_are_refused(write: Write, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(FcsError, match=said):
        read_fcs(write(**changes))


def test_a_file_that_is_cut_off_is_refused_with_its_byte(write: Write) -> None:
    path = write()
    whole = path.read_bytes()
    for size in (10, 70, 4100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(FcsError, match=rf"byte {size}\b") as error:
            read_fcs(path)
        assert error.value.byte == size


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the file"):
        read_fcs(tmp_path / "absent.fcs")
    (tmp_path / "empty.fcs").write_bytes(b"")
    with pytest.raises(FcsError, match="the file is empty"):
        read_fcs(tmp_path / "empty.fcs")


def test_the_hash_is_that_of_the_file(write: Write) -> None:
    path = write()
    first = read_fcs(path).content_hash
    path.write_bytes(path.read_bytes()[:-1] + b"\7")
    assert read_fcs(path).content_hash != first
