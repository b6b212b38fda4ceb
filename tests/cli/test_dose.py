"""``statera dose``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

Run = Callable[..., "subprocess.CompletedProcess[str]"]

KNOWN = (
    *("--alc", "1.2 10^9/L", "--anc", "3.1 10^9/L", "--hb", "13 g/dL", "--hepatic", "none"),
    *("--with", "none", "--risk", "none", "--phase", "start"),
)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dose", *arguments])


def asked(*arguments: str) -> Result:
    return invoke("baricitinib", "--region", "EU", "--indication", "RA", *arguments)


def data(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_dose_with_its_rule_and_source() -> None:
    result = asked("--age", "50", "--crcl", "45", *KNOWN)
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "baricitinib, rheumatoid arthritis, European Union\n"
        "=================================================\n\n"
        "2 mg once daily.\n\nDecided by\n"
    )
    assert "Lilly Medical UK: Olumiant in RA patients with renal impairment" in result.stdout
    assert "Research and education only. Not a medical device." in result.stdout


def test_what_is_missing_is_said() -> None:
    result = asked("--age", "70", "--egfr", "45")
    assert result.exit_code == 0
    assert "Cannot be decided: missing creatinine clearance (mL/min)" in result.stdout
    assert "What would change it" in result.stdout


def test_json_holds_the_decision_and_no_dose_where_there_is_none() -> None:
    envelope = data(asked("--age", "70", "--egfr", "45", "--json"))
    assert envelope["schema"] == "statera.dose/1"
    assert envelope["ok"] is True
    result = envelope["result"]
    assert result["outcome"] == "cannot_be_decided"
    assert result["doses"] == []
    assert [d["mg"] for d in result["so_far"]] == [2.0]
    assert "hepatic function" in result["missing"]
    assert "Not a medical device" in envelope["warnings"][0]
    decided = data(asked("--age", "70", "--crcl", "80", *KNOWN, "--json"))["result"]
    assert [(d["mg"], d["frequency"], d["daily_mg"]) for d in decided["doses"]] == [(2, "QD", 2)]
    assert decided["deciding"][1]["source"] == "MIMS_TH"


def test_outside_the_label_is_exit_code_5() -> None:
    child = asked("--age", "12", "--crcl", "80", *KNOWN)
    assert child.exit_code == 5
    assert "No rule that was read gives a dose" in child.stdout
    assert "outside the label as read" in child.stderr
    envelope = data(asked("--age", "12", "--crcl", "80", *KNOWN, "--json"))
    assert envelope["ok"] is False
    assert envelope["error"]["exit_code"] == 5
    assert envelope["result"]["outcome"] == "no_rule"
    assert invoke("baricitinib", "--region", "EU", "--indication", "UC").exit_code == 5
    assert invoke("ritlecitinib", "--region", "EU", "--indication", "AA").exit_code == 5


def test_a_label_that_says_no_has_answered() -> None:
    result = asked("--age", "50", "--crcl", "20", *KNOWN)
    assert result.exit_code == 0
    assert "Not recommended." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--alc", "450"), 3, "where: --alc"),
        (("--creatinine", "85"), 3, "where: --creatinine"),
        (("--weight", "70000"), 3, "grams"),
        (("--with", "x", "--hepatic", "ill"), 3, "where: --hepatic"),
        (("--risk", "gout"), 3, "where: --risk"),
        (("--on-dose", "4 tablets"), 3, "where: --on-dose"),
        (("--egfr", "lots"), 2, "--egfr"),
    ],
)
def test_wrong_values_name_the_option(arguments: tuple[str, ...], code: int, says: str) -> None:
    result = asked(*arguments)
    assert result.exit_code == code
    assert says in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "DRUG is missing"),
        (("baricitinib",), 2, "--region is missing"),
        (("baricitinib", "--region", "EU"), 2, "--indication is missing"),
        (("baricitinip", "--region", "EU", "--indication", "RA"), 3, "Nearest: baricitinib"),
        (("baricitinib", "--region", "EEU", "--indication", "RA"), 3, "Nearest: EU"),
        (("baricitinib", "--region", "EU", "--indication", "UC"), 5, "where: --indication"),
        (("--list", "aspirin"), 2, "no label rule of 'aspirin'"),
    ],
)
def test_what_must_be_named(arguments: tuple[str, ...], code: int, says: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == code
    assert says in result.stderr


def test_a_patient_file_stands_for_the_options(tmp_path: Path) -> None:
    path = tmp_path / "p1.toml"
    path.write_text(
        'schema = "statera.label-patient/1"\nage = 50\nsex = "male"\nweight_kg = 70\n'
        'creatinine = "131 umol/L"\nalc = "1.2 10^9/L"\nanc = "3.1 10^9/L"\nhb = "13 g/dL"\n'
        'hepatic = "none"\nrisk = ["none"]\nmedicines = ["none"]\nphase = "treatment"\n',
        encoding="utf-8",
    )
    result = asked("--patient", str(path))
    assert result.exit_code == 0
    assert "2 mg once daily." in result.stdout
    assert "Renal function near a limit" in result.stdout
    envelope = data(asked("--patient", str(path), "--json"))
    assert envelope["result"]["near_cut"][0]["crosses"] is True
    assert "p1.toml" in json.dumps(envelope["manifest"])
    both = asked("--patient", str(path), "--age", "50")
    assert both.exit_code == 2
    assert "--patient and --age exclude each other" in both.stderr


def test_the_list_names_all_drugs_with_rules() -> None:
    rows = [line.split("\t") for line in invoke("--list").stdout.splitlines()]
    assert rows[0] == ["drug", "region", "indications", "rules"]
    assert {row[0] for row in rows[1:]} == {
        *("abrocitinib", "baricitinib", "deucravacitinib", "filgotinib", "ritlecitinib"),
        *("ruxolitinib", "tofacitinib", "upadacitinib"),
    }
    one = data(invoke("--list", "baricitinib", "--json"))["result"]
    assert {row["region"] for row in one} == {"US", "EU", "CH", "Ontario"}


def test_regions_side_by_side() -> None:
    given = ("baricitinib", "--region", "all", "--indication", "COVID-19", "--age", "50")
    result = invoke(*given, "--egfr", "20", "--finding", "hospitalised,no-dialysis", *KNOWN)
    assert result.exit_code == 0
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [(row[0], row[1]) for row in rows[1:]] == [
        ("US", "cannot_be_decided"),
        ("Ontario", "not_recommended"),
    ]
    assert "acute kidney injury" in rows[1][2]
    assert "Not a medical device" in result.stderr
    answered = data(invoke(*given, "--json"))["result"]
    assert [d["region"] for d in answered] == ["US", "Ontario"]
    none = invoke("baricitinib", "--region", "all", "--indication", "UC")
    assert none.exit_code == 5


def test_as_a_process(statera: Run) -> None:
    done = statera(
        *("dose", "upadacitinib", "--region", "US", "--indication", "RA", "--age", "50"),
        *("--alc", "900 cells/uL", "--anc", "3.1 10^9/L", "--hb", "13 g/dL"),
        *("--hepatic", "none", "--with", "none", "--phase", "start", "--crcl", "90"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "15 mg once daily." in done.stdout
