"""The screen for pathways: by mouse and by keyboard, its numbers those of the interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from statera.web.samples import path as sample

from .running_server import RunningServer

DOSES = {"drug": "baricitinib", "doses": ["2 mg q24h ss", "4 mg q24h ss"]}


@pytest.fixture(scope="module", autouse=True)
def _compiled(app: RunningServer) -> None:
    """The solver is compiled by a job: at the first use on a machine it takes about a minute."""
    job = app.start_job("pathway", DOSES)
    assert app.wait_for_job(job)["status"] == "done"


def shown(value: float) -> str:
    """A number with three digits as the screens write it."""
    exponent = int(f"{value:e}".partition("e")[2])
    return f"{value:.{max(2 - exponent, 0)}f}".replace("-", "\u2212")


def rows_of(page: Any) -> list[list[str]]:
    region = page.get_by_role("region", name="Inhibition against no drug, %")
    region.wait_for()
    return [row.locator("th, td").all_inner_texts() for row in region.locator("tbody tr").all()]


def expected_rows(found: dict[str, Any]) -> list[list[str]]:
    labels = {o["name"]: o["label"] for o in found["result"]["outputs"]}
    return [
        [labels[name], scenario, *(shown(v) for v in values)]
        for name, scenario, *values in found["result"]["shown"]["rows"]
    ]


def test_the_first_visit_shows_the_inhibition_of_the_interface(
    open_app: Any, app: RunningServer
) -> None:
    page = open_app("/pathway")
    table = rows_of(page)
    assert table == expected_rows(app.ask("pathway", DOSES))
    page.get_by_role("img", name="species in").wait_for()
    assert page.errors == []
    assert all(url.startswith((app.url, "data:", "blob:")) for url in page.requests)


def test_other_regimens_by_keyboard_and_a_reload_keeps_them(
    open_app: Any, app: RunningServer
) -> None:
    page = open_app("/pathway")
    rows_of(page)
    page.get_by_label("Regimens to compare").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("1 mg q24h ss")
    page.keyboard.press("Tab")
    expected = expected_rows(app.ask("pathway", {**DOSES, "doses": ["1 mg q24h ss"]}))
    page.get_by_role("cell", name=expected[0][2], exact=True).first.wait_for()
    assert rows_of(page) == expected
    page.wait_for_function("() => location.search.includes('1+mg+q24h')")
    page.reload()
    assert rows_of(page) == expected


def test_a_drug_without_model_or_potency_asks_for_what_is_missing(
    open_app: Any, app: RunningServer
) -> None:
    page = open_app("/pathway")
    rows_of(page)
    page.get_by_role("combobox", name="Drug").select_option("ruxolitinib")
    page.get_by_text("The library has no population model of ruxolitinib").wait_for()
    page.get_by_text("The library has no IC50 of ruxolitinib").wait_for()
    page.get_by_label("IC50 at JAK1 (nM)").fill("5")
    page.get_by_label("IC50 at JAK1 (nM)").press("Enter")
    asked = {"drug": "ruxolitinib", "ic50": {"JAK1": 5}, "concentrations": [10, 100]}
    expected = expected_rows(app.ask("pathway", asked))
    page.get_by_role("cell", name="100 nM", exact=True).first.wait_for()
    assert rows_of(page) == expected


def test_files_of_ones_own_are_uploaded_and_run(
    open_app: Any, app: RunningServer, tmp_path: Path
) -> None:
    pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    model = sample("sample-pathway-model", tmp_path)
    marks = sample("sample-pathway-marks", tmp_path)
    page = open_app("/pathway")
    page.get_by_role("combobox", name="Network").select_option("own")
    page.get_by_label("SBML file", exact=True).last.set_input_files(model.path)
    page.get_by_text(f"In use: {model.path.name}").wait_for()
    page.get_by_label("File of marks (.toml)", exact=True).last.set_input_files(marks.path)
    page.get_by_text(f"In use: {marks.path.name}").wait_for()
    page.get_by_label("Outputs").fill("total_pSTAT, SOCS, target")
    page.get_by_label("Outputs").press("Enter")
    page.get_by_role("rowheader", name="target").first.wait_for()
    expected = app.ask("pathway", DOSES)["result"]["shown"]["rows"]
    table = rows_of(page)
    assert [row[2:] for row in table] == [[shown(v) for v in row[2:]] for row in expected]


def test_a_run_as_a_job_survives_a_reload(open_app: Any) -> None:
    page = open_app("/pathway")
    table = rows_of(page)
    page.get_by_role("button", name="Run as a job").click()
    page.get_by_text("finished").wait_for()
    page.wait_for_function("() => location.search.includes('job=')")
    page.reload()
    page.get_by_text("finished").wait_for()
    assert rows_of(page) == table
    page.get_by_role("button", name="Back to the live view").click()
    page.wait_for_function("() => !location.search.includes('job=')")


def test_script_in_a_file_is_never_run(open_app: Any, app: RunningServer, tmp_path: Path) -> None:
    pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    text = sample("sample-pathway-model", tmp_path).path.read_text(encoding="utf-8")
    name = (
        "&lt;img src=x onerror='document.title=1'&gt;&lt;script&gt;document.title=2&lt;/script&gt;"
    )
    file = tmp_path / "<b>evil.xml"
    file.write_text(text.replace('name="compact JAK-STAT pathway of IL-6"', f'name="{name}"'),
                    encoding="utf-8")  # fmt: skip
    page = open_app("/pathway?" + urlencode({"given": json.dumps({"drug": "", "ic50": {}})}))
    page.get_by_role("combobox", name="Network").select_option("own")
    page.get_by_label("SBML file", exact=True).last.set_input_files(file)
    page.get_by_role("heading", name="<img src=x").wait_for()
    page.get_by_role("img", name="species in").wait_for()
    assert page.title() == "Pathway · Statera"
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (1300, "dark"), (360, "light")])
def test_it_fits_and_is_accessible(open_app: Any, violations: Any, width: int, scheme: str) -> None:
    page = open_app("/pathway?inhibited=1", width, scheme)
    rows_of(page)
    page.get_by_role("img", name="species in").wait_for()
    page.get_by_text("Potency at the kinases").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    assert page.errors == []


def test_a_result_before_a_failure_says_so(open_app: Any) -> None:
    page = open_app("/pathway")
    courses = page.get_by_role("region", name="Courses")
    courses.wait_for(timeout=200_000)
    page.get_by_role("region", name="Drug").get_by_label("Drug").select_option("tofacitinib")
    page.get_by_role("alert").get_by_text("no potency of tofacitinib").wait_for()
    page.get_by_text("What follows is the result before this.").wait_for()
    assert "stale" in (courses.get_attribute("class") or "")
    placeholders = [e.get_attribute("placeholder") or "" for e in page.locator("input").all()]
    assert not [text for text in placeholders if "0000" in text]


def test_a_network_without_marks_runs_alone(open_app: Any, tmp_path: Path) -> None:
    page = open_app("/pathway")
    page.get_by_role("region", name="Network").first.get_by_label("Network").select_option("own")
    file = sample("sample-pathway-model", tmp_path).path
    page.get_by_label("SBML file").set_input_files(
        {"name": "mine.xml", "mimeType": "text/xml", "buffer": file.read_bytes()}
    )
    page.get_by_text("the network runs alone").wait_for()
    page.get_by_role("region", name="Courses").wait_for(timeout=200_000)
    page.get_by_label("SBML file").set_input_files(
        {"name": "not.xml", "mimeType": "text/xml", "buffer": b"a,b"}
    )
    page.get_by_role("alert").get_by_text("not well-formed XML").wait_for()
    assert page.get_by_role("alert").count() == 1  # once, though two answers fail by it
