"""``statera library``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from statera import library, simulate
from statera.cli.main import app
from statera.errors import InputError, Place
from statera.library import CheckReport, Finding, Severity

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["library", *arguments])


def test_list_names_drugs_and_models() -> None:
    rows = [line.split("\t") for line in invoke("list").stdout.splitlines()]
    assert rows[0] == ["kind", "name", "about"]
    kinds = {name: kind for kind, name, _ in rows[1:]}
    assert kinds["baricitinib"] == "drug"
    assert kinds["baricitinib/Decker_2024"] == "model"


def test_list_as_json() -> None:
    result = json.loads(invoke("list", "--json").stdout)
    assert result["schema"] == "statera.library.list/1"
    drugs = {drug["name"]: drug["aliases"] for drug in result["result"]["drugs"]}
    assert "Olumiant" in drugs["baricitinib"]


def test_show_prints_facts_with_their_sources() -> None:
    result = invoke("show", "baricitinib", "--section", "potency")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    by_parameter = {row[1]: row for row in rows}
    # A bound keeps its sign.
    assert by_parameter["JAK3, isolated enzyme"][2] == "> 400 nM"
    assert all(row[6] for row in rows)
    assert result.stderr == f"{len(rows) - 1} facts.\n"


def test_show_takes_an_alias() -> None:
    assert invoke("show", "olumiant", "--quiet").stdout == (
        invoke("show", "baricitinib", "--quiet").stdout
    )


def test_show_as_json_holds_every_source_it_cites() -> None:
    result = json.loads(invoke("show", "baricitinib", "--json").stdout)["result"]
    assert result["identity"]["cas"]
    assert {fact["source"] for fact in result["facts"]} <= set(result["sources"])
    assert {rule["source"] for rule in result["labels"]} <= set(result["sources"])


def test_show_a_model() -> None:
    result = invoke("show", "baricitinib/decker_2024")
    rows = {line.split("\t")[0]: line.split("\t") for line in result.stdout.splitlines()}
    assert rows["TVCLR"][1:4] == ["6.34", "L/h", "estimated"]
    assert "DECKER24" in result.stderr
    as_json = json.loads(invoke("show", "baricitinib/Decker_2024", "--json").stdout)
    assert as_json["result"]["model"] == "baricitinib/Decker_2024"


@pytest.mark.parametrize(
    ("arguments", "code", "nearest"),
    [
        (["show", "baricitnib"], 3, "baricitinib"),
        (["show", "baricitinib", "--section", "potncy"], 3, "potency"),
        (["show", "baricitinib/Decker_2023"], 3, "baricitinib/Decker_2024"),
        (["show", "nowhere.toml"], 3, ""),
        (["show", "baricitinib/Decker_2024", "--section", "potency"], 2, ""),
    ],
)
def test_what_is_not_known(arguments: list[str], code: int, nearest: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 3
    assert nearest in result.stderr.splitlines()[2]


def test_check_passes_on_the_shipped_library(statera: Run) -> None:
    done = statera("library", "check", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)["result"]
    assert [f for f in result["findings"] if f["severity"] == "error"] == []
    assert result["counts"]["expectations"] > 0


class Library:
    """A library whose findings are chosen by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.findings: tuple[Finding, ...] = ()
        self.model_findings: tuple[Finding, ...] = ()
        self.model_error: InputError | None = None
        monkeypatch.setattr(library, "check_library", lambda: CheckReport(self.findings, {}))
        monkeypatch.setattr(library, "model_ids", lambda: ("drug/A_2000",))
        monkeypatch.setattr(library, "load_model", self.load)
        monkeypatch.setattr(simulate, "check_models", lambda progress: self.model_findings)

    def load(self, name: str) -> object:
        if self.model_error is not None:
            raise self.model_error
        return SimpleNamespace(expectations=(name, name))


@pytest.fixture
def defective(monkeypatch: pytest.MonkeyPatch) -> Library:
    return Library(monkeypatch)


def test_check_says_so_when_all_is_well(defective: Library) -> None:
    result = invoke("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "The library holds: no error, 0 warnings. Checked: 1 models, 2 expectations.\n"
    )


def test_check_fails_with_the_place_of_the_first_error(defective: Library) -> None:
    defective.findings = (
        Finding(Place("facts/a.toml", 3), Severity.WARNING, "odd"),
        Finding(Place("facts/a.toml", 9), Severity.ERROR, "no such source"),
    )
    result = invoke("check")
    assert result.exit_code == 3
    assert result.stdout.splitlines()[1:] == [
        "warning\tfacts/a.toml:3\todd",
        "error\tfacts/a.toml:9\tno such source",
    ]
    assert result.stderr.splitlines()[:2] == [
        "error: the library has 1 error: no such source",
        "where: facts/a.toml:9",
    ]


def test_check_passes_with_a_warning(defective: Library) -> None:
    defective.findings = (Finding(Place("facts/a.toml", 3), Severity.WARNING, "odd"),)
    result = invoke("check")
    assert result.exit_code == 0
    assert "1 warning." in result.stderr


def test_check_reports_models_too_even_one_that_cannot_be_read(defective: Library) -> None:
    place = Place("A_2000.toml", 4)
    defective.model_error = InputError("CL is negative", where=place)
    defective.model_findings = (Finding(place, Severity.ERROR, "CL is negative"),)
    result = invoke("check")
    assert result.exit_code == 3
    assert result.stdout.splitlines()[1:] == ["error\tA_2000.toml:4\tCL is negative"]
    assert "where: A_2000.toml:4" in result.stderr


def test_check_as_json_fails_with_the_envelope_of_an_error(defective: Library) -> None:
    defective.findings = (Finding(Place("a.toml", 9), Severity.ERROR, "no such source"),)
    result = invoke("check", "--json")
    envelope = json.loads(result.stdout)
    assert result.exit_code == 3
    assert envelope["ok"] is False
    assert envelope["error"]["where"] == "a.toml:9"


def test_the_place_of_a_wrong_user_model_is_given(tmp_path: Path) -> None:
    model = tmp_path / "mine.toml"
    model.write_text("schema = \n", encoding="utf-8")
    result = invoke("show", str(model))
    assert result.exit_code == 3
    assert f"where: {model}:1" in result.stderr
