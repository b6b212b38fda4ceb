"""Content hashes of a model and of the data it is fitted to."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import numpy as np
import sympy as sp

from statera.estimate.problem import Problem
from statera.manifest import content_hash
from statera.model import Model

__all__ = ["data_hash", "model_hash"]

# What describes a model without changing what it computes.
_WORDS = {
    "title", "population", "source", "remarks", "gaps", "dose_basis", "expectations", "label",
    "basis", "note", "locator", "printed", "status", "text", "rse", "derived", "conversion",
    "dose_soft", "dose_hard", "soft", "hard", "low", "high", "drug",
}  # fmt: skip


def model_hash(model: Model) -> str:
    """Return a hash of all that changes a prediction: equations, values, units; not of words."""
    return content_hash("\n".join(_lines("model", model)))


def _lines(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, Enum):
        yield f"{path}={value.value}"
    elif isinstance(value, sp.Basic):
        yield f"{path}={sp.srepr(value)}"
    elif isinstance(value, np.ndarray):
        yield f"{path}={value.tolist()!r}"
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            if field.name not in _WORDS:
                yield from _lines(f"{path}.{field.name}", getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _lines(f"{path}.{key}", item)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _lines(f"{path}.{i}", item)
    else:
        yield f"{path}={value!r}"


def data_hash(problem: Problem) -> str:
    """Return a hash of the records and observations that a problem uses.

    Columns that the model does not read, and names of subjects, do not count.
    """
    people = problem.individuals
    events = people.prepared.events
    arrays: dict[str, Any] = {
        name: getattr(events, name)
        for name in (
            "offsets", "time", "evid", "amount", "rate", "interval", "additional",
            "steady_state", "key", "row",
        )
    }  # fmt: skip
    mixture = problem.model.mixture
    hidden = "" if mixture is None else mixture.variable  # not data: estimated
    arrays |= {
        f"covariate {k}": v for k, v in people.prepared.segments.covariates.items() if k != hidden
    }
    arrays |= {
        "y": people.y, "kind": people.kind, "limit": people.limit,
        "place": people.observations.row, "occasion": people.prepared.occasion,
        "during": people.prepared.segments.during, "at": people.prepared.segments.at,
    }  # fmt: skip
    digest = hashlib.sha256(repr(events.dose_keys).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        # -0.0 and 0.0 are one number
        digest.update((array + 0.0 if array.dtype.kind == "f" else array).tobytes())
    return f"sha256:{digest.hexdigest()}"
