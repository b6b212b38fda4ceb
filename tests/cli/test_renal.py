"""``statera renal``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

WOMAN = ("--age", "60", "--sex", "female", "--creatinine", "1.05 mg/dL")
SIZE = ("--weight", "70", "--height", "165")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["renal", *arguments])


def as_json(*arguments: str) -> dict[str, Any]:
    found = json.loads(invoke(*arguments, "--json").stdout)
    assert isinstance(found, dict)
    return found


def table(result: Result) -> dict[str, list[str]]:
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0][:4] == ["equation", "gives", "mL/min/1.73 m2", "mL/min"]
    return {row[0]: row for row in rows[1:]}


def test_own_values_are_told_from_converted_ones() -> None:
    rows = table(invoke(*WOMAN, *SIZE))
    assert rows["CKD-EPI 2021, creatinine"][1:4] == ["indexed", "60.8", "(62.3)"]
    assert rows["Cockcroft-Gault, actual weight"][1:4] == ["absolute", "(61.5)", "63.0"]


def test_every_equation_has_a_row_with_a_value_or_a_reason() -> None:
    rows = table(invoke(*WOMAN))
    assert len(rows) == 13
    for row in rows.values():
        assert bool(row[2] or row[3]) != bool(row[4])
        assert row[5]


def test_the_drug_moves_estimates_near_a_cut() -> None:
    result = invoke(*WOMAN, "--drug", "baricitinib", "--before-treatment")
    assert "58.0 mL/min/1.73 m2 on treatment, 60.8 mL/min/1.73 m2 before it" in result.stderr
    assert "The cut of 60 mL/min/1.73 m2 lies between them" in result.stderr
    shifts = as_json(*WOMAN, "--drug", "baricitinib", "--before-treatment")["result"][
        "on_and_before_treatment"
    ]
    assert [s["equation"] for s in shifts] == ["ckd-epi-2021"]
    assert shifts[0]["near_cuts"] == [60.0]
    assert shifts[0]["rise_fact"]


def test_own_cuts() -> None:
    found = as_json(*WOMAN, "--drug", "baricitinib", "--on-treatment", "--cut", "64")
    assert found["result"]["on_and_before_treatment"][0]["near_cuts"] == [64.0]


def test_a_drug_without_a_known_rise_is_said() -> None:
    result = invoke(*WOMAN, "--drug", "deucravacitinib", "--on-treatment")
    assert result.exit_code == 0
    assert "No rise of creatinine by deucravacitinib" in result.stderr


def test_json_holds_both_measures_and_the_body() -> None:
    found = as_json(*WOMAN, *SIZE, "--race-coefficient")
    assert found["schema"] == "statera.renal/1"
    by_id = {e["equation"]: e for e in found["result"]["estimates"]}
    assert by_id["ckd-epi-2021"]["indexed_ml_min_173m2"] == pytest.approx(60.827, abs=1e-3)
    assert by_id["mdrd"]["as_computed"] == "MDRD, with race coefficient"
    assert by_id["schwartz-bedside"]["status"] == "outside_age"
    names = [b["name"] for b in found["result"]["body_size"]]
    assert "fat-free mass, Janmahasatian" in names


def test_body() -> None:
    result = invoke(*WOMAN, *SIZE, "--body")
    rows = {line.split("\t")[0]: line.split("\t") for line in result.stdout.splitlines()}
    assert rows["body surface area, DuBois"][1:3] == ["1.77", "m2"]
    assert rows["ideal body weight, Devine"][1:3] == ["56.91", "kg"]
    other = invoke("--body", "--weight", "70", "--height", "165").stdout
    assert "Needs sex and age." in other


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--age", "60"), 2, "neither creatinine nor cystatin C"),
        ((*WOMAN, "--drug", "baricitinib"), 2, "belong together"),
        ((*WOMAN, "--on-treatment"), 2, "belong together"),
        ((*WOMAN, "--body"), 2, "needs weight and height"),
        (("--creatinine", "105 mg/dL"), 3, "give the unit umol/L"),
        (("--creatinine", "105"), 3, "unit"),
        ((*WOMAN, "--height", "1.65"), 3, "metres"),
        ((*WOMAN, *SIZE, "--bsa", "Boyds"), 3, "Nearest: Boyd"),
        ((*WOMAN, "--drug", "baricitinb", "--on-treatment"), 3, "Nearest: baricitinib"),
    ],
)
def test_wrong_calls(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == code
    assert sentence in result.stderr


def test_an_implausible_value_can_be_confirmed() -> None:
    arguments = ("--age", "60", "--sex", "f", "--creatinine", "25 mg/dL")
    assert invoke(*arguments).exit_code == 3
    confirmed = invoke(*arguments, "--confirm")
    assert confirmed.exit_code == 0
    assert "unusually high" in confirmed.stderr
