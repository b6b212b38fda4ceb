"""Take FCS files out of an uploaded zip archive, within limits.

Nothing in an archive is believed: members get names of their own base name only, sizes are counted
while they are written, and an archive that names places outside itself is refused as a whole.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from statera.errors import InputError

__all__ = ["MAX_FILES", "extract_member", "is_archive", "list_members", "safe_name"]

MAX_FILES = 400
"""Files of one plate: 384 wells and some controls."""

MAX_MEMBERS = 2000
MAX_FILE_BYTES = 500_000_000
MAX_TOTAL_BYTES = 4_000_000_000
MAX_RATIO = 100
"""Events are noise and compress little; a thousandfold member is a bomb."""

SMALL = 1_000_000
"""Members below this size may compress as well as they like."""

ENDINGS = (".fcs", ".lmd")
_BLOCK = 1 << 20


def is_archive(path: Path) -> bool:
    """Return whether a file begins as zip archives do."""
    with path.open("rb") as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def safe_name(name: str) -> str:
    """Return the name of a file without folders, or an empty text where it cannot be one."""
    base = PurePosixPath(name.replace("\\", "/")).name
    if not base or base.startswith(".") or len(base) > 200:
        return ""
    return base if base.isprintable() and not set(base) & set('<>:"|?*') else ""


def list_members(path: Path, shown: str) -> dict[str, zipfile.ZipInfo]:
    """Return the FCS files of an archive by their base name; all else in it is left out.

    Parameters
    ----------
    path
    shown
        What the user calls the archive.

    Raises
    ------
    InputError
        If the archive is broken, encrypted, too large, or names places outside itself.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    total = 0
    with _opened(path, shown) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise _refused(shown, f"it holds {len(members)} files; {MAX_MEMBERS} are allowed")
        for member in members:
            _check_place(member, shown)
            base = safe_name(member.filename)
            hidden = "__MACOSX" in member.filename
            if member.is_dir() or hidden or not base.lower().endswith(ENDINGS):
                continue
            _check_size(member, shown)
            total += member.file_size
            if total > MAX_TOTAL_BYTES:
                raise _refused(shown, f"it unpacks to more than {MAX_TOTAL_BYTES // 10**9} GB")
            if base in found:
                raise _refused(shown, f"it holds two files called {base}")
            found[base] = member
    if len(found) > MAX_FILES:
        raise _refused(shown, f"it holds {len(found)} FCS files; {MAX_FILES} are allowed")
    return found


def extract_member(path: Path, shown: str, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member to a path that the caller chose.

    Raises
    ------
    InputError
        If the member is broken or larger than it says.
    """
    written = 0
    with _opened(path, shown) as archive, target.open("wb") as stream:
        try:
            with archive.open(member) as source:
                while block := source.read(_BLOCK):
                    written += len(block)
                    if written > member.file_size or written > MAX_FILE_BYTES:
                        raise _refused(shown, f"{member.filename} is larger than it says")
                    stream.write(block)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise _refused(shown, f"{member.filename} cannot be unpacked") from error
        except Exception as error:
            if type(error).__module__ in ("zlib", "lzma", "bz2") or isinstance(error, OSError):
                raise _refused(shown, f"{member.filename} cannot be unpacked") from error
            raise


@contextmanager
def _opened(path: Path, shown: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _refused(shown, "it is no zip archive, or a broken one") from error
    with archive:
        yield archive


def _check_place(member: zipfile.ZipInfo, shown: str) -> None:
    plain = member.filename.replace("\\", "/")
    if plain.startswith("/") or ".." in plain.split("/") or plain[1:2] == ":":
        raise _refused(shown, "it names a place outside itself")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise _refused(shown, "it holds a link")
    if member.flag_bits & 1:
        raise _refused(shown, "it is encrypted")


def _check_size(member: zipfile.ZipInfo, shown: str) -> None:
    if member.file_size > MAX_FILE_BYTES:
        raise _refused(
            shown, f"{member.filename} unpacks to more than {MAX_FILE_BYTES // 10**6} MB"
        )
    if member.file_size > SMALL and member.file_size > MAX_RATIO * max(1, member.compress_size):
        raise _refused(shown, f"{member.filename} unpacks to more than {MAX_RATIO} times its size")


def _refused(shown: str, why: str) -> InputError:
    return InputError(
        f"the archive {shown} is not taken: {why}",
        where="files",
        hint="Upload the FCS files themselves, or a plain zip archive of them.",
    )
