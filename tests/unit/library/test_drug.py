from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from statera.errors import InputError, UnknownNameError
from statera.library import (
    RenalMetric,
    RuleKind,
    class_facts,
    drugs,
    load_class,
    load_drug,
)
from statera.library.drug import _shipped_drug, _shipped_facts
from statera.sources import Grade, Relation, Status


def test_the_drugs_of_the_library():
    assert drugs() == (
        "abrocitinib",
        "baricitinib",
        "deucravacitinib",
        "filgotinib",
        "ritlecitinib",
        "ruxolitinib",
        "tofacitinib",
        "upadacitinib",
    )


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("baricitinib", "baricitinib"),
        (" BARICITINIB ", "baricitinib"),
        ("Olumiant", "baricitinib"),
        ("rinvoq", "upadacitinib"),
        ("Jyseleca", "filgotinib"),
        ("Cibinqo", "abrocitinib"),
        ("Litfulo", "ritlecitinib"),
        ("Sotyktu", "deucravacitinib"),
    ],
)
def test_names_and_aliases_in_any_case(spelling: str, name: str):
    assert load_drug(spelling).name == name


@pytest.mark.parametrize("name", ["baricitnib", "class", "../facts/baricitinib", ""])
def test_an_unknown_drug(name: str):
    with pytest.raises(UnknownNameError) as caught:
        load_drug(name)
    assert caught.value.exit_code == 3


def test_the_nearest_names_are_given():
    with pytest.raises(UnknownNameError) as caught:
        load_drug("olumient")
    assert caught.value.nearest[0] == "Olumiant"


def test_identity_of_baricitinib():
    identity = load_drug("baricitinib").identity
    assert identity.cas == "1187594-09-7"
    assert identity.formula == "C16H17N7O2S"
    assert identity.molar_mass == 371.42
    assert identity.sources == ("FRIDMAN", "SMOLECULE_2026", "PHARMLIB")


def test_a_fact_carries_its_origin():
    fact = load_drug("baricitinib").fact("pk-bioavailability-smpc")
    assert (fact.value, fact.unit, fact.source, fact.grade) == (0.79, "fraction", "LILLY_PK", "A")
    assert fact.get("cv_percent") == "3.94"
    claim = load_drug("baricitinib").fact("pk-bioavailability-overview")
    assert claim.status is Status.VENDOR_CLAIM
    assert claim.grade is Grade.S


def test_a_bound_stays_a_bound():
    potency = {f.id: f for f in load_drug("baricitinib").facts_in("potency")}
    jak3 = potency["potency-jak3-enzyme-smpc"]
    assert (jak3.value, jak3.relation) == (400, Relation.GREATER)
    cell = potency["potency-il6-il23-cell-fridman"]
    assert (cell.value, cell.relation, cell.get("quantity")) == (50, Relation.LESS, "IC50")
    neutrophil = potency["potency-ifng-neutrophil-pstat1"]
    assert neutrophil.relation is Relation.AT_MOST
    assert neutrophil.get("quantity") == "effective_concentration"


def test_what_was_not_retrieved_is_empty():
    fact = load_drug("baricitinib").fact("pk-renal-impairment-ratios")
    assert fact.is_missing
    assert fact.value is None
    missing = [f for f in load_drug("baricitinib").facts if f.is_missing]
    assert len(missing) == 7


def test_a_range_has_no_point():
    fact = load_drug("baricitinib").fact("pk-half-life-china")
    assert fact.relation is Relation.RANGE
    assert (fact.value, fact.low, fact.high) == (None, 5.7, 7.3)


def test_the_mixed_dose_row_is_marked():
    groups = load_drug("baricitinib").facts_in("exposure_by_group")
    marked = {f.id for f in groups if f.get("caution") == "mixed_dose"}
    assert marked == {"exposure-below-30kg-auctau-ss", "exposure-below-30kg-cmax-ss"}


def test_an_unknown_fact_gives_the_nearest():
    with pytest.raises(UnknownNameError) as caught:
        load_drug("baricitinib").fact("pk-tmax-smcp")
    assert caught.value.nearest[0] == "pk-tmax-smpc"


@pytest.mark.parametrize("outcome", ["vte", "mace", "serious-infection"])
def test_the_split_of_events_reproduces_the_published_ratio(outcome: str):
    fact = load_drug("baricitinib").fact(f"cmp-{outcome}-salinas-b023")
    events, other = float(fact.get("events_drug")), float(fact.get("events_comparator"))
    crude = events / float(fact.get("py_drug")) / (other / float(fact.get("py_comparator")))
    # the published ratio is pooled over 14 databases, so a crude one is near but not equal
    assert crude == pytest.approx(fact.number, rel=0.02)


def test_the_japanese_study_keeps_its_direction():
    fact = load_class().fact("cmp-serious-infection-japan-claims")
    assert (fact.number, fact.low, fact.high) == (0.55, 0.39, 0.77)
    assert fact.get("direction") == "comparator_over_drug"


