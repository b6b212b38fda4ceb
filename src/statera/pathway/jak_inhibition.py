"""Inhibition of Janus kinases as a part that any pathway can be given.

A small file beside the SBML file says which reactions a JAK catalyses::

    schema = "statera.jak/1"
    network = "il6_model"

    [[inhibited]]                  # the rate of the reaction is multiplied by the residual activity
    reaction = "v5_Activation_of_the_JAK1_receptor"
    kinases = ["JAK1"]

    [[drug_term]]                  # or: a drug that the model's own formulas hold already
    name = "Ruxolitinib"
    half_effect = 166.1            # nM at which its formulas halve the rates
    kinases = ["JAK1"]

With the concentration C and the potency K of a kinase its residual activity is
``a = 1 / (1 + (C / K)^h)``. A drug term, which the model holds as ``1 / (1 + D / half_effect)``,
becomes ``D = half_effect (1/a - 1)``: with h = 1 that is C in units of its own drug's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import sympy as sp

from statera.errors import InputError, UnknownNameError
from statera.library.read import Table, read_document
from statera.numerics.expression import symbol
from statera.pathway.network import Network, Reaction

__all__ = [
    "RULES",
    "DrugTerm",
    "Inhibited",
    "JakMarks",
    "KinasePotency",
    "Rule",
    "inhibit",
    "read_jak_marks",
    "residual_name",
    "slowed_reactions",
    "unexplained_rate",
]

KINASES = ("JAK1", "JAK2", "JAK3", "TYK2")
Rule = Literal["limiting_kinase", "independent", "least_inhibited"]
RULES: tuple[Rule, ...] = ("limiting_kinase", "independent", "least_inhibited")
"""How residual activities of a reaction's kinases join: the least, the product, the greatest."""

_JOIN = {"limiting_kinase": sp.Min, "independent": sp.Mul, "least_inhibited": sp.Max}


@dataclass(frozen=True)
class Inhibited:
    """A reaction and the kinases that catalyse it."""

    reaction: str
    kinases: tuple[str, ...]


@dataclass(frozen=True)
class DrugTerm:
    """A name that the model's formulas use as a drug's concentration, in nM."""

    name: str
    half_effect: float
    kinases: tuple[str, ...]


@dataclass(frozen=True)
class JakMarks:
    """What a drug acts on in one network."""

    network: str
    inhibited: tuple[Inhibited, ...]
    terms: tuple[DrugTerm, ...]
    source: str = ""

    @property
    def kinases(self) -> tuple[str, ...]:
        """Kinases in order of their first mention."""
        each = [i.kinases for i in self.inhibited] + [t.kinases for t in self.terms]
        named = [k for kinases in each for k in kinases]
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True)
class KinasePotency:
    """Concentration that halves a kinase's activity in nM, the Hill coefficient, and the basis.

    Attributes
    ----------
    unbound
        Whether it is compared with unbound drug rather than total.
    """

    ic50: float
    hill: float = 1.0
    unbound: bool = True

    def __post_init__(self) -> None:
        for name, value in (("IC50", self.ic50), ("Hill coefficient", self.hill)):
            if not (math.isfinite(value) and value > 0.0):
                raise InputError(f"the {name} of a kinase is {value:g}; it must be above 0")


def read_jak_marks(path: str | Path | Traversable) -> JakMarks:
    """Read which reactions of a network the Janus kinases catalyse.

    Raises
    ------
    InputError
        If the file cannot be read, marks nothing, or names something twice or something unknown.
    """
    top = read_document(path, "statera.jak/1").table()
    top.text("schema")
    network, source = top.text("network"), top.text("source", "")
    inhibited = tuple(
        Inhibited(table.text("reaction"), _kinases(table)) for table in top.tables("inhibited")
    )
    terms = tuple(
        DrugTerm(table.text("name"), _half_effect(table), _kinases(table))
        for table in top.tables("drug_term")
    )
    for key in ("inhibited", "drug_term"):
        for table in top.tables(key):
            table.finish("reaction", "name", "half_effect", "kinases")
    top.finish()
    names = [i.reaction for i in inhibited] + [t.name for t in terms]
    if not names:
        top.fail("inhibited", "nothing is marked", "at least one [[inhibited]] or [[drug_term]]")
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        top.fail("inhibited", f"{', '.join(twice)} is marked twice", "each reaction or name once")
    return JakMarks(network, inhibited, terms, source)


