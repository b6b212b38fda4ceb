"""The model and the data that a request names, as files of this process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from statera.errors import InputError, Place, StateraError, UnknownNameError
from statera.estimate.model_and_data import Asked, ModelFile, read_model_file
from statera.library import load_model, model_ids
from statera.library.paths import data_root
from statera.web.requests.fit import LibraryModel, ModelChoice, Reading, TemplateModel
from statera.web.tasks.fit_templates import template_text
from statera.web.work import Upload, Work

__all__ = ["LoadedModel", "asked_of", "data_of", "file_name", "load_fit_model", "named"]

_STREAMS = (".mod", ".ctl", ".nmctl")
_LARGEST_DATA, _LARGEST_MODEL = 30_000_000, 500_000
_OUTPUTS = "Write under 'How the file is read', Output of each DVID:"
_OTHER_NAME = "Write under 'How the file is read', Columns called otherwise:"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class LoadedModel:
    """A model with the name that a user knows it by.

    Attributes
    ----------
    file
        The model, and what a control stream says of the data.
    name
        What ``statera fit`` takes: an id of the library, or the name of a file.
    text
        Its file, as written.
    stream
        Whether it is a control stream.
    """

    file: ModelFile
    name: str
    text: str
    stream: bool = False

    @property
    def in_library(self) -> bool:
        """Whether the command needs no file."""
        return not self.stream and not self.name.endswith(".toml")


def load_fit_model(choice: ModelChoice, reading: Reading, work: Work) -> LoadedModel:
    """Return the model that a request names.

    Raises
    ------
    InputError
        If it cannot be read, with its line.
    """
    if isinstance(choice, LibraryModel):
        return _of_library(choice.name)
    if isinstance(choice, TemplateModel):
        path = work.folder / "model.toml"
        path.write_text(template_text(choice), encoding="utf-8")
        with named(path, "model.toml"):
            return LoadedModel(read_model_file(str(path), stream=False), "model.toml",
                               path.read_text(encoding="utf-8"))  # fmt: skip
    upload = work.upload(choice.upload)
    name = file_name(upload.name, "model.toml")
    with named(upload.path, upload.name):
        if upload.size > _LARGEST_MODEL:
            raise InputError(
                f"a model of {upload.size:,} bytes is too large", where=upload.name,
                hint=f"At most {_LARGEST_MODEL:,} bytes are read.",
            )  # fmt: skip
        stream = upload.name.lower().endswith(_STREAMS) or _starts_as_stream(upload)
        file = read_model_file(
            str(upload.path), stream=stream,
            time_unit=reading.time_unit, amount_unit=reading.amount_unit,
        )  # fmt: skip
        text = upload.path.read_text(encoding="utf-8-sig")
    known = name if stream or name.endswith(".toml") else f"{name}.toml"
    if stream:
        known = name if name.lower().endswith((".mod", ".ctl")) else f"{name}.mod"
        model = replace(file.model, id=f"user/{Path(known).stem}")
        file = replace(file, model=model)
    return LoadedModel(file, known, text, stream)


def _of_library(asked: str) -> LoadedModel:
    known = {name.lower(): name for name in model_ids()}
    name = known.get(asked.strip().lower())
    if name is None:  # a path is no id: no other file of this machine is read
        raise UnknownNameError("model", asked, known.values(), where="model")
    drug, _, entry = name.partition("/")
    text = (data_root() / "models" / drug / f"{entry}.toml").read_text(encoding="utf-8")
    return LoadedModel(ModelFile(load_model(name)), name, text)


def data_of(upload_id: str, work: Work) -> Upload:
    """Return an uploaded data file that can be read.

    Raises
    ------
    InputError
        If it is too large, compressed or not text.
    """
    upload = work.upload(upload_id)
    if upload.size > _LARGEST_DATA:
        raise InputError(
            f"the file holds {upload.size:,} bytes",
            where=upload.name,
            hint=f"At most {_LARGEST_DATA:,} bytes are read.",
        )
    with upload.path.open("rb") as stream:
        head = stream.read(4096)
    if head[:2] == _GZIP:
        raise InputError("the file is compressed", where=upload.name, hint="Unpack it first.")
    if b"\x00" in head:
        raise InputError(
            "the file is not text", where=upload.name, hint="Save the table as CSV in UTF-8."
        )
    return upload


def asked_of(reading: Reading, outputs: dict[str, str] | None = None) -> Asked:
    """Return what a request says of the data, as the library takes it."""
    return Asked(
        columns=reading.columns,
        ignore=reading.ignore,
        accept=reading.accept,
        lloq=reading.lloq,
        dv_scale="log" if reading.log_dv else "natural",
        time_unit=reading.time_unit,
        amount_unit=reading.amount_unit,
        outputs=outputs or {},
    )


@contextmanager
def named(path: Path, name: str) -> Iterator[None]:
    """Let errors raised inside call a file by the name that its owner gave it."""
    try:
        yield
    except StateraError as error:
        where = error.where
        if isinstance(where, Place) and where.file == str(path):
            error.where = Place(name, where.line, where.column)
        elif where == str(path):
            error.where = name
        error.what = error.what.replace(str(path), name)
        error.hint = _on_page(error.hint.replace(str(path), name))
        raise


def _on_page(hint: str) -> str:
    """Return a hint that names arguments in the words of the form."""
    hint = re.sub(r"Name it by columns=\{'(\w+)': \.\.\.\}", rf"{_OTHER_NAME} \1=ITS NAME", hint)
    hint = re.sub(r"Say which by columns=\{'(\w+)': '(.*?)'\}", rf"{_OTHER_NAME} \1=\2", hint)
    return re.sub(r"Say which by outputs=\{(.*?): '(.*?)'\}", rf"{_OUTPUTS} \1=\2", hint)


def file_name(name: str, otherwise: str) -> str:
    """Return a name that can be written on a command line and as a file."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(name.replace("\\", "/")).name).strip("._-")
    return kept[:80] or otherwise


def _starts_as_stream(upload: Upload) -> bool:
    if upload.name.lower().endswith(".toml"):
        return False
    head = upload.path.read_bytes()[:4000].decode("utf-8", "replace")
    return any(line.lstrip().upper().startswith("$PROB") for line in head.splitlines())