def test_arm_sizes_are_not_trial_totals():
    efficacy = load_drug("baricitinib").facts_in("efficacy")
    with_arm = {f.get("trial") for f in efficacy if f.get("arm_n")}
    assert not with_arm & {"RA-BUILD", "RA-BEACON", "BRAVE-AA1", "BRAVE-AA2", "BREEZE-AD1"}
    assert {f.get("total_n") for f in efficacy if f.get("trial") == "RA-BUILD"} == {"684"}
    ad7 = {f.get("arm"): f.get("arm_n") for f in efficacy if f.get("trial") == "BREEZE-AD7"}
    assert (ad7["4 mg+TCS"], ad7["2 mg+TCS"], ad7["PBO+TCS"]) == ("111", "109", "109")
    assert {f.get("allocation") for f in efficacy if f.get("trial") == "BRAVE-AA1"} == {"3:2:2"}


def test_the_pool_is_of_the_class_and_a_claim():
    pool = class_facts("safety_pool", drug="baricitinib")
    values = {f.get("outcome"): (f.value, f.low, f.high) for f in pool if f.number is not None}
    assert values["vte"] == (1.26, 1.03, 1.54)
    assert all(f.status is Status.VENDOR_CLAIM for f in pool if f.number is not None)
    assert load_drug("baricitinib").facts_in("safety_pool") == ()


def test_class_facts_name_whom_they_concern():
    hoisnard = {f.id for f in class_facts("safety_comparison", drug="tofacitinib")}
    assert "cmp-vte-hoisnard" in hoisnard
    assert "cmp-vte-hoisnard" not in {f.id for f in class_facts(drug="upadacitinib")}
    assert len(class_facts()) == len(load_class().facts)


def test_labels_by_region():
    drug = load_drug("baricitinib")
    assert drug.regions == ("ch", "eu", "ontario", "us", "us_claim", "us_eua", "us_guideline")
    eu = {rule.id: rule for rule in drug.labels_in("eu")}
    renal = eu["renal-30-60"]
    assert renal.kind is RuleKind.RENAL
    assert renal.renal_metric is RenalMetric.CRCL
    assert (renal.dose_mg, renal.renal_low, renal.renal_high) == (2, 30, 60)
    assert [rule.id for rule in drug.labels if rule.superseded] == ["ra-age-75-superseded"]
    assert {r.status for r in drug.labels_in("us_claim")} == {Status.VENDOR_CLAIM}
    assert all(rule.dose_mg == 4 for rule in eu.values() if rule.weight_low_kg == 30)


def test_thresholds_of_a_laboratory_rule():
    rules = {rule.id: rule for rule in load_drug("baricitinib").labels_in("eu")}
    limits = {t.analyte: (t.below, t.unit) for t in rules["start-counts"].thresholds}
    assert limits == {"ALC": (0.5, "10^9/L"), "ANC": (1.0, "10^9/L"), "Hb": (8.0, "g/dL")}


def test_a_users_directory(library: Path, damage: Callable[[str, str, str], Path]):
    damage("facts/baricitinib.toml", "value = 0.79", "value = 0.5")
    assert load_drug("Olumiant", library).fact("pk-bioavailability-smpc").value == 0.5
    assert load_drug("baricitinib").fact("pk-bioavailability-smpc").value == 0.79


def test_a_users_directory_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="not a directory"):
        load_drug("baricitinib", tmp_path / "absent")


def test_a_file_about_another_drug(library: Path):
    (library / "facts" / "ruxolitinib.toml").rename(library / "facts" / "other.toml")
    with pytest.raises(InputError, match=r"called other.toml but is about 'ruxolitinib'"):
        load_drug("other", library)


def test_a_label_file_under_the_wrong_name(library: Path):
    labels = library / "labels"
    (labels / "ritlecitinib_uk.toml").rename(labels / "ritlecitinib_fr.toml")
    with pytest.raises(InputError, match="the file is about 'ritlecitinib' in 'uk'"):
        load_drug("ritlecitinib", library)


def test_one_drug_loads_fast():
    best = 1.0
    for _ in range(5):
        _shipped_drug.cache_clear()
        _shipped_facts.cache_clear()
        start = time.process_time()
        load_drug("baricitinib")
        best = min(best, time.process_time() - start)
    # aim is 0.06 s; four times that still tells a slow machine from a slow reader
    assert best < 0.24
    assert load_drug("baricitinib") is load_drug("Olumiant")


def test_import_stays_light():
    code = (
        "import sys, statera.library as l; l.load_drug('baricitinib'); l.load_references(); "
        "print([m for m in ('numpy', 'polars', 'sympy', 'pint', 'scipy') if m in sys.modules])"
    )
    source = Path(__file__).parents[3] / "src"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
