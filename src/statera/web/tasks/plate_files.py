"""The FCS files of a plate, from single uploads and from archives."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from statera.errors import InputError, UnknownNameError
from statera.web.requests.plate import PlateFile
from statera.web.tasks.plate_archive import (
    ENDINGS,
    MAX_FILES,
    extract_member,
    is_archive,
    list_members,
    safe_name,
)
from statera.web.work import Upload, Work

__all__ = ["WellFile", "find_file", "find_files", "place_file"]


@dataclass(frozen=True)
class WellFile:
    """An FCS file that a plate map may name.

    Attributes
    ----------
    name
        Without folders, and safe to be used as one.
    upload
        Where it comes from.
    member
        Of an archive; None for a file of its own.
    """

    name: str
    upload: Upload
    member: zipfile.ZipInfo | None = None

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        return self.upload.size if self.member is None else self.member.file_size


def find_files(upload_ids: Iterable[str], work: Work) -> dict[str, WellFile]:
    """Return all FCS files of uploads by name.

    Raises
    ------
    InputError
        If an upload is neither an FCS file nor a safe archive, or a name stands twice.
    """
    found: dict[str, WellFile] = {}
    for upload_id in dict.fromkeys(upload_ids):
        for file in _of_upload(work.upload(upload_id)):
            if file.name in found:
                other = found[file.name].upload.name
                raise InputError(
                    f"{file.name} stands twice: in {other} and in {file.upload.name}",
                    where="files",
                    hint="Upload each file once.",
                )
            found[file.name] = file
    if len(found) > MAX_FILES:
        raise InputError(
            f"{len(found)} FCS files are more than a plate has; {MAX_FILES} are allowed",
            where="files",
            hint="Analyse plate after plate.",
        )
    if not found:
        raise InputError(
            "the uploads hold no FCS file",
            where="files",
            hint=f"Names of FCS files end in {' or '.join(ENDINGS)}.",
        )
    return found


def find_file(file: PlateFile, work: Work) -> WellFile:
    """Return one file by its upload and name.

    Raises
    ------
    InputError
        If it is not there.
    """
    upload = work.upload(file.upload)
    there = {f.name: f for f in _of_upload(upload)}
    if file.name not in there:
        raise UnknownNameError("file", file.name, there, where=upload.name)
    return there[file.name]


def _of_upload(upload: Upload) -> list[WellFile]:
    if is_archive(upload.path):
        members: Mapping[str, zipfile.ZipInfo] = list_members(upload.path, upload.name)
        return [WellFile(name, upload, member) for name, member in members.items()]
    name = safe_name(upload.name)
    if not name.lower().endswith(ENDINGS):
        raise InputError(
            f"{upload.name} is neither an FCS file nor a zip archive of FCS files",
            where="files",
            hint=f"Names of FCS files end in {' or '.join(ENDINGS)}.",
        )
    return [WellFile(name, upload)]


def place_file(file: WellFile, folder: Path) -> Path:
    """Put a file into a folder under its name: a link where it lies unpacked already.

    Raises
    ------
    InputError
        If a member of an archive is broken.
    """
    target = folder / file.name
    if file.member is not None:
        extract_member(file.upload.path, file.upload.name, file.member, target)
        return target
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(file.upload.path.resolve())
    except OSError:  # where links are not allowed
        shutil.copyfile(file.upload.path, target)
    return target
