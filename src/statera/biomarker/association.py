"""Association of many proteins with factors by mixed models, as tables of assay and term.

Every protein has the fixed effects of one formula and a random intercept by subject; terms are
tested by type III F tests. P-values are adjusted over all rows of assay and term together, as the
tables of the OlinkAnalyze package for R are. That package (3.8) fits by maximum likelihood, whose
F statistics and degrees of freedom are larger than those of the restricted likelihood, the
default here: give ``method="ML"`` to have its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Design, Factor, build_design, type_three
from statera.biomarker.multiple_testing import adjust
from statera.errors import InputError, UnknownNameError
from statera.numerics.kenward_roger import kenward_roger_f, kenward_roger_t
from statera.numerics.mixed_model import MixedFit, fit_random_intercept
from statera.numerics.satterthwaite import FTests, TTests, satterthwaite_f, satterthwaite_t

__all__ = [
    "AssociationOptions",
    "AssociationRow",
    "AssociationTable",
    "CoefficientRow",
    "associate",
    "contrast_f",
    "contrast_t",
    "fit_association",
]

Floats = NDArray[np.float64]

DEGREES_OF_FREEDOM = ("satterthwaite", "kenward-roger")


@dataclass(frozen=True)
class AssociationOptions:
    """How mixed models are fitted and tested.

    Attributes
    ----------
    degrees_of_freedom
        ``satterthwaite`` or ``kenward-roger``.
    method
        ``REML`` or ``ML``.
    adjustment
        A method of `statera.biomarker.multiple_testing.adjust`.
    """

    degrees_of_freedom: str = "satterthwaite"
    method: str = "REML"
    adjustment: str = "benjamini-hochberg"

    def __post_init__(self) -> None:
        if self.degrees_of_freedom not in DEGREES_OF_FREEDOM:
            raise UnknownNameError(
                "degrees of freedom", self.degrees_of_freedom, DEGREES_OF_FREEDOM
            )


@dataclass(frozen=True)
class AssociationRow:
    """The test of one term in one assay; numbers are nan where `status` names a failure."""

    assay: str
    term: str
    numerator_df: int
    denominator_df: float
    statistic: float
    p_value: float
    adjusted_p: float
    n: int
    status: str


@dataclass(frozen=True)
class CoefficientRow:
    """A coefficient, or another contrast, of one assay."""

    assay: str
    name: str
    estimate: float
    standard_error: float
    df: float
    statistic: float
    p_value: float
    status: str


@dataclass(frozen=True)
class AssociationTable:
    """Tests by assay and term, in the order of the assays, and the models behind them."""

    assays: tuple[str, ...]
    rows: tuple[AssociationRow, ...]
    design: Design
    fit: MixedFit
    options: AssociationOptions

    def contrast(self, weights: Mapping[str, float], name: str = "") -> tuple[CoefficientRow, ...]:
        """Return a contrast of named columns of the design, by assay."""
        tests = contrast_t(self.fit, self.design.contrast(weights), self.options)
        label = name or " ".join(f"{weight:+g} {column}" for column, weight in weights.items())
        return tuple(
            CoefficientRow(
                assay,
                label,
                float(tests.estimate[i]),
                float(tests.standard_error[i]),
                float(tests.df[i]),
                float(tests.statistic[i]),
                float(tests.p_value[i]),
                self.fit.status[i],
            )
            for i, assay in enumerate(self.assays)
        )

    def coefficients(self) -> tuple[CoefficientRow, ...]:
        """Return every coefficient of every assay, column by column."""
        return tuple(
            row for name in self.design.columns for row in self.contrast({name: 1.0}, name)
        )


def contrast_t(fit: MixedFit, contrast: Floats, options: AssociationOptions) -> TTests:
    """Test weights (p,) of the fixed effects with the degrees of freedom chosen."""
    kenward = options.degrees_of_freedom == "kenward-roger"
    return (kenward_roger_t if kenward else satterthwaite_t)(fit, contrast)


def contrast_f(fit: MixedFit, contrasts: Floats, options: AssociationOptions) -> FTests:
    """Test rows of weights (q, p) together with the degrees of freedom chosen."""
    kenward = options.degrees_of_freedom == "kenward-roger"
    return (kenward_roger_f if kenward else satterthwaite_f)(fit, contrasts)


def fit_association(
    values: Floats,
    data: Mapping[str, Sequence[object] | Floats | Factor],
    formula: str,
    subject: Sequence[object],
    options: AssociationOptions,
) -> tuple[Design, MixedFit]:
    """Return the design and the mixed models of all rows of `values`; see `associate`."""
    design = build_design(formula, data)
    groups = np.unique([str(name) for name in subject], return_inverse=True)[1]
    return design, fit_random_intercept(design.matrix, groups, values, options.method)


def associate(
    values: Floats,
    assays: Sequence[str],
    data: Mapping[str, Sequence[object] | Floats | Factor],
    formula: str,
    subject: Sequence[object],
    options: AssociationOptions | None = None,
) -> AssociationTable:
    """Test the terms of a formula in every assay, subjects being random.

    Parameters
    ----------
    values : (m, n) float64
        Measurements of m assays in n samples; nan is missing.
    assays : (m,)
        Their names.
    data
        Columns of n values that the formula names.
    formula
        Such as ``treatment * time``.
    subject : (n,)
        Whose sample it is.

    Raises
    ------
    InputError
        If the lengths do not agree, an assay stands twice, or the design cannot be estimated.
    UnknownNameError
        If the formula names no column.
    """
    options = options or AssociationOptions()
    values = np.atleast_2d(np.asarray(values, dtype=float))
    if values.shape != (len(assays), len(subject)):
        raise InputError(
            f"values are {values.shape[0]} by {values.shape[1]}, yet {len(assays)} assays and "
            f"{len(subject)} samples are named",
            where="values",
            hint="One row for each assay, one column for each sample.",
        )
    if len(set(assays)) < len(assays):
        raise InputError("an assay stands twice", where="assays", hint="Give unique names.")
    design, fit = fit_association(values, data, formula, subject, options)
    hypotheses = type_three(formula, data, design)
    tests = {term: contrast_f(fit, contrast, options) for term, contrast in hypotheses.items()}
    p_values = np.column_stack([test.p_value for test in tests.values()])
    adjusted = adjust(p_values, options.adjustment)
    rows = tuple(
        AssociationRow(
            assay,
            term,
            test.numerator_df,
            float(test.denominator_df[i]),
            float(test.statistic[i]),
            float(test.p_value[i]),
            float(adjusted[i, j]),
            int(fit.n[i]),
            fit.status[i],
        )
        for i, assay in enumerate(assays)
        for j, (term, test) in enumerate(tests.items())
    )
    return AssociationTable(tuple(assays), rows, design, fit, options)
