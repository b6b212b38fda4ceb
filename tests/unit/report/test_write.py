"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from statera.errors import InputError
from statera.report.write import write_text_atomically


def test_writes_utf8_and_returns_the_path(tmp_path: Path) -> None:
    path = write_text_atomically(tmp_path / "a.html", "α\nβ\n")
    assert path.read_bytes() == "α\nβ\n".encode()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.html"]


def test_replaces_what_was_there_and_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    write_text_atomically(target, "new")
    assert target.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_gets_the_usual_permissions(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        path = write_text_atomically(tmp_path / "a.txt", "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real.txt", tmp_path / "link.txt"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    assert write_text_atomically(link, "new") == target.resolve()
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    assert write_text_atomically(tmp_path / ("n" * 255), "x").exists()


def test_a_pipe_is_written_to_rather_than_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text_atomically(pipe, "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no directory") as caught:
        write_text_atomically(tmp_path / "none" / "a.html", "x")
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file_is_named(tmp_path: Path) -> None:
    parent = tmp_path / "file"
    parent.write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, match="is not a directory"):
        write_text_atomically(parent / "a.html", "x")
    assert parent.read_text(encoding="utf-8") == "kept"


def test_a_directory_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a directory"):
        write_text_atomically(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_on_the_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")

    def fail(source: str, destination: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left on device"):
        write_text_atomically(target, "new")
    assert target.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_an_interruption_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text_atomically(tmp_path / "a.txt", "new")
    assert list(tmp_path.iterdir()) == []


def test_text_that_cannot_be_encoded_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_text_atomically(tmp_path / "a.txt", "\ud800")
    assert list(tmp_path.iterdir()) == []