def _kinases(table: Table) -> tuple[str, ...]:
    names = table.texts("kinases", required=True)
    unknown = [n for n in names if n not in KINASES]
    if unknown or len(set(names)) != len(names) or not names:
        table.fail("kinases", f"kinases = {list(names)}", f"some of {', '.join(KINASES)}, once")
    return names


def _half_effect(table: Table) -> float:
    value = table.number("half_effect")
    if value is None or value <= 0.0:
        table.fail("half_effect", "the half-maximal concentration is missing or not above 0", "nM")
    return value


def residual_name(kinase: str) -> str:
    """Return the name under which a network holds the residual activity of a kinase."""
    return f"residual_{kinase}"


def inhibit(
    network: Network,
    marks: JakMarks,
    potencies: Mapping[str, KinasePotency],
    *,
    concentration: str = "C_total_nM",
    unbound: float | None = None,
    rule: Rule = "limiting_kinase",
) -> Network:
    """Return the network with its marked reactions inhibited.

    Parameters
    ----------
    network
        It may hold the drug's concentration as a state, assigned name or parameter; if it has
        none, `concentration` becomes a parameter with value 0.
    marks
        What the drug acts on.
    potencies
        By kinase. A kinase without one is not inhibited, and the network's notes say so.
    concentration
        Name of the total concentration in nM.
    unbound
        Fraction of it that is not bound, needed where a potency is compared with unbound drug.
    rule
        How the residual activities of several kinases of one reaction join.

    Raises
    ------
    InputError
        If the marks are of another network, or an unbound fraction is needed and missing.
    UnknownNameError
        If a mark names something that the network does not have.
    """
    if marks.network != network.id:
        raise InputError(
            f"the marks are of the network {marks.network}, and this one is {network.id}",
            hint="Use the file that belongs to the network.",
        )
    if rule not in RULES:
        raise UnknownNameError("rule", rule, RULES)
    network = _with_concentration(network, concentration)
    usable = {k: potencies[k] for k in marks.kinases if k in potencies}
    network = _with_residuals(network, usable, concentration, unbound)
    for item in marks.inhibited:
        joined = _joined(item.kinases, usable, rule)
        network = _slowed(network, item.reaction, joined)
    for term in marks.terms:
        network = _replaced(network, term, _joined(term.kinases, usable, rule))
    absent = [k for k in marks.kinases if k not in potencies]
    notes = (
        f"no potency of {', '.join(absent)} is given: taken as not inhibited",
    ) if absent else ()  # fmt: skip
    return replace(network, notes=(*network.notes, *notes))


def _with_concentration(network: Network, name: str) -> Network:
    if name in network.parameters or name in network.assigned or name in network.states:
        return network
    return replace(network, parameters={**network.parameters, name: 0.0})


def _with_residuals(
    network: Network,
    potencies: Mapping[str, KinasePotency],
    concentration: str,
    unbound: float | None,
) -> Network:
    """Add residual activities, right behind the concentration that they need.

    Potencies and the unbound fraction are parameters, so that drugs and persons differ by numbers
    alone and share the compiled network.
    """
    residuals: dict[str, sp.Expr] = {}
    parameters = dict(network.parameters)
    for kinase, potency in potencies.items():
        if residual_name(kinase) in (*network.parameters, *network.assigned, *network.states):
            raise InputError(f"the network {network.id} is inhibited already: {kinase}")
        counted = symbol(concentration)
        if potency.unbound:
            if unbound is None:
                raise InputError(
                    f"the potency against {kinase} is compared with unbound drug, and no unbound "
                    "fraction is known",
                    hint="Give the fraction, or a potency that is compared with total drug.",
                )
            parameters["unbound_fraction"] = unbound
            counted = counted * symbol("unbound_fraction")
        parameters[f"IC50_{kinase}"] = potency.ic50
        ratio = counted / symbol(f"IC50_{kinase}")
        power = ratio if potency.hill == 1.0 else ratio ** sp.Float(potency.hill)
        residuals[residual_name(kinase)] = 1 / (1 + power)
    assigned: dict[str, sp.Expr] = {} if concentration in network.assigned else residuals
    for name, formula in network.assigned.items():
        assigned[name] = formula
        if name == concentration:
            assigned |= residuals
    return replace(network, assigned=assigned, parameters=parameters)


