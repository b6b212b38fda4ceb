"""Inhibition of signals through a dosing interval: measured ones, and those of receptors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.engagement import ASSUMPTIONS, Bounds, inhibition, kinase_course, receptor_course
from statera.engagement.quadrature import share_above
from statera.monograph.context import Context, Exposure
from statera.monograph.sections.engagement_courses import course, obstacle
from statera.monograph.sections.engagement_methods import METHODS
from statera.monograph.sections.engagement_potencies import Entry
from statera.monograph.sections.engagement_receptors import ReceptorGroup, receptor_groups
from statera.monograph.sections.engagement_tables import engage
from statera.monograph.sections.mechanism_kinases import RULES
from statera.monograph.sections.pk_profiles import PERCENTILES
from statera.numerics.interval import Interval
from statera.units import convert, molar_from_mass
from statera.web.tasks.drug_context import enzymes, measured
from statera.web.tasks.drug_inhibition import outwards, percent, same_or_none, signal_origin

__all__ = ["signals"]

Floats = NDArray[np.float64]

_HALF = 0.5
_DAY = 24.0
_LEVELS = ("p5", "p50", "p95")


def signals(
    context: Context, exposure: Exposure
) -> tuple[list[dict[str, Any]], dict[str, dict[str, str]]]:
    """Return the course of every signal in percent, and the methods behind them.

    Inhibition rises with the concentration. So the percentile of the inhibition over subjects is
    the inhibition at that percentile of the concentration, time by time.
    """
    shown = replace(context, exposures={exposure.dose: exposure})
    found = [
        _measured(context, entry, exposure)
        for entry in measured(context.name)
        if not obstacle(shown, entry)
    ]
    found += _receptors(context, exposure)
    used = {f["method"] for f in found}
    methods = {m.key: {"title": m.title, "text": m.text} for m in METHODS if m.key in used}
    return found, methods


def _measured(context: Context, entry: Entry, exposure: Exposure) -> dict[str, Any]:
    seen = course(context, entry, exposure)
    done = engage(entry.name, entry.heading, exposure.dose, seen, entry.sources)
    levels = np.percentile(seen.population, PERCENTILES, axis=0)
    bands = [inhibition(level, seen.potency) for level in levels]
    return {
        "id": entry.name,
        "kind": "measured",
        "rule": "",
        "method": "engagement",
        **signal_origin(entry),
        "kinases": "",
        "cytokines": [],
        **_courses([Bounds(b.low, b.high) for b in bands]),
        "average": {
            "typical": _ends(done.typical.average),
            "p5": _ends(done.low.average),
            "p95": _ends(done.high.average),
        },
        "highest": _ends(done.typical.maximum),
        "lowest": _ends(done.typical.minimum),
        "hours_half": _hours(done.typical.hours_above_ic50),
    }


def _receptors(context: Context, exposure: Exposure) -> list[dict[str, Any]]:
    single = enzymes(context.name)
    if not single or context.molar_mass is None:
        return []
    assert context.model is not None
    output = context.model.outputs[0].name
    scale = molar_from_mass(
        convert(1.0, exposure.typical.units[output], "ng/mL"), context.molar_mass
    )
    solved = exposure.population.statuses == 0
    everyone = np.maximum(exposure.population.outputs[output][solved], 0.0) * scale
    own = np.maximum(exposure.typical.outputs[output][0], 0.0) * scale
    ends = np.array([exposure.typical.endpoint(k, output)[0] for k in ("Cmin", "Cmax")]) * scale
    levels = np.percentile(everyone, PERCENTILES, axis=0)
    given = [e.potency.in_nM(context.molar_mass) for e in single]
    # One array for all: percentiles, the typical subject and everybody.
    total = np.concatenate([levels, own[None, :], everyone])
    kinases = kinase_course(total, given, context.unbound_fraction)
    extremes = kinase_course(np.maximum(ends, 0.0), given, context.unbound_fraction)
    sources = tuple(dict.fromkeys(s for e in single for s in e.sources))
    times = exposure.typical.times
    found = []
    for group in receptor_groups():
        for rule in RULES:
            seen = receptor_course(group.kinases, kinases, ASSUMPTIONS[rule], total)
            at_ends = receptor_course(group.kinases, extremes, ASSUMPTIONS[rule], ends)
            assert seen is not None
            assert at_ends is not None
            found.append(_receptor(group, rule, times, seen, at_ends, sources))
    return found


def _receptor(
    group: ReceptorGroup,
    rule: str,
    times: Floats,
    seen: Bounds,
    at_ends: Bounds,
    sources: tuple[str, ...],
) -> dict[str, Any]:
    split = len(PERCENTILES)
    known = np.array_equal(seen.low, seen.high)  # then one of the two is work enough
    low = _mean(times, seen.low)
    high = low if known else _mean(times, seen.high)
    low_levels = np.percentile(low[split + 1 :], PERCENTILES)
    high_levels = low_levels if known else np.percentile(high[split + 1 :], PERCENTILES)
    hours = [float(share_above(times, e[split], _HALF)) * _DAY for e in (seen.low, seen.high)]
    return {
        "id": f"{group.kinases.text} {rule}",
        "kind": "expected",
        "rule": rule,
        "method": f"receptor_{rule}",
        "name": group.names,
        "potency": "",
        "basis": "computed",
        "sources": sources,
        "facts": [],
        "kinases": group.kinases.text,
        "cytokines": [c.name for c in group.cytokines],
        **_courses([Bounds(seen.low[i], seen.high[i]) for i in range(split)]),
        "average": {
            "typical": _ends(Interval(low[split], high[split])),
            **{
                name: _ends(Interval(float(a), float(b)))
                for name, a, b in zip(_LEVELS, low_levels, high_levels, strict=True)
            },
        },
        "lowest": _ends(Interval(at_ends.low[0], at_ends.high[0])),
        "highest": _ends(Interval(at_ends.low[1], at_ends.high[1])),
        "hours_half": _hours(Interval(hours[0], max(hours))),
    }


def _courses(levels: list[Bounds]) -> dict[str, Any]:
    """Return the median as both ends, and the band from the lowest to the highest end."""
    first, middle, last = levels
    return {"p5": percent(first.low), "p50": same_or_none(middle), "p95": percent(last.high)}


def _mean(times: Floats, values: Floats) -> Floats:
    """Return the time average by the trapezoidal rule, as a weighted sum."""
    steps = np.diff(times)
    weights = np.zeros(times.size)
    weights[:-1] += steps / 2.0
    weights[1:] += steps / 2.0
    mean = values @ (weights / weights.sum())
    return np.asarray(np.clip(mean, 0.0, 1.0), dtype=np.float64)


def _ends(value: Interval) -> list[float]:
    ends = np.array([value.low, value.high])
    if value.is_point:
        return percent(ends)
    low, high = outwards(ends[:1], ends[1:])
    return [*low, *high]


def _hours(value: Interval) -> list[float]:
    return [round(value.low, 2), round(value.high, 2)]
