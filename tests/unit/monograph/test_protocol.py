"""The assay protocol as a section: origin of every item, dilutions, other drugs."""

import json
import math
from functools import lru_cache
from itertools import pairwise

import pytest

from statera.assay import load_protocol
from statera.library import drugs, load_drug
from statera.monograph.context import Context, make_context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import protocol
from statera.monograph.sections.protocol_dilution import plasma_spans, series
from statera.report.check import inlines, svg_problems
from statera.report.document import Callout, Cell, Figure, Steps, Table
from statera.report.json import plain


def bare(name):
    return Context(load_drug(name), MonographOptions(), ())


@lru_cache(maxsize=1)
def full():
    return make_context("baricitinib", MonographOptions(n=20, workers=1))


def table(section, caption):
    return next(b for b in section.blocks if isinstance(b, Table) and b.caption.startswith(caption))


def test_the_protocols_drug_gets_the_whole_protocol():
    section = protocol.section(bare("baricitinib"))
    stated = load_protocol("pstat3")
    assert section.data["applies"] is True
    (steps,) = [b for b in section.blocks if isinstance(b, Steps)]
    assert len(steps.steps) == len(stated.steps)
    assert len(table(section, "Materials").rows) == len(stated.materials)
    assert len(table(section, "Controls").rows) == len(stated.controls)
    assert len(table(section, "Not stated").rows) == len(stated.gaps)
    (figure,) = [b for b in section.blocks if isinstance(b, Figure)]
    assert svg_problems(figure.svg) == ()
    assert len(figure.data["step"]) == len(stated.steps)


def test_recommendations_are_never_shown_as_stated():
    section = protocol.section(bare("baricitinib"))
    stated = load_protocol("pstat3")
    recommended = [s.text for s in stated.steps if not s.is_stated]
    cells = [p for b in section.blocks for p in inlines(b) if isinstance(p, Cell)]
    claims = {c.text for c in cells if c.basis == "claim"}
    assert recommended
    assert not claims & set(recommended)
    assert {s.text for s in stated.steps if s.is_stated} <= claims
    assert table(section, "Controls").foot == ("The source states no control.",)


def test_the_series_falls_by_half_logs_from_the_stock():
    found = series(load_protocol("pstat3"))
    assert len(found) == 10
    assert found[0].target_nM == 10_000.0
    for first, second in pairwise(found):
        assert first.target_nM / second.target_nM == pytest.approx(math.sqrt(10), rel=1e-12)
    for one in found:
        # 10 mM of stock is 1e7 nM; the stock is pure solvent.
        assert one.fold == pytest.approx(1e7 / one.target_nM, rel=1e-12)
        assert one.solvent_percent == pytest.approx(100 * one.target_nM / 1e7, rel=1e-12)


def test_the_table_shows_one_share_of_solvent_and_no_exponent():
    shown = table(protocol.section(bare("baricitinib")), "Example of a series")
    assert {row[2].text for row in shown.rows} == {"0.10 %"}
    assert shown.rows[0][1].text == "10.0 mM"
    assert shown.rows[-1][0].text == "316 pM"
    assert shown.rows[-1][4].text == "0.0000032 %"
    assert not any("e-" in cell.text for row in shown.rows for cell in row)
    assert "example chosen by this program" in shown.foot[0]


def test_plasma_concentrations_stand_beside_the_series():
    total, unbound = plasma_spans(full())
    # 47 ng/mL and 5.2 ng/mL of the typical subject at 4 mg, over 371.42 g/mol.
    assert total.high == pytest.approx(47 / 371.42 * 1000, rel=0.02)
    assert total.low == pytest.approx(5.2 / 371.42 * 1000, rel=0.02)
    assert unbound.high == pytest.approx(0.5 * total.high)
    rows = table(protocol.section(full()), "Example of a series").rows
    for row in rows:
        inside = total.low <= row[0].value <= total.high
        assert (row[5].text == "trough to peak") is inside
    assert any(row[5].text == "trough to peak" for row in rows)


@pytest.mark.parametrize("name", [n for n in drugs() if n != "baricitinib"])
def test_other_drugs_are_told_what_carries_over(name):
    section = protocol.section(bare(name))
    assert section.data["applies"] is False
    assert section.data["dilution_example"] is None
    (missing,) = [b for b in section.blocks if isinstance(b, Callout)]
    assert missing.kind == "missing"
    assert any("baricitinib" in getattr(p, "text", p) for p in missing.parts)
    (steps,) = [b for b in section.blocks if isinstance(b, Steps)]
    words = " ".join(getattr(p, "text", p) for step in steps.steps for p in step)
    assert name in words
    assert "baricitinib" not in words
    assert "10 mM" not in words
    json.dumps(plain(section.data), allow_nan=False)
