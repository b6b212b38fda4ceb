"""Expected inhibition of a receptor from the inhibition of its kinases, under a named assumption.

No assumption here is a fact about a receptor. Each one is a rule for reading kinase potencies, and
results under different rules may be shown side by side: for the same kinases
`least_inhibited` <= `limiting_kinase` <= `independent`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from statera.engagement.basis import Basis, concentration_basis
from statera.engagement.inhibition import inhibition_at
from statera.engagement.potency import Potency
from statera.engagement.stated import Matrix
from statera.errors import UnknownNameError
from statera.numerics.interval import Interval

__all__ = [
    "ASSUMPTIONS",
    "JAKS",
    "KinaseInhibition",
    "PairAssumption",
    "ReceptorInhibition",
    "ReceptorKinases",
    "assumption",
    "expected_inhibition",
    "kinase_inhibition",
    "parse_kinases",
]

JAKS = ("JAK1", "JAK2", "JAK3", "TYK2")
UNKNOWN = Interval(0.0, 1.0)


@dataclass(frozen=True)
class PairAssumption:
    """A rule that joins the inhibition of a receptor's kinases.

    Attributes
    ----------
    key
        Name for options and data.
    name
        Name for tables.
    formula
        In terms of the inhibitions I1, I2, ... of the kinases.
    rationale
        What is assumed; never stated as known.
    source
        Where the rule comes from.
    """

    key: str
    name: str
    formula: str
    rationale: str
    source: str
    join: Callable[[Sequence[float]], float]


def _independent(values: Sequence[float]) -> float:
    return 1.0 - math.prod(1.0 - v for v in values)


ASSUMPTIONS: dict[str, PairAssumption] = {
    rule.key: rule
    for rule in (
        PairAssumption(
            "limiting_kinase",
            "Limiting kinase",
            "I = max(I1, I2, ...)",
            "Assumed: the receptor signals only as well as its most inhibited kinase lets it.",
            "assumption of this program",
            max,
        ),
        PairAssumption(
            "independent",
            "Independent kinases",
            "I = 1 - (1 - I1)(1 - I2)...",
            "Assumed: each kinase passes on its own residual activity, and the residuals multiply.",
            "product rule of independent action, Bliss, Ann Appl Biol 1939;26:585-615; applying it "
            "to the kinases of one receptor is an assumption of this program",
            _independent,
        ),
        PairAssumption(
            "least_inhibited",
            "Least inhibited kinase",
            "I = min(I1, I2, ...)",
            "Assumed: the least inhibited kinase can carry the signal alone.",
            "assumption of this program",
            min,
        ),
    )
}


def assumption(key: str) -> PairAssumption:
    """Return the assumption of that name, or raise UnknownNameError."""
    try:
        return ASSUMPTIONS[key]
    except KeyError:
        raise UnknownNameError("assumption", key, ASSUMPTIONS) from None


@dataclass(frozen=True)
class ReceptorKinases:
    """The kinases that a source lists for a receptor.

    Attributes
    ----------
    names
        Kinases in the source's order, ``?`` for one that it leaves open; a homodimer names its
        kinase twice. Empty where the source could not be read.
    homodimer_assumed
        True where the source lists a single kinase and a pair of it is assumed.
    note
        What a reader must know, such as that three kinases are listed.
    """

    names: tuple[str, ...]
    homodimer_assumed: bool = False
    note: str = ""

    @property
    def text(self) -> str:
        """The kinases joined by slashes."""
        return "/".join(self.names) if self.names else "not retrieved"


def parse_kinases(text: str) -> ReceptorKinases:
    """Read a source's list such as ``JAK1;JAK3``, ``JAK2``, ``JAK1;?`` or ``NOT RETRIEVED``.

    Raises
    ------
    UnknownNameError
        If something else than a JAK or ``?`` is listed.
    """
    written = text.strip()
    if not written or written.upper() == "NOT RETRIEVED":
        return ReceptorKinases((), note="the source could not be read")
    names = []
    for part in re.split(r"[;/,]", written):
        name = part.strip().upper()
        if name not in (*JAKS, "?"):
            raise UnknownNameError("kinase", part.strip(), JAKS)
        names.append(name)
    if len(names) == 1:
        return ReceptorKinases(
            (names[0], names[0]),
            homodimer_assumed=True,
            note=f"one kinase is listed; a pair {names[0]}/{names[0]} is assumed",
        )
    note = ""
    if len(names) > 2:
        note = f"{len(names)} kinases are listed; which of them pair is not stated, all are used"
    return ReceptorKinases(tuple(names), note=note)


@dataclass(frozen=True)
class KinaseInhibition:
    """Inhibition of one kinase at one concentration.

    Attributes
    ----------
    kinase
        Name.
    value
        Fraction; it spans all potencies used, so that sources that disagree widen it.
    used
        Each potency with the basis on which it was compared.
    """

    kinase: str
    value: Interval
    used: tuple[tuple[Potency, Basis], ...]


@dataclass(frozen=True)
class ReceptorInhibition:
    """Expected inhibition of a receptor under one assumption.

    Attributes
    ----------
    value
        Fraction; None where the kinases of the receptor are not known at all.
    kinases
        What was joined.
    missing
        Kinases without a potency, taken as anything from 0 to 1; sorted, each named once.
    assumption
        The rule used.
    """

    value: Interval | None
    kinases: ReceptorKinases
    missing: tuple[str, ...]
    assumption: PairAssumption


def kinase_inhibition(
    total_nM: float,
    potencies: Iterable[Potency],
    unbound_fraction: float | None,
    matrices: Sequence[Matrix] = ("enzyme",),
) -> dict[str, KinaseInhibition]:
    """Return the inhibition of each kinase that has a potency of its own.

    Parameters
    ----------
    total_nM
        Total concentration, nM.
    potencies
        In nM; those whose target is a single kinase and whose matrix is in `matrices` are used.
        Those of a pair such as ``JAK1/2`` say nothing about one kinase, and those of a metabolite
        belong to another concentration: both are left out.
    unbound_fraction
        In plasma; None where not known (see `concentration_basis`).
    matrices
        Kinds of assay accepted. Enzyme potencies are measured at the assay's own ATP, so what is
        inferred from them for a cell is a comparison between kinases rather than a prediction.

    Returns
    -------
    dict
        By kinase, only those with a potency.
    """
    found: dict[str, list[tuple[Potency, Basis, Interval]]] = {}
    for potency in potencies:
        kinase = potency.target.strip().upper()
        usable = potency.matrix in matrices and not potency.is_of_metabolite
        if kinase not in JAKS or not usable:
            continue
        basis = concentration_basis(potency, unbound_fraction)
        value = inhibition_at(total_nM * basis.factor, potency)
        found.setdefault(kinase, []).append((potency, basis, value))
    return {
        kinase: KinaseInhibition(
            kinase,
            Interval(min(v.low for _, _, v in items), max(v.high for _, _, v in items)),
            tuple((p, b) for p, b, _ in items),
        )
        for kinase, items in found.items()
    }


def expected_inhibition(
    kinases: ReceptorKinases, by_kinase: Mapping[str, Interval], rule: PairAssumption
) -> ReceptorInhibition:
    """Join the inhibition of a receptor's kinases under `rule`.

    All rules rise with every kinase's inhibition, so the ends of the result come from the ends of
    the inputs; no distribution within an interval is assumed.

    Parameters
    ----------
    kinases
        Of the receptor.
    by_kinase
        Inhibition of each kinase, fraction. A kinase that is absent, or ``?``, may have any value
        from 0 to 1.
    rule
        The assumption.
    """
    if not kinases.names:
        return ReceptorInhibition(None, kinases, (), rule)
    ends = [by_kinase.get(name, UNKNOWN) for name in kinases.names]
    value = Interval(rule.join([e.low for e in ends]), rule.join([e.high for e in ends]))
    missing = tuple(sorted({name for name in kinases.names if name not in by_kinase}))
    return ReceptorInhibition(value, kinases, missing, rule)
