"""Check the whole library: that it reads, refers to what exists, and agrees with itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import TypeVar

from statera.errors import InputError, Place
from statera.library.check_facts import check_fact_file
from statera.library.check_report import CheckReport, Finding, Severity, error, warning
from statera.library.conflicts import CONFLICTS_FILE, ConflictFile, read_conflicts
from statera.library.cytokines import CYTOKINES_FILE, CytokineFile, read_cytokines
from statera.library.facts import FactFile, read_facts
from statera.library.gaps import GAPS_FILE, GapFile, read_gaps
from statera.library.label_defects import rule_defects
from statera.library.labels import LabelFile, read_labels
from statera.library.names import NAMES_FILE, NameFile, read_names
from statera.library.paths import Root, data_root, files_in
from statera.library.references import REFERENCES_FILE, ReferenceFile, read_references
from statera.library.renal_stages import STAGE_SOURCE
from statera.library.schema import CLASS_NAME
from statera.sources.fact import Source
from statera.units import is_unit

__all__ = ["CheckReport", "Finding", "Severity", "check_library"]

_JAKS = frozenset({"JAK1", "JAK2", "JAK3", "TYK2"})
_STATS = frozenset({"STAT1", "STAT2", "STAT3", "STAT4", "STAT5", "STAT6"})

FileT = TypeVar("FileT")


def check_library(root: Root | None = None) -> CheckReport:
    """Check every file of the library except the models.

    A file that cannot be read is one finding, and the others are still checked.

    Parameters
    ----------
    root
        Directory of the library; the shipped one by default.

    Returns
    -------
    CheckReport
        All findings, and how much was checked.

    Raises
    ------
    InputError
        If `root` is not a directory.
    """
    place = data_root(root)
    found: list[Finding] = []
    listing = _read(read_references, place / REFERENCES_FILE, found)
    facts = _read_all(read_facts, files_in(place, "facts"), found)
    labels = _read_all(read_labels, files_in(place, "labels"), found)
    cytokines = _read(read_cytokines, place / CYTOKINES_FILE, found)
    conflicts = _read(read_conflicts, place / CONFLICTS_FILE, found)
    gaps = _read(read_gaps, place / GAPS_FILE, found)
    names = _read(read_names, place / NAMES_FILE, found)

    # without the list of sources every citation would look wrong: one finding is enough
    sources = listing.sources if listing is not None else None
    drugs = frozenset(f.drug for f in facts)
    for fact_file in facts:
        found.extend(check_fact_file(fact_file, sources, drugs))
    for label_file in labels:
        found.extend(_check_labels(label_file, sources, drugs))
    if cytokines is not None:
        found.extend(_check_cytokines(cytokines, sources))
    if conflicts is not None:
        found.extend(_check_conflicts(conflicts, sources, facts))
    if gaps is not None:
        found.extend(_check_gaps(gaps, drugs))
    if names is not None:
        found.extend(_check_names(names))
    if listing is not None:
        found.extend(_check_uses(listing, _cited(facts, labels, cytokines, conflicts)))
    counts = {
        "drugs": len(drugs - {CLASS_NAME}),
        "facts": sum(len(f.facts) for f in facts),
        "label rules": sum(len(f.rules) for f in labels),
        "cytokines": len(cytokines.cytokines) if cytokines else 0,
        "conflicts": len(conflicts.conflicts) if conflicts else 0,
        "gaps": len(gaps.gaps) if gaps else 0,
        "names": len(names.names) if names else 0,
        "sources": len(sources) if sources is not None else 0,
    }
    return CheckReport(tuple(found), counts)


def _read(
    reader: Callable[[Traversable], FileT], path: Traversable, found: list[Finding]
) -> FileT | None:
    """Return what `reader` makes of a file, or None with a finding."""
    try:
        return reader(path)
    except InputError as problem:
        where = problem.where if isinstance(problem.where, Place) else Place(str(path))
        found.append(error(where, f"{problem.what}. {problem.hint}".strip()))
        return None


def _read_all(
    reader: Callable[[Traversable], FileT], paths: Iterable[Traversable], found: list[Finding]
) -> list[FileT]:
    read = (_read(reader, path, found) for path in paths)
    return [item for item in read if item is not None]


def _check_labels(
    file: LabelFile, sources: Mapping[str, Source] | None, drugs: frozenset[str]
) -> Iterator[Finding]:
    place = file.document.place
    if file.drug not in drugs:
        yield error(place("drug"), f"no facts file is about '{file.drug}'")
    if not file.document.file.endswith(f"{file.drug}_{file.region}.toml"):
        yield error(place("region"), f"the file should be {file.drug}_{file.region}.toml")
    seen: set[str] = set()
    for i, rule in enumerate(file.rules):
        if rule.id in seen:
            yield error(place("rule", i, "id"), f"the id '{rule.id}' stands twice")
        seen.add(rule.id)
        if sources is not None and rule.source not in sources:
            yield error(place("rule", i, "source"), f"no source is called '{rule.source}'")
        for key, sentence in rule_defects(rule):
            yield error(place("rule", i, key), f"rule '{rule.id}': {sentence}")


def _check_cytokines(file: CytokineFile, sources: Mapping[str, Source] | None) -> Iterator[Finding]:
    seen: set[str] = set()
    for i, row in enumerate(file.cytokines):
        place = file.document.place
        for name in (row.name, *row.aliases):
            if name.lower() in seen:
                yield error(place("cytokine", i, "name"), f"'{name}' stands twice")
            seen.add(name.lower())
        for key, given, known in (("jaks", row.jaks, _JAKS), ("stats", row.stats, _STATS)):
            for name in given:
                if name not in known:
                    yield error(
                        place("cytokine", i, key), f"'{name}' is none of {', '.join(sorted(known))}"
                    )
        if sources is not None and row.source not in sources:
            yield error(place("cytokine", i, "source"), f"no source is called '{row.source}'")


def _check_conflicts(
    file: ConflictFile, sources: Mapping[str, Source] | None, facts: Iterable[FactFile]
) -> Iterator[Finding]:
    ids = {f.drug: {fact.id for fact in f.facts} for f in facts}
    seen: set[str] = set()
    for i, conflict in enumerate(file.conflicts):
        place = file.document.place
        if conflict.id in seen:
            yield error(place("conflict", i, "id"), f"the id '{conflict.id}' stands twice")
        seen.add(conflict.id)
        for drug in conflict.drugs:
            if drug not in ids:
                yield error(place("conflict", i, "drugs"), f"no drug is called '{drug}'")
        known = {fact for drug in conflict.drugs for fact in ids.get(drug, ())}
        for fact in conflict.facts:
            if fact not in known:
                yield error(
                    place("conflict", i, "facts"),
                    f"no fact about {', '.join(conflict.drugs)} has the id '{fact}'",
                )
        for key in conflict.sources:
            if sources is not None and key not in sources:
                yield error(place("conflict", i, "sources"), f"no source is called '{key}'")


def _check_gaps(file: GapFile, drugs: frozenset[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for i, gap in enumerate(file.gaps):
        if gap.id in seen:
            yield error(file.document.place("gap", i, "id"), f"the id '{gap.id}' stands twice")
        seen.add(gap.id)
        for drug in gap.drugs:
            if drug not in drugs:
                yield error(file.document.place("gap", i, "drugs"), f"no drug is called '{drug}'")


def _check_names(file: NameFile) -> Iterator[Finding]:
    owner: dict[str, str] = {}
    for i, entry in enumerate(file.names):
        place = file.document.place
        if entry.unit and not is_unit(entry.unit):
            yield error(place("name", i, "unit"), f"'{entry.unit}' is not a unit")
        for spelling in (entry.name, *entry.aliases):
            other = owner.setdefault(spelling.lower(), entry.name)
            if other != entry.name:
                yield error(
                    place("name", i, "aliases"),
                    f"'{spelling}' stands for both {other} and {entry.name}",
                )


def _cited(
    facts: Iterable[FactFile],
    labels: Iterable[LabelFile],
    cytokines: CytokineFile | None,
    conflicts: ConflictFile | None,
) -> frozenset[str]:
    """Return the ids of all sources that something cites."""
    cited: set[str] = set()
    for fact_file in facts:
        cited.update(fact_file.identity.sources)
        cited.update(fact.source for fact in fact_file.facts)
        cited.update(fact.get("primary_source") for fact in fact_file.facts)
    for label_file in labels:
        cited.update(rule.source for rule in label_file.rules)
        if any(rule.renal_stages for rule in label_file.rules):
            cited.add(STAGE_SOURCE)
    if cytokines is not None:
        cited.update(row.source for row in cytokines.cytokines)
    if conflicts is not None:
        cited.update(key for conflict in conflicts.conflicts for key in conflict.sources)
    return frozenset(cited)


def _check_uses(listing: ReferenceFile, cited: frozenset[str]) -> Iterator[Finding]:
    for key, use in listing.uses.items():
        if use == "facts" and key not in cited:
            yield warning(
                listing.place(key),
                f"nothing cites the source '{key}': cite it, or list it for models or background",
            )
        if use == "background" and key in cited:
            yield warning(
                listing.place(key), f"the source '{key}' is listed as background but is cited"
            )
