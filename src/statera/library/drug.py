"""A drug of the library: its identity, facts and label rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable

from statera.errors import InputError, Place, UnknownNameError
from statera.library.facts import FactFile, Identity, read_facts
from statera.library.labels import LabelRule, read_labels
from statera.library.paths import Root, data_root, files_in
from statera.library.schema import CLASS_NAME
from statera.sources.fact import Fact

__all__ = ["Drug", "class_facts", "drugs", "load_class", "load_drug"]

_WHOLE_CLASS = "JAK inhibitors"


@dataclass(frozen=True)
class Drug:
    """What the library holds about one drug.

    Attributes
    ----------
    name
        Name in the library, lower case.
    aliases
        Trade names and codes under which it is found.
    identity
        Kind, formula, molar mass and their sources.
    facts
        Facts about this drug alone; those it shares with others are in `class_facts`.
    labels
        Label rules of all regions.
    """

    name: str
    aliases: tuple[str, ...]
    identity: Identity
    facts: tuple[Fact, ...]
    labels: tuple[LabelRule, ...] = ()

    def facts_in(self, section: str) -> tuple[Fact, ...]:
        """Return the facts of one section, in the order of the file."""
        return tuple(f for f in self.facts if f.section == section)

    def fact(self, fact_id: str) -> Fact:
        """Return one fact by its id.

        Raises
        ------
        UnknownNameError
            If the drug has no such fact; the nearest ids are given.
        """
        for fact in self.facts:
            if fact.id == fact_id:
                return fact
        raise UnknownNameError(f"fact about {self.name}", fact_id, (f.id for f in self.facts))

    @property
    def sections(self) -> tuple[str, ...]:
        """Sections with at least one fact, each once, in the order of the file."""
        return tuple(dict.fromkeys(f.section for f in self.facts))

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions with at least one label rule."""
        return tuple(dict.fromkeys(rule.region for rule in self.labels))

    def labels_in(self, region: str) -> tuple[LabelRule, ...]:
        """Return the label rules of one region, in the order of the file."""
        return tuple(rule for rule in self.labels if rule.region == region)


def drugs(root: Root | None = None) -> tuple[str, ...]:
    """Return the names of the drugs that the library knows, sorted.

    Raises
    ------
    InputError
        If `root` is not a directory.
    """
    names = (f.name.removesuffix(".toml") for f in files_in(data_root(root), "facts"))
    return tuple(name for name in names if name != CLASS_NAME)


def load_drug(name: str, root: Root | None = None) -> Drug:
    """Return a drug by its name or an alias, whatever its case.

    Parameters
    ----------
    name
        Such as ``baricitinib`` or ``Olumiant``.
    root
        Directory of the library; the shipped one by default.

    Raises
    ------
    UnknownNameError
        If no drug has this name; the nearest are given.
    InputError
        If a file of the drug is wrong.
    """
    given = name.strip().lower()
    if given in drugs(root):
        return _drug(given, root)
    by_alias = {
        alias.lower(): known
        for known in drugs(root)
        for alias in _facts(known, root).identity.aliases
    }
    if given in by_alias:
        return _drug(by_alias[given], root)
    spellings = [a for known in drugs(root) for a in _facts(known, root).identity.aliases]
    raise UnknownNameError("drug", name, (*drugs(root), *spellings))


def load_class(root: Root | None = None) -> Drug:
    """Return the facts about several drugs or about the class of JAK inhibitors.

    Raises
    ------
    InputError
        If the file is absent or wrong.
    """
    return _drug(CLASS_NAME, root)


def class_facts(
    section: str | None = None, drug: str | None = None, root: Root | None = None
) -> tuple[Fact, ...]:
    """Return facts about several drugs or about the class.

    Parameters
    ----------
    section
        Only facts of this section.
    drug
        Only facts that name this drug or concern the class as a whole; the key ``drugs`` of a
        fact's context lists whom it concerns.
    root
        Directory of the library; the shipped one by default.
    """
    facts = load_class(root).facts
    return tuple(
        f
        for f in facts
        if (section is None or f.section == section)
        and (drug is None or {drug, _WHOLE_CLASS} & set(f.get("drugs").split("; ")))
    )


def _drug(name: str, root: Root | None) -> Drug:
    return _shipped_drug(name) if root is None else _read_drug(name, data_root(root))


def _facts(name: str, root: Root | None) -> FactFile:
    return _shipped_facts(name) if root is None else _read_facts(name, data_root(root))


@lru_cache(maxsize=32)
def _shipped_drug(name: str) -> Drug:
    return _read_drug(name, data_root(), _shipped_facts(name))


@lru_cache(maxsize=32)
def _shipped_facts(name: str) -> FactFile:
    return _read_facts(name, data_root())


def _read_facts(name: str, root: Traversable) -> FactFile:
    path = root / "facts" / f"{name}.toml"
    found = read_facts(path)
    if found.drug != name or found.identity.name != name:
        key = ("drug",) if found.drug != name else ("identity", "name")
        raise InputError(
            f"the file is called {name}.toml but is about '{found.drug}' ('{found.identity.name}')",
            where=found.document.place(*key),
            hint="Name the file after the drug, in lower case.",
        )
    return found


def _read_drug(name: str, root: Traversable, facts: FactFile | None = None) -> Drug:
    facts = facts if facts is not None else _read_facts(name, root)
    rules: list[LabelRule] = []
    for path in files_in(root, "labels"):
        if not path.name.startswith(f"{name}_"):
            continue
        label = read_labels(path)
        if path.name != f"{label.drug}_{label.region}.toml":
            raise InputError(
                f"the file is about '{label.drug}' in '{label.region}'",
                where=Place(str(path)),
                hint=f"Call it {label.drug}_{label.region}.toml.",
            )
        rules.extend(label.rules)
    return Drug(name, facts.identity.aliases, facts.identity, facts.facts, tuple(rules))
