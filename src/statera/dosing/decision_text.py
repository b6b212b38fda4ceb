"""A decision as text for a reader: the answer first, then what it rests on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from statera.dosing.decision import Decision, Outcome
from statera.dosing.decision_words import rule_words
from statera.dosing.indications import INDICATIONS, is_for
from statera.dosing.judge import Judgement, Verdict
from statera.dosing.label_scope import REGIONS
from statera.library.label_rule import Authority, LabelRule
from statera.library.references import find_source

__all__ = ["DISCLAIMER", "decision_text", "origin_words"]

DISCLAIMER = (
    "Research and education only. Not a medical device. Not for decisions about a person without "
    "an independent check. These are single rules as they were read, not a complete label: check "
    "the current label."
)
"""Stands under every decision."""

_WIDTH = 96
_MARKS = {
    Verdict.APPLIES: "yes",
    Verdict.DOES_NOT_APPLY: "no",
    Verdict.OPEN: "open",
    Verdict.NOT_USED: "-",
}


def origin_words(rule: LabelRule) -> str:
    """Return the source of a rule: title, date, grade and what the grade means."""
    source = find_source(rule.source)
    date = rule.date or (str(source.year) if source.year is not None else "no date")
    where = f", {rule.locator}" if rule.locator else ""
    claim = "; vendor's claim" if rule.authority is Authority.CLAIM else ""
    return f"{source.title}{where}; {date}; grade {rule.grade.value} ({rule.grade.meaning}){claim}"


def decision_text(decision: Decision, *, every_rule: bool = False) -> str:
    """Return a decision as text, lines of at most 96 characters.

    Parameters
    ----------
    every_rule
        List the rules for other indications as well.
    """
    blocks = [
        _head(decision),
        _rules(_deciding_words(decision), decision.deciding),
        _alternatives(decision),
        _rules("Also to be observed", decision.restrictions),
        _rules("To be considered", decision.advice),
        _sentences("Renal function near a limit", [n.sentence for n in decision.near_cut]),
        _sentences("Remarks", decision.remarks),
        _sentences("Where sources differ", [d.sentence for d in decision.disagreements]),
        _considered(decision, every_rule),
        _sentences("How one source is preferred to another", [decision.preference]),
        textwrap.fill(DISCLAIMER, _WIDTH),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(decision: Decision) -> str:
    what = INDICATIONS[decision.indication]
    title = f"{decision.drug}, {what}, {REGIONS[decision.region]}"
    return "\n".join((title, "=" * len(title), "", textwrap.fill(decision.sentence, _WIDTH)))


def _deciding_words(decision: Decision) -> str:
    if decision.outcome is Outcome.CANNOT_BE_DECIDED:
        return "What is known so far rests on (not a decision)"
    return "Decided by"


def _rules(heading: str, judgements: Sequence[Judgement]) -> str:
    lines: list[str] = []
    for j in judgements:
        lines += _wrapped(rule_words(j.rule), "  * ", "    ")
        lines += _wrapped(f"Here: {j.why}.", "    ", "    ")
        lines += _wrapped(f"Source: {origin_words(j.rule)}.", "    ", "      ")
        if j.rule.note:
            lines += _wrapped(f"Note: {j.rule.note}", "    ", "      ")
    return _block(heading, lines)


def _alternatives(decision: Decision) -> str:
    lines: list[str] = []
    for a in decision.alternatives:
        known = "; ".join(a.missing)
        lines += _wrapped(f"{rule_words(a.rule)}", "  * ", "    ")
        lines += _wrapped(f"Then: {a.result}. To be known: {known}.", "    ", "    ")
    return _block("What would change it", lines)


def _considered(decision: Decision, every_rule: bool) -> str:
    lines: list[str] = []
    shown = [
        j
        for j in decision.considered
        if every_rule or j.verdict is Verdict.OPEN or is_for(j.rule, decision.indication)
    ]
    for j in shown:
        lines += _wrapped(f"{rule_words(j.rule)}", f"  {_MARKS[j.verdict]:<5}", " " * 7)
        lines += _wrapped(f"({j.why})", " " * 7, " " * 8)
    others = len(decision.considered) - len(shown)
    if others:
        lines.append(f"  and {others} rules for other indications")
    counts = ", ".join(
        f"{sum(j.verdict is v for j in shown)} {words}"
        for v, words in (
            (Verdict.APPLIES, "apply"),
            (Verdict.DOES_NOT_APPLY, "do not"),
            (Verdict.OPEN, "open"),
            (Verdict.NOT_USED, "not used"),
        )
    )
    return _block(f"Rules considered ({counts})", lines)


def _sentences(heading: str, sentences: Sequence[str]) -> str:
    return _block(heading, [line for s in sentences for line in _wrapped(s, "  * ", "    ")])


def _block(heading: str, lines: Sequence[str]) -> str:
    return "\n".join((heading, *lines)) if lines else ""


def _wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
