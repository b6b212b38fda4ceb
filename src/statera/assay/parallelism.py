"""Whether curves are parallel or share an IC50: F test and information criteria of nested fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc

from statera.assay.fit_curves import Curves
from statera.assay.joint_fits import FittedJoint, JointOptions, fit_joint, own_parameters
from statera.errors import UsageError

__all__ = [
    "FTest",
    "JointComparison",
    "NestedVerdict",
    "compare_joint",
    "equal_ic50s",
    "f_test",
    "parallelism",
]


@dataclass(frozen=True)
class FTest:
    """F test of a smaller model inside a larger.

    Attributes
    ----------
    f, p_value
    df_more, df_rest
        Parameters that the larger has more, and its degrees of freedom.
    """

    f: float
    p_value: float
    df_more: int
    df_rest: int


@dataclass(frozen=True)
class JointComparison:
    """One row of a table of joint fits.

    Attributes
    ----------
    name
    n_parameters
        Joint parameters, the variance apart.
    rss, df, aicc, bic
    test
        Against the largest model of the table; None for that one, and for a model with as many
        parameters.
    """

    name: str
    n_parameters: int
    rss: float
    df: int
    aicc: float
    bic: float
    test: FTest | None


@dataclass(frozen=True)
class NestedVerdict:
    """Whether a restriction holds.

    Attributes
    ----------
    holds
        The F test finds nothing against it at `alpha`.
    test
    aicc_difference
        Of the restricted fit less that of the free: below 0 speaks for the restriction.
    bic_difference
    restricted, free
        The two fits.
    sentence
        For a reader; it says where AICc disagrees with the F test.
    """

    holds: bool
    test: FTest
    aicc_difference: float
    bic_difference: float
    restricted: FittedJoint
    free: FittedJoint
    sentence: str


def f_test(smaller: FittedJoint, larger: FittedJoint) -> FTest:
    """Return ``F = ((RSS_0 - RSS_1) / more) / (RSS_1 / df_1)`` of nested fits.

    Raises
    ------
    UsageError
        If the first does not have fewer parameters, or the fits have different points.
    """
    more = larger.theta.size - smaller.theta.size
    if more <= 0 or smaller.n != larger.n:
        raise UsageError("the models are not nested", hint="Give the one with fewer parameters.")
    rise = max(smaller.rss - larger.rss, 0.0)
    rounding = 1e-20 * float(np.sum(larger.curves.weight * larger.curves.response**2))
    if larger.rss <= rounding:  # no error to compare with
        f = 0.0 if rise <= rounding else float("inf")
    else:
        f = rise / more / (larger.rss / larger.df)
    return FTest(float(f), float(fdtrc(more, larger.df, f)), more, larger.df)


def compare_joint(
    curves: Curves, models: Mapping[str, JointOptions]
) -> tuple[JointComparison, ...]:
    """Fit every model and return a table, in the order given.

    The F tests suppose that each model is a restriction of the largest.
    """
    fits = {name: fit_joint(curves, options) for name, options in models.items()}
    largest = max(fits.values(), key=lambda fit: fit.theta.size)
    return tuple(
        JointComparison(
            name,
            fit.theta.size,
            fit.rss,
            fit.df,
            fit.aicc,
            fit.bic,
            f_test(fit, largest) if fit.theta.size < largest.theta.size else None,
        )
        for name, fit in fits.items()
    )


def parallelism(
    curves: Curves, options: JointOptions | None = None, alpha: float = 0.05
) -> NestedVerdict:
    """Ask whether the curves differ by a shift in ln dose alone: b, c, d and f shared.

    Parameters
    ----------
    curves
        Two or more.
    options
        The free model; parameters that are fixed there stay so.
    alpha
        Of the F test. A test with few or noisy points finds nothing against much: look at the
        intervals too.
    """
    free = options or JointOptions()
    shared = {
        name: "shared"
        for name, how in free.sharing().items()
        if how == "free" and name != "ln_ic50"
    }
    if not shared or len(curves.names) < 2:
        raise UsageError("there is nothing to share", hint="Give two curves with free parameters.")
    return _verdict(curves, replace(free, **shared), free, alpha, "parallel")


def equal_ic50s(
    curves: Curves, options: JointOptions | None = None, alpha: float = 0.05
) -> NestedVerdict:
    """Ask whether the curves share their IC50.

    Parameters
    ----------
    curves
        Two or more.
    options
        The model in which they need not; shares of other parameters stay as they are.
    alpha
    """
    free = options or JointOptions()
    if free.ln_ic50 in ("shared",) or isinstance(free.ln_ic50, float) or len(curves.names) < 2:
        raise UsageError("the IC50s are equal in this model", hint="Use ln_ic50='free'.")
    return _verdict(curves, replace(free, ln_ic50="shared"), free, alpha, "of equal IC50")


def _verdict(
    curves: Curves, restricted: JointOptions, free: JointOptions, alpha: float, what: str
) -> NestedVerdict:
    own = own_parameters(curves, free)
    small, large = fit_joint(curves, restricted, own), fit_joint(curves, free, own)
    test = f_test(small, large)
    holds = test.p_value >= alpha
    difference = small.aicc - large.aicc
    found = (
        f"the F test finds no curve that is not {what}" if holds else f"the curves are not {what}"
    )
    said = (
        f"{found}: F({test.df_more}, {test.df_rest}) = {test.f:.3g}, "
        f"p = {test.p_value:.2g}; AICc {difference:+.1f}"
    )
    if holds == (difference > 0):
        said += ", which speaks " + ("against it" if holds else "for it")
    return NestedVerdict(holds, test, difference, small.bic - large.bic, small, large, said)
