"""What the files of a plate hold, and archives that are refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from statera.errors import InputError
from statera.web.requests.plate import PlateInspectRequest
from statera.web.tasks import plate_archive
from statera.web.tasks.plate_inspect import run

from .plate_setting import FILES, MAP, PANEL, SIGNS, sample_folder, work


def found(place: Path, files: list[str], **other: Any) -> dict[str, Any]:
    """Return the whole answer."""
    uploads = other.pop("uploads", {})
    request = PlateInspectRequest(files=files, **other)
    answer: dict[str, Any] = json.loads(run(request, work(place, **uploads)).to_json())
    return answer


def test_the_sample_needs_no_typing(tmp_path: Path) -> None:
    answer = found(tmp_path, [FILES], plate_map=MAP)
    result = answer["result"]
    assert result["panel"] == PANEL
    assert result["populations"] == dict(sorted(SIGNS.items(), key=lambda e: result_order(e[0])))
    assert len(result["files"]) == len(result["wells"]) == 48
    assert all(w["found"] for w in result["wells"])
    assert result["spillover"]
    assert "baricitinib" in result["drugs"]
    assert answer["warnings"] == []


def result_order(name: str) -> int:
    """Return the place of a population in the guess."""
    return ["CD4", "CD8", "CD11b"].index(name)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    bad = tmp_path / "A01.fcs"
    bad.write_bytes(b"FCS3.1 but no more")
    table = tmp_path / "map.csv"
    table.write_text("well,file,condition,dose_nM\nA1,A99.fcs,dose,3\nZ9,A01.fcs,dose,3\n")
    uploads = {"a" * 32: bad, "b" * 32: table}
    answer = found(tmp_path / "w", ["a" * 32], plate_map="b" * 32, uploads=uploads)
    assert answer["result"]["panel"] is None
    assert [w["found"] for w in answer["result"]["wells"]] == [False]
    assert any(w.startswith("A01.fcs: ") for w in answer["warnings"])
    assert any("'Z9' is not a well" in w for w in answer["warnings"])


def archive(path: Path, members: dict[str, bytes], **how: Any) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", **how) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def one_fcs() -> bytes:
    """Return a file of the sample."""
    from statera.web import samples

    with zipfile.ZipFile(samples.path(FILES, sample_folder()).path) as source:
        return source.read("A01.fcs")


def test_folders_and_other_files_of_an_archive_are_left_out(tmp_path: Path) -> None:
    content = one_fcs()
    file = archive(
        tmp_path / "mine.zip",
        {
            "run 1/A01.fcs": content,
            "run 1/notes.txt": b"x",
            "__MACOSX/._A01.fcs": b"x",
            "run 1/.hidden.fcs": b"x",
        },
    )
    result = found(tmp_path / "w", ["a" * 32], uploads={"a" * 32: file})["result"]
    assert [f["name"] for f in result["files"]] == ["A01.fcs"]
    assert (tmp_path / "w" / "A01.fcs").read_bytes() == content


@pytest.mark.parametrize("name", ["../A01.fcs", "/etc/A01.fcs", "a/../../A01.fcs", "C:\\A01.fcs"])
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    file = archive(tmp_path / "evil.zip", {name: b"FCS3.1"})
    with pytest.raises(InputError, match="outside itself"):
        found(tmp_path / "w", ["a" * 32], uploads={"a" * 32: file})
    assert not list((tmp_path / "w").iterdir())


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(file: Path, words: str) -> None:
        with pytest.raises(InputError, match=words):
            found(tmp_path / "w", ["a" * 32], uploads={"a" * 32: file})

    zeros = archive(
        tmp_path / "zeros.zip", {"A01.fcs": bytes(20_000_000)}, compression=zipfile.ZIP_DEFLATED
    )
    refused(zeros, "more than 100 times its size")
    many = archive(tmp_path / "many.zip", {f"{i}.txt": b"" for i in range(2001)})
    refused(many, "2000 are allowed")
    wells = archive(tmp_path / "wells.zip", {f"{i}.fcs": b"" for i in range(401)})
    refused(wells, "400 are allowed")
    monkeypatch.setattr(plate_archive, "MAX_TOTAL_BYTES", 10)
    refused(archive(tmp_path / "total.zip", {"a.fcs": b"123456", "b.fcs": b"123456"}), "unpacks to")
    monkeypatch.setattr(plate_archive, "MAX_FILE_BYTES", 5)
    refused(archive(tmp_path / "large.zip", {"a.fcs": b"123456"}), "unpacks to more")


def test_an_archive_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    content = bytearray(
        archive(
            tmp_path / "lie.zip", {"A01.fcs": bytes(5000)}, compression=zipfile.ZIP_DEFLATED
        ).read_bytes()
    )
    at = content.rindex(b"PK\x01\x02") + 24  # the size in the directory at the end
    content[at : at + 4] = (100).to_bytes(4, "little")
    (tmp_path / "lie.zip").write_bytes(content)
    answer = found(tmp_path / "w", ["a" * 32], uploads={"a" * 32: tmp_path / "lie.zip"})
    assert any("is not taken" in w for w in answer["warnings"])
    written = tmp_path / "w" / "A01.fcs"
    assert not written.exists() or written.stat().st_size <= 100


def test_links_broken_and_encrypted_archives_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("A01.fcs")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as target:
        target.writestr(link, "/etc/passwd")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04" + bytes(200))
    locked = bytearray(archive(tmp_path / "locked.zip", {"A01.fcs": b"FCS"}).read_bytes())
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    for name, words in (("link", "a link"), ("broken", "broken"), ("locked", "encrypted")):
        with pytest.raises(InputError, match=words):
            found(tmp_path / "w", ["a" * 32], uploads={"a" * 32: tmp_path / f"{name}.zip"})


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "slides.pdf"
    other.write_bytes(b"%PDF")
    with pytest.raises(InputError, match=r"slides\.pdf is neither"):
        found(tmp_path / "w", ["a" * 32], uploads={"a" * 32: other})


@pytest.mark.parametrize("name", ["", "..", ".fcs", "a\x00b.fcs", "x" * 300, 'a"b.fcs', "a<b>.fcs"])
def test_names_that_are_not_safe(name: str) -> None:
    assert plate_archive.safe_name(name) == ""


def test_files_and_wells_that_do_not_fit_are_named(tmp_path: Path) -> None:
    whole = one_fcs()
    cut = tmp_path / "A02.fcs"
    cut.write_bytes(whole[: len(whole) // 2])
    good = tmp_path / "A01.fcs"
    good.write_bytes(whole)
    table = tmp_path / "my map.csv"
    table.write_text("well,file,condition,dose_nM\nA1,A01.fcs,stimulated,0\nZ9,x.fcs,dose,3\n"
                     "A3,A03.fcs,dose,3\n")  # fmt: skip
    uploads = {"a" * 32: good, "b" * 32: cut, "c" * 32: table}
    answer = found(tmp_path / "w", ["a" * 32, "b" * 32], plate_map="c" * 32, uploads=uploads)
    told = "\n".join(answer["warnings"])
    assert "A02.fcs: the events end at byte" in told
    assert "The file is cut off: copy it again." in told
    assert "my map.csv:3: 'Z9' is not a well. Wells are A1 to P24." in told
    assert "1 well of the plate map without a file: A03 (A03.fcs)." in told
    assert "1 file that the plate map does not name: A02.fcs." in told
    assert str(tmp_path) not in told


def test_hints_speak_of_the_page_and_not_of_a_file_of_settings(tmp_path: Path) -> None:
    good = tmp_path / "A01.fcs"
    good.write_bytes(one_fcs())
    table = tmp_path / "map.csv"
    table.write_text("well,file,what\nA1,A01.fcs,stimulated\n")
    uploads = {"a" * 32: good, "c" * 32: table}
    answer = found(tmp_path / "w", ["a" * 32], plate_map="c" * 32, uploads=uploads)
    assert "[columns]" not in answer["warnings"][0]
    assert "no column 'condition'. Its columns: well, file, what." in answer["warnings"][0]
