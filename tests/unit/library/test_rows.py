"""Every row of the tables that the library was made from has landed in it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from statera.library import (
    SECTIONS,
    LabelRule,
    load_class,
    load_conflicts,
    load_cytokines,
    load_drug,
    load_gaps,
    load_references,
)
from statera.library.drug import drugs
from statera.sources import Fact

pytestmark = pytest.mark.reference

Row = dict[str, str]


def tables() -> Path:
    reference = os.environ.get("STATERA_REFERENCE")
    base = Path(reference).parent if reference else Path(__file__).parents[4] / "shared"
    return base / "facts"


def rows(name: str) -> list[Row]:
    path = tables() / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the source tables are absent: {path}")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def source_keys() -> dict[tuple[str, str], str]:
    keys = {(r["source_title"], r["source_url"]): r["key"] for r in rows("sources")}
    return {k: "SMOLECULE_2026" if v == "SEED" else v for k, v in keys.items()}


def all_facts() -> list[Fact]:
    return [f for name in drugs() for f in load_drug(name).facts] + list(load_class().facts)


def all_rules() -> list[LabelRule]:
    return [rule for name in drugs() for rule in load_drug(name).labels]


def numbers(text: str) -> set[float]:
    """Return the numbers in a text, without signs; names such as IL-6 count on both sides."""
    return {float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)}


def stated(fact: Fact) -> set[float]:
    values = [abs(v) for v in (fact.number, fact.low, fact.high) if v is not None]
    words = (str(fact.value), fact.n, fact.parameter, fact.statistic, fact.note)
    return set(values) | numbers(" ".join([*words, *fact.context.values()]))


def carries(fact: Fact, row: Row) -> bool:
    """Return True where the fact holds the value of the row, or says that it is missing."""
    value = row["value"]
    if value in ("NOT RETRIEVED", "NOT ESTABLISHED / NOT RETRIEVED", "NR"):
        return fact.is_missing
    return not fact.is_missing and numbers(value) <= stated(fact)


def split(row: Row) -> list[Row]:
    """Return a row that holds the arms of one trial as one row an arm."""
    if re.fullmatch(r"[\d.]+/[\d.]+/[\d.]+", row["value"]) and row.get("unit") == "%":
        return [{**row, "value": value} for value in row["value"].split("/")]
    return [row]


def named(fact: Fact, **keys: str) -> bool:
    return all(fact.get(k) == v for k, v in keys.items())


MATCHES: dict[str, tuple[tuple[str, ...], Callable[[Fact, Row], bool]]] = {
    "pk_baricitinib": (("pharmacokinetics",), lambda f, r: f.drug == "baricitinib"),
    "pk_exposure_by_group_decker2024": (
        ("exposure_by_group",),
        lambda f, r: named(f, group=r["group"], dose_mg=r["dose_mg"]) and f.unit == r["unit"],
    ),
    "pd_models": (("pharmacodynamics",), lambda f, r: named(f, symbol=r["parameter"])),
    "potency_retrieved": (
        ("potency",),
        lambda f, r: named(f, target=r["target"]) and f.unit == r["unit"],
    ),
    "cytokine_inhibition_qualitative": (
        ("inhibition_qualitative",),
        lambda f, r: named(f, study=r["study"]),
    ),
    "efficacy": (
        ("efficacy",),
        lambda f, r: (
            f.get("trial").startswith(r["trial"])
            and f.get("timepoint") == r["timepoint"]
            and f.get("endpoint").replace("SALT<=20, difference from placebo", "diff vs placebo")
            == r["endpoint"]
        ),
    ),
    "biomarkers": (("biomarkers",), lambda f, r: True),
    "tdm": (("monitoring",), lambda f, r: True),
    "safety_incidence_rates": (
        ("safety_incidence",),
        lambda f, r: named(f, event_as_printed=r["event"]),
    ),
    "safety_hr_studies": (
        ("safety_comparison",),
        lambda f, r: (f.low, f.high) == (float(r["ci_low"]), float(r["ci_high"])),
    ),
    "meta_analysis_solitano2025": (
        ("safety_pool",),
        lambda f, r: f.get("outcome_as_printed", "methods") == r["outcome"],
    ),
}


@pytest.mark.parametrize("table", MATCHES)
def test_every_row_landed_as_a_fact(table: str):
    sections, matches = MATCHES[table]
    assert set(sections) <= set(SECTIONS)
    keys, facts = source_keys(), [f for f in all_facts() if f.section in sections]
    used: set[tuple[str, str]] = set()
    lost = []
    for row in [part for whole in rows(table) for part in split(whole)]:
        source = keys[row["source_title"], row["source_url"]]
        found = [
            f
            for f in facts
            if f.source == source
            and f.grade.value == row["evidence_grade"]
            and matches(f, row)
            and carries(f, row)
        ]
        used.update((f.drug, f.id) for f in found)
        if not found:
            lost.append(row)
    assert lost == []
    own = {(f.drug, f.id) for f in facts}
    if table != "pk_baricitinib":  # other drugs' pharmacokinetics come from the dosing table
        assert own - used == set()


def test_every_dosing_row_landed_as_a_rule_or_a_pharmacokinetic_fact():
    keys, rules = source_keys(), all_rules()
    facts = [f for f in all_facts() if f.section == "pharmacokinetics"]
    lost, as_facts = [], 0
    for row in rows("dosing"):
        source = keys[row["source_title"], row["source_url"]]
        wanted = numbers(row["value"])
        if "history" not in row["jurisdiction"]:  # dates, which the library writes in words
            wanted |= numbers(row["condition"])
        hits = [
            r
            for r in rules
            if (r.drug, r.source, r.grade.value) == (row["drug"], source, row["evidence_grade"])
            and wanted
            <= numbers(
                f"{r.condition} {r.action} {r.dose_text} {r.duration} {r.date} {r.note} "
                f"{r.dose_mg} {r.dose_factor} {r.age_low_y} {r.age_high_y}"
            )
        ]
        pk = [
            f
            for f in facts
            if (f.drug, f.source) == (row["drug"], source)
            and numbers(row["value"] or row["unit"]) <= stated(f)
        ]
        as_facts += bool(pk) and not hits
        if not hits and not pk:
            lost.append(row)
    assert lost == []
    assert as_facts == 9
    assert len(rows("dosing")) == 109


def test_every_source_is_listed():
    sources = load_references()
    for (title, _), key in source_keys().items():
        if key != "CALC":
            assert sources[key].title == title
    for row in rows("sources"):
        source = sources["SMOLECULE_2026" if row["key"] == "SEED" else row["key"]]
        assert source.grade.value == row["evidence_grade"]
        if row["key"] != "CALC":
            year = int(row["source_year"]) if row["source_year"].isdigit() else None
            assert source.year == year


def test_every_cytokine_landed():
    found = {c.name: c for c in load_cytokines()}
    for row in rows("cytokine_jak_stat_map"):
        cytokine = found[row["cytokine"]]
        if row["jaks"] == "NOT RETRIEVED":
            assert cytokine.is_missing
            continue
        assert ";".join(cytokine.jaks) == row["jaks"].replace(";?", "")
        assert cytokine.jaks_complete is ("?" not in row["jaks"])
        assert row["stats"].split(" (")[0] == ";".join(cytokine.stats)
    assert len(found) == len(rows("cytokine_jak_stat_map"))


def test_every_conflict_and_gap_landed():
    assert len(load_conflicts()) == len(rows("conflicts"))
    for row, conflict in zip(rows("conflicts"), load_conflicts(), strict=True):
        said = numbers(" ".join([conflict.sources_say, conflict.kind, conflict.topic]))
        # dates are in words in the library, and addresses are left to the sources
        plain = re.sub(r"https?://\S+|\d\d/\d{4}|(?:\w+ )?20\d\d(?:-\d\d)?", "", row["sources"])
        assert numbers(plain) <= said, row["topic"]
    assert len(load_gaps()) == len(rows("not_found"))
    for row, gap in zip(rows("not_found"), load_gaps(), strict=True):
        assert gap.url == row["primary_url"]
