from __future__ import annotations

from pathlib import Path

import pytest

from statera.errors import InputError
from statera.plate.find_files import match_files
from statera.plate.plate_map import Condition, Well


def well(name: str, file: str, condition: Condition = Condition.DOSE) -> Well:
    return Well("", name, file, "D1", "IL-6", condition, 1.0)


def test_wells_without_files_and_files_without_wells_are_named(tmp_path: Path) -> None:
    for name in ("a.fcs", "spare.fcs", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    wells = [well("A01", "a.fcs"), well("A02", "gone.fcs"), well("A03", "")]
    found, problems = match_files(wells, tmp_path)
    assert found == {"A01": tmp_path / "a.fcs"}
    said = {p.where: p.sentence for p in problems}
    assert "gone.fcs is not in the folder" in said["well A02"]
    assert "names no file" in said["well A03"]
    assert "spare.fcs" in said["files"]
    assert "notes.txt" not in said["files"]


def test_unused_wells_need_no_file(tmp_path: Path) -> None:
    found, problems = match_files([well("A01", "", Condition.UNUSED)], tmp_path)
    assert (found, problems) == ({}, ())


def test_a_name_in_another_case_is_read_and_said(tmp_path: Path) -> None:
    (tmp_path / "A.FCS").write_bytes(b"")
    found, (problem,) = match_files([well("A01", "a.fcs")], tmp_path)
    assert found["A01"].name == "A.FCS"
    assert "differs in case" in problem.sentence


def test_a_file_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "fcs").mkdir()
    (tmp_path / "secret.fcs").write_bytes(b"")
    found, (problem,) = match_files([well("A01", "../secret.fcs")], tmp_path / "fcs")
    assert found == {}
    assert "is not in the folder" in problem.sentence


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the folder of FCS files is not there"):
        match_files([], tmp_path / "none")
