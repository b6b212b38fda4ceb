"""What the simulation of an event table returns: one row an observation record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UnknownNameError
from statera.simulate.event_windows import EventWindows
from statera.simulate.record_outputs import Asked
from statera.simulate.result import ENDPOINTS
from statera.simulate.shown import as_html, write_parquet
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
    windows
        Windows with endpoints, where asked for: spans in h.
    window_values
        ``(n_windows, 6)`` float64 by output, see `statera.simulate.ENDPOINTS`, exact between
        events for closed forms. ``tmax`` counts from the start of the window; ``Ctrough`` is the
        value at its end, before a dose of that time.
    extra_values
        ``(n_windows,)`` float64 by output and endpoint: time above thresholds, h, and mean
        inhibition, where asked for.
    asked
        DVID of each record and the output it names; None for a table without that column.
    occasion_etas : (n_subjects, n_occasions, n_eta) float64
        Random effects by occasion; None where the model has none of an occasion.
    subpopulations : (n_subjects,) float64
        Number of the subpopulation of each subject, from 1; None without a mixture.
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
    windows: EventWindows | None = None
    window_values: Mapping[str, Floats] = field(default_factory=dict)
    extra_values: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    asked: Asked | None = None
    occasion_etas: Floats | None = None
    subpopulations: Floats | None = None

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

    @property
    def values(self) -> Floats:
        """The value of the output that each record's DVID names, or of the first, (n_rows,)."""
        stacked = np.stack(list(self.outputs.values()))
        if self.asked is None:
            return np.asarray(stacked[0])
        return np.asarray(stacked[self.asked.output, np.arange(stacked.shape[1])])

    def endpoint(self, name: str, output: str | None = None) -> Floats:
        """Return one endpoint of every window of every subject, ``(n_windows,)``.

        `endpoints` says which window and subject each stands for.
        """
        key = output or next(iter(self.outputs))
        if key not in self.outputs:
            raise UnknownNameError("output", key, self.outputs)
        extra = self.extra_values.get(key, {})
        if name in extra:
            return extra[name]
        if name not in ENDPOINTS or self.windows is None:
            known = [*ENDPOINTS, *extra] if self.windows is not None else []
            raise UnknownNameError("endpoint", name, known)
        return self.window_values[key][:, ENDPOINTS.index(name)]

    def endpoints(self) -> pl.DataFrame:
        """Return endpoints as columns: one row a subject, window and output, with its status.

        Raises
        ------
        InputError
            If no windows were asked for.
        """
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        if self.windows is None:
            raise InputError(
                "no windows were asked for", where="windows",
                hint="Give simulate_events windows='doses' or windows=[(0, 24)].",
            )  # fmt: skip
        subject = np.repeat(np.arange(self.n_subjects), np.diff(self.windows.offsets)).tolist()
        tables = []
        for output, values in self.window_values.items():
            columns: dict[str, Any] = {
                "subject": [self.subject_ids[s] for s in subject],
                "output": [output] * len(subject),
                "window_start": self.windows.spans[:, 0],
                "window_end": self.windows.spans[:, 1],
            }
            columns |= {name: values[:, e] for e, name in enumerate(ENDPOINTS)}
            columns |= self.extra_values.get(output, {})
            columns["status"] = [sentence(int(self.statuses[s])) for s in subject]
            text = {"subject": pl.String, "output": pl.String, "status": pl.String}
            tables.append(pl.DataFrame(columns, schema_overrides=text))
        return pl.concat(tables, how="diagonal")

    def to_parquet(self, path: str | Path) -> None:
        """Write the rows to a parquet file, as `to_polars` lays them out."""
        write_parquet(self.to_polars(), path)

    def _repr_html_(self) -> str:
        rows = []
        for name, values in self.outputs.items():
            known = values[np.isfinite(values)]
            low, high = (float(known.min()), float(known.max())) if known.size else ("", "")
            rows.append((name, self.units[name], known.size, low, high))
        title = f"{self.model_id}: {self.n_subjects} subjects, {self.times.size} records"
        columns = ("output", "unit", "values", "lowest", "highest")
        return as_html(title, columns, rows, (self.solver, *self.warnings))

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
        """Return columns: subject, time (h), every output, and the subject's status.

        A table with a column DVID adds it, and ``value``: the output that it names.
        """
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        sizes = np.diff(self.offsets)
        words = [sentence(int(s)) for s in self.statuses]
        columns: dict[str, Any] = {
            "subject": np.repeat(np.array(self.subject_ids, dtype=object), sizes).tolist(),
            "time": self.times,
        }
        columns |= dict(self.outputs)
        if self.asked is not None:
            columns |= {"DVID": self.asked.dvid, "value": self.values}
        columns["status"] = np.repeat(np.array(words, dtype=object), sizes).tolist()
        return pl.DataFrame(columns, schema_overrides={"subject": pl.String, "status": pl.String})
