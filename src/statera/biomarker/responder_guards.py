"""What can make a responder rule mislead: each finding by its name.

Methods
-------
Regression to the mean: Oldham, J Chronic Dis 1962;15:969-977, doi 10.1016/0021-9681(62)90116-9: a
change goes with its own baseline even where nothing but chance varies; the correlation with the
mean of both visits does not. Loss by cutting in two: Altman and Royston, BMJ 2006;332:1080,
doi 10.1136/bmj.332.7549.1080. Acute-phase proteins: Gabay and Kushner, N Engl J Med
1999;340:448-454, doi 10.1056/NEJM199902113400607.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.biomarker.responders import AppliedCondition, Responders
from statera.errors import InputError
from statera.numerics.gaussian_mixture import fit_gaussian_mixture

__all__ = ["Guard", "batch_guard", "coupling_guard", "rule_guards"]

Floats = NDArray[np.float64]

_REACTANTS = ("crp", "esr")
_ACUTE_PHASE = re.compile(
    r"^(crp|il-?6|il-?1b|saa[1-4]?|s100a(8|9|12)|hp|fga|fgb|fgg|ferritin|ftl|fth1|serpina3|"
    r"orm1|lbp|hepcidin|hamp)$",
    re.IGNORECASE,
)
_STRONG = 0.5
_NEAR = 0.25


@dataclass(frozen=True)
class Guard:
    """One finding.

    Attributes
    ----------
    name
        ``regression to the mean``, ``coupling``, ``gate``, ``dichotomising``, ``clusters``,
        ``missing outcomes`` or ``batch``.
    level
        ``warning`` where it is likely to mislead here, else ``note``.
    finding
        A sentence with the numbers.
    """

    name: str
    level: Literal["warning", "note"]
    finding: str


def rule_guards(found: Responders) -> tuple[Guard, ...]:
    """Return what is to be known of a rule and of the outcome it gave."""
    guards: list[Guard] = []
    for one in found.applied:
        guards += _to_the_mean(one, found.response)
        guards += _dichotomising(one)
        guards += _clusters(one)
    guards += _gate(found)
    guards += _missing_outcomes(found)
    return tuple(dict.fromkeys(guards))


def coupling_guard(
    found: Responders, markers: tuple[str, ...], values: Floats, subjects: tuple[str, ...]
) -> tuple[Guard, ...]:
    """Return whether markers share their meaning with a reactant inside the outcome's index.

    Parameters
    ----------
    found
        The outcome.
    markers : (m,)
    values : (n, m) float64
        Of samples; nan is missing.
    subjects : (n,)
        Whose samples they are.
    """
    guards = []
    for index in dict.fromkeys(a.condition.term.index for a in found.applied):
        inside = _inside(found, index)
        if not inside:
            continue
        named = [m for m in markers if _ACUTE_PHASE.match(m.strip())]
        said = f"{index} contains {' and '.join(inside)}"
        alike = []
        for reactant in inside:
            column = next((n for n in found.columns if _plain(n) == _plain(reactant)), None)
            if column is not None:
                alike += _correlated(found, column, markers, values, subjects)
        if not named and not alike:
            guards.append(Guard("coupling", "note", f"{said}; no marker goes with it here."))
            continue
        parts = [f"acute-phase by name: {', '.join(named)}"] if named else []
        parts += [f"correlated with it: {', '.join(alike[:8])}"] if alike else []
        guards.append(
            Guard(
                "coupling", "warning",
                f"{said}; markers may predict that part of the index alone ({'; '.join(parts)}). "
                "Repeat with an index without it, or without these markers.",
            )
        )  # fmt: skip
    return tuple(guards)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _inside(found: Responders, index: str) -> list[str]:
    """Return the reactants inside an index: as the rule says, else as names tell."""
    if index in found.rule.contains:
        return list(found.rule.contains[index])
    source = f"{index} {found.rule.index}".lower()
    inside = [r.upper() for r in _REACTANTS if re.search(rf"(^|[^a-z]){r}([^a-z]|$)", source)]
    if not inside and re.search(r"acr", source):
        inside = ["CRP or ESR"]
    return inside


def _correlated(
    found: Responders, column: str, markers: tuple[str, ...], values: Floats,
    subjects: tuple[str, ...],
) -> list[str]:  # fmt: skip
    place = {s: i for i, s in enumerate(found.subjects)}
    level = np.array([found.columns[column][place[s]] if s in place else np.nan for s in subjects])
    alike = []
    for j, marker in enumerate(markers):
        both = np.isfinite(level) & np.isfinite(values[:, j])
        if both.sum() < 8 or np.ptp(values[both, j]) == 0.0 or np.ptp(level[both]) == 0.0:
            continue
        rho = float(stats.spearmanr(level[both], values[both, j]).statistic)
        if abs(rho) >= _STRONG:
            alike.append((-abs(rho), f"{marker} (rho {rho:.2f})"))
    return [text for _, text in sorted(alike)]


def _to_the_mean(one: AppliedCondition, response: Floats) -> list[Guard]:
    if one.condition.term.measure == "value":
        return []
    both = np.isfinite(one.earlier) & np.isfinite(one.later)
    if both.sum() < 8 or np.ptp(one.earlier[both]) == 0.0 or np.ptp(one.later[both]) == 0.0:
        return []
    before, after = one.earlier[both], one.later[both]
    term = str(one.condition.term)
    if one.condition.term.measure == "adjusted":
        said = f"{term} is free of its baseline by construction."
        return [Guard("regression to the mean", "note", said)]
    with_baseline = float(np.corrcoef(before, one.value[both])[0, 1]) if np.isfinite(
        one.value[both]
    ).all() else float("nan")  # fmt: skip
    with_mean = float(np.corrcoef((before + after) / 2.0, after - before)[0, 1])
    known = both & np.isfinite(response)
    gap = ""
    if len(set(response[known].tolist())) == 2:
        high = one.earlier[known & (response == 1.0)].mean()
        low = one.earlier[known & (response == 0.0)].mean()
        gap = f"; responders start at {high:.3g}, the others at {low:.3g}"
    said = (
        f"{term} correlates with its baseline by {with_baseline:.2f}, of which chance in the "
        f"baseline makes a part (with the mean of both visits, where it makes none: "
        f"{with_mean:.2f}){gap}. Markers of severity then predict response. Use "
        f"adjusted({one.condition.term.index}, ...), or give the baseline as a covariate."
    )
    level: Literal["warning", "note"] = "warning" if abs(with_baseline) >= 0.3 else "note"
    return [Guard("regression to the mean", level, said)]


def _dichotomising(one: AppliedCondition) -> list[Guard]:
    known = one.value[np.isfinite(one.value)]
    if np.unique(known).size <= 2:
        return []
    spread = float(known.std(ddof=1))
    near = int((np.abs(known - one.cut) <= _NEAR * spread).sum())
    share = near / known.size
    said = (
        f"{one.condition.term} is cut in two at {one.cut:.4g}: {near} of {known.size} subjects lie "
        f"within {_NEAR:g} SD ({_NEAR * spread:.3g}) of the cut and could as well stand on the "
        "other side; information is lost. The rank correlation of the prediction with the uncut "
        "outcome is given beside the area."
    )
    return [Guard("dichotomising", "warning" if share > 0.2 else "note", said)]


def _clusters(one: AppliedCondition) -> list[Guard]:
    if one.condition.kind != "cluster":
        return []
    known = one.value[np.isfinite(one.value)]
    if known.size < 10:
        return [Guard("clusters", "warning", f"{known.size} subjects show no clusters.")]
    try:
        two = fit_gaussian_mixture(known, 2)
        one_group = fit_gaussian_mixture(known, 1)
    except InputError as error:
        return [Guard("clusters", "warning", f"Two groups cannot be fitted: {error.what}.")]
    gain, apart = one_group.bic - two.bic, two.separation(0, 1)
    good = gain > 0.0 and apart > 2.0
    said = (
        f"Two normal groups against one: BIC {'better' if gain > 0 else 'worse'} by "
        f"{abs(gain):.3g}, separation (Ashman's D) {apart:.2f}, where 2 is needed for two peaks"
    )
    said += "." if good else "; the split divides one group."
    return [Guard("clusters", "note" if good else "warning", said)]


def _gate(found: Responders) -> list[Guard]:
    guards = []
    used = {_plain(a.condition.term.index) for a in found.applied}
    used |= {_plain(found.rule.index)} if found.rule.index else set()
    for gate in found.rule.gate:
        key = _plain(gate)
        family = re.sub(r"\d+$", "", key)
        if any(key == u or (family and family == re.sub(r"\d+$", "", u)) for u in used):
            said = (
                f"{gate} decided who was admitted and is the outcome too: those admitted had "
                "responded to it already, so that prediction is of staying well among them."
            )
            guards.append(Guard("gate", "warning", said))
        else:
            said = f"{gate} decided who was admitted; the prediction holds for those admitted."
            guards.append(Guard("gate", "note", said))
    return guards


def _missing_outcomes(found: Responders) -> list[Guard]:
    missing = sum(text.startswith("missing") for text in found.status)
    if not missing:
        return []
    share = missing / len(found.status)
    said = (
        f"{missing} of {len(found.status)} subjects ({share:.0%}) have no decided outcome; "
        f"policy {found.rule.missing}."
    )
    return [Guard("missing outcomes", "warning" if share > 0.1 else "note", said)]


def batch_guard(batches: Mapping[str, str], response: Mapping[str, bool]) -> tuple[Guard, ...]:
    """Return whether batches go with the outcome, so that adjusting takes signal off.

    Parameters
    ----------
    batches, response
        By subject.
    """
    names = sorted(set(batches.values()))
    if len(names) < 2:
        return ()
    counts = np.zeros((len(names), 2))
    for subject, batch in batches.items():
        counts[names.index(batch), int(response[subject])] += 1
    p = float(stats.chi2_contingency(counts).pvalue) if (counts.sum(axis=0) > 0).all() else 1.0
    said = f"Responders among {len(names)} batches: chi-square p {p:.2g}"
    if p < 0.05:
        said += "; batch and response are mixed up, and no adjustment can part them."
        return (Guard("batch", "warning", said),)
    return (Guard("batch", "note", said + "."),)
