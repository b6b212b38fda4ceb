"""Tests of many proteins between groups and visits: one row for each protein.

Methods
-------
Welch, Biometrika 1947;34:28-35, doi 10.1093/biomet/34.1-2.28. Rank sum: Mann and Whitney, Ann
Math Stat 1947;18:50-60, doi 10.1214/aoms/1177730491. Signed ranks: Wilcoxon, Biometrics Bulletin
1945;1:80-83, doi 10.2307/3001968. Several groups: Kruskal and Wallis, J Am Stat Assoc
1952;47:583-621, doi 10.1080/01621459.1952.10483441. Ranks of two groups: exact where no values are
tied and a group holds fewer than 50, else normal with the correction for ties and for continuity.
Change adjusted for baseline: Vickers and Altman, BMJ 2001;323:1123-1124,
doi 10.1136/bmj.323.7321.1123.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from statera.biomarker.design import Factor, build_design, type_three
from statera.biomarker.limma import fit_linear_models
from statera.biomarker.multiple_testing import adjust
from statera.biomarker.rank_shift import (
    exact_rank_sum_p,
    exact_signed_rank_p,
    shift_of_groups,
    shift_of_pairs,
)
from statera.errors import InputError, UnknownNameError
from statera.numerics.mixed_model import CONSTANT, OK, TOO_FEW

__all__ = [
    "ChangeTests",
    "analysis_of_variance",
    "baseline_adjusted_change",
    "change_correlation",
    "kruskal_wallis",
    "mann_whitney",
    "paired_t",
    "signed_rank",
    "two_group_t",
    "welch_t",
]

Floats = NDArray[np.float64]
Columns = Mapping[str, Sequence[object] | Floats | Factor]


@dataclass(frozen=True)
class ChangeTests:
    """One test of m proteins; rows whose `status` names a failure are nan.

    Attributes
    ----------
    test
        Its name.
    estimate : (m,) float64
        Difference of means, change, correlation; nan for tests that have none.
    low, high : (m,) float64
        Confidence interval of the estimate, where there is one.
    statistic : (m,) float64
    df : (m,) float64
        Degrees of freedom (denominator), nan for rank tests.
    p_value, adjusted_p : (m,) float64
        Two-sided; adjusted after Benjamini and Hochberg.
    n : (m, g) int64
        Values used by group, or pairs.
    status : tuple of str
    """

    test: str
    estimate: Floats
    low: Floats
    high: Floats
    statistic: Floats
    df: Floats
    p_value: Floats
    adjusted_p: Floats
    n: NDArray[np.int64]
    status: tuple[str, ...]


def _table(
    test: str,
    estimate: Floats,
    error: Floats,
    statistic: Floats,
    df: Floats,
    p: Floats,
    n: NDArray[np.int64],
    status: Sequence[str],
    level: float = 0.95,
) -> ChangeTests:
    """Return the table, with t intervals and nan in the rows that failed."""
    bad = np.array([text != OK for text in status], dtype=bool)
    with np.errstate(invalid="ignore"):
        half = special.stdtrit(df, 0.5 + level / 2.0) * error

    def shown(column: Floats) -> Floats:
        return np.asarray(np.where(bad, np.nan, column), dtype=np.float64)

    return ChangeTests(
        test,
        shown(estimate),
        shown(estimate - half),
        shown(estimate + half),
        shown(statistic),
        shown(df),
        shown(p),
        adjust(shown(p)),
        n,
        tuple(status),
    )


def _split(values: Floats, groups: Sequence[object]) -> tuple[Floats, Floats, tuple[str, str]]:
    """Return the values of the first and the second group, in the order of their names."""
    values = np.atleast_2d(np.asarray(values, dtype=float))
    labels = np.array([str(group) for group in groups])
    names = sorted(set(labels.tolist()))
    if labels.size != values.shape[1]:
        raise InputError("groups and values differ in length", where="groups")
    if len(names) != 2:
        raise InputError(
            f"{len(names)} groups ({', '.join(names[:5])}); this test compares two",
            where="groups",
            hint="Use analysis_of_variance for more, or choose two.",
        )
    return values[:, labels == names[0]], values[:, labels == names[1]], (names[0], names[1])


def _moments(values: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return counts, means and sums of squares about them of the values present."""
    present = np.isfinite(values)
    n = present.sum(axis=1)
    filled = np.where(present, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=1) / n
    centered = np.where(present, values - mean[:, None], 0.0)
    return n, mean, np.asarray((centered**2).sum(axis=1))


