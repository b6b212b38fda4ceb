"""Forms of the effect side by side: information criteria and likelihood ratio tests.

Which tests are regular:

- ``linear`` and ``log`` against ``none``, ``sigmoid-emax`` against ``emax``: chi-square, 1 df.
- ``emax`` against ``linear``: a straight line is the limit of an EC50 that grows without end, a
  boundary; the statistic is an even mixture of 0 and chi-square with 1 df (Self and Liang, J Am
  Stat Assoc 1987;82:605-610), so that the p-value is half that of chi-square.
- ``emax`` against ``none``: without an effect EC50 has no meaning, and no chi-square holds (Davies,
  Biometrika 1987;74:33-43). `permutation_test` gives a p-value where subjects are exchangeable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from statera.errors import StateraError
from statera.numerics.streams import stream
from statera.response.cox import Cox
from statera.response.fit import FitOptions, ResponseFit, fit_response
from statera.response.outcomes import Outcome

__all__ = ["Comparison", "FormRow", "FormTest", "compare_forms", "permutation_test"]

Floats = NDArray[np.float64]

_TESTS = (
    ("none", "linear", 1.0, "chi-square, 1 df"),
    ("none", "log", 1.0, "chi-square, 1 df"),
    ("linear", "emax", 0.5, "half of chi-square, 1 df: EC50 without end is a boundary"),
    ("none", "emax", 0.0, "not regular: without an effect there is no EC50"),
    ("emax", "sigmoid-emax", 1.0, "chi-square, 1 df"),
)


@dataclass(frozen=True)
class FormRow:
    """One form.

    Attributes
    ----------
    form
    status
        Of the fit, or why there is none.
    parameters
        How many.
    log_likelihood, aic, delta, weight
        `delta` and `weight` (Akaike) are among the forms that have a maximum; NaN for others.
    fit
        None where the form could not be fitted.
    """

    form: str
    status: str
    parameters: int
    log_likelihood: float
    aic: float
    delta: float
    weight: float
    fit: ResponseFit | None


@dataclass(frozen=True)
class FormTest:
    """Likelihood ratio test of two nested forms; `p_value` is NaN where no chi-square holds."""

    simple: str
    larger: str
    statistic: float
    p_value: float
    basis: str


@dataclass(frozen=True)
class Comparison:
    """Rows in the order asked, and the tests that their forms allow."""

    rows: tuple[FormRow, ...]
    tests: tuple[FormTest, ...]

    @property
    def best(self) -> FormRow | None:
        """The form with the smallest criterion."""
        known = [row for row in self.rows if np.isfinite(row.aic)]
        return min(known, key=lambda row: row.aic, default=None)


def compare_forms(
    outcome: Outcome | Cox,
    exposure: ArrayLike,
    covariates: Mapping[str, ArrayLike] | None = None,
    forms: Sequence[str] = ("none", "linear", "log", "emax"),
    options: FitOptions | None = None,
) -> Comparison:
    """Fit several forms; one that cannot be fitted keeps its row with the reason.

    Parameters
    ----------
    outcome, exposure, covariates
        As of `statera.response.fit.fit_response`.
    forms
        Names.
    options
        Reference and penalty; its form is not used.
    """
    chosen = options or FitOptions()
    rows = [_row(form, outcome, exposure, covariates, replace(chosen, form=form)) for form in forms]
    known = np.array([row.aic for row in rows])
    least = float(np.nanmin(known)) if np.isfinite(known).any() else np.nan
    relative = np.exp(-0.5 * (known - least))
    weights = relative / np.nansum(relative) if np.isfinite(least) else relative
    found = tuple(
        replace(row, delta=row.aic - least, weight=float(w))
        for row, w in zip(rows, weights, strict=True)
    )
    return Comparison(found, _tests(found))


def _row(
    form: str, outcome: Outcome | Cox, exposure: ArrayLike,
    covariates: Mapping[str, ArrayLike] | None, options: FitOptions,
) -> FormRow:  # fmt: skip
    nan = np.nan
    try:
        fit = fit_response(outcome, exposure, covariates, options)
    except StateraError as error:
        return FormRow(form, error.what, 0, nan, nan, nan, nan, None)
    log_likelihood, aic = fit.log_likelihood, fit.aic
    return FormRow(form, fit.status, fit.theta.size, log_likelihood, aic, nan, nan, fit)


def _tests(rows: tuple[FormRow, ...]) -> tuple[FormTest, ...]:
    known = {row.form: row for row in rows if np.isfinite(row.log_likelihood)}
    found = []
    for simple, larger, factor, basis in _TESTS:
        if simple in known and larger in known:
            gain = known[larger].log_likelihood - known[simple].log_likelihood
            statistic = max(0.0, 2.0 * gain)
            p = factor * float(chi2.sf(statistic, 1)) if factor else np.nan
            found.append(FormTest(simple, larger, statistic, p, basis))
    return tuple(found)


def permutation_test(
    outcome: Outcome | Cox,
    exposure: ArrayLike,
    covariates: Mapping[str, ArrayLike] | None = None,
    options: FitOptions | None = None,
    *,
    permutations: int = 199,
    seed: int = 1,
) -> tuple[float, float]:
    """Return the likelihood ratio statistic against no effect, and its permutation p-value.

    The exposures are dealt anew among the rows; the test is exact where every order was equally
    likely, as after randomisation to doses and without covariates that go with exposure.
    """
    chosen = options or FitOptions()
    x = np.asarray(exposure, dtype=np.float64)
    null = fit_response(outcome, x, covariates, replace(chosen, form="none")).log_likelihood
    random = stream(seed, "permuted exposures")

    def statistic(order: NDArray[np.int64]) -> float:
        fit = fit_response(outcome, x[order], covariates, chosen)
        # without a maximum the likelihood is larger than any found
        return 2.0 * (fit.log_likelihood - null) if np.isfinite(fit.log_likelihood) else np.inf

    observed = statistic(np.arange(x.shape[0]))
    above = sum(
        statistic(random.permutation(x.shape[0])) >= observed - 1e-9 for _ in range(permutations)
    )
    return observed, (above + 1.0) / (permutations + 1.0)
