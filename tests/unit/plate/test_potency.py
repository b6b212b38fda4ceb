"""Potencies of a plate for the rest of the chain: nothing is lost, and no number is impossible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from statera.assay.ic50 import Determination
from statera.engagement import PotencyStatus, has_distribution, read_potency_toml
from statera.engagement.potency_toml import write_potency_toml
from statera.plate.analyse import analyse_plate
from statera.plate.potency import potency_file
from statera.plate.result import PlateResult
from statera.plate.simulated_plate import SimulatedPlate


@pytest.fixture(scope="module")
def result(plate: SimulatedPlate) -> PlateResult:
    return analyse_plate(plate.settings)


def test_the_file_of_a_plate_is_read_again(result: PlateResult, tmp_path: Path) -> None:
    file = potency_file(result)
    path = tmp_path / "potency.toml"
    write_potency_toml(file, path)
    assert read_potency_toml(path) == file
    assert {r.cells for r in file.refused} == {"CD11b"}
    assert len(file.potencies) == 5
    assert all(has_distribution(r.potency()) for r in file.potencies)
    assert len(file.provenance.files) == len(result.wells)


def test_what_cannot_be_a_potency_is_refused_with_its_reason(result: PlateResult) -> None:
    steep = replace(result.donors[0], hill=12.0)
    rising = replace(result.donors[1], hill=-1.0)
    file = potency_file(replace(result, donors=(steep, rising, *result.donors[2:])))
    reasons = [r.reason for r in file.refused if not r.donor]
    assert any("'hill' is 12" in reason for reason in reasons)
    assert any("rises with the dose" in reason for reason in reasons)
    assert len(file.potencies) == 3


def test_a_bound_stays_one(result: PlateResult) -> None:
    first = result.donors[0]
    bound = replace(
        first, status=Determination.AT_LEAST, ic50=900.0, interval=(900.0, None),
        ln_sd_between=None,
    )  # fmt: skip
    record = potency_file(replace(result, donors=(bound,))).potencies[0]
    assert record.status is PotencyStatus.AT_LEAST
    assert record.potency().ic50.low == 900.0
    assert not has_distribution(record.potency())
