"""A model and data that belong together, from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statera.data import FitData, read_data
from statera.errors import UnknownNameError, UsageError
from statera.library import load_model, read_model
from statera.model import Model
from statera.model.nonmem import read_control_stream

__all__ = [
    "Asked",
    "ModelAndData",
    "ModelFile",
    "data_options",
    "read_model_and_data",
    "read_model_file",
]

_STREAMS = (".mod", ".ctl")


@dataclass(frozen=True)
class Asked:
    """What a user said of the data.

    Attributes
    ----------
    columns, ignore, accept, lloq, dv_scale, time_unit, amount_unit
        As for `statera.data.read_data`.
    outputs
        Output of each kind of observation, by the label that the data give it.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: Sequence[str] = ()
    accept: Sequence[str] = ()
    lloq: float | None = None
    dv_scale: str = "natural"
    time_unit: str = "h"
    amount_unit: str = "mg"
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelFile:
    """A model, and what its file says of the data.

    Attributes
    ----------
    data
        Arguments of `statera.data.read_data` that a control stream gives; else none.
    outputs
        Output of each kind of observation, by number.
    remarks
        What a reader must know of how it was read.
    """

    model: Model
    data: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[int, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelAndData:
    """A model and data that belong together.

    Attributes
    ----------
    outputs
        Output of each kind of observation, by number.
    remarks
        What a reader must know of how they were read.
    """

    model: Model
    table: FitData
    outputs: Mapping[int, str]
    remarks: tuple[str, ...]


def read_model_file(
    name: str, *, stream: bool | None = None, time_unit: str = "h", amount_unit: str = "mg"
) -> ModelFile:
    """Read a model of the library, a model file or a control stream.

    Parameters
    ----------
    name
        Id of a model of the library, or path of a file.
    stream
        Whether the file is a control stream (True) or a model file (False); None decides by its
        name.
    time_unit, amount_unit
        Units of the data of a control stream.

    Raises
    ------
    InputError
        If it cannot be read; see `statera.library.load_model` and
        `statera.model.nonmem.read_control_stream`.
    """
    if stream is False:
        return ModelFile(read_model(Path(name)))
    if stream is None and not name.lower().endswith(_STREAMS):
        return ModelFile(load_model(name))
    found = read_control_stream(name, time_unit=time_unit, amount_unit=amount_unit)
    return ModelFile(found.model, found.data, found.outputs, found.remarks)


def read_model_and_data(file: ModelFile, data: Path | None, asked: Asked) -> ModelAndData:
    """Read the data of a model.

    A control stream names its data file and how it is read; a file given replaces that file, and
    what is asked for is added.

    Raises
    ------
    InputError, UsageError
        If they cannot be read, or none are given.
    """
    table = read_data(**data_options(file, data, asked))
    outputs = {**file.outputs, **_outputs(asked.outputs, table)}
    return ModelAndData(file.model, table, outputs, file.remarks)


def data_options(file: ModelFile | None, data: Path | None, asked: Asked) -> dict[str, Any]:
    """Return the arguments of `statera.data.read_data`.

    Raises
    ------
    UsageError
        If no data are given.
    """
    found = {} if file is None else dict(file.data)
    if data is not None:
        found["source"] = data
    if "source" not in found:
        raise UsageError("no data file is given", where="DATA", hint="Name it after the model.")
    found["columns"] = {**found.get("columns", {}), **asked.columns}
    for key, texts in (("ignore", asked.ignore), ("accept", asked.accept)):
        found[key] = [*found.get(key, ()), *texts]
    if asked.lloq is not None:
        found["lloq"] = asked.lloq
    if asked.dv_scale != "natural":
        found["dv_scale"] = asked.dv_scale
    return {"time_unit": asked.time_unit, "amount_unit": asked.amount_unit, **found}


def _outputs(named: Mapping[str, str], table: FitData) -> dict[int, str]:
    """Return outputs by the number of the kind of observation; the data name kinds by labels."""
    numbers = {label: number for number, label in table.dvid_labels.items()}
    for label in named:
        if label not in numbers:
            raise UnknownNameError("DVID", label, numbers, where="outputs")
    return {numbers[label]: output for label, output in named.items()}
