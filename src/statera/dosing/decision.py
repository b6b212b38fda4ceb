"""What a label says of one person's dose, with everything it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statera.dosing.dose import Dose
from statera.dosing.judge import Judgement, Verdict
from statera.dosing.near_cut import NearCut
from statera.library.label_rule import LabelRule

__all__ = ["Alternative", "Decision", "Disagreement", "Outcome"]


class Outcome(StrEnum):
    """How a decision ended."""

    DOSE = "dose"
    NOT_RECOMMENDED = "not_recommended"
    DO_NOT_START = "do_not_start"
    INTERRUPT = "interrupt"
    DISCONTINUE = "discontinue"
    COURSE_COMPLETE = "course_complete"
    CANNOT_BE_DECIDED = "cannot_be_decided"
    NOT_INDICATED = "not_indicated"
    NO_RULE = "no_rule"

    @property
    def is_outside_label(self) -> bool:
        """True where the rules as read say nothing for this person, or that it is not for them."""
        return self in (Outcome.NOT_INDICATED, Outcome.NO_RULE)


@dataclass(frozen=True)
class Alternative:
    """What would follow if an open rule applied.

    Attributes
    ----------
    rule
        The open rule.
    missing
        What would have to be known.
    result
        What would follow, in words.
    more_cautious
        True where less than the present result would follow: the decision then waits for it.
    """

    rule: LabelRule
    missing: tuple[str, ...]
    result: str
    more_cautious: bool


@dataclass(frozen=True)
class Disagreement:
    """Sources that do not say the same.

    Attributes
    ----------
    sentence
        Who says what, and which is followed.
    rules
        The rules, as region and id.
    sources
        Ids of the sources.
    """

    sentence: str
    rules: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What the label rules as read say of one person.

    Attributes
    ----------
    drug, region, indication
        What was asked.
    outcome
        How it ended.
    sentence
        The decision in words.
    doses
        The doses; empty unless the outcome is ``dose``.
    so_far
        What follows from what is known where the decision waits for more; never to be taken for
        the decision.
    until
        When treatment may go on, where it is to be interrupted.
    deciding
        The rules that decided.
    considered
        Every rule of drug and region, with what was found of it.
    alternatives
        What open rules would change.
    missing
        What would have to be known for the decision to stand.
    restrictions, advice
        Sentences of rules that apply and leave the dose as it is.
    disagreements
        Where sources differ.
    near_cut
        Renal function close to a limit, with the other estimate.
    remarks
        Sentences on how the result was reached.
    preference
        The rule by which one source is followed before another.
    """

    drug: str
    region: str
    indication: str
    outcome: Outcome
    sentence: str
    doses: tuple[Dose, ...] = ()
    so_far: tuple[Dose, ...] = ()
    until: str = ""
    deciding: tuple[Judgement, ...] = ()
    considered: tuple[Judgement, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    missing: tuple[str, ...] = ()
    restrictions: tuple[Judgement, ...] = ()
    advice: tuple[Judgement, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    near_cut: tuple[NearCut, ...] = ()
    remarks: tuple[str, ...] = ()
    preference: str = ""

    def open_rules(self) -> tuple[Judgement, ...]:
        """Return the rules that could not be judged."""
        return tuple(j for j in self.considered if j.verdict is Verdict.OPEN)
