"""A simulated analysis and its report, made once."""

from __future__ import annotations

import pytest
from tests.unit.plate_report.plate_results import simulated_plate

from statera.plate.result import PlateResult
from statera.plate_report import build_plate_report
from statera.report.document import Document


@pytest.fixture(scope="session")
def result() -> PlateResult:
    return simulated_plate()


@pytest.fixture(scope="session")
def document(result: PlateResult) -> Document:
    return build_plate_report(result)
