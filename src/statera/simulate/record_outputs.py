"""Which output each observation record of an event table asks for: its DVID."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError, UnknownNameError
from statera.model import Model

__all__ = ["Asked", "asked_outputs", "column_of"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """What the observation records ask for.

    Attributes
    ----------
    dvid : (n_observations,) int64
        As it stands in the table.
    output : (n_observations,) int64
        Index among the outputs of the model.
    """

    dvid: Ints
    output: Ints


def column_of(table: EventTable, name: str) -> str:
    """Return the table's spelling of an extra column; empty where it has none."""
    return next((key for key in table.covariates if key.lower() == name.lower()), "")


def asked_outputs(
    model: Model, table: EventTable, dvid: Mapping[int, str] | None, lines: Sequence[int] | None
) -> Asked | None:
    """Return the output of every observation record; None for a table without a column DVID.

    Parameters
    ----------
    dvid
        Output by DVID; by default 1, 2, ... in the order of the model.
    lines
        Line of each record, for messages.

    Raises
    ------
    InputError
        If a DVID is missing or has no output; the first such line is named.
    UnknownNameError
        If `dvid` names an output that the model lacks.
    """
    names = [o.name for o in model.outputs]
    for name in (dvid or {}).values():
        if name not in names:
            raise UnknownNameError("output", name, names, where="dvid")
    column = column_of(table, "DVID")
    if not column:
        if dvid:
            raise InputError("there is no column DVID that dvid could explain", where="dvid")
        return None
    known = dvid or dict(enumerate(names, start=1))
    observed = np.flatnonzero(table.row >= 0)
    values = table.covariates[column][observed]
    unknown = ~np.isin(values, list(known))  # also where it is missing
    if unknown.any():
        i = int(np.argmax(unknown))
        record = int(observed[i])
        shown = "is missing" if np.isnan(values[i]) else f"{values[i]:g} has no output"
        raise InputError(
            f"DVID {shown} in {model.id}",
            where=f"line {lines[record]}" if lines is not None else f"record {record + 1}",
            hint="Known: " + ", ".join(f"{k} = {name}" for k, name in known.items())
            + ". Say what others mean by dvid={3: 'OUTPUT'}.",
        )  # fmt: skip
    numbers = values.astype(np.int64)
    places = {key: names.index(name) for key, name in known.items()}
    return Asked(numbers, np.array([places[int(k)] for k in numbers], dtype=np.int64))
