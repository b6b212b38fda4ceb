"""Potencies fitted from the user's plate: how well they are known, and what that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from statera.engagement import (
    Potency,
    PotencyFile,
    Spread,
    at_quantile,
    has_distribution,
    mean_interval,
    percent_text,
    summarise,
    summarise_population,
)
from statera.monograph.cells import computed, missing, significant
from statera.monograph.sections.engagement_courses import Course
from statera.monograph.sections.engagement_potencies import Entry, PotencySet
from statera.monograph.sections.engagement_tables import Result, dose_head, dose_labels
from statera.numerics.streams import stream
from statera.report.document import Block, Cell, Definition, Heading, Inline, Table

__all__ = ["PlateSpread", "persons", "plate_blocks", "plate_data", "plate_spread", "spread_table"]

Floats = NDArray[np.float64]

_EDGES = (0.05, 0.95)


@dataclass(frozen=True)
class PlateSpread:
    """Average daily inhibition of one dose, with what the IC50 leaves open; fractions, low to high.

    Attributes
    ----------
    mean
        At the ends of the interval of the mean IC50, for the typical concentration; None where
        the interval is not known.
    donors
        90 % of donors at the typical concentration; None where donors cannot be told apart.
    persons
        90 % of the simulated population, each with a concentration and an IC50 of its own.
    """

    mean: tuple[float, float] | None
    donors: tuple[float, float] | None
    persons: tuple[float, float]


def persons(course: Course, seed: int) -> Floats | None:
    """Return concentrations on the scale of the IC50 of each subject; None without its spread.

    Inhibition depends on the ratio of concentration to IC50 alone, so that a subject whose IC50
    is twice as high is one with half of the concentration. IC50s are the midpoints of equally
    probable parts of their distribution, in an order by `seed`.

    Returns
    -------
    (n_subjects, n) float64
    """
    known = course.potency.uncertainty
    sd = known.ln_sd(Spread.PERSON) if known is not None else None
    if sd is None or not has_distribution(course.potency):
        return None
    n = course.population.shape[0]
    place = (stream(seed, "IC50 of persons").permutation(n) + 0.5) / n
    return np.asarray(course.population * np.exp(-sd * ndtri(place))[:, None])


def plate_spread(result: Result, seed: int) -> PlateSpread | None:
    """Return what the IC50 leaves open of one result; None where it has no distribution."""
    course = result.course
    own = persons(course, seed)
    if own is None:
        return None

    def average(potency: Potency) -> float:
        return summarise(course.times, course.typical, potency).average.low

    ends = mean_interval(course.potency)
    donors = None
    if has_distribution(course.potency, Spread.BETWEEN):
        low, high = (average(at_quantile(course.potency, 1.0 - p, Spread.BETWEEN)) for p in _EDGES)
        donors = (low, high)
    many = summarise_population(course.times, own, course.potency).average.low
    found = np.quantile(many, _EDGES)
    return PlateSpread(
        None if ends is None else (average(ends[1]), average(ends[0])),
        donors,
        (float(found[0]), float(found[1])),
    )


def plate_blocks(potencies: PotencySet) -> list[Block]:
    """Return the fitted potencies, where they come from, and the curves that gave none."""
    plate = potencies.plate
    fitted = [e for e in potencies.entries if e.is_fitted]
    if plate is None or not (fitted or not plate.potencies):
        return []
    blocks: list[Block] = [Heading("Potencies fitted from your plate")]
    if fitted:
        blocks.append(_fitted_table(fitted))
    if plate.refused:
        blocks.append(_refused_table(plate))
    blocks.append(_provenance(plate))
    return blocks


def _fitted_table(entries: Sequence[Entry]) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for entry in entries:
        p = entry.potency
        known = p.uncertainty
        assert known is not None
        assert p.value is not None
        status = {True: "known as a bound", False: "determined"}[p.relation.is_bound]
        between: Inline = missing("not known")
        if known.ln_sd_between is not None:
            factor = float(np.exp(known.ln_sd_between))
            none = "none found" if known.ln_sd_between == 0.0 else ""
            between = computed(factor, "engagement_plate", text=none)
        rows.append(
            (
                ", ".join(x for x in (p.stimulus, p.readout, p.cells) if x),
                _value(p),
                Cell(_ends(known.low, known.high), "computed", method="engagement_plate"),
                f"{100 * known.level:g} %",
                computed(p.hill, "engagement_plate"),
                str(known.donors) if known.donors else missing("not stated"),
                between,
                Cell(status, tone="warn" if p.relation.is_bound else "ok"),
            )
        )
    return Table(
        "IC50s as fitted (nM)",
        (
            *("Measured on", "IC50", "Interval of the mean", "Level", "Hill", "Donors"),
            *("Factor between donors", "Status"),
        ),
        tuple(rows),
        numeric=(1, 2, 3, 4, 5, 6),
        foot=(
            "The factor between donors is the exponential of the standard deviation of ln IC50: "
            "two thirds of donors lie within it of the mean, up or down.",
        ),
    )


def _value(potency: Potency) -> Cell:
    assert potency.value is not None
    sign = {">=": "≥ ", "<=": "≤ "}.get(potency.relation.value, "")
    return Cell(
        f"{sign}{significant(potency.value)}",
        "bound" if potency.relation.is_bound else "computed",
        method="engagement_plate",
        value=potency.value,
        unit="nM",
    )


def _ends(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "not given"
    if high is None:
        return f"from {significant(low or 0.0)}"
    if low is None:
        return f"to {significant(high)}"
    return f"{significant(low)} to {significant(high)}"


def _refused_table(plate: PotencyFile) -> Table:
    return Table(
        "Curves of your plate that gave no potency",
        ("Stimulus", "Cells", "Readout", "Donor", "Why"),
        tuple(
            (r.stimulus or "not stated", r.cells, r.readout, r.donor or "all", r.reason)
            for r in plate.refused
        ),
    )


def _provenance(plate: PotencyFile) -> Definition:
    made = plate.provenance
    pairs = {
        "Experiment": plate.name,
        "Analysed": f"{made.created}, Statera {made.statera}",
        "Statistics": made.statistics,
        "Curves": made.fit,
        "Gates": made.gates,
        "Files of events": f"{len(made.files)}, their hashes stand in the potency file",
        "Potency file": _short(plate.content_hash),
        "Settings": _short(made.settings),
        "Plate map": _short(made.plate_map),
    }
    return Definition(tuple((name, text) for name, text in pairs.items() if text))


def _short(content: str) -> str:
    """Return the beginning of a hash; the whole of it stands in the manifest."""
    return f"{content[:19]}…" if content else ""


def spread_table(results: Sequence[Result], seed: int) -> Table | None:
    """Return what the IC50s of the plate leave open; None where none has a distribution."""
    found = [(r, plate_spread(r, seed)) for r in results]
    known = [(r, s) for r, s in found if s is not None]
    if not known:
        return None
    labels = dose_labels([r.dose for r, _ in known])
    rows: list[tuple[Inline, ...]] = [
        (
            result.name,
            labels[result.dose],
            computed(
                100 * result.typical.average.low,
                "engagement",
                "%",
                text=percent_text(result.typical.average, result.typical.relation),
            ),
            _range(spread.mean),
            _range(spread.donors),
            _range(spread.persons),
        )
        for result, spread in known
    ]
    return Table(
        "Average daily inhibition, and how far the fitted IC50 leaves it open",
        (
            *("Measured on", dose_head([r.dose for r, _ in known]), "Typical"),
            *("Interval of the mean IC50", "90 % of donors", "90 % of persons"),
        ),
        tuple(rows),
        numeric=(2, 3, 4, 5),
        foot=(
            "Interval of the mean and donors: at the typical concentration. Persons: each "
            "simulated subject with a concentration and an IC50 of its own.",
        ),
    )


def _range(ends: tuple[float, float] | None) -> Cell:
    if ends is None:
        return missing("not known")
    low, high = 100 * ends[0], 100 * ends[1]
    return Cell(
        f"{low:.0f} to {high:.0f} %",
        "computed",
        method="engagement_plate",
        value=(low, high),
        unit="%",
    )


def plate_data(
    plate: PotencyFile | None, results: Sequence[Result], seed: int
) -> dict[str, object] | None:
    """Return the potency file and what its IC50s leave open as plain data, in per cent."""
    if plate is None:
        return None
    spreads = [(r, plate_spread(r, seed)) for r in results]
    return {
        "name": plate.name,
        "content_hash": plate.content_hash,
        "provenance": vars(plate.provenance),
        "potencies": [{**vars(r), "relation": r.relation.value} for r in plate.potencies],
        "refused": [vars(r) for r in plate.refused],
        "average_inhibition": [
            {
                "potency": r.name,
                "dose_mg": r.dose.amount,
                "interval_h": r.dose.interval,
                "typical": 100 * r.typical.average.low,
                "mean": _percent(s.mean),
                "donors_90": _percent(s.donors),
                "persons_90": _percent(s.persons),
            }
            for r, s in spreads
            if s is not None
        ],
    }


def _percent(ends: tuple[float, float] | None) -> dict[str, float] | None:
    return None if ends is None else {"low": 100 * ends[0], "high": 100 * ends[1]}
