"""What a simulation returns: profiles, endpoints, statuses, warnings and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import UnknownNameError
from statera.simulate.shown import as_html, write_parquet
from statera.simulate.status import sentence
from statera.simulate.summaries import describe, unit_of_endpoint

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ENDPOINTS", "SimulationResult"]

Floats = NDArray[np.float64]

ENDPOINTS = ("Cmax", "tmax", "AUC", "Cavg", "Ctrough", "Cmin")
"""Endpoints of one window, in the order of `SimulationResult.window_values`."""


@dataclass(frozen=True)
class SimulationResult:
    """Profiles and endpoints of every subject.

    Attributes
    ----------
    model_id
        The model simulated.
    times : (n_times,) float64
        Observation times, h.
    outputs
        ``(n_subjects, n_times)`` float64 by output name; NaN for subjects that failed.
    units
        Unit of each output.
    windows : (n_windows, 2) float64
        Start and end of the windows with endpoints, h; by default the first and the last dosing
        interval.
    window_values
        ``(n_subjects, n_windows, 6)`` float64 by output name, see `ENDPOINTS`. Exact between
        events for closed forms: they do not depend on the observation times. ``tmax`` counts
        from the start of the window; ``Ctrough`` is the value at its end, before the next dose.
    extra_values
        ``(n_subjects, n_windows)`` float64 by output and endpoint: time above thresholds, h, and
        mean inhibition, where asked for.
    covariates, parameters
        ``(n_subjects,)`` float64 by name: covariates, and individual and derived parameters.
    statuses : (n_subjects,) int64
        0 where the subject was solved.
    solver
        Which solver was used and why.
    warnings
        Sentences a reader must see.
    manifest
        Versions, seed and hashes.
    """

    model_id: str
    times: Floats
    outputs: Mapping[str, Floats]
    units: Mapping[str, str]
    windows: Floats
    window_values: Mapping[str, Floats]
    covariates: Mapping[str, Floats]
    parameters: Mapping[str, Floats]
    statuses: NDArray[np.int64]
    solver: str
    warnings: tuple[str, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)
    extra_values: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)

    @property
    def n_subjects(self) -> int:
        """Number of subjects, failed ones included."""
        return int(self.statuses.size)

    @property
    def failures(self) -> tuple[tuple[int, str], ...]:
        """Index and sentence of every subject that could not be solved."""
        return tuple((int(i), sentence(int(self.statuses[i]))) for i in self.statuses.nonzero()[0])

    def endpoint(self, name: str, output: str | None = None, window: int = -1) -> Floats:
        """Return one endpoint of every subject, ``(n_subjects,)``; NaN where it failed."""
        key = output or next(iter(self.window_values))
        if key not in self.window_values:
            raise UnknownNameError("output", key, self.window_values)
        extra = self.extra_values.get(key, {})
        if name in extra:
            return extra[name][:, window]
        if name not in ENDPOINTS:
            raise UnknownNameError("endpoint", name, [*ENDPOINTS, *extra])
        return self.window_values[key][:, window, ENDPOINTS.index(name)]

    def percentiles(self, output: str, levels: Sequence[float] = (5.0, 50.0, 95.0)) -> Floats:
        """Return percentiles over the solved subjects, ``(n_levels, n_times)``."""
        if output not in self.outputs:
            raise UnknownNameError("output", output, self.outputs)
        rows = self.outputs[output][self.statuses == 0]
        if rows.shape[0] == 0:
            return np.full((len(levels), self.times.size), np.nan)
        return np.asarray(np.percentile(rows, levels, axis=0), dtype=np.float64)

    def summary(self, levels: Sequence[float] = (5.0, 50.0, 95.0)) -> dict[str, Any]:
        """Return percentiles and geometric means of every endpoint, window and output."""
        found: dict[str, Any] = {}
        solved = self.statuses == 0
        for output, values in self.window_values.items():
            for k, (start, end) in enumerate(self.windows):
                columns = {name: values[:, k, e] for e, name in enumerate(ENDPOINTS)}
                extra = self.extra_values.get(output, {})
                columns |= {name: asked[:, k] for name, asked in extra.items()}
                for name, everyone in columns.items():
                    found[f"{output}.{k}.{name}"] = {
                        "output": output,
                        "window_h": [float(start), float(end)],
                        "endpoint": name,
                        "unit": self.unit_of(name, output),
                        **describe(name, everyone[solved], levels),
                    }
        return found

    def unit_of(self, endpoint: str, output: str) -> str:
        """Return the unit of an endpoint."""
        return unit_of_endpoint(endpoint, self.units[output])

    def to_polars(self) -> pl.DataFrame:
        """Return profiles as columns: subject, time and every output."""
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        n, t = self.n_subjects, self.times.size
        columns: dict[str, Any] = {
            "subject": np.repeat(np.arange(1, n + 1), t),
            "time": np.tile(self.times, n),
        }
        columns |= {name: values.ravel() for name, values in self.outputs.items()}
        return pl.DataFrame(columns)

    def to_parquet(self, path: str | Path) -> None:
        """Write the profiles to a parquet file, as `to_polars` lays them out."""
        write_parquet(self.to_polars(), path)

    def _repr_html_(self) -> str:
        rows = [
            (s["output"], "{:g}-{:g} h".format(*s["window_h"]), s["endpoint"], s["unit"],
             s["p5"], s["p50"], s["p95"])
            for s in self.summary().values()
        ]  # fmt: skip
        title = f"{self.model_id}: {self.n_subjects} subjects, {self.times.size} times"
        columns = ("output", "window", "endpoint", "unit", "p5", "p50", "p95")
        return as_html(title, columns, rows, (self.solver, *self.warnings))

    def endpoints(self) -> pl.DataFrame:
        """Return endpoints as columns: one row a subject, output and window, with its status.

        What was asked of one output only is null for the others.
        """
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        tables = []
        n = self.n_subjects
        for output, values in self.window_values.items():
            for k, (start, end) in enumerate(self.windows):
                columns: dict[str, Any] = {
                    "subject": np.arange(1, n + 1),
                    "output": [output] * n,
                    "window_start": np.full(n, start),
                    "window_end": np.full(n, end),
                }
                columns |= {name: values[:, k, e] for e, name in enumerate(ENDPOINTS)}
                extra = self.extra_values.get(output, {})
                columns |= {name: asked[:, k] for name, asked in extra.items()}
                columns["status"] = [sentence(int(s)) for s in self.statuses]
                tables.append(pl.DataFrame(columns))
        return pl.concat(tables, how="diagonal")
