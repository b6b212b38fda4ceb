"""Audit: checks are computed, and their verdicts are the known ones."""

from __future__ import annotations

from functools import lru_cache

import pytest

from statera.library import drugs
from statera.monograph.context import Context, make_context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import audit
from statera.monograph.sections.checks import Check, relative
from statera.monograph.sections.checks_evidence import evidence_checks
from statera.monograph.sections.checks_pk import pk_checks
from statera.report.document import Cell


@lru_cache(maxsize=8)
def context(name: str) -> Context:
    return make_context(name, MonographOptions(n=50, workers=1))


def checks(name: str = "baricitinib") -> dict[str, Check]:
    made = context(name)
    found = [*pk_checks(made), *evidence_checks(made)]
    assert len({c.about for c in found}) == len(found)
    return {c.about: c for c in found}


def left(check: Check) -> Cell:
    assert isinstance(check.left, Cell)
    return check.left


def test_known_agreements_and_disagreements() -> None:
    found = checks()
    assert found["Clearances add up"].verdict == "agrees"
    assert found["AUC against dose over CL/F"].verdict == "explained"
    assert left(found["AUC against dose over CL/F"]).value == pytest.approx(4000 / 9.42)
    assert found["AUC against dose over CL/F, group <30 kg"].verdict == "explained"
    share = found["Renal share of clearance against the vendor's 75 %"]
    assert share.verdict == "agrees"
    assert left(share).value == pytest.approx(6.86 / 9.42)
    assert found["Mass balance"].verdict == "agrees"
    assert left(found["Mass balance"]).value == 90.0


def test_the_half_life_of_two_compartments_is_that_of_the_characteristic_equation() -> None:
    check = checks()["Half-life against V1, V2, CL and Q as two compartments"]
    k10, k12, k21 = 9.42 / 85.2, 2.67 / 85.2, 2.67 / 23.1
    total = k10 + k12 + k21
    beta = (total - (total**2 - 4 * k10 * k21) ** 0.5) / 2
    assert left(check).value == pytest.approx(0.6931472 / beta, rel=1e-6)


def test_rates_and_hazard_ratios_point_the_known_ways() -> None:
    found = checks()
    pool = "Incidence rates against the direction of the hazard ratio: "
    verdicts = {k.removeprefix(pool): c.verdict for k, c in found.items() if k.startswith(pool)}
    assert len(verdicts) == 4
    assert [v for k, v in verdicts.items() if "MACE" in k] == ["explained"]
    assert list(verdicts.values()).count("agrees") == 3


def test_counts_reproduce_the_published_rate_ratios() -> None:
    found = [c for k, c in checks().items() if k.startswith("Events and person-years")]
    assert len(found) == 3
    assert {c.verdict for c in found} == {"agrees"}


def test_the_printed_variability_is_no_covariance_matrix() -> None:
    check = checks()[
        "Variability of Decker 2026: smallest eigenvalue of the block of CLnr, CLr and V1"
    ]
    assert check.verdict == "explained"
    assert left(check).value is not None
    assert float(left(check).value) > 0  # type: ignore[arg-type]
    assert isinstance(check.right, Cell)
    assert float(check.right.value) < 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left_value", "right_value", "verdict"),
    [(1.0, 1.0, "agrees"), (1.1, 1.0, "agrees"), (1.2, 1.0, "close"), (0.7, 1.0, "disagrees")],
)
def test_verdicts(left_value: float, right_value: float, verdict: str) -> None:
    assert relative(left_value, right_value) == verdict
    explained = relative(left_value, right_value, explained=True)
    assert explained == ("agrees" if verdict == "agrees" else "explained")


@pytest.mark.parametrize("name", drugs())
def test_every_drug_is_audited(name: str) -> None:
    section = audit.section(context(name))
    assert section.blocks
