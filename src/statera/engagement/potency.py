"""Potencies: half-maximal inhibitory concentrations, known exactly or only as bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from statera.engagement.ic50_uncertainty import Ic50Uncertainty
from statera.engagement.stated import (
    MATRICES,
    Matrix,
    Stated,
    Unit,
    matrix_of,
    parse_stated,
    standard_unit,
)
from statera.errors import InputError, StateraError
from statera.numerics.interval import Interval
from statera.sources.fact import Fact, Relation
from statera.units import molar_from_mass

__all__ = ["Potency", "Skipped", "from_fact", "potencies_from_facts"]

#: Above this slope a Hill coefficient is taken for a slip of the pen.
MAX_HILL = 10.0
#: Above one mol/L a potency is taken for a slip of the pen.
MAX_VALUE = 1e9

# What the facts write where the source's stimulus could not be read.
_UNREAD = ("not captured", "not retrieved")
# Quantities that say at which concentration half of the effect is reached.
_HALF_MAXIMAL = ("IC50", "EC50")
_HILL_NOTE = re.compile(r"\bHill(?:\s+coefficient)?\s*[=:]?\s*(\d+(?:\.\d+)?)", re.IGNORECASE)


@dataclass(frozen=True)
class Potency:
    """A concentration that inhibits by half, with what it was measured on.

    Attributes
    ----------
    drug
        Name of the drug.
    value
        The stated IC50 or EC50 in `unit`; None for a range.
    unit
        ``nM`` or ``ng/mL``.
    relation
        Point, about, bound or range.
    low, high
        Ends of a range, in `unit`.
    label
        Short name for tables; made from stimulus, readout and target where empty.
    target
        Kinase or pair of kinases, such as ``JAK1``.
    stimulus
        Cytokine that drives the readout.
    readout
        What was measured, such as ``pSTAT3``.
    assay
        Kind of assay as the source names it.
    hill
        Hill coefficient.
    hill_assumed
        True where the source gives no Hill coefficient, so that `hill` is an assumption.
    matrix
        What the drug was dissolved in when measured; decides which concentration to use.
    source
        Id of the source.
    note
        What a reader must know before using the value.
    analyte
        Substance whose concentration counts; the drug itself where empty. A metabolite's potency
        is compared with the metabolite's concentration and uses its molar mass.
    cells
        Cells in which it was measured, such as ``CD4``.
    uncertainty
        How well the value is known and how much it differs between donors; None where only the
        value is known, as for most published potencies.

    Raises
    ------
    InputError
        If a number is not positive and finite, absurd, or missing for its relation.
    """

    drug: str
    value: float | None
    unit: Unit
    relation: Relation = Relation.EQUAL
    low: float | None = None
    high: float | None = None
    label: str = ""
    target: str = ""
    stimulus: str = ""
    readout: str = ""
    assay: str = ""
    hill: float = 1.0
    hill_assumed: bool = True
    matrix: Matrix = "unknown"
    source: str = ""
    note: str = ""
    analyte: str = ""
    cells: str = ""
    uncertainty: Ic50Uncertainty | None = None

    def __post_init__(self) -> None:
        if self.unit not in ("nM", "ng/mL"):
            raise InputError(f"'{self.unit}' is not nM or ng/mL", where=self._where())
        if self.matrix not in MATRICES:
            raise InputError(
                f"'{self.matrix}' is not a matrix",
                where=self._where(),
                hint=f"Known: {', '.join(MATRICES)}.",
            )
        if self.relation is Relation.RANGE:
            _check_value(self.low, self._where())
            _check_value(self.high, self._where())
            if not (self.low or 0.0) <= (self.high or 0.0):
                raise InputError(
                    f"the range {self.low:g} to {self.high:g} is upside down", where=self._where()
                )
        else:
            _check_value(self.value, self._where())
        if not 0.0 < self.hill <= MAX_HILL:
            raise InputError(
                f"a Hill coefficient of {self.hill:g} is not plausible",
                where=self._where(),
                hint=f"Expected: above 0, at most {MAX_HILL:g}.",
            )

    def _where(self) -> str:
        return f"potency of {self.drug or 'a drug'}"

    @property
    def name(self) -> str:
        """The label, or one made from what was measured."""
        if self.label:
            return self.label
        unread = self.stimulus.lower() in _UNREAD
        stimulus = "" if unread else self.stimulus
        parts = (stimulus, self.readout, self.target if not stimulus else "", self.cells)
        name = ", ".join(p for p in parts if p) or "unnamed potency"
        if self.is_of_metabolite:
            name = f"{name}, {self.analyte}"
        return f"{name} (stimulus not retrieved)" if unread else name

    @property
    def is_of_metabolite(self) -> bool:
        """True where the concentration of another substance than the drug counts."""
        return bool(self.analyte) and self.analyte.lower() != self.drug.lower()

    @property
    def ic50(self) -> Interval:
        """All admissible values of the IC50, in `unit`.

        ``< 50`` gives 0 to 50, ``> 400`` gives 400 to infinity; a value stated as about is taken as
        a point. The ends of an open bound are included: they are limits of what is admissible.
        """
        if self.relation is Relation.RANGE:
            return Interval(float(self.low or 0.0), float(self.high or 0.0))
        value = float(self.value or 0.0)
        if self.relation in (Relation.LESS, Relation.AT_MOST):
            return Interval(0.0, value)
        if self.relation in (Relation.GREATER, Relation.AT_LEAST):
            return Interval(value, math.inf)
        return Interval.point(value)

    @property
    def text(self) -> str:
        """The potency as stated, such as ``< 50 nM``."""
        if self.relation is Relation.RANGE:
            return f"{self.low:g} to {self.high:g} {self.unit}"
        sign = "" if self.relation is Relation.EQUAL else f"{self.relation.value} "
        return f"{sign}{self.value:g} {self.unit}"

    def in_nM(self, molar_mass: float | None) -> Potency:
        """Return the same potency in nM.

        Parameters
        ----------
        molar_mass
            Of the analyte, g/mol; needed only where the potency is stated in ng/mL.

        Raises
        ------
        InputError
            If the molar mass is needed and missing, or not positive.
        """
        if self.unit == "nM":
            return self
        if molar_mass is None or not 0.0 < molar_mass < math.inf:
            raise InputError(
                f"{self.text} cannot be expressed in nM without the molar mass",
                where=self._where(),
                hint="Give the molar mass in g/mol.",
            )

        def molar(x: float | None) -> float | None:
            return None if x is None else molar_from_mass(x, molar_mass)

        known = self.uncertainty
        if known is not None:
            known = replace(known, low=molar(known.low), high=molar(known.high))
        return replace(
            self,
            value=molar(self.value),
            low=molar(self.low),
            high=molar(self.high),
            unit="nM",
            uncertainty=known,
        )


@dataclass(frozen=True)
class Skipped:
    """A fact of the potency section that is no potency, and why."""

    fact_id: str
    reason: str


def _check_value(value: float | None, where: str) -> None:
    if value is None or not 0.0 < value <= MAX_VALUE:
        shown = "missing" if value is None else f"{value:g}"
        raise InputError(
            f"a potency of {shown} is not plausible",
            where=where,
            hint="Expected: a concentration above 0 and below 1 mol/L.",
        )


def from_fact(fact: Fact) -> Potency:
    """Make a potency of a fact from the potency section.

    The context key ``quantity`` must be IC50 or EC50 where it is given: a concentration at which
    some effect was seen says nothing about where half of it is reached.

    The Hill coefficient is read from the context key ``hill`` or, where the source's own slope
    stands in the note (``Hill 1.97``), from there; otherwise it is 1 and marked as assumed.

    Raises
    ------
    InputError
        If the fact is no half-maximal concentration: a selectivity ratio, an effective
        concentration, or a value not retrieved.
    """
    where = f"fact {fact.id}"
    if fact.is_missing:
        raise InputError("the value could not be read from its source", where=where)
    if fact.unit in ("fold", "ratio"):
        raise InputError("a selectivity ratio, not a concentration", where=where)
    quantity = fact.get("quantity")
    if quantity and quantity.upper() not in _HALF_MAXIMAL:
        raise InputError(
            f"'{quantity.replace('_', ' ')}' is not a half-maximal concentration", where=where
        )
    try:
        factor, unit = standard_unit(fact.unit)
        if isinstance(fact.value, str):
            stated = parse_stated(fact.value)
        elif fact.relation is Relation.RANGE:
            stated = Stated(Relation.RANGE, None, fact.low, fact.high)
        else:
            stated = Stated(fact.relation, fact.number)
    except StateraError as error:
        raise InputError(error.what, where=where, hint=error.hint) from error
    hill, hill_assumed = _hill_of(fact)
    assay = fact.get("assay")
    return Potency(
        drug=fact.drug,
        value=_scaled(stated.value, factor),
        unit=unit,
        relation=stated.relation,
        low=_scaled(stated.low, factor),
        high=_scaled(stated.high, factor),
        label=fact.get("label"),
        target=fact.get("target"),
        stimulus=fact.get("stimulus"),
        readout=fact.get("readout"),
        assay=assay,
        hill=hill,
        hill_assumed=hill_assumed,
        matrix=matrix_of(assay),
        source=fact.source,
        note=fact.note,
        analyte=fact.get("analyte"),
    )


def potencies_from_facts(facts: Iterable[Fact]) -> tuple[tuple[Potency, ...], tuple[Skipped, ...]]:
    """Return the potencies among `facts`, and what was left out with the reason."""
    potencies: list[Potency] = []
    skipped: list[Skipped] = []
    for fact in facts:
        try:
            potencies.append(from_fact(fact))
        except InputError as error:
            skipped.append(Skipped(fact.id, error.what))
    return tuple(potencies), tuple(skipped)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _hill_of(fact: Fact) -> tuple[float, bool]:
    given = fact.get("hill")
    if given:
        try:
            return float(given), False
        except ValueError as error:
            raise InputError(
                f"'{given}' is not a Hill coefficient", where=f"fact {fact.id}"
            ) from error
    noted = _HILL_NOTE.search(fact.note)
    return (float(noted.group(1)), False) if noted else (1.0, True)
