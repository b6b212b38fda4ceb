"""Read facts files: a drug's identity and its facts, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

from statera.library.read import Document, Table, read_document, refuse_key
from statera.library.schema import CONTEXT_KEYS
from statera.sources.fact import Fact, Grade, Relation, Status

__all__ = ["FACTS_SCHEMA", "FactFile", "Identity", "read_facts"]

FACTS_SCHEMA = "statera.facts/1"

_OWN_KEYS = frozenset(
    (
        *("id", "section", "parameter", "statistic", "value", "relation", "low", "high", "unit"),
        *("population", "n", "source", "locator", "status", "grade", "note"),
    )
)


@dataclass(frozen=True)
class Identity:
    """What a drug is.

    Attributes
    ----------
    name
        International non-proprietary name.
    kind
        What it is, in words, with the source in `kind_source`.
    aliases
        Trade names and codes.
    cas, formula
        CAS number and molecular formula; empty where no source gives them.
    molar_mass
        g/mol, or None where no source gives it.
    metabolites
        Active metabolites that facts refer to.
    kind_source, cas_source, molar_mass_source
        Ids of sources; that of the molar mass covers the formula.
    """

    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    cas: str = ""
    formula: str = ""
    molar_mass: float | None = None
    metabolites: tuple[str, ...] = ()
    kind_source: str = ""
    cas_source: str = ""
    molar_mass_source: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sources of the identity, each once."""
        given = (self.kind_source, self.cas_source, self.molar_mass_source)
        return tuple(dict.fromkeys(s for s in given if s))


@dataclass(frozen=True)
class FactFile:
    """A facts file that was read; fact ``i`` stands at ``document.place("fact", i)``."""

    drug: str
    identity: Identity
    facts: tuple[Fact, ...]
    document: Document


def read_facts(path: str | Path | Traversable) -> FactFile:
    """Read a facts file.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is missing, unknown or of the wrong type. The
        error says where, as ``file:line:column``, and what was expected.
    """
    document = read_document(path, FACTS_SCHEMA)
    top = document.table()
    top.text("schema")
    drug = top.text("drug")
    identity = _identity(top.sub("identity"))
    facts = tuple(_fact(table, drug) for table in top.tables("fact"))
    top.finish("identity")
    return FactFile(drug, identity, facts, document)


def _identity(table: Table) -> Identity:
    identity = Identity(
        name=table.text("name"),
        kind=table.text("kind"),
        aliases=table.texts("aliases"),
        cas=table.text("cas", ""),
        formula=table.text("formula", ""),
        molar_mass=table.number("molar_mass"),
        metabolites=table.texts("metabolites"),
        kind_source=table.text("kind_source", ""),
        cas_source=table.text("cas_source", ""),
        molar_mass_source=table.text("molar_mass_source", ""),
    )
    table.finish()
    if identity.molar_mass is not None and identity.molar_mass <= 0:
        table.fail(
            "molar_mass", f"'molar_mass' is {identity.molar_mass}", "a number above 0, g/mol"
        )
    return identity


def _fact(table: Table, drug: str) -> Fact:
    section = table.text("section")
    if section not in CONTEXT_KEYS:
        table.fail(
            "section",
            f"'section' is '{section}', which is not known",
            f"one of: {', '.join(CONTEXT_KEYS)}",
        )
    status = table.choice("status", Status, Status.MEASURED)
    relation = table.choice("relation", Relation, Relation.EQUAL)
    value, low, high = table.scalar("value"), table.number("low"), table.number("high")
    if value is None and status is not Status.NOT_RETRIEVED:
        if relation is not Relation.RANGE:
            table.fail(
                "value", f"'value' is missing{table.name}", 'a value, or status = "not_retrieved"'
            )
        if low is None or high is None:
            table.fail("relation", "a range needs both ends", "low and high")
    fact = Fact(
        id=table.text("id"),
        drug=drug,
        section=section,
        # the endpoint of a trial is its own name
        parameter=table.text("parameter", table.text("endpoint", "")) or table.text("parameter"),
        value=value,
        source=table.text("source"),
        relation=relation,
        low=low,
        high=high,
        unit=table.text("unit", ""),
        statistic=table.text("statistic", ""),
        population=table.text("population", ""),
        n=table.text("n", ""),
        locator=table.text("locator", ""),
        status=status,
        grade=table.choice("grade", Grade),
        note=table.text("note", ""),
        context=_context(table, section),
    )
    table.finish()
    return fact


def _context(table: Table, section: str) -> Mapping[str, str]:
    """Return the keys of the section, as texts; an unknown one is an error."""
    allowed = CONTEXT_KEYS[section]
    context: dict[str, str] = {}
    for key, value in table.data.items():
        if key in _OWN_KEYS:
            continue
        if key not in allowed:
            refuse_key(table, key, set(allowed | _OWN_KEYS))
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            table.fail(key, f"'{key}' is neither a text nor a number", "a text or a number")
        context[key] = str(value)
    table.rest()
    return MappingProxyType(context)
