"""Dilutions and series by hand, and what is refused."""

from __future__ import annotations

import math

import pytest

from statera.assay.dilution import dilution, log_dilution_series
from statera.errors import InputError


def test_ten_millimolar_to_one_micromolar() -> None:
    got = dilution(10.0, 1000.0)
    assert got.fold == pytest.approx(10_000)
    assert got.solvent_percent == pytest.approx(0.01)
    assert got.text == "1:10 000, 0.01 % solvent"


def test_stock_itself_is_pure_solvent() -> None:
    got = dilution(0.001, 1000.0)
    assert (got.fold, got.solvent_percent) == (pytest.approx(1.0), pytest.approx(100.0))
    assert dilution(1e-6, 0.4).text == "1:2.5, 40 % solvent"


def test_half_log_series() -> None:
    series = log_dilution_series(1000.0, math.sqrt(10.0), 5)
    assert series == pytest.approx([1000.0, 316.2277660, 100.0, 31.6227766, 10.0])
    assert series[0] == 1000.0


@pytest.mark.parametrize(
    ("stock", "target"),
    [(10.0, 0.0), (10.0, -1.0), (0.0, 1.0), (math.nan, 1.0), (10.0, math.inf)],
)
def test_impossible_concentrations_are_refused(stock: float, target: float) -> None:
    with pytest.raises(InputError, match="not possible"):
        dilution(stock, target)


def test_a_target_above_the_stock_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be made") as caught:
        dilution(1.0, 2e6)
    assert "1e+06" in caught.value.hint


def test_series_that_make_no_sense_are_refused() -> None:
    for fold in (1.0, 0.5, -2.0, math.nan, math.inf):
        with pytest.raises(InputError, match="does not dilute"):
            log_dilution_series(1000.0, fold, 5)
    for n in (0, 1, 385, 2.5):
        with pytest.raises(InputError, match="number of concentrations"):
            log_dilution_series(1000.0, 2.0, n)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not possible"):
        log_dilution_series(-1.0, 2.0, 5)
    with pytest.raises(InputError, match="vanishes"):
        log_dilution_series(1000.0, 100.0, 300)
