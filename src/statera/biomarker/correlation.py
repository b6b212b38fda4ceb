"""Correlation of every analyte with one column, other columns held: Pearson's or Spearman's.

Methods
-------
Partial correlation is that of the residuals after the other columns (Spearman's of ranks); p by t
with n - 2 - k degrees of freedom for k columns held. Intervals by Fisher's transformation with
variance 1/(n - 3 - k), for ranks 1.06/(n - 3 - k) after Fieller, Hartley and Pearson, Biometrika
1957;44:470-481, doi 10.1093/biomet/44.3-4.470.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from statera.biomarker.change_tests import ChangeTests
from statera.biomarker.multiple_testing import adjust
from statera.errors import InputError, UnknownNameError
from statera.numerics.mixed_model import CONSTANT, OK, TOO_FEW, design_defect

__all__ = ["CORRELATIONS", "correlate"]

Floats = NDArray[np.float64]

CORRELATIONS = ("pearson", "spearman")


def correlate(
    values: Floats,
    outcome: Floats,
    held: Floats | None = None,
    method: str = "pearson",
    level: float = 0.95,
) -> ChangeTests:
    """Correlate every row of `values` with an outcome.

    Parameters
    ----------
    values : (m, n) float64
        Levels or changes of m analytes; nan is missing.
    outcome : (n,) float64
        Such as improvement, dose or exposure.
    held : (n, k) float64, optional
        Columns that are held: the correlation is partial.
    method
        ``pearson`` or ``spearman``.
    level
        Of the intervals.

    Raises
    ------
    InputError
        If lengths differ.
    UnknownNameError
        If the method is not known.
    """
    if method not in CORRELATIONS:
        raise UnknownNameError("method", method, CORRELATIONS)
    values = np.atleast_2d(np.asarray(values, dtype=float))
    gain = np.asarray(outcome, dtype=float)
    others = np.zeros((gain.size, 0)) if held is None else np.asarray(held, dtype=float)
    if gain.shape != (values.shape[1],) or others.shape[0] != gain.size:
        raise InputError("outcome and values differ in length", where="correlation")
    m, k = values.shape[0], others.shape[1]
    r, n, status = np.full(m, np.nan), np.zeros(m, dtype=np.int64), [OK] * m
    present = np.isfinite(values) & np.isfinite(gain) & np.isfinite(others).all(axis=1)
    patterns, index = np.unique(present, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(index.ravel() == number)
        n[rows] = int(pattern.sum())
        found, defect = _pattern(
            values[np.ix_(rows, pattern)], gain[pattern], others[pattern], method
        )
        r[rows] = found
        for place, row in enumerate(rows):
            if defect or not np.isfinite(found[place]):
                status[row] = defect or CONSTANT
    df = (n - 2 - k).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = r * np.sqrt(df / (1.0 - r**2))
        factor = 1.06 if method == "spearman" else 1.0
        half = special.ndtri(0.5 + level / 2.0) * np.sqrt(factor / (n - 3.0 - k))
        low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
        p = np.asarray(2.0 * special.stdtr(df, -np.abs(t)))
    df = np.where(np.isfinite(r), df, np.nan)
    return ChangeTests(
        method, r, low, high, t, df, p, adjust(p), n[:, None], tuple(status)
    )  # fmt: skip


def _pattern(
    values: Floats, gain: Floats, others: Floats, method: str
) -> tuple[Floats, str]:  # fmt: skip
    """Return correlations (m,) of complete rows, nan where one does not vary, and any defect."""
    m, n = values.shape
    blank = np.full(m, np.nan)
    if n < 4 + others.shape[1]:
        return blank, f"{TOO_FEW}: {n} pairs"
    if np.ptp(gain) == 0.0:
        return blank, "the outcome does not vary"
    flat = np.ptp(values, axis=1) <= 1e-12 * np.abs(values).max(axis=1)
    if method == "spearman":
        values, gain = stats.rankdata(values, axis=1), stats.rankdata(gain)
        others = stats.rankdata(others, axis=0) if others.size else others
    x = np.column_stack([np.ones(n), others])
    if defect := design_defect(x, 2):
        return blank, defect
    basis, _ = np.linalg.qr(x)
    rest = values - (values @ basis) @ basis.T
    other = gain - basis @ (basis.T @ gain)
    if other @ other <= 1e-20 * (gain @ gain):
        return blank, "the outcome does not vary beside the columns held"
    size = np.einsum("ij,ij->i", rest, rest)
    flat |= size <= 1e-20 * np.einsum("ij,ij->i", values, values)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = rest @ other / np.sqrt(size * (other @ other))
    return np.where(flat, np.nan, np.clip(found, -1.0, 1.0)), ""
