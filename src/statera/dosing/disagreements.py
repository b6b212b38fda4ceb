"""Where the sources behind a decision do not say the same, and which was followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from statera.dosing.combine import Combined, combine
from statera.dosing.decision import Disagreement
from statera.dosing.decision_words import result_words, rule_words
from statera.dosing.judge import Judgement, Verdict
from statera.dosing.patient import Patient
from statera.dosing.preference import source_year, subject
from statera.library.conflicts import load_conflicts
from statera.library.label_rule import Authority, Effect, LabelRule

__all__ = ["disagreements"]

_WITHOUT_DOSE = frozenset({Effect.WARN, Effect.CONSIDER, Effect.NO_ADJUSTMENT, Effect.APPROVE})


def disagreements(
    drug: str,
    indication: str,
    region: str,
    patient: Patient,
    found: Combined,
    judged: Sequence[Judgement],
    sources: frozenset[str],
) -> tuple[Disagreement, ...]:
    """Return rules that were set aside, superseded rules and claims, and recorded conflicts.

    Parameters
    ----------
    judged
        The rules for the indication.
    sources
        Ids of the sources of all rules of drug and region, claims left out: a recorded conflict is
        shown where one of them takes part in it.
    """
    return (
        *_set_aside(found),
        *_not_followed(found, judged, patient, region),
        *_recorded(drug, indication, sources),
    )


def _set_aside(found: Combined) -> Iterable[Disagreement]:
    for pair in found.set_aside:
        yield Disagreement(
            f"Two rules on the same subject ({subject(pair.rule)}) differ: "
            f"'{rule_words(pair.rule)}' [{_origin(pair.rule)}] and "
            f"'{rule_words(pair.followed)}' [{_origin(pair.followed)}]. The second is followed.",
            ((pair.rule.region, pair.rule.id), (pair.followed.region, pair.followed.id)),
            (pair.rule.source, pair.followed.source),
        )


def _not_followed(
    found: Combined, judged: Sequence[Judgement], patient: Patient, region: str
) -> Iterable[Disagreement]:
    """Yield claims and superseded rules whose condition holds, with what they would give."""
    applying = [j for j in judged if j.verdict is Verdict.APPLIES]
    for j in judged:
        if j.verdict is not Verdict.NOT_USED or j.holds is not True or j.effect in _WITHOUT_DOSE:
            continue
        other = combine([*applying, j], patient, region)
        agrees = other.same_result(found)
        kind = (
            "The vendor's overview claims"
            if j.rule.authority is Authority.CLAIM
            else "A superseded rule says"
        )
        then = (
            "it would change nothing here"
            if agrees
            else f"with it the result would be: {result_words(other)}"
        )
        yield Disagreement(
            f"{kind}: '{rule_words(j.rule)}' [{_origin(j.rule)}]. It is not followed; {then}.",
            ((j.rule.region, j.rule.id),),
            (j.rule.source,),
        )


def _recorded(drug: str, indication: str, sources: frozenset[str]) -> Iterable[Disagreement]:
    for conflict in load_conflicts(drug):
        if indication in conflict.indications and sources & set(conflict.sources):
            said = f"sources: {conflict.sources_say}"
            if conflict.overview and conflict.overview != "not given":
                said = f"the vendor's overview: {conflict.overview}; other {said}"
            yield Disagreement(
                f"{conflict.topic}: {said}. {conflict.rule}",
                (),
                conflict.sources,
            )


def _origin(rule: LabelRule) -> str:
    year = source_year(rule)
    return f"{rule.source}, {year if year is not None else 'no date'}, grade {rule.grade.value}"
