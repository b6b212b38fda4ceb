"""What the simulation of an event table returns: one row an observation record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import UnknownNameError
from statera.simulate.status import sentence

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EventsResult"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EventsResult:
    """Outputs at every observation record of every subject, in the order of the table.

    Attributes
    ----------
    model_id
        The model simulated.
    subject_ids
        Identifier of each subject, failed ones included.
    offsets : (n_subjects + 1,) int64
        Rows of subject s are ``offsets[s]`` to ``offsets[s + 1]``; a subject may have none.
    times : (n_rows,) float64
        h.
    outputs
        ``(n_rows,)`` float64 by output name; NaN for subjects that failed.
    units
        Unit of each output.
    etas : (n_subjects, n_eta) float64
        Random effects used.
    statuses : (n_subjects,) int64
        0 where the subject was solved.
    solver
        Which solver was used and why.
    warnings
        Sentences a reader must see.
    manifest
        How it was made.
    """

    model_id: str
    subject_ids: tuple[str, ...]
    offsets: NDArray[np.int64]
    times: Floats
    outputs: Mapping[str, Floats]
    units: Mapping[str, str]
    etas: Floats
    statuses: NDArray[np.int64]
    solver: str
    warnings: tuple[str, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return len(self.subject_ids)

    @property
    def failures(self) -> tuple[tuple[str, str], ...]:
        """Identifier and sentence of every subject that could not be solved."""
        return tuple(
            (self.subject_ids[i], sentence(int(self.statuses[i])))
            for i in self.statuses.nonzero()[0].tolist()
        )

    def of(self, subject: str, output: str | None = None) -> tuple[Floats, Floats]:
        """Return times and values of one subject, of the first output unless named."""
        key = output or next(iter(self.outputs))
        if key not in self.outputs:
            raise UnknownNameError("output", key, self.outputs)
        if subject not in self.subject_ids:
            raise UnknownNameError("subject", subject, self.subject_ids)
        s = self.subject_ids.index(subject)
        rows = slice(int(self.offsets[s]), int(self.offsets[s + 1]))
        return self.times[rows], self.outputs[key][rows]

    def to_polars(self) -> pl.DataFrame:
        """Return columns: subject, time (h), every output, and the subject's status."""
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        sizes = np.diff(self.offsets)
        words = [sentence(int(s)) for s in self.statuses]
        columns: dict[str, Any] = {
            "subject": np.repeat(np.array(self.subject_ids, dtype=object), sizes).tolist(),
            "time": self.times,
        }
        columns |= dict(self.outputs)
        columns["status"] = np.repeat(np.array(words, dtype=object), sizes).tolist()
        return pl.DataFrame(columns, schema_overrides={"subject": pl.String, "status": pl.String})
