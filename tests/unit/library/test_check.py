from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from statera.errors import Place
from statera.library import Severity, check_library

Damage = Callable[[str, str, str], Path]

BARICITINIB = "facts/baricitinib.toml"


def test_the_shipped_library_passes():
    report = check_library()
    assert report.findings == ()
    assert report.ok
    assert report.counts == {
        "drugs": 8,
        "facts": 415,
        "label rules": 102,
        "cytokines": 34,
        "conflicts": 24,
        "gaps": 21,
        "names": 56,
        "sources": 124,
    }


def test_an_untouched_copy_passes(library: Path):
    assert check_library(library).findings == ()


DEFECTS = [
    (BARICITINIB, 'source = "LILLY_PK"', 'source = "LILLY_KP"', "no source is called 'LILLY_KP'"),
    (BARICITINIB, 'unit = "fraction"', 'unit = "fractoin"', "'fractoin' is neither a unit"),
    (BARICITINIB, 'id = "pk-tmax-china"', 'id = "pk-tmax-smpc"', "'pk-tmax-smpc' stands twice"),
    (BARICITINIB, "low = 0.5", "low = 5.5", "low (5.5) is above high (3)"),
    (BARICITINIB, "low = 0.5", "low = 1.5", "1 is not between low (1.5) and high (3)"),
    (BARICITINIB, "low = 0.5\n", "", "low and high go together"),
    (BARICITINIB, 'id = "pk-tmax-china"', 'id = "PK tmax"', "an id is made of lower-case"),
    (BARICITINIB, 'kind_source = "FRIDMAN"', 'kind_source = "FR"', "no source is called 'FR'"),
    (BARICITINIB, "value = 0.79", 'value = 0.79\nstatus = "not_retrieved"', "must stay empty"),
    (BARICITINIB, "value = 0.79", 'value = "x"\nrelation = "<"', "'<' needs a number"),
    (BARICITINIB, "cv_percent = 3.94", "cv_percent = -3", "'cv_percent' is '-3'"),
    (BARICITINIB, 'events = "70"', 'events = "90"', "90/144 is 62.5 %"),
    (BARICITINIB, "value = 56.7", "value = 156.7", "a proportion of 156.7 % is impossible"),
    (BARICITINIB, 'direction = "drug_over_comparator"\n', "", "needs 'direction'"),
    ("facts/class.toml", 'drugs = "JAK inhibitors"\n', "", "a fact of the class needs 'drugs'"),
    (
        "facts/class.toml",
        'primary_source = "SOLIT"',
        'primary_source = "S"',
        "source is called 'S'",
    ),
    ("facts/class.toml", "baricitinib; tofacitinib", "baricitinib; tofa", "drug is called 'tofa'"),
    ("facts/class.toml", "value = 1.73\nlow = 1.24", "value = -1\nlow = -2", "ratio of -1"),
    ("labels/baricitinib_eu.toml", "dose_mg = 4", "dose_mg = -4", "dose_mg is -4, not above 0"),
    ("labels/baricitinib_eu.toml", 'source = "MIMS_TH"', 'source = "MI"', "source is called 'MI'"),
    ("labels/baricitinib_eu.toml", "renal_high = 60", "renal_high = 20", "range of renal is empty"),
    ("labels/baricitinib_eu.toml", 'metric = "crcl_mL_min"\n', "", "renal limits without 'metric'"),
    ("labels/baricitinib_eu.toml", 'id = "renal-below-30"', 'id = "renal-30-60"', "stands twice"),
    ("labels/baricitinib_eu.toml", "below = 0.5, ", "", "the threshold of ALC has no limit"),
    ("labels/baricitinib_eu.toml", '"g/dL"', '"g/dol"', "'g/dol' is not a unit"),
    ("labels/baricitinib_ch.toml", 'region = "ch"', 'region = "de"', "should be baricitinib_de"),
    ("labels/baricitinib_ch.toml", 'drug = "baricitinib"', 'drug = "x"', "no facts file is about"),
    ("cytokines.toml", '"JAK2"', '"JAK4"', "'JAK4' is none of"),
    ("cytokines.toml", 'name = "IL-11"', 'name = "IL-6"', "'IL-6' stands twice"),
    ("cytokines.toml", 'source = "CST"', 'source = "CTS"', "no source is called 'CTS'"),
    ("conflicts.toml", 'drugs = ["filgotinib"]', 'drugs = ["filgo"]', "no drug is called 'filgo'"),
    ("conflicts.toml", '"pk-tmax-smpc"', '"pk-tmax"', "has the id 'pk-tmax'"),
    ("conflicts.toml", 'id = "tmax"', 'id = "bioavailability"', "stands twice"),
    ("gaps.toml", 'drugs = ["class"]', 'drugs = ["klass"]', "no drug is called 'klass'"),
    ("names.toml", 'unit = "L/h"', 'unit = "L/xh"', "'L/xh' is not a unit"),
    ("names.toml", '"body weight"', '"clearance"', "'clearance' stands for both CL and WT"),
]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: d[3])
def test_a_seeded_defect_is_found(library: Path, damage: Damage, defect: tuple[str, str, str, str]):
    file, old, new, says = defect
    damage(file, old, new)
    report = check_library(library)
    assert not report.ok
    hits = [f for f in report.errors if says in f.sentence]
    assert hits, [str(f) for f in report.findings]
    assert hits[0].place.file == str(library / file)


def test_a_finding_stands_at_the_key(library: Path, damage: Damage):
    path = damage(BARICITINIB, 'unit = "fraction"', 'unit = "fractoin"')
    line = path.read_text(encoding="utf-8").split('unit = "fractoin"')[0].count("\n") + 1
    (finding,) = check_library(library).findings
    assert finding.place == Place(str(path), line, 1)
    assert str(finding).startswith(f"{path}:{line}:1: error: fact 'pk-bioavailability-smpc'")


def test_a_file_that_does_not_read_is_one_finding_and_the_rest_is_checked(
    library: Path, damage: Damage
):
    damage("gaps.toml", 'schema = "', 'schema "')
    damage("names.toml", 'unit = "L/h"', 'unit = "L/xh"')
    report = check_library(library)
    assert {f.place.file for f in report.errors} == {
        str(library / "gaps.toml"),
        str(library / "names.toml"),
    }
    assert report.counts["gaps"] == 0
    assert report.counts["facts"] == 415


def test_without_the_list_of_sources_there_is_one_finding(library: Path):
    (library / "references.json").unlink()
    (finding,) = check_library(library).findings
    assert "cannot read the file" in finding.sentence


@pytest.mark.parametrize(
    "blemish",
    [
        ("references.json", '"use": "background"', '"use": "facts"', "nothing cites the source"),
        ("references.json", '"use": "facts"', '"use": "background"', "as background but is cited"),
        (BARICITINIB, 'grade = "A"', 'grade = "B"', "has grade B, its source 'LILLY_PK' has A"),
    ],
    ids=lambda b: b[3],
)
def test_a_blemish_is_a_warning(library: Path, damage: Damage, blemish: tuple[str, str, str, str]):
    file, old, new, says = blemish
    damage(file, old, new)
    report = check_library(library)
    assert report.ok
    (finding,) = report.warnings
    assert finding.severity is Severity.WARNING
    assert says in finding.sentence
    assert finding.place.line is not None
