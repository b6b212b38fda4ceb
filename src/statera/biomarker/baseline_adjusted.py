"""Values after treatment given those before: analysis of covariance of all analytes.

The value after is regressed on the formula and on the analyte's own value before; coefficients of
the formula are the same for the change as for the value after.

Methods
-------
Vickers and Altman, BMJ 2001;323:1123-1124, doi 10.1136/bmj.323.7321.1123. The columns that all
analytes share are taken off first (Frisch and Waugh, Econometrica 1933;1:387-401).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.limma import LinearFit
from statera.numerics.mixed_model import CONSTANT, OK, design_defect

__all__ = ["BASELINE_FLAT", "fit_baseline_adjusted"]

Floats = NDArray[np.float64]

BASELINE_FLAT = "the values before do not vary beside the formula"


def fit_baseline_adjusted(before: Floats, after: Floats, design: Floats) -> LinearFit:
    """Fit ``after = design beta + slope before`` to every analyte.

    Parameters
    ----------
    before, after : (m, n) float64
        Of the same n subjects; nan is missing.
    design : (n, p) float64

    Returns
    -------
    LinearFit
        Coefficients of the design only; the residual degrees of freedom count the slope.
    """
    m, p = before.shape[0], design.shape[1]
    nan = np.nan
    fit = LinearFit(np.full((m, p), nan), np.full((m, p, p), nan), np.full(m, nan),
                    np.full(m, nan), np.full(m, nan), ())  # fmt: skip
    status = [OK] * m
    present = np.isfinite(before) & np.isfinite(after)
    patterns, index = np.unique(present, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(index.ravel() == number)
        x = design[pattern]
        if defect := design_defect(x, 2):
            for row in rows:
                status[row] = defect
            continue
        own = np.linalg.inv(x.T @ x)
        base, late = before[np.ix_(rows, pattern)], after[np.ix_(rows, pattern)]
        along = base @ x @ own  # coefficients of the values before
        rest = base - along @ x.T
        size = np.einsum("ij,ij->i", rest, rest)
        flat = size <= 1e-20 * np.maximum(np.einsum("ij,ij->i", base, base), 1e-280)
        size = np.where(flat, nan, size)
        slope = np.einsum("ij,ij->i", rest, late) / size
        beta = (late - slope[:, None] * base) @ x @ own
        residual = late - slope[:, None] * base - beta @ x.T
        df = float(pattern.sum() - p - 1)
        variance = np.einsum("ij,ij->i", residual, residual) / df
        still = variance <= 1e-24 * np.maximum(np.abs(late).max(axis=1), 1e-140) ** 2
        variance = np.where(still | flat, nan, variance)
        fit.coefficients[rows] = np.where(np.isnan(variance)[:, None], nan, beta)
        fit.unscaled[rows] = own + along[:, :, None] * along[:, None, :] / size[:, None, None]
        fit.variance[rows], fit.df[rows] = variance, df
        fit.mean[rows] = late.mean(axis=1)
        for place, row in enumerate(rows):
            if flat[place] or still[place]:
                status[row] = BASELINE_FLAT if flat[place] else CONSTANT
    return LinearFit(**{**fit.__dict__, "status": tuple(status)})
