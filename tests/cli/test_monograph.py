"""``statera monograph``: options, files and streams; the page itself is a matter of its package."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from statera import monograph
from statera.cli.main import app
from statera.monograph import MonographOptions
from statera.report.document import Callout, Cell, Document, Paragraph, Section

PAGE = Document(
    title="Baricitinib",
    subtitle="a drug",
    notice="Research software.",
    sections=(
        Section(
            "one",
            "First section",
            (
                Paragraph(("Half-life ", Cell("12.5 h", "computed"), " µ")),
                Callout("warning", "Extrapolated", ("below ", Cell("54"), " mL/min")),
                Callout("note", "Remark", ("not a warning",)),
            ),
        ),
    ),
    methods=(),
    references=(),
    manifest=MappingProxyType({"seed": 7}),
)


class Builder:
    """Stands in for the computation, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, MonographOptions]] = []

    def __call__(self, drug: str, options: MonographOptions, progress: Any) -> Document:
        self.asked.append((drug, options))
        progress("Simulating", 0.0)
        return PAGE


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Builder:
    made = Builder()
    monkeypatch.setattr(monograph, "build", made)
    monkeypatch.chdir(tmp_path)
    return made


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["monograph", *arguments])


def test_a_page_is_written_and_its_name_printed(builder: Builder, tmp_path: Path) -> None:
    result = invoke("baricitinib", "--out", "page.html")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{(tmp_path / 'page.html').resolve()}\n"
    assert "12.5 h" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert result.stderr == "Baricitinib: written (warnings in it: 1)\n"


def test_the_page_is_named_after_the_drug_unless_told(builder: Builder, tmp_path: Path) -> None:
    assert invoke("Olumiant", "--quiet").stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["baricitinib.html"]
    assert builder.asked[0][0] == "baricitinib"


def test_json_goes_to_standard_output_and_no_file_is_made(builder: Builder, tmp_path: Path) -> None:
    result = invoke("baricitinib", "--json")
    envelope = json.loads(result.stdout)
    assert envelope["schema"] == "statera.monograph/1"
    assert envelope["ok"] is True
    assert envelope["result"]["title"] == "Baricitinib"
    assert envelope["warnings"] == ["Extrapolated: below 54 mL/min"]
    assert envelope["manifest"] == {"seed": 7}
    assert list(tmp_path.iterdir()) == []
    assert result.stderr == ""


def test_json_and_a_page_at_once(builder: Builder, tmp_path: Path) -> None:
    result = invoke("baricitinib", "--json", "--out", "page.html")
    assert json.loads(result.stdout)["ok"] is True
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!")


def test_a_name_that_ends_in_json_gets_the_data(builder: Builder, tmp_path: Path) -> None:
    assert invoke("baricitinib", "--out", "data.json").exit_code == 0
    text = (tmp_path / "data.json").read_text(encoding="utf-8")
    assert json.loads(text)["result"]["title"] == "Baricitinib"
    assert "µ" in text


def test_options_reach_the_computation(builder: Builder) -> None:
    invoke(
        "baricitinib", "--n", "50", "--seed", "7", "--workers", "3", "--concentration", "0.05 uM"
    )
    options = builder.asked[0][1]
    assert (options.n, options.seed, options.workers) == (50, 7, 3)
    assert options.concentration_nM == pytest.approx(50.0)
    assert options.potency_table is None


def test_defaults(builder: Builder) -> None:
    invoke("baricitinib", "--potency", "mine.csv")
    options = builder.asked[0][1]
    assert (options.n, options.seed) == (1000, 1)
    assert options.workers >= 1
    assert options.concentration_nM is None
    assert options.potency_table == Path("mine.csv")


@pytest.mark.parametrize(
    ("options", "code", "where"),
    [
        (["--concentration", "50"], 3, "--concentration"),
        (["--concentration", "50 h"], 3, "--concentration"),
        (["--concentration", "0 nM"], 3, "--concentration"),
        (["--concentration", "-1 nM"], 3, "--concentration"),
        (["--concentration", "nan nM"], 3, "--concentration"),
        (["--out", "page.docx"], 3, "--out"),
        (["--out", "nowhere/page.html"], 3, "--out"),
        (["--out", "."], 3, "--out"),
        (["--n", "1"], 2, "statera monograph"),
    ],
)
def test_wrong_options_are_found_before_the_work(
    options: list[str], code: int, where: str, builder: Builder, tmp_path: Path
) -> None:
    result = invoke("baricitinib", *options)
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.splitlines()[1] == f"where: {where}"
    assert builder.asked == []
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_drug_offers_the_nearest(builder: Builder, tmp_path: Path) -> None:
    result = invoke("baricitnib", "--json")
    assert result.exit_code == 3
    assert "baricitinib" in json.loads(result.stdout)["error"]["hint"]
    assert "baricitinib" in result.stderr.splitlines()[2]
    assert builder.asked == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("potency.toml", 'name = "x"', ".csv"),
        ("mine.dat", "neither", "statera.potency/1"),
        ("absent.toml", None, "cannot read the file"),
    ],
)
def test_potencies_that_cannot_be_read_say_which_kinds_are(
    name: str, content: str | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = invoke(
        "tofacitinib", "--n", "20", "--potency", str(path), "--out", str(tmp_path / "page.html")
    )
    assert result.exit_code == 3
    assert not (tmp_path / "page.html").exists()
    assert said in result.stderr
    assert name in result.stderr
