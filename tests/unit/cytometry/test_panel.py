"""Panels: signs of markers, and channels of a file by role."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from statera.cytometry.fcs_layout import Channel
from statera.cytometry.panel import Panel, parse_base, parse_signs
from statera.cytometry.read_fcs import FcsFile
from statera.errors import InputError, UnknownNameError


def panel(**populations: str) -> Panel:
    return Panel(
        "FSC-A",
        "FSC-H",
        "SSC-A",
        "Live",
        "Time",
        {"CD3": "FITC-A", "CD4": "CD4", "HLA-DR": "PE-A"},
        {"pSTAT3": "APC-A"},
        populations,
    )


def file(*names: tuple[str, str]) -> FcsFile:
    channels = tuple(
        Channel(i, name, label, "float", 32, 262144.0) for i, (name, label) in enumerate(names, 1)
    )
    return FcsFile(Path("A01.fcs"), "FCS3.1", {}, channels, np.zeros((len(names), 0)), ())


def test_signs() -> None:
    assert parse_signs("CD3+ CD4+, CD8-") == (("CD3", True), ("CD4", True), ("CD8", False))
    assert parse_signs("HLA-DR- CD3⁺") == (("HLA-DR", False), ("CD3", True))
    assert parse_signs("monocytes CD14+") == (("CD14", True),)
    assert parse_base("Monocytes: CD14+") == "monocytes"
    assert parse_base("CD14+") == ""


@pytest.mark.parametrize(
    ("text", "said"), [("CD3", "no sign"), ("CD3+ -", "no marker"), ("CD3+ CD3-", "twice")]
)
def test_signs_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_signs(text)


def test_two_bases_refused() -> None:
    with pytest.raises(InputError, match="names 2 gates"):
        parse_base("lymphocytes monocytes CD3+")


def test_panel_checks_its_populations() -> None:
    with pytest.raises(UnknownNameError, match="CD8"):
        panel(CD8="CD3+ CD8+")
    with pytest.raises(InputError, match="a gate has that name"):
        panel(Lymphocytes="CD3+")
    with pytest.raises(InputError, match="names no marker"):
        panel(none=" ")
    assert panel(mono="monocytes").base("mono") == "monocytes"


def test_resolve_names_what_is_missing() -> None:
    found = panel(CD4="CD3+ CD4+").resolve(
        file(("FSC-A", ""), ("FSC-H", ""), ("FITC-A", "CD3"), ("BV421-A", "CD4"), ("APC-H", ""))
    )
    assert found.fsc_area == "FSC-A"
    assert found.markers == {"CD3": "FITC-A", "CD4": "BV421-A"}
    assert found.readouts == {}
    assert dict(found.missing) == {
        "ssc_area": "SSC-A",
        "live_dead": "Live",
        "time": "Time",
        "marker HLA-DR": "PE-A",
        "readout pSTAT3": "APC-A",
    }
    assert any("A01.fcs has no channel 'APC-A' for readout pSTAT3" in s for s in found.problems)