def _joined(
    kinases: tuple[str, ...], potencies: Mapping[str, KinasePotency], rule: Rule
) -> sp.Expr:
    each = [symbol(residual_name(k)) if k in potencies else sp.Integer(1) for k in kinases]
    return each[0] if len(each) == 1 else _JOIN[rule](*each)


def _slowed(network: Network, name: str, residual: sp.Expr) -> Network:
    """Multiply the rate of one reaction, in all balances that hold it."""
    by_id = {r.id: r for r in network.reactions}
    if name not in by_id:
        raise UnknownNameError("reaction", name, by_id)
    reaction = by_id[name]
    if name in network.assigned:  # the network names the rate of the reaction
        assigned = {**network.assigned, name: network.assigned[name] * residual}
        return _with_law(replace(network, assigned=assigned), reaction, residual)
    rates = dict(zip(network.states, network.rates, strict=True))
    for species, share in _shares(network, reaction).items():
        if species in rates:
            rates[species] = rates[species] - share + share * residual
    return _with_law(replace(network, rates=tuple(rates.values())), reaction, residual)


def _with_law(network: Network, reaction: Reaction, residual: sp.Expr) -> Network:
    changed = replace(reaction, law=reaction.law * residual)
    reactions = tuple(changed if r.id == reaction.id else r for r in network.reactions)
    return replace(network, reactions=reactions)


def _shares(network: Network, reaction: Reaction) -> dict[str, sp.Expr]:
    """Return what the reaction adds to the rate of each species, in the species' own unit."""
    species = {s.id: s for s in network.species}
    found: dict[str, sp.Expr] = {}
    for sign, side in ((-1, reaction.reactants), (1, reaction.products)):
        for name, number in side:
            of = species[name]
            if of.boundary or of.constant:
                continue
            volume = sp.Integer(1) if of.amount else symbol(of.compartment)
            found[name] = found.get(name, sp.Integer(0)) + sign * number * reaction.law / volume
    return found


def slowed_reactions(network: Network, marks: JakMarks) -> set[str]:
    """Return the ids of the reactions that a drug slows, those that use a drug term among them."""
    terms = {t.name for t in marks.terms}
    named = {i.reaction for i in marks.inhibited}
    return named | {r.id for r in network.reactions if terms & {s.name for s in r.law.free_symbols}}


def unexplained_rate(network: Network, values: Mapping[str, float]) -> dict[str, float]:
    """Return what is left of each species' rate once all reactions are taken away, at a point.

    0 everywhere, apart from rounding, where species change by reactions alone: the check that
    `inhibit` takes the right terms away.

    Parameters
    ----------
    values
        Numbers for the time, all states and all parameters.
    """
    known = {symbol(k): v for k, v in values.items()}
    rates = dict(zip(network.states, network.rates, strict=True))
    left = {s.id: rates[s.id] for s in network.species if s.id in rates}
    for reaction in network.reactions:
        for name, share in _shares(network, reaction).items():
            left[name] = left[name] - share
    return {k: float(network.flat(v).subs(known)) for k, v in left.items()}


def _replaced(network: Network, term: DrugTerm, residual: sp.Expr) -> Network:
    if term.name in network.states:
        raise InputError(
            f"{term.name} of {network.id} changes by reactions of its own; only a parameter or "
            "an assigned name can stand for another drug",
            hint="Mark the reactions instead.",
        )
    if term.name not in network.assigned and term.name not in network.parameters:
        raise UnknownNameError("name", term.name, [*network.assigned, *network.parameters])
    formula = sp.Float(term.half_effect) * (1 / residual - 1)
    parameters = {k: v for k, v in network.parameters.items() if k != term.name}
    others = {k: v for k, v in network.assigned.items() if k != term.name}
    needed = {s.name for s in formula.free_symbols}
    assigned: dict[str, sp.Expr] = {} if needed & set(others) else {term.name: formula}
    for name, other in others.items():
        assigned[name] = other
        needed.discard(name)
        if not needed and term.name not in assigned:
            assigned[term.name] = formula
    return replace(network, parameters=parameters, assigned=assigned)
