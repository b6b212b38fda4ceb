"""Expected inhibition of cytokine receptors through a dosing interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.engagement import ReceptorKinases
from statera.engagement.quadrature import share_above
from statera.library import Cytokine, load_cytokines
from statera.monograph.context import Context, DoseOption
from statera.monograph.sections.engagement_courses import total_nM
from statera.monograph.sections.engagement_potencies import Entry
from statera.monograph.sections.mechanism_kinases import RULES, kinase_state, kinases_of
from statera.numerics.interval import Interval

__all__ = ["ReceptorDay", "ReceptorGroup", "receptor_days", "receptor_groups"]

Floats = NDArray[np.float64]

_HALF = 0.5
_HOURS = 24.0


@dataclass(frozen=True)
class ReceptorGroup:
    """Cytokines whose receptors use the same kinases."""

    kinases: ReceptorKinases
    cytokines: tuple[Cytokine, ...]

    @property
    def names(self) -> str:
        """The cytokines, separated by commas."""
        return ", ".join(c.name for c in self.cytokines)


@dataclass(frozen=True)
class ReceptorDay:
    """Inhibition of one group's receptors over a dosing interval, typical subject.

    Attributes
    ----------
    average
        Time-averaged inhibition by rule, fraction.
    hours_half
        Hours a day with at least half of the signal inhibited, under the limiting kinase.
    """

    average: dict[str, Interval]
    hours_half: Interval


def receptor_groups() -> tuple[ReceptorGroup, ...]:
    """Return the cytokine map by kinases; rows that were not retrieved are left out."""
    groups: dict[tuple[str, ...], list[Cytokine]] = {}
    for cytokine in load_cytokines():
        kinases = kinases_of(cytokine)
        if kinases.names:
            groups.setdefault(kinases.names, []).append(cytokine)
    # A pair with an open partner comes last: little is known about it.
    ordered = sorted(groups.items(), key=lambda item: ("?" in item[0], item[0]))
    return tuple(ReceptorGroup(kinases_of(found[0]), tuple(found)) for _, found in ordered)


def receptor_days(
    context: Context, entries: tuple[Entry, ...]
) -> dict[DoseOption, dict[tuple[str, ...], ReceptorDay]]:
    """Return the engagement of each group by dose; empty without enzyme potencies or model."""
    found: dict[DoseOption, dict[tuple[str, ...], ReceptorDay]] = {}
    if not entries:
        return found
    groups = receptor_groups()
    for dose, exposure in context.exposures.items():
        total = total_nM(context, exposure)
        if total is None:
            return {}
        states = [kinase_state(context, entries, max(float(c), 0.0)) for c in total]
        times = exposure.typical.times
        found[dose] = {}
        for group in groups:
            curves = {
                rule: [s.receptor(group.kinases, rule).value or Interval(0, 1) for s in states]
                for rule in RULES
            }
            found[dose][group.kinases.names] = _day(times, curves)
    return found


def _day(times: Floats, curves: dict[str, list[Interval]]) -> ReceptorDay:
    span = float(times[-1] - times[0])
    average = {}
    for rule, values in curves.items():
        low, high = _ends(values)
        ends = [float(np.trapezoid(end, times)) / span for end in (low, high)]
        average[rule] = Interval(ends[0], max(ends))
    low, high = _ends(curves["limiting_kinase"])
    hours = [float(share_above(times, end, _HALF)) * _HOURS for end in (low, high)]
    return ReceptorDay(average, Interval(hours[0], max(hours)))


def _ends(values: list[Interval]) -> tuple[Floats, Floats]:
    return np.array([v.low for v in values]), np.array([v.high for v in values])
