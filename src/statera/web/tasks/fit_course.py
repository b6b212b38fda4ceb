"""The course of a search: told while it runs, kept on disk, gone on with after a resume."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from statera.estimate.meaning import meanings
from statera.estimate.result import Iteration
from statera.estimate.row_intervals import back
from statera.model import Model
from statera.web.answer import Column, Table
from statera.web.work import Work

__all__ = ["Course"]

_RARE = 0.15  # s between two messages; the iterations between them come with the later one
_BY_GRADIENT = ("fo", "foce", "focei", "laplace", "agq")


class Course:
    """Takes every iteration of a fit.

    Parameters
    ----------
    work, model
        Who is told, and what is fitted.
    fixed
        Parameters and random effects that are kept beyond those of the model.
    method
        Of the fit.
    resumed_at
        Iteration of the checkpoint that the fit goes on from; None for a fit that begins.
    length
        Iterations of a method that knows how many it takes.
    """

    def __init__(
        self,
        work: Work,
        model: Model,
        fixed: tuple[str, ...],
        method: str,
        resumed_at: int | None = None,
        length: int = 0,
    ) -> None:
        self.work, self.length = work, length
        self.path = work.folder / "course.jsonl"
        known = meanings(model)
        self._parameters = [
            (i, p.name, known[p.name].scale, p.unit)
            for i, p in enumerate(model.parameters.values())
            if not (p.fixed or p.name in fixed)
        ]
        self._effects = [
            (i, f"omega({e.name})", known[e.name].scale == "exp")
            for i, e in enumerate(model.random_effects.values())
            if not (e.fixed or e.name in fixed) and e.variance > 0.0
        ]
        self.rows: list[dict[str, Any]] = []
        if resumed_at is None:
            self.path.unlink(missing_ok=True)
        else:
            self.rows = _read(self.path)
            if method in _BY_GRADIENT:  # what came after the checkpoint is done again
                self.rows = [row for row in self.rows if row["iteration"] <= resumed_at]
            self.path.write_text("".join(_line(row) for row in self.rows), encoding="utf-8")
        last = self.rows[-1]["iteration"] if self.rows else 0
        self._offset = 0 if method in _BY_GRADIENT else last
        self._last = -math.inf
        self._held: list[dict[str, Any]] = []
        self._told = False

    @property
    def labels(self) -> dict[str, dict[str, str]]:
        """How each parameter is shown: ``exp``, ``expit``, ``CV %``, ``SD``; and its unit."""
        found = {
            name: {"shown_as": "" if scale == "natural" else scale, "unit": unit}
            for _, name, scale, unit in self._parameters
        }
        for _, name, log_normal in self._effects:
            found[name] = {
                "shown_as": "CV %" if log_normal else "SD",
                "unit": "%" if log_normal else "",
            }
        return found

    def __call__(self, at: Iteration) -> None:
        """Keep an iteration, and tell it unless the last was told just before."""
        row = self._row(at)
        if self.rows and row["iteration"] == self.rows[-1]["iteration"]:
            return  # where a search goes on it tells once more where it stands
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(_line(row))
        self._held.append(row)
        if time.monotonic() - self._last >= _RARE:
            self.tell()

    def tell(self) -> None:
        """Tell the iterations that were held back."""
        if not self._held:
            return
        *earlier, latest = self._held
        self._held = []
        self._last = time.monotonic()
        fraction = None
        if self.length:
            fraction = min(0.65, 0.65 * (latest["iteration"] - self._offset) / self.length)
        more: dict[str, Any] = {"earlier": earlier} if earlier else {}
        if not self._told:
            more["labels"], self._told = self.labels, True
        value = latest["ofv"]
        said = "" if value is None else f", OFV {value:.3f}"
        self.work.progress(fraction, f"Iteration {latest['iteration']}{said}", **latest, **more)

    def table(self) -> Table:
        """Return all iterations, those before a resume included."""
        labels = self.labels
        columns = [Column("iteration"), Column("ofv"), Column("gradient")]
        columns += [Column(name, labels[name]["unit"]) for name in labels]
        rows = [
            [r["iteration"], r["ofv"], r["gradient"], *(r["parameters"].get(n) for n in labels)]
            for r in self.rows
        ]
        return Table(columns, rows)

    def _row(self, at: Iteration) -> dict[str, Any]:
        values: dict[str, float | None] = {}
        for i, name, scale, _ in self._parameters:
            values[name] = _known(back(float(at.theta[i]), (None, None), scale)[0])
        for i, name, log_normal in self._effects:
            variance = max(float(at.omega[i, i]), 0.0)
            with np.errstate(over="ignore"):
                shown = 100.0 * np.sqrt(np.expm1(variance)) if log_normal else np.sqrt(variance)
            values[name] = _known(float(shown))
        return {
            "iteration": at.number + self._offset,
            "ofv": _known(at.objective),
            "gradient": _known(at.gradient),
            "parameters": values,
        }


def _known(value: float) -> float | None:
    return float(f"{value:.9g}") if math.isfinite(value) else None


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, allow_nan=False) + "\n"


def _read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file; a last line that was cut off is left out."""
    found: list[dict[str, Any]] = []
    if not path.is_file():
        return found
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
