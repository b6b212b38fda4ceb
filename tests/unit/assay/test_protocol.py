"""The pSTAT3 protocol as data, and the loader's errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from statera.assay.dilution import dilution
from statera.assay.protocol import load_protocol, protocol_names, read_protocol
from statera.errors import InputError, Place, UnknownNameError
from statera.sources.fact import Status

GOOD = """
title = "T"
objective = "O"
[source]
id = "S"
[drug]
name = "examplinib"
stock = { value = 10, unit = "mM" }
solvent = "DMSO"
status = "vendor_claim"
[[materials]]
name = "cells"
kind = "cells"
status = "vendor_claim"
[[steps]]
text = "do it"
status = "assumed"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_stated_numbers_of_the_pstat3_protocol() -> None:
    protocol = load_protocol("pstat3")
    assert protocol.source == "SMOLECULE_2026"
    stated = {name: str(c) for name, c in protocol.concentrations}
    assert stated == {
        "Recombinant human IL-6": "100 ng/mL",
        "Recombinant human IL-15": "100 ng/mL",
        "Baricitinib": "10 mM",
    }
    antibodies = [m.name for m in protocol.materials if m.kind == "antibody"]
    assert antibodies == ["Anti-CD4", "Anti-CD8", "Anti-CD11b", "Anti-phospho-STAT3"]
    assert (protocol.drug.name, protocol.drug.solvent) == ("baricitinib", "DMSO")
    assert dilution(protocol.drug.stock.value, 1000.0).solvent_percent == pytest.approx(0.01)


def test_what_is_stated_and_what_is_recommended_are_apart() -> None:
    protocol = load_protocol("pstat3")
    # The source states no controls at all.
    assert protocol.stated_controls == ()
    assert len(protocol.recommended_controls) == len(protocol.controls) >= 3
    assert {s.status for s in protocol.steps} == {Status.VENDOR_CLAIM, Status.ASSUMED}
    assert any(not s.is_stated and "pre-incubation" in s.note for s in protocol.steps)


def test_what_the_source_leaves_open_is_listed() -> None:
    gaps = " ".join(g.what for g in load_protocol("pstat3").gaps)
    for word in ("Working concentrations", "stimulation", "permeabilisation", "replicate"):
        assert word in gaps


def test_every_item_of_every_protocol_reads_and_has_a_text() -> None:
    assert "pstat3" in protocol_names()
    for name in protocol_names():
        protocol = load_protocol(name)
        assert all(s.text.endswith(".") for s in protocol.steps)
        assert all(g.why for g in protocol.gaps)


def test_an_unknown_protocol_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_protocol("pstat5")
    assert "pstat3" in caught.value.hint


def test_a_small_protocol_reads(tmp_path: Path) -> None:
    protocol = read_protocol(write(tmp_path, GOOD))
    assert protocol.name == "own"
    assert protocol.controls == ()
    assert not protocol.steps[0].is_stated


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "T"', "", "'title' is missing"),
        ('title = "T"', "title = 3", "'title' is not a text"),
        ('title = "T"', 'title = " "', "'title' is not a text"),
        ('title = "T"', 'title = "T"\ntitel = "x"', "unknown key 'titel'"),
        ('[source]\nid = "S"', "", "the table 'source' is missing"),
        ("value = 10", "value = -10", "drug.stock: a concentration of -10"),
        ("value = 10", 'value = "10"', "drug.stock: 'value' is not a number"),
        ("value = 10", "value = true", "drug.stock: 'value' is not a number"),
        ("value = 10", "value = nan", "not possible"),
        ('unit = "mM"', 'unit = "wombats"', "'wombats' is not a unit"),
        ('kind = "cells"', "", r"materials\[1\]: 'kind' is missing"),
        ('kind = "cells"', 'kind = "cells"\nlot = "1"', r"materials\[1\]: unknown key 'lot'"),
        ('status = "assumed"', 'status = "guessed"', "no status is called 'guessed'"),
        ('[[steps]]\ntext = "do it"\nstatus = "assumed"', "", "no steps are given"),
        ("[[steps]]", "[steps]", "'steps' is not a list of tables"),
    ],
)
def test_mistakes_name_the_file_and_the_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        read_protocol(path)
    assert caught.value.where == Place(str(path))


def test_broken_toml_is_placed(tmp_path: Path) -> None:
    path = write(tmp_path, 'title = "T"\nobjective = \n')
    with pytest.raises(InputError, match="not valid TOML") as caught:
        read_protocol(path)
    assert isinstance(caught.value.where, Place)
    assert caught.value.where.line == 2
    with pytest.raises(InputError, match="cannot be read"):
        read_protocol(tmp_path / "absent.toml")