def _group_status(
    n: NDArray[np.int64], smallest: int, flat: NDArray[np.bool_], names: Sequence[str]
) -> list[str]:
    """Return the status of every row from its counts by group (m, g)."""
    status = []
    for row, constant in zip(n, flat, strict=True):
        short = [f"{c} in {name}" for c, name in zip(row, names, strict=True) if c < smallest]
        text = f"{TOO_FEW}: {', '.join(short)}" if short else OK
        status.append(CONSTANT if constant and not short else text)
    return status


def _is_flat(sums: Floats, values: Floats) -> NDArray[np.bool_]:
    size = np.max(np.where(np.isfinite(values), np.abs(values), 0.0), axis=1, initial=0.0)
    return np.asarray(sums <= 1e-24 * np.maximum(size, 1e-140) ** 2)


def welch_t(values: Floats, groups: Sequence[object], level: float = 0.95) -> ChangeTests:
    """Compare two groups with unequal variances: first name less second, names sorted.

    Parameters
    ----------
    values : (m, n) float64
        nan is missing.
    groups : (n,)
        Two labels.
    level
        Of the intervals.

    Raises
    ------
    InputError
        If there are not two groups or the lengths differ.
    """
    return _two_group(values, groups, level, pooled=False)


def two_group_t(values: Floats, groups: Sequence[object], level: float = 0.95) -> ChangeTests:
    """Compare two groups with one variance; otherwise as `welch_t`."""
    return _two_group(values, groups, level, pooled=True)


