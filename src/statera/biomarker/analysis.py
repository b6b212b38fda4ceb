"""One analysis of all analytes: terms of a formula tested by a named method, a status a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.biomarker.association import AssociationOptions, associate
from statera.biomarker.change_tests import ChangeTests, paired_t, welch_t
from statera.biomarker.design import Factor, build_design, parse_formula, type_three
from statera.biomarker.limma import block_correlation, fit_linear_models, moderate
from statera.biomarker.measurements import analyte_status, listed
from statera.biomarker.multiple_testing import adjust
from statera.biomarker.sample_table import SampleColumns
from statera.errors import InputError, UnknownNameError

__all__ = ["METHODS", "Analysis", "AnalysisOptions", "TermTests", "analyse", "formula_columns"]

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats | Factor]

METHODS = ("satterthwaite", "kenward-roger", "limma", "paired", "welch")


@dataclass(frozen=True)
class AnalysisOptions:
    """What is tested, and how.

    Attributes
    ----------
    formula
        Such as ``treatment * time``.
    method
        One of `METHODS`: mixed models with either degrees of freedom, linear models with moderated
        variances, paired t tests, Welch's t tests.
    adjustment
        A method of `statera.biomarker.multiple_testing.adjust`, over all rows together.
    level
        Of the intervals.
    """

    formula: str
    method: str = "satterthwaite"
    adjustment: str = "benjamini-hochberg"
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UnknownNameError("method", self.method, METHODS)


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
        On the log2 scale, with interval.
    statistic, df, p_value, adjusted_p : (m,) float64
        F, or t where the term has one degree of freedom; its denominator degrees of freedom.
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
    """

    analytes: tuple[str, ...]
    terms: tuple[TermTests, ...]
    n: NDArray[np.int64]
    status: tuple[str, ...]
    notes: tuple[str, ...]
    options: AnalysisOptions


@dataclass(frozen=True)
class _Tested:
    """Tests before adjustment."""

    terms: list[TermTests]
    n: NDArray[np.int64]
    status: tuple[str, ...]
    notes: tuple[str, ...] = ()


def formula_columns(formula: str) -> tuple[str, ...]:
    """Return the names of the columns of a formula."""
    names = tuple(dict.fromkeys(name for term in parse_formula(formula)[1] for name in term))
    if not names:
        raise InputError("the formula has no term to test", hint="Write treatment * time.")
    return names


def analyse(samples: SampleColumns, options: AnalysisOptions) -> Analysis:
    """Test the terms of the formula in every analyte.

    Analytes that were not measured, are all below their limit of detection or constant are not
    tested; their status says so.

    Raises
    ------
    InputError
        If the method does not fit the formula or the samples.
    """
    measured = samples.measurements
    before = analyte_status(measured)
    values = np.where(
        np.array([s == "ok" for s in before], dtype=bool)[:, None], measured.values.T, np.nan
    )
    if options.method in ("paired", "welch"):
        found = _two_samples(values, samples, options)
    elif options.method == "limma":
        found = _moderated(values, samples, options)
    else:
        found = _mixed(values, samples, options)
    status = tuple(
        late if early == "ok" else early for early, late in zip(before, found.status, strict=True)
    )
    raw = np.column_stack([t.p_value for t in found.terms])
    adjusted = adjust(raw, options.adjustment)
    terms = tuple(replace(t, adjusted_p=adjusted[:, i]) for i, t in enumerate(found.terms))
    return Analysis(measured.analyte_ids, terms, found.n, status, found.notes, options)


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


def _term(
    term: str, columns: Columns, estimate: Floats, error: Floats, df: Floats, p: Floats,
    level: float, terms: Sequence[str],
) -> TermTests:  # fmt: skip
    """Return the row of a term with one degree of freedom from its coefficient (sum coding)."""
    factor, meaning = _scale(term, columns, terms)
    half = np.abs(factor) * error * special.stdtrit(df, 0.5 + level / 2.0)
    middle = factor * estimate
    t = np.asarray(middle / (np.abs(factor) * error))
    return TermTests(term, meaning, 1, middle, middle - half, middle + half, t, df, p, p)


def _several(term: str, q: int, f: Floats, df: Floats, p: Floats) -> TermTests:
    blank = np.full(f.shape, np.nan)
    return TermTests(term, "", q, blank, blank, blank, f, df, p, p)


