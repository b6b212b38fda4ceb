"""Keywords that tell how a file was measured, and none that name a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from statera.cytometry.read_fcs import FcsFile
from statera.plate.measurement_keywords import measurement_keywords


def file_with(**keywords: str) -> FcsFile:
    named = {f"${name}": text for name, text in keywords.items()}
    return FcsFile(Path("a.fcs"), "FCS3.1", named, (), np.zeros((0, 0)), ())


def test_instrument_and_date_are_kept_and_names_of_persons_are_not() -> None:
    file = file_with(
        CYT=" Aurora ", DATE="01-JAN-2026", OP="Jane Doe", EXP="Jane Doe", SRC="patient 7",
        FIL="Doe.fcs", CYTSN="V0123", INST="Clinic",
    )  # fmt: skip
    assert measurement_keywords(file) == {"$CYT": "Aurora", "$DATE": "01-JAN-2026"}


def test_voltages_are_named_by_their_channels() -> None:
    file = file_with(P1N="FSC-A", P1V="250", P2N="Time", P2V="0", P3N="APC-A", P3V="610")
    assert measurement_keywords(file) == {"voltages": "FSC-A 250, APC-A 610"}


def test_a_file_that_says_nothing_gives_nothing() -> None:
    assert measurement_keywords(file_with(P1N="FSC-A", CYT=" ")) == {}
