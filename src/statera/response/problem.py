"""Log-likelihood of an exposure-response model with its derivatives in all parameters.

The parameters stand in the order intercept, covariates, effect of the exposure, baseline. With
draws of the exposure of each row the likelihood of a row is its mean over the draws; the second
derivatives then are those of Louis (J R Stat Soc B 1982;44:226-233).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from statera.response.cox import Cox
from statera.response.effect_forms import EffectForm
from statera.response.maximise import Evaluation
from statera.response.outcomes import Outcome, Rows

__all__ = ["Problem"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """An outcome, the exposures that may move it and the covariates.

    Attributes
    ----------
    outcome
        Of n rows.
    exposure : (n, m) float64
        Exposure of each row; m is 1, or the number of draws.
    covariates : (n, c) float64
        Columns without the intercept.
    names : (c,)
        Names of the covariates.
    form
        Of the effect.
    centre : (c,) float64 or None
        Values of the covariates that the baseline stands for; 0 where None.
    """

    outcome: Outcome | Cox
    exposure: Floats
    covariates: Floats
    names: tuple[str, ...]
    form: EffectForm
    centre: Floats | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters."""
        first = ("intercept",) if self.outcome.intercept else ()
        return (*first, *self.names, *self.form.parameters, *self.outcome.baseline)

    @property
    def linear(self) -> int:
        """Number of coefficients before those of the effect."""
        return int(self.outcome.intercept) + len(self.names)

    @property
    def design(self) -> Floats:
        """Columns before those of the effect, (n, linear)."""
        return self.design_of(self.covariates)

    def design_of(self, covariates: Floats) -> Floats:
        """Return the columns before those of the effect for other covariates, (k, linear)."""
        first = np.ones((covariates.shape[0], int(self.outcome.intercept)))
        return np.hstack([first, covariates if self.centre is None else covariates - self.centre])

    def slice_of_effect(self) -> slice:
        """Return where the parameters of the effect stand."""
        return slice(self.linear, self.linear + len(self.form.parameters))

    def predictor(self, theta: Floats, x: Floats, design: Floats) -> tuple[Floats, Floats, Floats]:
        """Return eta (n,), its slopes (n, linear + k) and the curvature (n, k, k) of the effect."""
        effect, slope, curve = self.form.evaluate(x, theta[self.slice_of_effect()])
        eta = design @ theta[: self.linear] + effect
        return eta, np.hstack([design, slope]), curve

    def moved(self, theta: Floats, ln_ec50: float) -> Floats:
        """Return parameters with another EC50 and the same effect at the median exposure."""
        here = self.slice_of_effect()
        middle = np.array([np.median(self.exposure[self.exposure > 0])])
        found = theta.copy()
        found[here.start + 1] = ln_ec50
        before = self.form.evaluate(middle, theta[here])[0][0]
        share = self.form.evaluate(middle, found[here])[1][0, 0]
        if share > 0:
            found[here.start] = before / share
        return found

    def evaluate(self, theta: Floats) -> Evaluation:
        """Return the log-likelihood and its derivatives; infinite or NaN where they overflow."""
        with np.errstate(all="ignore"):
            return self._evaluated(theta)

    def _evaluated(self, theta: Floats) -> Evaluation:
        if isinstance(self.outcome, Cox):
            return self._cox(self.outcome, theta)
        m = self.exposure.shape[1]
        design = self.design
        if m > 1:
            return self._drawn(theta, np.repeat(design, m, axis=0), m)
        eta, slope, curve = self.predictor(theta, self.exposure[:, 0], design)
        rows = self.outcome.rows(eta, theta[self.slice_of_effect().stop :])
        ones = np.ones(self.outcome.n)
        return Evaluation(
            float(rows.value.sum()), self._scores(rows, slope).sum(axis=0),
            self._curvature(rows, slope, curve, ones),
        )  # fmt: skip

    def _scores(self, rows: Rows, slope: Floats) -> Floats:
        """Return the slope of each row by all parameters, (n, p)."""
        return np.hstack([rows.slope[:, :1] * slope, rows.slope[:, 1:]])

    def _curvature(self, rows: Rows, slope: Floats, curve: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of the second derivatives of the rows, (p, p)."""
        c = slope.shape[1]
        p = c + rows.slope.shape[1] - 1
        found = np.zeros((p, p))
        found[:c, :c] = slope.T @ ((weight * rows.curve[:, 0, 0])[:, None] * slope)
        found[:c, c:] = slope.T @ (weight[:, None] * rows.curve[:, 0, 1:])
        found[c:, :c] = found[:c, c:].T
        found[c:, c:] = np.tensordot(weight, rows.curve[:, 1:, 1:], axes=1)
        here = self.slice_of_effect()
        found[here, here] += np.tensordot(weight * rows.slope[:, 0], curve, axes=1)
        return found

    def _drawn(self, theta: Floats, design: Floats, m: int) -> Evaluation:
        outcome = self.outcome.take(np.repeat(np.arange(self.outcome.n), m))
        assert not isinstance(outcome, Cox)
        eta, slope, curve = self.predictor(theta, self.exposure.ravel(), design)
        rows = outcome.rows(eta, theta[self.slice_of_effect().stop :])
        by_draw = rows.value.reshape(-1, m)
        own = logsumexp(by_draw, axis=1)
        weight = np.exp(by_draw - own[:, None]).ravel()
        scores = self._scores(rows, slope)
        mean = (weight[:, None] * scores).reshape(-1, m, theta.size).sum(axis=1)
        hessian = self._curvature(rows, slope, curve, weight)
        hessian += scores.T @ (weight[:, None] * scores) - mean.T @ mean
        value = float((own - np.log(m)).sum())
        return Evaluation(value, mean.sum(axis=0), hessian)

    def _cox(self, outcome: Cox, theta: Floats) -> Evaluation:
        eta, slope, curve = self.predictor(theta, self.exposure[:, 0], self.design)
        found, by_eta = outcome.partial(eta, slope)
        here = self.slice_of_effect()
        hessian = found.hessian.copy()
        hessian[here, here] += np.tensordot(by_eta, curve, axes=1)
        return Evaluation(found.value, found.gradient, hessian)
