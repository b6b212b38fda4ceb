"""``plan.toml``: what is read, what the protocol states, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from statera.assay.plan_experiment import plan_experiment
from statera.assay.plan_options import Edges, PlanOptions, PlateFormat
from statera.assay.plan_read import options_from_protocol, read_plan
from statera.assay.protocol import load_protocol
from statera.errors import InputError, Place

HEAD = 'schema = "statera.assay_plan/1"\n'
FULL = (
    HEAD
    + """
name = "mine"
[doses]
list_nM = [1000, 300, 100, 30, 10, 3, 1]
dmso_percent = 0.05
[plate]
wells = 384
edges = "used"
[layout]
donors = 4
replicates = 3
[pipetting]
pipettes = [
  { low_ul = 1, high_ul = 10, step_ul = 0.1 },
  { low_ul = 10, high_ul = 1000, step_ul = 1 },
]
[cells]
per_well = 100000
[[cytokine]]
name = "IL-6"
stock_ug_per_mL = 100
[[panel]]
marker = "CD4"
channel = "BV421-A"
volume_ul = 1.5
[[panel]]
marker = "pSTAT3"
channel = "APC-A"
readout = true
volume_ul = 5
[[reagent]]
name = "Fixation buffer"
volume_ul = 50
[precision]
ic50_nM = 20
donors = [3, 6]
"""
)


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    def do(text: str) -> PlanOptions:
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return read_plan(path, load_protocol("pstat3"))

    return do


def test_the_protocol_alone() -> None:
    options = options_from_protocol(load_protocol("pstat3"))
    assert (options.drug, options.doses.stock_mM) == ("baricitinib", 10.0)
    assert options.layout.cytokines == ("IL-6", "IL-15")
    assert [(s.marker, s.readout) for s in options.panel] == [
        ("CD4", False), ("CD8", False), ("CD11b", False), ("pSTAT3", True),
    ]  # fmt: skip
    assert options.cytokine("IL-6").final_ng_per_mL == pytest.approx(100.0)
    assert options.cytokine("IL-6").stock_ug_per_mL is None
    assert options.cells_per_well is None
    assert options.origin("doses.stock_mM") == "stated"
    assert options.origin("doses.top_nM") == "assumed"


def test_a_whole_file(read) -> None:  # type: ignore[no-untyped-def]
    options = read(FULL)
    assert options.doses.values_nM[0] == 1000
    assert (options.plate.format, options.plate.edges) == (PlateFormat.WELLS_384, Edges.USED)
    assert options.plate.well_ul == 50.0
    assert options.layout.donors == ("D1", "D2", "D3", "D4")
    assert len(options.pipetting.pipettes) == 2
    assert options.panel[1].stain == "APC-A"
    assert options.precision.donors == (3, 6)
    assert options.origin("doses.list_nM") == "given"
    assert options.origin("cytokine.IL-6.final_ng_per_mL") == "stated"


def test_what_is_stated_is_no_longer_missing(read) -> None:  # type: ignore[no-untyped-def]
    bare = plan_experiment(options_from_protocol(load_protocol("pstat3")), precision=False)
    assert "cells per well" in bare.missing
    assert "concentration of the IL-6 stock" in bare.missing
    assert "volume per well of the stains for CD4, CD8, CD11b, pSTAT3" in bare.missing
    assert all(r.total is None for r in bare.reagents if r.kind in ("stain", "reagent", "cells"))
    full = plan_experiment(read(FULL), precision=False)
    assert full.missing == ("concentration of the IL-15 stock",)


def test_totals_by_hand(read) -> None:  # type: ignore[no-untyped-def]
    plan = plan_experiment(read(FULL), precision=False)
    totals = {r.name: r for r in plan.reagents}
    # 4 donors x 2 cytokines x (7 x 3 doses + 4 + 4) wells, one FMO each, two stains, one unstained
    full, fmo = 4 * 2 * 29, 8
    assert totals["Fixation buffer"].wells == full + fmo + 2 + 1
    assert totals["Fixation buffer"].total == pytest.approx((full + fmo + 3) * 50 * 1.2 / 1000)
    assert totals["anti-CD4"].wells == full + fmo + 1
    assert totals["anti-pSTAT3"].wells == full + 1
    assert totals["anti-pSTAT3"].total == pytest.approx((full + 1) * 5 * 1.2)
    six = next(w for w in plan.cytokines if w.cytokine == "IL-6")
    assert six.wells == 4 * (21 + 4 + 1) + 1
    assert six.working_ng_per_mL == pytest.approx(1000.0)
    assert six.reached_ng_per_mL == pytest.approx(100.0, rel=0.01)
    assert totals["IL-6"].total == pytest.approx(six.wells * 5 * 1.0 * 1.2 / 1000)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("[doses]\ntop_nm = 1", "not a known key", 3),
        ("[doses]\nstep = 'quarter'", "is no step", 3),
        ("[doses]\nlist_nM = [1, 2]\nn = 4", "listed and described", 3),
        ("[doses]\ndmso_percent = 0", "not possible", 3),
        ("[plate]\nwells = 48", "48 wells is not known", 3),
        ("[plate]\ncells_ul = 900", "do not fit", 2),
        ("[layout]\nreplicates = 1.5", "'replicates' is 1.5", 3),
        ("[layout]\nreplicates = 0", "not possible", 3),
        ("[layout]\ndonors = 0", "0 donors", 3),
        ("[[panel]]\nmarker = 'CD4'", "no stain of the panel is the readout", 2),
        ("[[cytokine]]\nname = 'IL-2'", "no well gets 'IL-2'", 3),
        ("[cells]\nper_well = -1", "'per_well' is -1", 3),
        ("[precision]\ndonors = [1]", "to compare must lie", 3),
        ("[pipetting]\npipettes = [{ low_ul = 1 }]", "'high_ul' is missing", 3),
    ],
)
def test_mistakes_are_told_with_their_line(read, text: str, said: str, line: int) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        read(HEAD + text)
    assert said in caught.value.what
    assert isinstance(caught.value.where, Place)
    assert caught.value.where.line == line


def test_a_cytokine_stock_that_is_too_weak_is_refused(read) -> None:  # type: ignore[no-untyped-def]
    options = read(HEAD + '[[cytokine]]\nname = "IL-6"\nstock_ug_per_mL = 0.5')
    with pytest.raises(InputError, match="weaker than the working solution"):
        plan_experiment(options, precision=False)


def test_few_controls_and_narrow_doses_are_remarked(read) -> None:  # type: ignore[no-untyped-def]
    options = read(
        HEAD + "[doses]\nlist_nM=[100, 10]\n[layout]\nunstimulated = 2\nfmo = 0\nsingle_stains = 0"
    )
    remarks = " ".join(plan_experiment(options, precision=False).remarks)
    assert "2 unstimulated wells" in remarks
    assert "no FMO" in remarks
    assert "no single stains" in remarks
    assert "span a factor of 10" in remarks
