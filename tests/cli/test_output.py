"""Output files, progress and tables."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.progress import progress_bar, silent
from statera.cli.terminal import note, print_table, warn
from statera.errors import InputError

needs_permissions = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere"
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_good_target_passes(tmp_path: Path) -> None:
    check_target(tmp_path / "page.HTML", (".html",))


def test_the_ending_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not end in \.html or \.json"):
        check_target(tmp_path / "page.pdf", (".html", ".json"))


def test_the_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        check_target(tmp_path / "nowhere" / "page.html", (".html",))


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(InputError, match="not a file"):
        check_target(tmp_path / "page.html", (".html",))


@needs_permissions
def test_a_folder_without_permission_is_found_out_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="permission denied"):
        check_target(tmp_path / "page.html", (".html",))


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    write_bytes_atomically(target, b"one")
    assert stat.S_IMODE(target.stat().st_mode) & 0o400
    target.chmod(0o640)
    write_bytes_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    assert os.name != "posix" or stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="makes a link")
def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "a.bin", tmp_path / "link.bin"
    target.write_bytes(b"one")
    link.symlink_to(target)
    write_bytes_atomically(link, b"two")
    assert link.is_symlink()
    assert target.read_bytes() == b"two"


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"one")

    def full(self: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_bytes_atomically(target, b"two")
    assert target.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [target]


def test_writing_into_a_missing_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_bytes_atomically(tmp_path / "nowhere" / "a.bin", b"")


@pytest.mark.parametrize(
    ("stream", "quiet", "settings", "drawn"),
    [
        (Terminal, False, {}, True),
        (Terminal, True, {}, False),
        (Terminal, False, {"NO_COLOR": "1"}, False),
        (Terminal, False, {"TERM": "dumb"}, False),
        (io.StringIO, False, {}, False),
    ],
)
def test_progress_is_drawn_on_a_terminal_only(
    stream: type[io.StringIO],
    quiet: bool,
    settings: dict[str, str],
    drawn: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors = stream()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", errors)
    with progress_bar(quiet=quiet) as progress:
        assert (progress is not silent) == drawn
        progress("simulating", None)
        progress("simulating", 0.5)
        progress("drawing [bold]x", 2.0)
    assert ("drawing [bold]x" in errors.getvalue()) == drawn
    assert bool(errors.getvalue()) == drawn


def test_a_table_in_a_pipe_is_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "about"), [("a", "x" * 300), ("b\tc", "two\nlines")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["name\tabout", "a\t" + "x" * 300, "b c\ttwo lines"]


def test_a_table_on_a_terminal_shows_brackets_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(("name", "about"), [("a", "[red]x[/red]")])
    assert "[red]x[/red]" in stream.getvalue()


def test_remarks_and_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    note("said")
    note("unsaid", quiet=True)
    warn(["careful"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "said\nwarning: careful\n"
