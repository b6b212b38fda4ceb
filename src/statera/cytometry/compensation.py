"""Spillover between detectors, and how it is taken out: ``true = observed S^-1``.

Rows of S are dyes and columns detectors; its diagonal is 1. It acts on linear values, before any
scale.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.describe_fcs import FcsDescription
from statera.cytometry.read_fcs import FcsFile
from statera.errors import InputError, Place

__all__ = ["Spillover", "compensate", "read_spillover_csv", "spillover_from_stains", "spillover_of"]

Floats = NDArray[np.float64]
Described = FcsFile | FcsDescription

KEYWORDS = ("$SPILLOVER", "SPILLOVER", "SPILL", "$COMP", "DET_SPILL")
"""Where instruments put the matrix, in the order in which they are looked at."""


@dataclass(frozen=True)
class Spillover:
    """A spillover matrix.

    Attributes
    ----------
    detectors
        Channels of the columns.
    dyes
        Names of the rows; those of the detectors where they have none of their own.
    matrix : (n_dyes, n_detectors) float64
    source
        Where it comes from.
    """

    detectors: tuple[str, ...]
    dyes: tuple[str, ...]
    matrix: Floats
    source: str = ""

    def __post_init__(self) -> None:
        if self.matrix.shape != (len(self.dyes), len(self.detectors)):
            raise InputError(
                f"the spillover matrix has {self.matrix.shape[0]} rows and "
                f"{self.matrix.shape[1]} columns, for {len(self.dyes)} dyes and "
                f"{len(self.detectors)} detectors",
                where=self.source or None,
            )
        if not np.isfinite(self.matrix).all():
            raise InputError(
                "the spillover matrix holds what is no number", where=self.source or None
            )
        if len(set(self.detectors)) != len(self.detectors):
            raise InputError("a detector stands twice in the spillover matrix", where=self.source)
        if np.linalg.matrix_rank(self.matrix) < len(self.dyes):
            raise InputError(
                "the spillover matrix is singular: two dyes cannot be told apart",
                where=self.source or None,
                hint="Check for a detector that stands twice or a stain that did not work.",
            )

    @cached_property
    def unmixing(self) -> Floats:
        """Factors from detectors to dyes, (n_dyes, n_detectors)."""
        square = self.matrix.shape[0] == self.matrix.shape[1]
        inverse = np.linalg.inv(self.matrix) if square else np.linalg.pinv(self.matrix)
        return np.ascontiguousarray(inverse.T, dtype=np.float64)

    def rows(self, file: Described) -> list[int]:
        """Return the rows of a file's events that the detectors stand for.

        Raises
        ------
        UnknownNameError
            If a detector is not among the channels.
        """
        return [file.index(name) for name in self.detectors]

    def row_of(self, channel: str, file: Described) -> int | None:
        """Return the dye that a channel stands for; None where the matrix leaves it alone.

        A channel is a dye by its name, or a detector by its name or its label in the file.
        """
        if channel in self.dyes:
            return self.dyes.index(channel)
        if len(self.dyes) != len(self.detectors):
            return None
        labelled = [c.name for c in file.channels if c.label == channel]
        for name in (channel, *(labelled if len(labelled) == 1 else ())):
            if name in self.detectors:
                return self.detectors.index(name)
        return None


def spillover_of(file: Described) -> Spillover | None:
    """Return the matrix that a file holds, None where it holds none.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    for keyword in KEYWORDS:
        text = file.keywords.get(keyword, "").strip()
        if text and text not in ("0", "0,0"):
            return _parsed(text, f"{file.path}: {keyword}")
    return None


def _parsed(text: str, source: str) -> Spillover:
    parts = [part.strip() for part in text.split(",")]
    try:
        n = int(parts[0])
        names = tuple(parts[1 : n + 1])
        numbers = [float(part) for part in parts[n + 1 : n + 1 + n * n]]
    except ValueError as error:
        raise InputError(
            "the spillover matrix cannot be read",
            where=source,
            hint="Expected: a count, so many names, and its square of numbers.",
        ) from error
    if len(names) != n or len(numbers) != n * n:
        raise InputError(
            f"the spillover matrix names {len(names)} of {n} detectors and has {len(numbers)} of "
            f"{n * n} numbers",
            where=source,
        )
    return Spillover(names, names, np.array(numbers).reshape(n, n), source)


