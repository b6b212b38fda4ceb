"""``statera biomarker associate`` against tables of R's packages; skipped where they are absent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from statera.cli.main import app

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "biomarker"
)


def told() -> Any:
    path = FOLDER / "olink_npx_data1.json"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    return json.loads(path.read_text(encoding="utf-8"))["results"]


def rows(*options: str) -> dict[tuple[str, str], dict[str, Any]]:
    data = str(FOLDER / "olink_npx_data1_subset40.csv")
    found = CliRunner().invoke(app, ["biomarker", "associate", data, *options, "--json"])
    assert found.exit_code == 0, found.output
    return {(r["analyte"], r["term"]): r for r in json.loads(found.stdout)["result"]["rows"]}


def agree(
    found: dict[tuple[str, str], dict[str, Any]], table: Any, columns: dict[str, str]
) -> None:
    assert len(table["OlinkID"]) == 40
    for ours, theirs in columns.items():
        mine = [found[assay, "Treatment"][ours] for assay in table["OlinkID"]]
        assert mine == pytest.approx(table[theirs], rel=1e-6), (ours, theirs)


def test_limma_with_blocks() -> None:
    table = told()["limma_Treatment_plus_Time"]["with_block"]
    found = rows("--formula", "Treatment + Time", "--subject", "Subject", "--method", "limma")
    agree(found, table, {"estimate": "logFC", "statistic": "t", "p_value": "P.Value"})


def test_welch_with_the_levels_in_the_order_given() -> None:
    table = told()["olink_ttest_Treatment"]
    found = rows("--formula", "Treatment", "--method", "welch",
                 "--factor", "Treatment=Untreated,Treated")  # fmt: skip
    agree(found, table, {
        "estimate": "estimate", "statistic": "statistic", "df": "parameter", "low": "conf.low",
        "high": "conf.high", "p_value": "p.value", "adjusted_p": "Adjusted_pval",
    })  # fmt: skip
