"""Pharmacokinetics: the worked check, comparisons, and the model's domain respected."""

from __future__ import annotations

from functools import lru_cache

import pytest

from statera.library import drugs
from statera.monograph.context import Context, DoseOption, make_context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import pharmacokinetics
from statera.monograph.sections.pk_compare import accumulation, compare
from statera.monograph.sections.pk_groups import group_comparison, published_by_weight
from statera.report.check import inlines
from statera.report.document import Callout, Cell, Figure, Section, Table


@lru_cache(maxsize=8)
def context(name: str) -> Context:
    return make_context(name, MonographOptions(n=100, workers=1))


def table(section: Section, start: str) -> Table:
    return next(b for b in section.blocks if isinstance(b, Table) and b.caption.startswith(start))


def test_the_typical_subject_gives_the_worked_check() -> None:
    highest = context("baricitinib").highest
    assert highest is not None
    assert highest.dose == DoseOption(4.0, 24.0)
    typical = highest.typical
    assert float(typical.parameters["CL"][0]) == pytest.approx(9.70, abs=0.005)
    assert float(typical.parameters["VSS"][0]) == pytest.approx(118.2, abs=0.05)
    assert float(typical.endpoint("AUC")[0]) == pytest.approx(412, abs=0.5)
    assert float(typical.endpoint("Cavg")[0]) == pytest.approx(17.2, abs=0.05)


def test_label_doses_are_simulated_lowest_first() -> None:
    assert [d.amount for d in context("baricitinib").exposures] == [1.0, 2.0, 4.0]
    assert DoseOption(5.0, 12.0) in context("tofacitinib").exposures


def test_a_published_range_is_judged_and_not_averaged() -> None:
    found = {c.fact.id: c for c in compare(context("baricitinib"))}
    china = found["pk-half-life-china"]
    assert china.difference is None
    assert china.verdict == "outside the range"
    bound = found["pk-accumulation"]
    assert bound.difference is None
    assert bound.verdict == "above the bound"
    printed = found["pk-tmax-smpc"]
    assert printed.verdict == "inside the printed range"
    assert found["pk-bioavailability-smpc"].simulated is None


def test_accumulation_is_that_of_the_rates() -> None:
    """For a two-compartment subject the ratio lies between those of its two rates."""
    made = context("baricitinib")
    assert made.model is not None
    assert made.highest is not None
    found = accumulation(made.highest, made.model)
    assert 0.0 < found < 1.0 / (1.0 - 2.0 ** (-24.0 / 11.1)) - 1.0


def test_renal_stages_outside_the_data_are_called_extrapolation() -> None:
    section = pharmacokinetics.section(context("baricitinib"))
    rows = table(section, "Exposure by stage of renal function").rows
    standing = {row[0]: row[4].text for row in rows if isinstance(row[4], Cell)}
    assert standing == {
        "normal": "inside the data",
        "mild": "inside the data",
        "moderate": "extrapolation",
        "severe": "extrapolation",
    }
    ratios = {row[0]: row[3].value for row in rows if isinstance(row[3], Cell)}
    assert ratios["moderate"] == pytest.approx(1.51, abs=0.005)
    assert ratios["severe"] == pytest.approx(2.00, abs=0.005)


def test_the_mixed_dose_group_is_no_target() -> None:
    entries = {e["group"]: e for e in group_comparison(context("baricitinib"))}
    assert entries["<30 kg"]["why_not"].startswith("mixed doses")
    assert "AUC_simulated" not in entries["<30 kg"]
    assert entries["12 to <18 y"]["AUC_simulated"] == pytest.approx(386, rel=0.3)
    assert len(published_by_weight(context("baricitinib"))) == 5


@pytest.mark.parametrize("name", drugs())
def test_every_drug_has_a_section_without_bare_numbers(name: str) -> None:
    section = pharmacokinetics.section(context(name))
    cells = [p for b in section.blocks for p in inlines(b) if isinstance(p, Cell)]
    for cell in cells:
        if cell.basis == "computed":
            assert cell.method, cell
        if cell.basis in ("fact", "claim"):
            assert cell.sources, cell
    if context(name).model is None:
        assert any(isinstance(b, Callout) and b.kind == "missing" for b in section.blocks)
    else:
        assert any(isinstance(b, Figure) and b.key == "profiles" for b in section.blocks)
