"""One analysis of all analytes: terms of a formula tested by a named method, a status a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.biomarker.baseline_adjusted import fit_baseline_adjusted
from statera.biomarker.change_samples import change_of_samples, paired_samples
from statera.biomarker.design import Factor, build_design, parse_formula, type_three
from statera.biomarker.fitted_models import (
    FittedModels,
    fitted_censored,
    fitted_linear,
    fitted_mixed,
    fitted_moderated,
    tests_of_linear_fit,
)
from statera.biomarker.lone_members import lone_members
from statera.biomarker.measurements import analyte_status
from statera.biomarker.multiple_testing import adjust
from statera.biomarker.permutation import PermutationTests
from statera.biomarker.posthoc import ContrastTests, named_contrasts, pairwise_contrasts
from statera.biomarker.sample_table import SampleColumns
from statera.biomarker.simple_tests import SIMPLE, simple_test
from statera.errors import InputError, UnknownNameError, UsageError
from statera.numerics.satterthwaite import FTests, TTests

__all__ = [
    "METHODS",
    "MODELS",
    "Analysis",
    "AnalysisOptions",
    "TermTests",
    "analyse",
    "formula_columns",
]

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats | Factor]

MODELS = ("satterthwaite", "kenward-roger", "limma", "linear", "ancova", "censored")
"""Methods of models with coefficients, after which levels can be compared."""

METHODS = (*MODELS, *SIMPLE)


@dataclass(frozen=True)
class AnalysisOptions:
    """What is tested, and how.

    Attributes
    ----------
    formula
        Such as ``treatment * time``.
    method
        One of `METHODS`. Models: mixed models with either degrees of freedom, linear models with
        moderated variances, plain linear models, values after given those before (``ancova``),
        left-censored linear models. Tests: paired and Welch's t, ranks, correlation.
    adjustment
        A method of `statera.biomarker.multiple_testing.adjust`, over all rows together.
    level
        Of the intervals.
    change
        Column of visits and two of its levels: values become the change of each subject, second
        less first (for ``ancova`` the value after given the one before).
    pairwise
        Terms whose levels are compared in pairs, as ``visit`` or ``visit | arm``.
    contrasts
        By name, as ``late = [week=12] - [week=0]``.
    trend, robust
        Prior of ``limma``: following the level; with outliers drawn to it less.
    """

    formula: str
    method: str = "satterthwaite"
    adjustment: str = "benjamini-hochberg"
    level: float = 0.95
    change: tuple[str, str, str] | None = None
    pairwise: tuple[str, ...] = ()
    contrasts: tuple[str, ...] = ()
    trend: bool = False
    robust: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UnknownNameError("method", self.method, METHODS)
        if (self.trend or self.robust) and self.method != "limma":
            raise UsageError(
                "a trended or robust prior belongs to limma", where=f"method {self.method}"
            )
        if (self.pairwise or self.contrasts) and self.method not in MODELS:
            raise UsageError(
                f"levels are compared after a model, and {self.method} is none",
                where=f"method {self.method}",
                hint=f"Models: {', '.join(MODELS)}.",
            )
        if self.change is None and self.method == "ancova":
            raise UsageError(
                "ancova needs the two visits that it compares",
                where="change",
                hint="Give --change week=0,12.",
            )
        taken = {"satterthwaite", "kenward-roger", "paired", "signed-rank", "censored"}
        if self.change is not None and self.method in taken:
            raise UsageError(
                f"{self.method} does not take changes",
                where="change",
                hint="It has the visits in its formula, or needs the limits of the values.",
            )


@dataclass(frozen=True)
class TermTests:
    """The test of one term in m analytes; numbers of a failed analyte are nan.

    Attributes
    ----------
    term
        As ``treatment:time``.
    meaning
        What the estimate is; empty where the term has several degrees of freedom and so no one
        estimate.
    numerator_df
        Degrees of freedom of the term.
    estimate, low, high : (m,) float64
        On the log2 scale (a correlation for those methods), with interval.
    statistic, df, p_value, adjusted_p : (m,) float64
        F, or t where the term has one degree of freedom, or the statistic of a rank test; its
        denominator degrees of freedom.
    """

    term: str
    meaning: str
    numerator_df: int
    estimate: Floats
    low: Floats
    high: Floats
    statistic: Floats
    df: Floats
    p_value: Floats
    adjusted_p: Floats


@dataclass(frozen=True)
class Analysis:
    """Tests of every term in m analytes.

    Attributes
    ----------
    analytes : tuple of str
        Their identifiers.
    terms : tuple of TermTests
    n : (m,) int64
        Values (or pairs) used.
    status : tuple of str
        ``ok``, or what is to be known of the analyte.
    notes
        What was decided or left out, as sentences.
    options : AnalysisOptions
    contrasts : tuple of ContrastTests
        Pairs of levels, and contrasts by name.
    permuted : PermutationTests, optional
        P-values by permutation of labels, where asked for.
    """

    analytes: tuple[str, ...]
    terms: tuple[TermTests, ...]
    n: NDArray[np.int64]
    status: tuple[str, ...]
    notes: tuple[str, ...]
    options: AnalysisOptions
    contrasts: tuple[ContrastTests, ...] = field(default=())
    permuted: PermutationTests | None = None


def formula_columns(formula: str) -> tuple[str, ...]:
    """Return the names of the columns of a formula."""
    names = tuple(dict.fromkeys(name for term in parse_formula(formula)[1] for name in term))
    if not names:
        raise InputError("the formula has no term to test", hint="Write treatment * time.")
    return names


def testable_values(samples: SampleColumns) -> tuple[Floats, tuple[str, ...]]:
    """Return values (m, n), those of analytes that cannot be tested emptied, and their status."""
    measured = samples.measurements
    status = analyte_status(measured)
    good = np.array([s == "ok" for s in status], dtype=bool)
    return np.where(good[:, None], measured.values.T, np.nan), status


def analyse(samples: SampleColumns, options: AnalysisOptions) -> Analysis:
    """Test the terms of the formula in every analyte.

    Analytes that were not measured, are all below their limit of detection or constant are not
    tested; their status says so.

    Raises
    ------
    InputError
        If the method does not fit the formula or the samples.
    """
    used, notes = samples, list[str]()
    if options.change is not None and options.method != "ancova":
        used = change_of_samples(samples, *options.change)
        notes += used.notes[len(samples.notes) :]
    values, before = testable_values(used)
    contrasts: tuple[ContrastTests, ...] = ()
    if options.method in SIMPLE:
        found = simple_test(values, used, options.method, options.formula, options.level)
        terms = [
            TermTests(found.term, found.meaning, found.numerator_df, found.tests.estimate,
                      found.tests.low, found.tests.high, found.tests.statistic, found.tests.df,
                      found.tests.p_value, found.tests.p_value)
        ]  # fmt: skip
        n, late, more = found.tests.n.sum(axis=1), found.tests.status, found.notes
        if options.method in ("mann-whitney", "kruskal-wallis"):
            late = lone_members(late, values, {found.term: used.columns[found.term]})
    else:
        fitted = _fitted(values, used, options)
        terms = _terms(fitted, options)
        contrasts = _contrasts(fitted, options)
        n, late, more = fitted.n, fitted.status, fitted.notes
        named = {name: fitted.columns[name] for name in formula_columns(options.formula)}
        late = lone_members(late, values, named)
    status = tuple(b if a == "ok" else a for a, b in zip(before, late, strict=True))
    adjusted = adjust(np.column_stack([t.p_value for t in terms]), options.adjustment)
    return Analysis(
        used.measurements.analyte_ids,
        tuple(replace(t, adjusted_p=adjusted[:, i]) for i, t in enumerate(terms)),
        np.asarray(n, dtype=np.int64), status, (*notes, *more), options, contrasts,
    )  # fmt: skip


def _fitted(values: Floats, samples: SampleColumns, options: AnalysisOptions) -> FittedModels:
    """Return the models of all analytes by the method chosen."""
    subjects, columns, formula = samples.subject, samples.columns, options.formula
    repeated = bool(subjects) and len(set(subjects)) < len(subjects)
    if options.method in ("satterthwaite", "kenward-roger"):
        if not repeated:
            said = "no subject has a second sample" if subjects else "mixed models need subjects"
            raise InputError(
                said, where="--subject", hint="Name the column of subjects, or use limma or linear."
            )
        return fitted_mixed(values, columns, formula, subjects, options.method)
    if options.method == "limma":
        return fitted_moderated(
            values, columns, formula, subjects, trend=options.trend, robust=options.robust
        )
    if options.method == "ancova":
        return _adjusted_for_baseline(values, samples, options)
    if repeated:
        raise InputError(
            f"subjects have several samples, which {options.method} takes as independent",
            where="--subject",
            hint="Use a mixed model or limma, or compare two visits by --change.",
        )
    if options.method == "censored":
        measured = samples.measurements
        # a value known only to lie below its limit has no number: any below the limit serves
        low = np.where(measured.below_lod & np.isnan(measured.values), -np.inf, measured.values).T
        low = np.where(np.any(np.isfinite(values), axis=1, keepdims=True), low, np.nan)
        return fitted_censored(low, measured.lod.T, columns, formula)
    return fitted_linear(values, columns, formula)


def _adjusted_for_baseline(
    values: Floats, samples: SampleColumns, options: AnalysisOptions
) -> FittedModels:
    if options.change is None:
        raise UsageError("ancova needs the two visits that it compares", where="change")
    pairs = paired_samples(samples, *options.change)
    known = np.any(np.isfinite(values), axis=1, keepdims=True)
    design = build_design(options.formula, pairs.columns)
    before, after = (np.where(known, v, np.nan) for v in (pairs.before, pairs.after))
    fit = fit_baseline_adjusted(before, after, design.matrix)
    t, f = tests_of_linear_fit(fit, fit.variance, fit.df)
    n = (np.isfinite(before) & np.isfinite(after)).sum(axis=1)
    column, first, second = options.change
    said = f"Values at {column} {second} are tested given those at {column} {first}."
    return FittedModels(
        options.formula, pairs.columns, design, t, f, np.asarray(n, dtype=np.int64), fit.status,
        (*pairs.notes, said),
    )  # fmt: skip


def _terms(fitted: FittedModels, options: AnalysisOptions) -> list[TermTests]:
    """Return type III tests of all terms, with an estimate where a term has one."""
    hypotheses = type_three(options.formula, fitted.columns, fitted.design)
    names = tuple(hypotheses)
    terms = []
    for term, rows in hypotheses.items():
        joint = fitted.f(rows)
        if rows.shape[0] > 1:
            terms.append(_several(term, joint))
        else:
            one = fitted.t(rows[0])
            terms.append(_single(term, fitted.columns, one, joint.p_value, options.level, names))
    return terms


def _contrasts(fitted: FittedModels, options: AnalysisOptions) -> tuple[ContrastTests, ...]:
    found: list[ContrastTests] = []
    model = (options.formula, fitted.columns, fitted.design, fitted.t)
    for term in options.pairwise:
        found += pairwise_contrasts(term, *model, options.level)
    found += named_contrasts(options.contrasts, *model, options.adjustment, options.level)
    return tuple(found)


def _scale(term: str, columns: Columns, terms: Sequence[str]) -> tuple[float, str]:
    """Return what turns the coefficient under sum coding into a difference of levels, in words."""
    factor, words, slopes = 1.0, list[str](), list[str]()
    for name in term.split(":"):
        column = columns[name]
        if isinstance(column, Factor):
            factor *= -2.0
            words.append(f"{column.levels[1]} less {column.levels[0]}")
        else:
            slopes.append(name)
    said = "difference" if words else "slope"
    if len(words) > 1:
        said = "difference of differences"
    if words and slopes:
        said = "difference of slopes"
    per = f" per unit of {', '.join(slopes)}" if slopes else ""
    said += (f", {'; '.join(words)}" if words else "") + per
    own = set(term.split(":"))
    held = {n: None for t in terms if own < set(t.split(":")) for n in t.split(":") if n not in own}
    over = [n for n in held if isinstance(columns[n], Factor)]
    zero = [f"{n} = 0" for n in held if n not in over]
    said += f", mean over the levels of {', '.join(over)}" if over else ""
    return factor, said + (f", at {', '.join(zero)}" if zero else "")


def _single(
    term: str, columns: Columns, one: TTests, p: Floats, level: float, terms: Sequence[str]
) -> TermTests:
    """Return the row of a term with one degree of freedom from its coefficient (sum coding)."""
    factor, meaning = _scale(term, columns, terms)
    error = abs(factor) * one.standard_error
    half = error * special.stdtrit(one.df, 0.5 + level / 2.0)
    middle = factor * one.estimate
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.asarray(middle / error)
    return TermTests(term, meaning, 1, middle, middle - half, middle + half, t, one.df, p, p)


def _several(term: str, joint: FTests) -> TermTests:
    blank = np.full(joint.statistic.shape, np.nan)
    return TermTests(term, "", joint.numerator_df, blank, blank, blank, joint.statistic,
                     joint.denominator_df, joint.p_value, joint.p_value)  # fmt: skip
