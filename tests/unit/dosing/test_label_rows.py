"""Every row of the table of label rules is executed, or named with the reason why not."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from tests.unit.dosing.people import witness

from statera.dosing import Verdict, decide, not_executable
from statera.dosing.indications import INDICATIONS, is_for
from statera.dosing.label_scope import NOT_STATED
from statera.library import Authority, LabelRule, load_drug
from statera.library.drug import drugs

# Row of the table (heading left out) -> what it became, as region/id of a rule or facts/id.
ROWS: dict[int, tuple[str, ...]] = {
    1: ("us/ra-standard",),
    2: ("us/ra-aa-start-alc",),
    3: ("us/ra-aa-start-anc",),
    4: ("us/ra-aa-start-hb",),
    5: ("us/ra-treatment-alc",),
    6: ("us/ra-treatment-anc",),
    7: ("us/ra-treatment-hb",),
    8: ("us/covid-standard",),
    9: ("us/covid-start-alc",),
    10: ("us/covid-start-anc",),
    11: ("us/aa-standard",),
    12: ("us/aa-inadequate-response",),
    13: ("us/aa-near-complete-loss",),
    14: ("us/aa-step-down",),
    15: ("us_claim/ra-renal-moderate",),
    16: ("us_claim/ra-renal-mild",),
    17: ("us_claim/aa-renal-moderate",),
    18: ("us_claim/ra-aa-renal-severe",),
    19: ("us_guideline/covid-renal-30-60",),
    20: ("us_guideline/covid-renal-15-30",),
    21: ("us_guideline/covid-renal-below-15",),
    22: ("ontario/covid-renal-30-60",),
    23: ("ontario/covid-renal-below-30",),
    24: ("us_eua/covid-age-9-up",),
    25: ("us_eua/covid-age-2-to-9",),
    26: ("us_eua/covid-renal-below-15",),
    27: ("us_eua/covid-renal-60-up",),
    28: ("us_eua/covid-history-2020-11",),
    29: ("us_eua/covid-history-2021-07",),
    30: ("us_eua/covid-history-2022-05",),
    31: ("us_eua/covid-history-after-2022-05",),
    32: ("eu/ra-standard",),
    33: ("eu/ra-ad-risk",),
    34: ("ch/aa-standard",),
    35: ("eu/ra-age-75-superseded",),
    36: ("eu/ra-ad-taper",),
    37: ("eu/renal-30-60",),
    38: ("eu/renal-below-30",),
    39: ("eu/oat3-strong-adult",),
    40: ("eu/oat3-strong-halve",),
    41: ("eu/hepatic-mild-moderate",),
    42: ("eu/hepatic-severe",),
    43: ("eu/start-counts",),
    44: ("eu/ad-no-benefit-8wk",),
    45: ("eu/jia-weight-10-30",),
    46: ("eu/jia-weight-30-up",),
    47: ("eu/ad-weight-30-up",),
    48: ("eu/ad-weight-10-30",),
    49: ("eu/jia-indication",),
    50: ("eu/ad-indication",),
    51: ("eu/aa-indication",),
    52: ("us/jia-ad-not-indicated",),
    53: ("eu/class-risk",),
    54: ("eu/lower-dose-in-risk",),
    55: ("us/boxed-warning",),
    56: ("us/ra-psa-as-standard",),
    57: ("us/ra-psa-as-renal",),
    58: ("us/ra-psa-as-hepatic-moderate",),
    59: ("us/uc-standard",),
    60: ("us/ra-cyp3a4-strong",),
    61: ("eu/uc-alc-500-750",),
    62: ("eu/uc-alc-below-500",),
    63: ("eu/uc-anc-500-1000",),
    64: ("eu/uc-anc-below-500",),
    65: ("eu/uc-hb",),
    66: ("eu/uc-renal-below-30",),
    67: ("facts/pk-ketoconazole-auc",),
    68: ("facts/pk-rifampin-auc",),
    69: ("us/ra-as-standard",),
    70: ("us/start-counts",),
    71: ("us/hepatic-severe",),
    72: ("eu/ad-age-65-up",),
    73: ("eu/ad-standard",),
    74: ("unspecified/uc-induction",),
    75: ("unspecified/cd-induction",),
    76: ("unspecified/uc-cd-maintenance",),
    77: ("facts/pk-cyp3a-inhibitor-exposure",),
    78: ("facts/pk-inducer-exposure",),
    79: ("facts/pk-renal-impairment-exposure",),
    80: ("facts/pk-half-life-er",),
    81: ("us_eu/uc-cd-cyp3a4-strong",),
    82: ("eu/ra-standard",),
    83: ("eu/ra-risk",),
    84: ("eu/uc-induction",),
    85: ("eu/renal-15-60",),
    86: ("eu/renal-below-15", "eu/hepatic-severe"),
    87: ("eu/start-counts",),
    88: ("eu/ra-age-75-superseded",),
    89: ("us/ad-standard",),
    90: ("eu/ad-risk-or-start",),
    91: ("us/ad-start-counts",),
    92: ("eu/ad-start-counts",),
    93: ("unspecified/ad-cyp2c19-strong",),
    94: ("unspecified/ad-age-12-17-weight-25-59",),
    95: ("us/aa-standard",),
    96: ("us/aa-start-counts",),
    97: ("us/aa-treatment-counts",),
    98: ("us/aa-hepatic-severe",),
    99: ("uk/aa-renal-mild-severe", "uk/aa-renal-end-stage"),
    100: ("facts/pk-half-life-ibd-table",),
    101: ("facts/pk-half-life-ibd-table",),
    102: ("facts/pk-half-life-ibd-table",),
    103: ("uk_eu/uc-cd-renal-below-30",),
    104: ("uk_eu/uc-renal-below-60",),
    105: ("unspecified/psoriasis-standard",),
    106: ("unspecified/psoriasis-hepatic-severe",),
    107: ("us_eu/mf-cyp3a4-strong",),
    108: ("us_eu/mf-renal-below-30",),
    109: ("us_eu/agvhd-start",),
}

ALL_RULES = [rule for name in drugs() for rule in load_drug(name).labels]


def tables() -> Path:
    reference = os.environ.get("STATERA_REFERENCE")
    base = Path(reference).parent if reference else Path(__file__).parents[4] / "shared"
    return base / "facts"


def read(name: str) -> list[dict[str, str]]:
    path = tables() / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the source tables are absent: {path}")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def key(rule: LabelRule) -> str:
    return f"{rule.region}/{rule.id}"


@pytest.mark.reference
def test_every_row_became_a_rule_or_a_fact_of_its_drug_source_and_grade() -> None:
    keys = {(r["source_title"], r["source_url"]): r["key"] for r in read("sources")}
    rows = read("dosing")
    assert len(rows) == len(ROWS) == 109
    for number, row in enumerate(rows, start=1):
        drug = load_drug(row["drug"])
        source = keys[row["source_title"], row["source_url"]]
        for where in ROWS[number]:
            if where.startswith("facts/"):
                fact = drug.fact(where.removeprefix("facts/"))
                found = (fact.source, fact.grade.value)
            else:
                rule = next(r for r in drug.labels if key(r) == where)
                found = (rule.source, rule.grade.value)
            source = "SMOLECULE_2026" if source == "SEED" else source
            assert found == (source, row["evidence_grade"]), (number, where)


@pytest.mark.reference
def test_no_rule_is_without_a_row() -> None:
    of = {(row["drug"], where) for n, row in enumerate(read("dosing"), 1) for where in ROWS[n]}
    assert {(r.drug, key(r)) for r in ALL_RULES} == {
        (drug, where) for drug, where in of if not where.startswith("facts/")
    }
    listed = {(n.drug, n.where) for n in not_executable()}
    assert {(d, w) for d, w in of if w.startswith("facts/")} <= listed


def test_every_rule_is_executable_or_listed_with_a_reason() -> None:
    listed = {(n.drug, n.where): n.reason for n in not_executable()}
    without_effect = {(r.drug, key(r)) for r in ALL_RULES if r.effect is None}
    assert without_effect == {
        ("baricitinib", "us_eua/covid-history-2020-11"),
        ("baricitinib", "us_eua/covid-history-2021-07"),
    }
    never_decide = {
        (r.drug, key(r)) for r in ALL_RULES if r.superseded or r.authority is Authority.CLAIM
    }
    assert len(never_decide) == 6
    assert {k for k in listed if not k[1].startswith("facts/")} == without_effect | never_decide
    assert all(len(reason) > 20 for reason in listed.values())
    assert len(listed) == 17


@pytest.mark.parametrize(
    "rule", [r for r in ALL_RULES if r.effect], ids=lambda r: f"{r.drug}-{r.region}-{r.id}"
)
def test_every_rule_is_reached_by_the_person_it_asks_for(rule: LabelRule) -> None:
    region = rule.covers[0] if rule.covers else NOT_STATED
    indication = next(name for name in INDICATIONS if is_for(rule, name) and _held(rule, name))
    decision = decide(rule.drug, region, witness(rule), indication=indication)
    judged = next(j for j in decision.considered if j.rule is rule)
    assert judged.holds is True, judged.why
    idle = rule.superseded or rule.authority is Authority.CLAIM
    assert judged.verdict is (Verdict.NOT_USED if idle else Verdict.APPLIES)


def _held(rule: LabelRule, indication: str) -> bool:
    """Return True where the drug has a rule that names the indication in the rule's region."""
    region = rule.covers[0] if rule.covers else NOT_STATED
    return any(
        indication in r.indication.split("/") and r.authority is not Authority.CLAIM
        for r in load_drug(rule.drug).labels
        if region in r.covers or (region == NOT_STATED and not r.covers)
    )
