"""Certainty of a body of evidence in the terms of GRADE: judged by people, added up here.

Nothing is judged here. The judgements of five domains, with their reasons, are given; what follows
from them is computed and held against the level that was stated.

Methods
-------
Randomised trials start high, observational studies low (Balshem and others, J Clin Epidemiol
2011;64:401); each domain takes off one level for serious and two for very serious concerns.
Observational evidence without concerns may gain by a large effect (+1 beyond 2 or 1/2, +2 beyond 5
or 1/5), a dose-response, or confounding that works against the effect (Guyatt and others, J Clin
Epidemiol 2011;64:1311). Where risk of bias was judged by ROBINS-I, observational studies may start
high (Schuenemann and others, J Clin Epidemiol 2019;111:105): then `start` says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from statera.errors import InputError

__all__ = [
    "Certainty",
    "Design",
    "Domain",
    "Grading",
    "Judgement",
    "certainty_of",
    "check_upgrade",
    "judgement_of",
]


class Certainty(StrEnum):
    """Level of certainty."""

    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"
    VERY_LOW = "very low"

    @property
    def symbols(self) -> str:
        """Filled and empty circles, as tables of GRADE print them."""
        return "⊕" * self.rank + "◯" * (4 - self.rank)

    @property
    def rank(self) -> int:
        """4 for high to 1 for very low."""
        return 4 - list(Certainty).index(self)

    @property
    def text(self) -> str:
        """Symbols and word: nothing is said by the symbols alone."""
        return f"{self.symbols} {self}"


class Design(StrEnum):
    """Kind of studies, which sets where certainty starts."""

    RANDOMISED = "randomised"
    OBSERVATIONAL = "observational"


class Domain(StrEnum):
    """What is judged; the last three may raise certainty."""

    RISK_OF_BIAS = "risk of bias"
    INCONSISTENCY = "inconsistency"
    INDIRECTNESS = "indirectness"
    IMPRECISION = "imprecision"
    PUBLICATION_BIAS = "publication bias"
    LARGE_EFFECT = "large effect"
    DOSE_RESPONSE = "dose-response"
    OPPOSING_CONFOUNDING = "opposing confounding"

    @property
    def raises(self) -> bool:
        """True for the domains that may raise certainty."""
        return self in (
            Domain.LARGE_EFFECT, Domain.DOSE_RESPONSE, Domain.OPPOSING_CONFOUNDING,
        )  # fmt: skip


_CONCERNS = {
    "not serious": 0, "none": 0, "no": 0, "undetected": 0, "not detected": 0,
    "serious": 1, "strongly suspected": 1, "suspected": 1, "detected": 1,
    "very serious": 2, "extremely serious": 3,
}  # fmt: skip
_GAINS = {"no": 0, "none": 0, "present": 1, "yes": 1, "large": 1, "very large": 2}
_DOWN = tuple(d for d in Domain if not d.raises)


@dataclass(frozen=True)
class Judgement:
    """One domain.

    Attributes
    ----------
    domain
    said
        As it was judged, such as ``serious``.
    levels
        Levels taken off (or added, for the domains that raise).
    reason
        Why; empty where none was given.
    """

    domain: Domain
    said: str
    levels: int
    reason: str = ""


def judgement_of(domain: Domain, said: str, reason: str = "", where: str = "") -> Judgement:
    """Return a judgement from its words.

    Raises
    ------
    InputError
        If the words are not those of GRADE; the known ones are named.
    """
    words = _GAINS if domain.raises else _CONCERNS
    plain = " ".join(said.strip().lower().replace("_", " ").split())
    if plain not in words:
        raise InputError(
            f"'{said}' is no judgement of {domain}",
            where=where or str(domain),
            hint=f"Known: {', '.join(words)}.",
        )
    return Judgement(domain, plain, words[plain], " ".join(reason.split()))


def certainty_of(said: str, where: str = "certainty") -> Certainty:
    """Return a level from its word.

    Raises
    ------
    InputError
        If it is none of the four.
    """
    plain = " ".join(said.strip().lower().replace("_", " ").replace("-", " ").split())
    for level in sorted(Certainty, key=lambda c: -len(c)):
        if plain in (str(level), f"{level} certainty", level.symbols):
            return level
    raise InputError(
        f"'{said}' is no level of certainty", where=where, hint=f"Known: {', '.join(Certainty)}."
    )


@dataclass(frozen=True)
class Grading:
    """Judgements of one outcome, and what follows from them.

    Attributes
    ----------
    outcome
        Empty where there is one outcome only.
    design
        None where it was not given.
    judgements
        One a domain; domains that were not judged are absent.
    stated
        Level that was stated, or None.
    given_start
        Level to start from where the design's own is not meant.
    """

    outcome: str = ""
    design: Design | None = None
    judgements: tuple[Judgement, ...] = ()
    stated: Certainty | None = None
    given_start: Certainty | None = None

    @property
    def start(self) -> Certainty | None:
        """Level that the design starts from."""
        if self.given_start is not None:
            return self.given_start
        if self.design is None:
            return None
        return Certainty.HIGH if self.design is Design.RANDOMISED else Certainty.LOW

    @property
    def missing(self) -> tuple[Domain, ...]:
        """Domains that take certainty off and were not judged."""
        judged = {j.domain for j in self.judgements}
        return tuple(d for d in _DOWN if d not in judged)

    @property
    def computed(self) -> Certainty | None:
        """Level that follows; None where the design or a domain is missing."""
        if self.start is None or self.missing:
            return None
        change = sum(j.levels if j.domain.raises else -j.levels for j in self.judgements)
        rank = min(4, max(1, self.start.rank + change))
        return list(Certainty)[4 - rank]

    @property
    def level(self) -> Certainty | None:
        """The stated level, or the computed one where none was stated."""
        return self.stated if self.stated is not None else self.computed

    @property
    def is_empty(self) -> bool:
        """True where nothing was judged."""
        return not self.judgements and self.stated is None

    def judgement(self, domain: Domain) -> Judgement | None:
        """Return the judgement of a domain."""
        return next((j for j in self.judgements if j.domain is domain), None)

    @property
    def sum_text(self) -> str:
        """The arithmetic, such as ``low - 1 (risk of bias) = very low``."""
        parts = [str(self.start) if self.start is not None else "start not given"]
        for j in self.judgements:
            if j.levels:
                parts.append(f"{'+' if j.domain.raises else '-'} {j.levels} ({j.domain})")
        end = self.computed
        return " ".join(parts) + (f" = {end}" if end is not None else "")

    @property
    def footnotes(self) -> tuple[str, ...]:
        """What lowered or raised the level, with its reason."""
        notes = []
        for j in self.judgements:
            if j.levels:
                how = "raised" if j.domain.raises else "lowered"
                by = f"{j.levels} level{'s' if j.levels > 1 else ''}"
                why = f": {j.reason}" if j.reason else " (no reason given)"
                notes.append(f"{how} by {by} for {j.domain}{why}")
        return tuple(notes)

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not add up, as sentences that say what to do."""
        name = f"the certainty of '{self.outcome}'" if self.outcome else "the certainty"
        found: list[str] = []
        if self.is_empty:
            return ()
        if self.start is None and self.judgements:
            found.append(
                f"{name} has no start: say whether the studies are randomised or observational."
            )
        if self.missing and (self.judgements or self.stated is not None):
            rest = ", ".join(self.missing)
            what = "cannot be checked" if self.stated is not None else "is not rated"
            found.append(f"{name} {what}: not judged is {rest}.")
        if self.stated is not None and self.computed not in (None, self.stated):
            found.append(
                f"{name} is stated as {self.stated}, but {self.sum_text}: see which judgement is "
                "meant."
            )
        for j in self.judgements:
            if j.levels and not j.reason:
                found.append(f"{name} was changed for {j.domain} without a reason: give one.")
        gained = [str(j.domain) for j in self.judgements if j.domain.raises and j.levels]
        lowered = [str(j.domain) for j in self.judgements if not j.domain.raises and j.levels]
        if gained and self.design is Design.RANDOMISED:
            found.append(
                f"{name} of randomised studies was raised for {', '.join(gained)}: only "
                "observational evidence is."
            )
        elif gained and lowered:
            found.append(
                f"{name} was raised for {', '.join(gained)} although {', '.join(lowered)} lowered "
                "it: evidence is raised where no concern remains."
            )
        return tuple(found)


def check_upgrade(grading: Grading, natural: Sequence[float], is_ratio: bool) -> tuple[str, ...]:
    """Hold a gain for a large effect against the pooled ratio.

    Parameters
    ----------
    grading
    natural
        Estimate on the natural scale, with its limits.
    is_ratio
        Only ratios have limits of what is large.
    """
    judged = grading.judgement(Domain.LARGE_EFFECT)
    if judged is None or not judged.levels or not is_ratio or not natural[0] > 0.0:
        return ()
    least = 5.0 if judged.levels > 1 else 2.0
    if abs(math.log(natural[0])) > math.log(least):
        return ()
    return (
        f"the effect of '{grading.outcome or 'the outcome'}' was called {judged.said}, but the "
        f"pooled ratio {natural[0]:.2f} is not beyond {least:g} or {1 / least:g}.",
    )
