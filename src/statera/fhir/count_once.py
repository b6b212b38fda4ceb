"""The same intake is counted once, whoever recorded it."""

from __future__ import annotations

from statera.fhir.collected import Collected, NotUsed
from statera.fhir.doses import Intake

__all__ = ["count_once"]


def count_once(found: Collected) -> None:
    """Drop runs that administrations record dose by dose, and runs that overlap an earlier one.

    Counting the same intake twice would double the exposure.
    """
    singles = [i for i in found.intakes if not i.additional]
    kept: list[Intake] = []
    for run in (i for i in found.intakes if i.additional):
        inside = [s for s in singles if s.taken and run.start <= s.start <= run.end]
        clash = [k for k in kept if k.resource != run.resource and _overlap(k, run)]
        contradicted = [s for s in singles if not s.taken and run.start <= s.start <= run.end]
        if inside:
            reason = (
                f"In its period single doses are recorded ({inside[0].resource} and "
                f"{len(inside) - 1} more): both together would count doses twice."
            )
            found.dropped.append(NotUsed(run.resource, reason))
        elif clash:
            reason = f"It overlaps {clash[0].resource}: both would count doses twice."
            found.dropped.append(NotUsed(run.resource, reason))
        else:
            kept.append(run)
            found.remarks += [f"{run.resource}: {remark}" for remark in run.remarks]
            found.remarks += [
                f"{c.resource} says that the dose of {c.start.isoformat()} was not taken, and "
                f"{run.resource} counts a dose in its place: correct the doses of the request."
                for c in contradicted
            ]
    found.intakes = sorted((*singles, *kept), key=lambda i: i.start)


def _overlap(one: Intake, other: Intake) -> bool:
    return one.start <= other.end and other.start <= one.end