def _mixed(values: Floats, samples: SampleColumns, options: AnalysisOptions) -> _Tested:
    subjects = samples.subject
    if not subjects or len(set(subjects)) == len(subjects):
        said = "no subject has a second sample" if subjects else "mixed models need subjects"
        raise InputError(
            said, where="--subject", hint="Name the column of subjects, or use limma or welch."
        )
    table = associate(
        values, samples.measurements.analyte_ids, samples.columns, options.formula, subjects,
        AssociationOptions(options.method, adjustment=options.adjustment),
    )  # fmt: skip
    hypotheses = type_three(options.formula, samples.columns, table.design)
    terms = []
    for j, (term, rows) in enumerate(hypotheses.items()):
        own = table.rows[j :: len(hypotheses)]
        p = np.array([r.p_value for r in own])
        df = np.array([r.denominator_df for r in own])
        f = np.array([r.statistic for r in own])
        if rows.shape[0] > 1:
            terms.append(_several(term, rows.shape[0], f, df, p))
            continue
        weights = dict(zip(table.design.columns, rows[0].tolist(), strict=True))
        each = table.contrast({k: w for k, w in weights.items() if w})
        estimate = np.array([c.estimate for c in each])
        error = np.array([c.standard_error for c in each])
        terms.append(_term(term, samples.columns, estimate, error, df, p, options.level,
                           tuple(hypotheses)))  # fmt: skip
    return _Tested(terms, np.asarray(table.fit.n, dtype=np.int64), table.fit.status)


def _moderated(values: Floats, samples: SampleColumns, options: AnalysisOptions) -> _Tested:
    design = build_design(options.formula, samples.columns)
    hypotheses = type_three(options.formula, samples.columns, design)
    blocks, correlation, notes = None, 0.0, []
    if samples.subject and len(set(samples.subject)) < len(samples.subject):
        blocks = np.unique(samples.subject, return_inverse=True)[1]
        correlation = block_correlation(values, design.matrix, blocks)
        notes.append(f"The correlation within subjects, common to all, is {correlation:.3f}.")
    elif not samples.subject:
        notes.append("No subjects are named: samples are taken as independent.")
    fit = moderate(fit_linear_models(values, design.matrix, blocks, correlation))
    notes.append(f"The prior of the variances has {fit.prior_df:.4g} degrees of freedom.")
    terms = []
    for term, rows in hypotheses.items():
        f, p = fit.test_all(rows)
        if rows.shape[0] > 1:
            terms.append(_several(term, rows.shape[0], f, fit.df, p))
            continue
        one = fit.test(rows[0])
        terms.append(
            _term(term, samples.columns, one.estimate, one.standard_error, fit.df, one.p_value,
                  options.level, tuple(hypotheses))
        )  # fmt: skip
    n = np.isfinite(values).sum(axis=1).astype(np.int64)
    return _Tested(terms, n, fit.fit.status, tuple(notes))


def _two_samples(values: Floats, samples: SampleColumns, options: AnalysisOptions) -> _Tested:
    terms = parse_formula(options.formula)[1]
    column = samples.columns[terms[0][0]] if len(terms) == 1 and len(terms[0]) == 1 else None
    if not isinstance(column, Factor) or len(column.levels) != 2:
        raise InputError(
            f"{options.method} compares the two levels of one factor",
            where="--formula",
            hint="Name one column with two values, or use a mixed model or limma.",
        )
    first, second = column.levels
    labels = np.array(column.labels)
    notes: tuple[str, ...] = ()
    if options.method == "welch":
        people = samples.subject
        if people and len(set(people)) < len(people):
            raise InputError(
                "subjects have several samples, which Welch's test takes as independent",
                where="--subject",
                hint="Use paired, limma or a mixed model.",
            )
        found = welch_t(values, column.labels, options.level)
        if first < second:  # that test takes the later name from the earlier one
            found = replace(
                found, estimate=-found.estimate, low=-found.high, high=-found.low,
                statistic=-found.statistic,
            )  # fmt: skip
    else:
        before, after, notes = _pairs(values, samples.subject, labels, first, second)
        found = paired_t(before, after, options.level)
    meaning = f"difference, {second} less {first}"
    return _Tested(
        [_of_test(found, terms[0][0], meaning)], found.n.sum(axis=1), found.status, notes
    )


def _of_test(found: ChangeTests, term: str, meaning: str) -> TermTests:
    return TermTests(
        term, meaning, 1, found.estimate, found.low, found.high, found.statistic, found.df,
        found.p_value, found.p_value,
    )  # fmt: skip


def _pairs(
    values: Floats, subjects: tuple[str, ...], labels: NDArray[np.str_], first: str, second: str
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Return values before and after of the subjects that have both."""
    if not subjects:
        raise InputError("paired tests need subjects", where="--subject")
    place: dict[tuple[str, str], int] = {}
    for i, key in enumerate(zip(subjects, labels.tolist(), strict=True)):
        if key in place:
            raise InputError(
                f"subject {key[0]} has two samples of {key[1]}",
                where="--subject",
                hint="Leave one out, or use a mixed model.",
            )
        place[key] = i
    people = list(dict.fromkeys(subjects))
    both = [s for s in people if (s, first) in place and (s, second) in place]
    alone = [s for s in people if s not in set(both)]
    if not both:
        raise InputError(f"no subject has both {first} and {second}", where="--subject")
    notes = (f"{len(alone)} subjects lack a pair: {listed(alone)}.",) if alone else ()
    return (
        values[:, [place[s, first] for s in both]],
        values[:, [place[s, second] for s in both]],
        notes,
    )
