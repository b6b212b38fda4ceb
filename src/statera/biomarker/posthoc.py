"""Contrasts within terms after a model: pairs of marginal means, and contrasts by name.

Pairs are adjusted within each analyte by Tukey's studentised range over the means of their family,
as the post-hoc tables of the OlinkAnalyze package for R are (which takes the earlier level less the
later one; here it is the later less the earlier). Where groups differ in size, as for
Tukey and Kramer, this holds the error rate or errs to the safe side (Hayter, Ann Stat
1984;12:61-75, doi 10.1214/aos/1176346392).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.biomarker.design import Design, Factor
from statera.biomarker.marginal_means import contrast_of_text, marginal_means, pairs_of
from statera.biomarker.multiple_testing import adjust
from statera.numerics.satterthwaite import TTests
from statera.numerics.studentized_range import (
    studentized_range_quantile,
    studentized_range_tail,
)

__all__ = ["ContrastTests", "named_contrasts", "pairwise_contrasts"]

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats | Factor]
Test = Callable[[Floats], TTests]


@dataclass(frozen=True)
class ContrastTests:
    """One contrast in m analytes; numbers of a failed analyte are nan.

    Attributes
    ----------
    term
        Whose levels are compared, as ``arm:visit``, or ``named``.
    contrast
        As ``active w12 - active w0``.
    adjustment
        ``Tukey, 6 means`` within each analyte, or a method over all analytes.
    estimate, low, high : (m,) float64
        With intervals that hold jointly where the adjustment is Tukey's.
    statistic, df, p_value, adjusted_p : (m,) float64
        t, its degrees of freedom, p before and after adjustment.
    """

    term: str
    contrast: str
    adjustment: str
    estimate: Floats
    low: Floats
    high: Floats
    statistic: Floats
    df: Floats
    p_value: Floats
    adjusted_p: Floats


def pairwise_contrasts(
    term: str, formula: str, columns: Columns, design: Design, test: Test, level: float = 0.95
) -> tuple[ContrastTests, ...]:
    """Return all pairs of the levels of a term, adjusted by Tukey's range within each analyte.

    Parameters
    ----------
    term
        Factors joined by colons; ``visit | arm`` compares visits within each arm.
    formula, columns, design
        Of the model.
    test
        What tests weights (p,) of the coefficients in every analyte.
    level
        Of the intervals, joint over the pairs of a family.

    Raises
    ------
    InputError
        If a name has no levels.
    UnknownNameError
        If it is not in the formula.
    """
    compared, _, held = (part.strip() for part in term.partition("|"))
    by = tuple(name.strip() for name in held.split(":") if name.strip())
    names = tuple(dict.fromkeys([*by, *(name.strip() for name in compared.split(":"))]))
    means = marginal_means(formula, columns, design, names)
    quantiles: dict[int, tuple[Floats, Floats]] = {}
    found = []
    for pair in pairs_of(means, by):
        one = test(pair.weights)
        k = pair.within
        if k not in quantiles or not np.array_equal(quantiles[k][0], one.df, equal_nan=True):
            quantiles[k] = (one.df, studentized_range_quantile(1.0 - level, k, one.df))
        half = quantiles[k][1] / np.sqrt(2.0) * one.standard_error
        found.append(
            ContrastTests(
                term,
                pair.said,
                f"Tukey, {k} means",
                one.estimate,
                one.estimate - half,
                one.estimate + half,
                one.statistic,
                one.df,
                one.p_value,
                studentized_range_tail(np.sqrt(2.0) * np.abs(one.statistic), k, one.df),
            )
        )
    return tuple(found)


def named_contrasts(
    texts: Sequence[str],
    formula: str,
    columns: Columns,
    design: Design,
    test: Test,
    adjustment: str,
    level: float = 0.95,
) -> tuple[ContrastTests, ...]:
    """Return contrasts such as ``late = [week=12] - [week=0]``, each adjusted over all analytes.

    The other parameters are those of `pairwise_contrasts`; `adjustment` is a method of
    `statera.biomarker.multiple_testing.adjust`.
    """
    found = []
    for text in texts:
        name, weights = contrast_of_text(text, formula, columns, design)
        one = test(weights)
        half = special.stdtrit(one.df, 0.5 + level / 2.0) * one.standard_error
        found.append(
            ContrastTests(
                "named",
                name,
                f"{adjustment} over analytes",
                one.estimate,
                one.estimate - half,
                one.estimate + half,
                one.statistic,
                one.df,
                one.p_value,
                adjust(one.p_value, adjustment),
            )
        )
    return tuple(found)
