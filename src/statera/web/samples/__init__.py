"""Sample files for the first screen of each task: small files beside this module, or made by code.

This module is light; what makes a file is imported when the file is first asked for, which is the
business of a worker and not of the server.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from statera.errors import UnknownNameError
from statera.web.work import Upload

__all__ = ["SAMPLES", "Sample", "path"]

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """A file that comes with the program.

    Attributes
    ----------
    name
        As it is shown, with its ending.
    file
        Name of a file in this package; empty where it is made.
    make
        What makes it, as ``"module:function"``: called with the path that it writes to. It makes
        the same bytes each time.
    """

    name: str
    file: str = ""
    make: str = ""


SAMPLES: dict[str, Sample] = {
    "sample-oral-one-compartment": Sample(
        "oral-one-compartment.csv", file="oral-one-compartment.csv"
    ),
    "sample-plate-files": Sample(
        "simulated-plate.zip", make="statera.web.samples.plate:write_files"
    ),
    "sample-plate-map": Sample("platemap.csv", make="statera.web.samples.plate:write_map"),
    "sample-pathway-model": Sample(
        "jak_stat_il6.xml", make="statera.web.samples.pathway:write_model"
    ),
    "sample-pathway-marks": Sample(
        "jak_stat_il6.toml", make="statera.web.samples.pathway:write_marks"
    ),
}
"""All samples by the id that requests name them by."""


def path(upload_id: str, folder: Path) -> Upload:
    """Return a sample as if it had been uploaded.

    Parameters
    ----------
    upload_id
        Such as ``sample-plate-files``.
    folder
        Where made samples are kept; the next call finds them there.

    Raises
    ------
    UnknownNameError
        If there is no such sample.
    """
    if upload_id not in SAMPLES:
        raise UnknownNameError("sample", upload_id, SAMPLES, where="upload")
    sample = SAMPLES[upload_id]
    found = _HERE / sample.file if sample.file else _made(upload_id, sample, folder)
    size, digest = _described(found, found.stat().st_mtime_ns)
    return Upload(upload_id, sample.name, found, size, digest)


def _made(upload_id: str, sample: Sample, folder: Path) -> Path:
    """Return the file of a sample, made whole beside its place and then moved there."""
    target = folder / f"{upload_id}{Path(sample.name).suffix}"
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        module, _, function = sample.make.partition(":")
        make = getattr(importlib.import_module(module), function)
        # two workers may make it at once: each its own, and the second replaces an equal file
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{upload_id}-")
        os.close(handle)
        try:
            make(Path(name))
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    return target


@lru_cache(maxsize=64)
def _described(file: Path, changed: int) -> tuple[int, str]:
    """Return size and SHA-256, read anew when the time of the last change is another."""
    content = file.read_bytes()
    return len(content), hashlib.sha256(content).hexdigest()
