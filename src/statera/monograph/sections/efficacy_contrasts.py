"""Trial results against their control: which arms belong together, and their difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from statera.evidence.printed import (
    PrintedCount,
    arm_size,
    difference_of_printed,
    events_from_percent,
)
from statera.evidence.proportions import Arm, risk_difference
from statera.monograph.sections.efficacy_words import arm_text
from statera.numerics.interval import Interval
from statera.sources import Fact

__all__ = [
    "FEWER",
    "HARMS",
    "INDICATIONS",
    "Contrast",
    "Kind",
    "contrasts",
    "counts_text",
    "derived_difference",
]

Kind = Literal["counts", "printed", "published", "none"]

INDICATIONS = {
    "RA": "Rheumatoid arthritis",
    "AA": "Alopecia areata",
    "AD": "Atopic dermatitis",
    "JIA": "Juvenile idiopathic arthritis",
    "SLE": "Systemic lupus erythematosus",
    "COVID-19": "COVID-19",
}
HARMS = ("TEAE", "SAE")
"""Endpoints that are adverse events."""
FEWER = ("flare", "28-d mortality", *HARMS)
"""Endpoints of which fewer is better."""

_CONTROLS = ("control", "active_control")


@dataclass(frozen=True)
class Contrast:
    """A treated arm with one control, or alone.

    Attributes
    ----------
    treated, control
        Facts; the control is None in a single-arm study.
    difference
        Treated minus control in percentage points; None where there is nothing to subtract.
    interval
        95 % interval in percentage points, None where there is none.
    kind
        ``counts`` (events stated), ``printed`` (counts behind printed percentages),
        ``published`` (difference and interval as published) or ``none`` (no interval).
    rounding
        Range that the rounding of the printed percentages leaves, percentage points.
    published
        The fact of a published difference.
    note
        What limits the comparison.
    """

    treated: Fact
    control: Fact | None
    difference: float | None
    interval: Interval | None
    kind: Kind
    rounding: Interval | None = None
    published: Fact | None = None
    note: str = ""

    @property
    def trial(self) -> str:
        """Name of the trial."""
        return self.treated.get("trial")

    @property
    def endpoint(self) -> str:
        """Name of the endpoint as the facts write it."""
        return self.treated.get("endpoint")


def counts_text(fact: Fact) -> str:
    """Return events over members where both are stated, else the percentage."""
    n, events = arm_size(fact.get("arm_n")), arm_size(fact.get("events"))
    if n is not None and events is not None:
        return f"{events} of {n}"
    if fact.number is None:
        return f"{fact.low:g}–{fact.high:g} %" if fact.low is not None else "–"
    return f"{fact.number:g} %" + (f" of {n}" if n is not None else "")


def contrasts(facts: Iterable[Fact]) -> tuple[Contrast, ...]:
    """Return every treated arm with a proportion against each control of its trial."""
    everything = [f for f in facts if not f.is_missing]
    groups: dict[tuple[str, ...], list[Fact]] = {}
    for fact in everything:
        if fact.get("measure") == "proportion":
            names = ("indication", "trial", "endpoint", "timepoint")
            groups.setdefault(tuple(fact.get(n) for n in names), []).append(fact)
    published = [f for f in everything if f.get("measure") == "difference"]
    found: list[Contrast] = []
    for group in groups.values():
        controls = [f for f in group if f.get("role") in _CONTROLS]
        treated = [f for f in group if f.get("role") not in _CONTROLS]
        if not controls and len(treated) > 1:
            found += _between_doses(treated)
            continue
        for fact in treated:
            own = [_contrast(fact, control, published) for control in controls]
            found += own or [Contrast(fact, None, None, None, "none", note="no control arm")]
    return tuple(found)


def _between_doses(arms: Sequence[Fact]) -> list[Contrast]:
    """Compare two doses of a trial without control; anything else stays alone."""
    doses = {f.get("dose_mg") for f in arms}
    numbers = all(f.number is not None for f in arms)
    if numbers and len(arms) == 2 and len(doses) == 2 and "" not in doses:
        low, high = sorted(arms, key=lambda f: float(f.get("dose_mg")))
        made = _contrast(high, low, ())
        return [_noted(made, "no placebo arm: dose against dose")]
    return [Contrast(f, None, None, None, "none", note=_alone(f)) for f in arms]


def _alone(fact: Fact) -> str:
    return "subgroup, no control" if fact.get("subgroup") else "no control stated"


def _noted(made: Contrast, note: str) -> Contrast:
    said = "; ".join(part for part in (note, made.note) if part)
    return Contrast(
        made.treated, made.control, made.difference, made.interval, made.kind, made.rounding,
        made.published, said,
    )  # fmt: skip


def _contrast(fact: Fact, control: Fact, published: Sequence[Fact]) -> Contrast:
    for stated in published:
        names = ("trial", "timepoint", "arm")
        same = all(stated.get(n) == fact.get(n) for n in names)
        if same and stated.get("endpoint").startswith(fact.get("endpoint")):
            ends = (
                Interval(stated.low, stated.high)
                if stated.low is not None and stated.high is not None
                else None
            )
            return Contrast(fact, control, stated.number, ends, "published", published=stated)
    if fact.number is None or control.number is None:
        return Contrast(fact, control, None, None, "none", note="stated as a range")
    first, second = _arm(fact), _arm(control)
    if first is not None and second is not None:
        effect = risk_difference(first, second)
        return Contrast(fact, control, 100 * effect.estimate, _scaled(effect.interval), "counts")
    printed = _printed(fact), _printed(control)
    if printed[0] is not None and printed[1] is not None:
        made = difference_of_printed(printed[0], printed[1])
        return Contrast(
            fact,
            control,
            100 * made.effect.estimate,
            _scaled(made.effect.interval),
            "printed",
            _scaled(made.rounding),
            note=made.note,
        )
    note = "arm sizes not retrieved"
    return Contrast(fact, control, fact.number - control.number, None, "none", note=note)


def _scaled(interval: Interval | None) -> Interval | None:
    return None if interval is None else Interval(100 * interval.low, 100 * interval.high)


def _arm(fact: Fact) -> Arm | None:
    n, events = arm_size(fact.get("arm_n")), arm_size(fact.get("events"))
    return None if n is None or events is None else Arm(fact.get("arm"), events, n)


def _printed(fact: Fact, n: int | None = None) -> PrintedCount | None:
    size = arm_size(fact.get("arm_n")) if n is None else n
    if size is None or fact.number is None:
        return None
    events = arm_size(fact.get("events"))
    if events is not None:
        return PrintedCount(arm_text(fact.get("arm")), size, events, events, events)
    return events_from_percent(fact.number, size, label=arm_text(fact.get("arm")))


def derived_difference(
    contrast: Contrast, arms: Sequence[Fact]
) -> tuple[int, int, float, Interval] | None:
    """Recompute a published difference from arm sizes derived from the allocation.

    Parameters
    ----------
    contrast
        Of two printed percentages.
    arms
        All arms of the trial in the order of the source; the ratio is taken in this order.

    Returns
    -------
    Both arm sizes, the difference and its Newcombe interval in percentage points; None where the
    allocation or the total is not stated, or the number of arms does not fit.
    """
    shares = [s for s in contrast.treated.get("allocation").split(":") if s]
    total = arm_size(contrast.treated.get("total_n"))
    if total is None or len(shares) != len(arms) or contrast.control is None:
        return None
    whole = sum(float(s) for s in shares)
    sizes = {f.id: round(total * float(s) / whole) for f, s in zip(arms, shares, strict=True)}
    n1, n2 = sizes[contrast.treated.id], sizes[contrast.control.id]
    first, second = _printed(contrast.treated, n1), _printed(contrast.control, n2)
    if first is None or second is None:
        return None
    effect = difference_of_printed(first, second).effect
    interval = _scaled(effect.interval)
    return None if interval is None else (n1, n2, 100 * effect.estimate, interval)
