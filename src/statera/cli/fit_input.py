"""What ``statera fit`` reads: a model and its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.cli.options import concerning
from statera.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from statera.data import FitData
    from statera.model import Model

__all__ = ["Asked", "ModelAndData", "read_model_and_data"]

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

    columns: Mapping[str, str]
    ignore: Sequence[str]
    accept: Sequence[str]
    lloq: float | None
    dv_scale: str
    time_unit: str
    amount_unit: str
    outputs: Mapping[str, str]


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


def read_model_and_data(name: str, data: Path | None, asked: Asked) -> ModelAndData:
    """Read a model of the library, a model file or a control stream, and its data.

    A control stream names its data file and how it is read; a file given replaces that file, and
    what is asked for is added.

    Raises
    ------
    InputError, UsageError
        If either cannot be read, or no data are given.
    """
    from statera.data import read_data  # heavy: only when this runs
    from statera.library import load_model

    found: dict[str, Any] = {}
    outputs: dict[int, str] = {}
    remarks: tuple[str, ...] = ()
    if name.lower().endswith(_STREAMS):
        from statera.model.nonmem import read_control_stream

        stream = read_control_stream(name, time_unit=asked.time_unit, amount_unit=asked.amount_unit)
        model, found, remarks = stream.model, dict(stream.data), stream.remarks
        outputs |= stream.outputs
    else:
        with concerning("MODEL"):
            model = load_model(name)
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
    table = read_data(**{"time_unit": asked.time_unit, "amount_unit": asked.amount_unit, **found})
    outputs |= _outputs(asked.outputs, table)
    return ModelAndData(model, table, outputs, remarks)


def _outputs(named: Mapping[str, str], table: FitData) -> dict[int, str]:
    """Return outputs by the number of the kind of observation; the data name kinds by labels."""
    numbers = {label: number for number, label in table.dvid_labels.items()}
    for label in named:
        if label not in numbers:
            raise UnknownNameError("DVID", label, numbers, where="--output")
    return {numbers[label]: output for label, output in named.items()}
