"""Effects and intervals against outside reference results; skipped where these are absent."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from statera.evidence.proportions import Arm, odds_ratio, risk_difference, risk_ratio
from statera.evidence.rates import crude_rate_ratio, incidence_rate
from statera.evidence.ratio_estimates import RatioEstimate
from statera.numerics.intervals_exact import normal_quantile

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "evidence"
)
Z = normal_quantile(0.95)


def results(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    found = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert isinstance(found, dict)
    return found


def rows(name: str) -> list[dict[str, str]]:
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def bcg_arms() -> list[tuple[Arm, Arm]]:
    pairs = []
    for row in rows("bcg"):
        treated = int(row["tpos"]), int(row["tpos"]) + int(row["tneg"])
        control = int(row["cpos"]), int(row["cpos"]) + int(row["cneg"])
        pairs.append((Arm("vaccine", *treated), Arm("none", *control)))
    return pairs


@pytest.mark.parametrize(("measure", "effect"), [("RR", risk_ratio), ("OR", odds_ratio)])
def test_log_ratios_and_their_errors(measure: str, effect: Any) -> None:
    reference = results("bcg")[measure]["escalc"]
    pairs = bcg_arms()
    assert len(pairs) == len(reference["yi"]) == 13
    for (treated, control), log_ratio, variance in zip(
        pairs, reference["yi"], reference["vi"], strict=True
    ):
        got = effect(treated, control)
        assert math.log(got.estimate) == pytest.approx(log_ratio, abs=1e-10)
        error = math.log(got.interval.high / got.interval.low) / (2 * Z)
        assert error**2 == pytest.approx(variance, rel=1e-10)


def test_risk_differences() -> None:
    # The estimate only: the reference variance is Wald's, the interval here is Newcombe's.
    reference = results("bcg")["RD"]["escalc"]["yi"]
    got = [risk_difference(treated, control).estimate for treated, control in bcg_arms()]
    assert got == pytest.approx(reference, abs=1e-12)


def test_exact_poisson_limits() -> None:
    reference = results("nielweise2008_rates")["exact_garwood_arm2"]
    table = rows("nielweise2008_rates")
    assert len(table) == len(reference["rate"]) == 9
    for row, rate, low, high in zip(
        table, reference["rate"], reference["lb"], reference["ub"], strict=True
    ):
        got = incidence_rate(int(row["x2i"]), float(row["t2i"]))
        assert got.per_100 / 100 == pytest.approx(rate, rel=1e-10)
        assert got.interval.low / 100 == pytest.approx(low, rel=1e-8)
        assert got.interval.high / 100 == pytest.approx(high, rel=1e-8)


def test_log_rate_ratios() -> None:
    reference = results("nielweise2008_rates")["IRR"]["escalc"]["yi"]
    for row, log_ratio in zip(rows("nielweise2008_rates"), reference, strict=True):
        got = crude_rate_ratio(
            incidence_rate(int(row["x1i"]), float(row["t1i"])),
            incidence_rate(int(row["x2i"]), float(row["t2i"])),
        )
        assert math.log(got.estimate) == pytest.approx(log_ratio, abs=1e-10)


def test_standard_errors_of_published_ratios() -> None:
    table = rows("jaki_vs_tnfi_safety_studies")
    compared = 0
    for outcome, block in results("jaki_vs_tnfi_safety_studies").items():
        if "sei" not in block:
            continue
        for study, log_ratio, error in zip(
            block["studies"], block["yi"], block["sei"], strict=True
        ):
            row = next(
                r for r in table if r["study"] == study and r["outcome"] == outcome.split("|")[0]
            )
            got = RatioEstimate(
                study, row["effect"], float(row["est"]), float(row["lo"]), float(row["hi"])
            )
            assert got.log_estimate == pytest.approx(log_ratio, abs=1e-10)
            assert got.se == pytest.approx(error, rel=1e-9)
            compared += 1
    assert compared >= 15
