"""The grid of cases that pairwise synthesis is held against, read in place."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "evidence"
)
SETS = ("bcg", "normand1999", "nielweise2007_rare", "nielweise2008_rates")
TESTS = ("z", "knha", "adhoc")


def results(name: str) -> dict[str, Any]:
    """Results of a set, or a skip with the reason."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    found = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert isinstance(found, dict)
    return found


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a set, or a skip with the reason."""
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def column(name: str, of: str) -> list[float]:
    """One column of numbers of a set."""
    return [float(row[of]) for row in rows(name)]


def measures(name: str) -> dict[str, dict[str, Any]]:
    """Parts of a set that hold effects and syntheses of them."""
    return {
        key: part
        for key, part in results(name).items()
        if isinstance(part, dict) and "escalc" in part
    }


def syntheses(part: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Estimator, test and expected values of each synthesis of a part."""
    for key, expected in part.items():
        method, _, test = key.rpartition("_")
        if test in TESTS and isinstance(expected, dict) and "error" not in expected:
            yield method, test, expected