def _two_group(
    values: Floats, groups: Sequence[object], level: float, *, pooled: bool
) -> ChangeTests:
    first, second, names = _split(values, groups)
    (n1, m1, s1), (n2, m2, s2) = _moments(first), _moments(second)
    with np.errstate(invalid="ignore", divide="ignore"):
        if pooled:
            df = (n1 + n2 - 2).astype(float)
            error = np.sqrt((s1 + s2) / df * (1.0 / n1 + 1.0 / n2))
        else:
            v1, v2 = s1 / (n1 - 1) / n1, s2 / (n2 - 1) / n2
            error = np.sqrt(v1 + v2)
            df = (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
        t = (m1 - m2) / error
    n = np.column_stack([n1, n2])
    flat = _is_flat(s1 + s2, np.hstack([first, second]))
    status = _group_status(n, 2, flat, names)
    p = 2.0 * special.stdtr(df, -np.abs(t))
    return _table("t" if pooled else "Welch", m1 - m2, error, t, df, p, n, status, level)


def paired_t(before: Floats, after: Floats, level: float = 0.95) -> ChangeTests:
    """Test the mean change, after less before, over the pairs present.

    Parameters
    ----------
    before, after : (m, n) float64
        Values of the same n subjects.
    level
        Of the intervals.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    change = _change(before, after)
    n, mean, squares = _moments(change)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (n - 1) / n)
        t = mean / error
    df = (n - 1).astype(float)
    status = _group_status(n[:, None], 2, _is_flat(squares, change), ["pairs"])
    p = 2.0 * special.stdtr(df, -np.abs(t))
    return _table("paired t", mean, error, t, df, p, n[:, None], status, level)


def _change(before: Floats, after: Floats) -> Floats:
    before, after = (np.atleast_2d(np.asarray(v, dtype=float)) for v in (before, after))
    if before.shape != after.shape:
        raise InputError("values before and after differ in shape", where="pairs")
    return np.asarray(after - before)


def _rows(
    name: str,
    n: NDArray[np.int64],
    status: list[str],
    work: Callable[[int], tuple[float, ...]],
) -> ChangeTests:
    """Return a rank test from statistic, p and perhaps a shift of every row that can be tested."""
    m = len(status)
    found = np.full((5, m), np.nan)
    for row in range(m):
        if status[row] == OK:
            own = work(row)
            found[: len(own), row] = own
    blank = np.full(m, np.nan)
    table = _table(name, found[2], blank, found[0], blank, found[1], n, status)
    return replace(table, low=found[3], high=found[4])


def mann_whitney(values: Floats, groups: Sequence[object], level: float = 0.95) -> ChangeTests:
    """Compare two groups by ranks; the statistic is U of the first group, names sorted.

    The estimate is the median of the differences of all pairs, first less second, with its
    interval (`statera.biomarker.rank_shift`).

    Raises
    ------
    InputError
        If there are not two groups or the lengths differ.
    """
    first, second, names = _split(values, groups)
    n = np.column_stack([np.isfinite(first).sum(axis=1), np.isfinite(second).sum(axis=1)])
    both = np.hstack([first, second])
    flat = np.array([np.unique(row[np.isfinite(row)]).size < 2 for row in both], dtype=bool)

    def work(row: int) -> tuple[float, ...]:
        x, y = (part[row][np.isfinite(part[row])] for part in (first, second))
        tied = np.unique(np.concatenate([x, y])).size < x.size + y.size
        exact = not tied and max(x.size, y.size) < 50
        if exact:
            u = float((x[:, None] > y).sum())
            p = exact_rank_sum_p(u, x.size, y.size)
        else:
            result = stats.mannwhitneyu(x, y, method="asymptotic")
            u, p = float(result.statistic), float(result.pvalue)
        return u, p, *shift_of_groups(x, y, level)

    return _rows("Mann-Whitney", n, _group_status(n, 1, flat, names), work)


def _normal_signed_rank(ranks: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the p-value of signed ranks by the normal, corrected for continuity and ties."""
    n = ranks.size
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - (ties**3 - ties).sum() / 48.0
    distance = abs(float(ranks[positive].sum()) - n * (n + 1.0) / 4.0)
    return float(2.0 * special.ndtr(-max(distance - 0.5, 0.0) / np.sqrt(variance)))


def signed_rank(before: Floats, after: Floats, level: float = 0.95) -> ChangeTests:
    """Test the change of pairs by signed ranks; changes of zero leave the test.

    The statistic is the sum of the ranks of the positive changes; the estimate is the median of
    the means of all pairs of changes.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    change = _change(before, after)
    n = np.isfinite(change).sum(axis=1)
    flat = np.array([not (row[np.isfinite(row)] != 0.0).any() for row in change], dtype=bool)

    def work(row: int) -> tuple[float, ...]:
        x = change[row][np.isfinite(change[row]) & (change[row] != 0.0)]
        ranks = stats.rankdata(np.abs(x))
        tied = np.unique(ranks).size < x.size
        exact = not tied and x.size < 50 and x.size == n[row]
        if exact:
            p = exact_signed_rank_p(float(ranks[x > 0.0].sum()), x.size)
        else:
            p = _normal_signed_rank(ranks, x > 0.0)
        return float(ranks[x > 0.0].sum()), p, *shift_of_pairs(x, level)

    return _rows("signed rank", n[:, None], _group_status(n[:, None], 1, flat, ["pairs"]), work)


def kruskal_wallis(
    values: Floats, groups: Sequence[object], levels: Sequence[str] | None = None
) -> ChangeTests:
    """Compare two or more groups by ranks; the statistic is H, corrected for ties.

    Parameters
    ----------
    values : (m, n) float64
        nan is missing.
    groups : (n,)
        Labels.
    levels
        In this order in the counts; sorted if not given.

    Raises
    ------
    InputError
        If there are fewer than two groups or the lengths differ.
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    labels = np.array([str(group) for group in groups])
    names = list(levels) if levels is not None else sorted(set(labels.tolist()))
    if labels.size != values.shape[1]:
        raise InputError("groups and values differ in length", where="groups")
    if len(names) < 2:
        raise InputError("there are fewer than two groups", where="groups")
    parts = [values[:, labels == name] for name in names]
    n = np.column_stack([np.isfinite(part).sum(axis=1) for part in parts])
    flat = np.array([np.unique(row[np.isfinite(row)]).size < 2 for row in values], dtype=bool)

    def work(row: int) -> tuple[float, ...]:
        own = [part[row][np.isfinite(part[row])] for part in parts]
        result = stats.kruskal(*own)
        return float(result.statistic), float(result.pvalue)

    return _rows("Kruskal-Wallis", n, _group_status(n, 1, flat, names), work)


def analysis_of_variance(
    values: Floats, data: Columns, formula: str, term: str | None = None
) -> ChangeTests:
    """Test a term of a linear model by its type III F test.

    Parameters
    ----------
    values : (m, n) float64
        nan is missing.
    data
        Columns of n values.
    formula
        Such as ``site`` or ``treatment * site``.
    term
        Of the formula; the only one if not given.

    Raises
    ------
    InputError
        If the design cannot be estimated.
    UnknownNameError
        If the term is not in the formula.
    """
    design = build_design(formula, data)
    hypotheses = type_three(formula, data, design)
    if term is None and len(hypotheses) == 1:
        term = next(iter(hypotheses))
    if term not in hypotheses:
        raise UnknownNameError("term", str(term), hypotheses)
    rows = hypotheses[term]
    fit = fit_linear_models(values, design.matrix)
    good = np.isfinite(fit.variance)
    f = np.full(good.size, np.nan)
    estimate = fit.coefficients[good] @ rows.T
    spread = np.linalg.inv(rows @ fit.unscaled[good] @ rows.T)
    f[good] = np.einsum("mi,mij,mj->m", estimate, spread, estimate)
    f[good] /= rows.shape[0] * fit.variance[good]
    n = np.isfinite(np.atleast_2d(values)).sum(axis=1)[:, None]
    blank = np.full(good.size, np.nan)
    p = np.asarray(special.fdtrc(rows.shape[0], fit.df, f), dtype=np.float64)
    return _table(f"F of {term}", blank, blank, f, fit.df, p, n, fit.status)


def baseline_adjusted_change(
    before: Floats, after: Floats, groups: Sequence[object], level: float = 0.95
) -> ChangeTests:
    """Compare the change of two groups, second less first, at equal baseline.

    The value after is regressed on the group and the value before, protein by protein; the
    difference is the same for the change.

    Raises
    ------
    InputError
        If the shapes differ or there are not two groups.
    """
    change = _change(before, after)
    before = np.atleast_2d(np.asarray(before, dtype=float))
    _, _, names = _split(change, groups)
    second = np.array([str(group) == names[1] for group in groups])
    m = change.shape[0]
    estimate, error, df = (np.full(m, np.nan) for _ in range(3))
    n = np.zeros((m, 2), dtype=np.int64)
    status = []
    for row in range(m):
        keep = np.isfinite(change[row])
        n[row] = (keep & ~second).sum(), (keep & second).sum()
        if n[row].min() < 1:
            status.append(f"{TOO_FEW}: none in {names[int(n[row].argmin())]}")
            continue
        base = before[row][keep]
        x = np.column_stack([np.ones(base.size), second[keep], base - base.mean()])
        fit = fit_linear_models(change[row][keep], x)
        status.append(fit.status[0])
        estimate[row], df[row] = fit.coefficients[0, 1], fit.df[0]
        error[row] = np.sqrt(fit.variance[0] * fit.unscaled[0, 1, 1])
    t = estimate / error
    p = np.asarray(2.0 * special.stdtr(df, -np.abs(t)))
    return _table("baseline-adjusted change", estimate, error, t, df, p, n, status, level)


def change_correlation(
    before: Floats,
    after: Floats,
    improvement: Floats,
    method: str = "pearson",
    level: float = 0.95,
) -> ChangeTests:
    """Correlate the change of every protein with the improvement of the subjects.

    Intervals by Fisher's transformation (for ranks with the variance 1.06/(n - 3) of Fieller and
    others, Biometrika 1957;44:470-481, doi 10.1093/biomet/44.3-4.470); p-values by t.

    Parameters
    ----------
    before, after : (m, n) float64
    improvement : (n,) float64
        Of a clinical index, by subject.
    method
        ``pearson`` or ``spearman``.
    level
        Of the intervals.

    Raises
    ------
    InputError
        If the shapes differ.
    UnknownNameError
        If the method is not known.
    """
    if method not in ("pearson", "spearman"):
        raise UnknownNameError("method", method, ("pearson", "spearman"))
    change = _change(before, after)
    gain = np.asarray(improvement, dtype=float)
    if gain.shape != (change.shape[1],):
        raise InputError("improvement and changes differ in length", where="improvement")
    m = change.shape[0]
    r, n, status = np.full(m, np.nan), np.zeros((m, 1), dtype=np.int64), []
    for row in range(m):
        keep = np.isfinite(change[row]) & np.isfinite(gain)
        x, y = change[row][keep], gain[keep]
        n[row] = x.size
        if x.size < 4:
            status.append(f"{TOO_FEW}: {x.size} pairs")
        elif np.ptp(x) <= 1e-12 * np.abs(x).max() or np.ptp(y) == 0.0:
            status.append(CONSTANT)
        else:
            status.append(OK)
            if method == "spearman":
                x, y = stats.rankdata(x), stats.rankdata(y)
            r[row] = float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
    df = (n[:, 0] - 2).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = r * np.sqrt(df / (1.0 - r**2))
        factor = 1.06 if method == "spearman" else 1.0
        half = special.ndtri(0.5 + level / 2.0) * np.sqrt(factor / (n[:, 0] - 3.0))
        low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
        p = np.asarray(2.0 * special.stdtr(df, -np.abs(t)))
    return ChangeTests(method, r, low, high, t, df, p, adjust(p), n, tuple(status))