def read_spillover_csv(path: str | Path) -> Spillover:
    """Return a matrix from a table: a heading of detectors, and a row for each dye.

    The first column may hold the names of the dyes. Numbers above 1 off the diagonal of a matrix
    whose diagonal is 100 are taken as percent.

    Raises
    ------
    InputError
        With the line, where something is not understood.
    """
    file = Path(path)
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            lines = [
                (i, [cell.strip() for cell in row])
                for i, row in enumerate(csv.reader(stream), start=1)
                if any(cell.strip() for cell in row)
            ]
    except OSError as error:
        raise InputError(
            f"cannot read the table: {error.strerror}", where=Place(str(file))
        ) from error
    if len(lines) < 2:
        raise InputError("the table holds no matrix", where=Place(str(file)))
    heading = lines[0][1]
    named = not heading[0] or any(not _is_number(row[0]) for _, row in lines[1:])
    detectors = tuple(heading[1:] if named else heading)
    if len(lines) - 1 == len(heading) - 1 and not named:
        detectors = tuple(heading)
    dyes: list[str] = []
    rows: list[list[float]] = []
    for line, row in lines[1:]:
        cells = row[1:] if named else row
        if len(cells) != len(detectors) or not all(_is_number(c) for c in cells):
            raise InputError(
                f"expected {len(detectors)} numbers",
                where=Place(str(file), line),
                hint="A heading with detectors, then one row a dye.",
            )
        dyes.append(row[0] if named else detectors[len(rows)])
        rows.append([float(c) for c in cells])
    matrix = np.array(rows)
    if matrix.shape[0] == matrix.shape[1] and (np.diag(matrix) == 100.0).all():
        matrix = matrix / 100.0
    return Spillover(detectors, tuple(dyes), matrix, str(file))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def spillover_from_stains(
    stained: Mapping[str, FcsFile],
    unstained: FcsFile,
    detectors: Sequence[str],
    masks: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Spillover:
    """Return the matrix that single stains give.

    Per dye: median of the stained less that of the unstained in each detector, over the same in
    the dye's own detector.

    Parameters
    ----------
    stained
        File of each dye, by the detector that is its own.
    unstained
        Cells without dye.
    detectors
        Columns, and the order of the rows.
    masks
        Events to use of a dye's file, by detector; ``""`` for the unstained. All by default.

    Raises
    ------
    InputError
        If a dye does not shine in its own detector.
    """
    chosen = masks or {}
    base = _medians(unstained, detectors, chosen.get(""))
    rows: list[Floats] = []
    for name in detectors:
        if name not in stained:
            raise InputError(
                f"there is no single stain for {name}", hint="Leave out the detector, or stain it."
            )
        signal = _medians(stained[name], detectors, chosen.get(name)) - base
        own = signal[list(detectors).index(name)]
        if not own > 0:
            raise InputError(
                f"the single stain of {name} is not brighter than the unstained cells",
                where=Place(str(stained[name].path)),
                hint="Check that the files are not swapped.",
            )
        rows.append(signal / own)
    names = tuple(detectors)
    return Spillover(names, names, np.array(rows), "single stains")


def _medians(file: FcsFile, detectors: Sequence[str], mask: NDArray[np.bool_] | None) -> Floats:
    values = file.events[[file.index(name) for name in detectors]]
    found: Floats = np.median(values if mask is None else values[:, mask], axis=1)
    return found


def compensate(file: FcsFile, spillover: Spillover) -> FcsFile:
    """Return the file with spillover taken out of the matrix's channels.

    Raises
    ------
    UnknownNameError
        If a detector is not among the channels.
    InputError
        If the matrix has fewer dyes than detectors, so that channels would have no name.
    """
    if len(spillover.dyes) != len(spillover.detectors):
        raise InputError(
            f"{len(spillover.dyes)} dyes in {len(spillover.detectors)} detectors make new channels",
            where=spillover.source or None,
            hint="Gate on the dyes by name instead.",
        )
    from statera.cytometry.unmix_kernel import unmix_all  # noqa: PLC0415 - compiles

    rows = np.array(spillover.rows(file), dtype=np.int64)
    events = np.array(file.events, order="C")
    measured = np.ascontiguousarray(file.events)
    for row, factors in zip(rows, spillover.unmixing, strict=True):
        unmix_all(measured, rows, factors, events[row])
    return replace(file, events=events)
