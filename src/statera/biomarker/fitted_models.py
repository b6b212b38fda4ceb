"""Models of all analytes with one formula, as what tests weights of their coefficients.

Mixed models, linear models with or without moderated variances, left-censored models and models of
the value after treatment given the one before come to one form, `FittedModels`, so that terms,
pairs of levels and named contrasts are tested in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.biomarker.association import (
    AssociationOptions,
    contrast_f,
    contrast_t,
    fit_association,
)
from statera.biomarker.censored import fit_censored
from statera.biomarker.design import Design, Factor, build_design
from statera.biomarker.limma import LinearFit, block_correlation, fit_linear_models, moderate
from statera.numerics.satterthwaite import FTests, TTests

__all__ = [
    "FittedModels",
    "fitted_censored",
    "fitted_linear",
    "fitted_mixed",
    "fitted_moderated",
    "tests_of_linear_fit",
]

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats | Factor]


@dataclass(frozen=True)
class FittedModels:
    """Models of m analytes with one design.

    Attributes
    ----------
    formula, columns, design
        Of all models.
    t
        Tests weights (p,) of the coefficients.
    f
        Tests several rows of weights (q, p) together.
    n : (m,) int64
        Values used.
    status : tuple of str
    notes
        What was estimated in common, as sentences.
    """

    formula: str
    columns: Columns
    design: Design
    t: Callable[[Floats], TTests]
    f: Callable[[Floats], FTests]
    n: NDArray[np.int64]
    status: tuple[str, ...]
    notes: tuple[str, ...] = ()


def fitted_mixed(
    values: Floats, columns: Columns, formula: str, subjects: tuple[str, ...], method: str
) -> FittedModels:
    """Return mixed models with a random intercept by subject.

    Parameters
    ----------
    values : (m, n) float64
    columns, formula
        Of the samples.
    subjects : (n,)
    method
        ``satterthwaite`` or ``kenward-roger``.
    """
    options = AssociationOptions(method)
    design, fit = fit_association(values, columns, formula, subjects, options)
    return FittedModels(
        formula, columns, design,
        lambda weights: contrast_t(fit, weights, options),
        lambda rows: contrast_f(fit, rows, options),
        np.asarray(fit.n, dtype=np.int64), fit.status,
    )  # fmt: skip


def tests_of_linear_fit(
    fit: LinearFit, variance: Floats, df: Floats
) -> tuple[Callable[[Floats], TTests], Callable[[Floats], FTests]]:
    """Return what tests weights of linear models with the residual variances and df (m,) given."""

    def t(weights: Floats) -> TTests:
        c = np.asarray(weights, dtype=float)
        estimate = fit.coefficients @ c
        error = np.sqrt(np.einsum("i,mij,j->m", c, fit.unscaled, c) * variance)
        with np.errstate(invalid="ignore", divide="ignore"):
            statistic = estimate / error
        return TTests(
            estimate, error, df, statistic, 2.0 * special.stdtr(df, -np.abs(statistic))
        )  # fmt: skip

    def f(rows: Floats) -> FTests:
        good = np.isfinite(variance) & np.isfinite(fit.coefficients).all(axis=1)
        statistic = np.full(good.size, np.nan)
        estimate = fit.coefficients[good] @ rows.T
        spread = np.linalg.inv(rows @ fit.unscaled[good] @ rows.T)
        statistic[good] = np.einsum("mi,mij,mj->m", estimate, spread, estimate)
        statistic[good] /= rows.shape[0] * variance[good]
        p = np.asarray(special.fdtrc(rows.shape[0], df, statistic), dtype=np.float64)
        return FTests(rows.shape[0], df, statistic, p)

    return t, f


def fitted_linear(values: Floats, columns: Columns, formula: str) -> FittedModels:
    """Return linear models by least squares, samples being independent."""
    design = build_design(formula, columns)
    fit = fit_linear_models(values, design.matrix)
    t, f = tests_of_linear_fit(fit, fit.variance, fit.df)
    return FittedModels(formula, columns, design, t, f, _counts(values), fit.status)


def fitted_moderated(
    values: Floats, columns: Columns, formula: str, subjects: tuple[str, ...],
    *, trend: bool = False, robust: bool = False,
) -> FittedModels:  # fmt: skip
    """Return linear models with variances drawn to a prior; repeated subjects are blocks.

    The other parameters are those of `statera.biomarker.limma.moderate`.
    """
    design = build_design(formula, columns)
    blocks, correlation, notes = None, 0.0, []
    if subjects and len(set(subjects)) < len(subjects):
        blocks = np.unique(subjects, return_inverse=True)[1]
        correlation = block_correlation(values, design.matrix, blocks)
        notes.append(f"The correlation within subjects, common to all, is {correlation:.3f}.")
    elif not subjects:
        notes.append("No subjects are named: samples are taken as independent.")
    moderated = moderate(
        fit_linear_models(values, design.matrix, blocks, correlation), trend=trend, robust=robust
    )
    said = "follows the mean level and " if trend else ""
    notes.append(f"The prior of the variances {said}has {moderated.prior_df:.4g} degrees of "
                 "freedom.")  # fmt: skip
    if robust:
        with np.errstate(invalid="ignore"):
            fewer = int((moderated.row_prior_df < 0.5 * moderated.prior_df).sum())
        notes.append(
            f"{fewer} analytes vary beyond the prior, which draws them less than half as much."
        )
    t, f = tests_of_linear_fit(moderated.fit, moderated.variance, moderated.df)
    return FittedModels(
        formula, columns, design, t, f, _counts(values), moderated.fit.status, tuple(notes)
    )


def fitted_censored(values: Floats, limits: Floats, columns: Columns, formula: str) -> FittedModels:
    """Return left-censored linear models; samples are independent.

    The maximum likelihood variance and its errors are scaled by ``n / (n - p)`` and compared with
    t and F of n - p degrees of freedom, so that without censored values the tests are those of
    the linear model.

    Parameters
    ----------
    values, limits : (m, n) float64
        A value below its limit counts as below, whatever number stands for it.
    """
    design = build_design(formula, columns)
    fit = fit_censored(values, limits, design.matrix)
    p = design.matrix.shape[1]
    df = np.where(np.isfinite(fit.sigma), (fit.n - p).astype(float), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = fit.n / df
    linear = LinearFit(
        fit.coefficients, fit.covariance * scale[:, None, None], np.ones(df.size), df,
        np.full(df.size, np.nan), fit.status,
    )  # fmt: skip
    t, f = tests_of_linear_fit(linear, np.where(np.isfinite(df), 1.0, np.nan), df)
    known = int(fit.n_censored.sum())
    return FittedModels(
        formula, columns, design, t, f, np.asarray(fit.n, dtype=np.int64), fit.status,
        (f"{known} values below their limit enter the likelihood as below it.",),
    )  # fmt: skip


def _counts(values: Floats) -> NDArray[np.int64]:
    return np.asarray(np.isfinite(values).sum(axis=1), dtype=np.int64)
