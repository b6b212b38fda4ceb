"""The screen for one patient, by mouse and by keyboard, against the interface."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from statera.web.requests.patient import Case
from statera.web.tasks.patient_sample import sample_case

from .running_server import RunningServer
from .small_server import SmallServer

STEPS = ("Patient", "Doses", "Samples", "Target", "Advice")


@pytest.fixture
def sample_page(open_app: Any) -> Any:
    """The sample case, opened with the mouse."""
    page = open_app("/patient")
    page.get_by_role("button", name="Open the sample case").click()
    page.get_by_role("figure", name="Concentration").wait_for()
    return page


def step(page: Any, name: str) -> Any:
    return page.get_by_role("navigation", name="Steps").get_by_role("button", name=name)


def settled(page: Any) -> None:
    """Wait until the case is saved and the whole answer is drawn."""
    page.get_by_role("status").filter(has_text=re.compile("^Saved$")).wait_for()
    page.get_by_role("status").filter(has_text="individuals a band").wait_for(state="attached")


def case_id(page: Any) -> str:
    found = re.search(r"case=([0-9a-f]{32})", page.url)
    assert found, page.url
    return found[1]


def stored(app: RunningServer, page: Any) -> dict[str, Any]:
    answer = app.request("GET", f"/documents/{case_id(page)}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()["body"]
    return body


def asked(app: RunningServer, page: Any, detail: str = "full") -> dict[str, Any]:
    """Return what the interface answers to the case that the screen saved."""
    case = Case.model_validate(stored(app, page)).model_dump()
    found: dict[str, Any] = app.ask("patient-forecast", {"case": case, "detail": detail})["result"]
    return found


def test_one_click_shows_a_case_and_nothing_of_it_outside(
    sample_page: Any, app: RunningServer
) -> None:
    page = sample_page
    settled(page)
    for name in STEPS:
        assert "complete" in step(page, name).inner_text()
    assert urlsplit(page.url).query == f"case={case_id(page)}"
    assert (
        page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") <= 1
    )
    kept = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "62 umol/L" not in kept
    assert all(url.startswith((app.url, "data:", "blob:")) for url in page.requests)
    assert not any("umol" in url or "Decker" in url for url in page.requests)
    assert "62 umol" not in app.log.read_text()
    assert page.errors == []


def test_numbers_on_screen_are_those_of_the_interface(sample_page: Any, app: RunningServer) -> None:
    page = sample_page
    step(page, "Advice").click()
    settled(page)
    best = asked(app, page)["forecast"]["advice"]["candidates"][0]
    table = page.get_by_role("table", name="Candidates in the order of preference")
    row = table.get_by_role("row").nth(1).inner_text()
    assert f"{best['probability']:.0%}".replace("%", "") in row
    expected = best["expected"][0]
    assert f"{expected['p50']:.0f} ({expected['p5']:.0f} to {expected['p95']:.0f})" in row
    page.get_by_text("h after the next dose").wait_for()
    said = page.locator(".closing").inner_text()
    closing = asked(app, page, "sampling")["closing"]
    assert next(s for s in closing if s["key"] == "next_control")["sentence"] in said
    step(page, "Samples").click()
    samples = asked(app, page)["forecast"]["samples"]
    for sample in samples:
        page.get_by_text(f"percentile {sample['percentile']:.0f}").first.wait_for()


def test_label_stands_beside_the_model(sample_page: Any) -> None:
    page = sample_page
    step(page, "Advice").click()
    label = page.get_by_role("region", name="The label says")
    label.get_by_text("4 mg once daily.", exact=True).wait_for()
    model = page.get_by_role("region", name="The model advises")
    model.get_by_text("The label gives the same dose.").wait_for()
    label.get_by_role("button", name=re.compile("Source of the rule")).first.click()
    page.get_by_role("note").filter(has_text="grade").first.wait_for()


def test_bands_narrow_as_samples_arrive(sample_page: Any) -> None:
    page = sample_page
    step(page, "Samples").click()
    figure = page.get_by_role("figure", name="Concentration")
    figure.get_by_role("button", name="After samples").wait_for()
    page.get_by_role("button", name="Remove sample 2").click()
    page.get_by_role("button", name="Remove sample 1").click()
    figure.get_by_role("button", name="After samples").wait_for(state="detached")
    assert "missing" in step(page, "Samples").inner_text()
    figure.get_by_role("button", name="Before samples").wait_for()
    page.get_by_role("button", name="Add a sample").click()
    page.get_by_role("textbox", name="Value").fill("<0.2")
    figure.get_by_role("button", name="Below the limit").wait_for()
    figure.get_by_role("button", name="After samples").wait_for()


def test_an_implausible_sample_is_a_warning_with_a_hint(sample_page: Any) -> None:
    page = sample_page
    step(page, "Samples").click()
    page.get_by_role("textbox", name="Value").first.fill("44000")
    page.get_by_text("Perhaps it would not be unusual in").first.wait_for()
    assert "warning" in step(page, "Samples").inner_text()


def test_a_reload_keeps_case_and_step(sample_page: Any) -> None:
    page = sample_page
    weight = page.get_by_label("Weight")
    weight.fill("41")
    page.get_by_text("WT 41 kg").wait_for()
    settled(page)
    step(page, "Doses").click()
    page.wait_for_url("**&step=doses")
    page.reload()
    page.get_by_role("figure", name="Concentration").wait_for()
    assert step(page, "Doses").get_attribute("aria-current") == "step"
    step(page, "Patient").click()
    assert page.get_by_label("Weight").input_value() == "41"


def test_a_wrong_value_is_said_at_its_field(sample_page: Any) -> None:
    page = sample_page
    page.get_by_label("Creatinine, with unit").fill("62")
    page.get_by_text("a unit is never guessed").first.wait_for()
    assert "warning" in step(page, "Patient").inner_text()


def test_the_keyboard_is_enough(open_app: Any) -> None:
    page = open_app("/patient")
    page.get_by_role("button", name="Open the sample case").focus()
    page.keyboard.press("Enter")
    page.get_by_role("figure", name="Concentration").wait_for()
    step(page, "Advice").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name="Candidates in the order of preference")
    table.get_by_role("button", name="4 mg once daily").focus()
    figure = page.get_by_role("figure", name="Concentration")
    figure.get_by_role("button", name="4 mg every 24 h").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "3 mg once daily"
    figure.get_by_role("button", name="3 mg every 24 h").wait_for()
    chart = page.get_by_role("slider", name=re.compile("Concentration"))
    chart.focus()
    page.keyboard.press("End")
    assert "3 mg every 24 h" in chart.get_attribute("aria-valuetext")
    assert page.errors == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1300, "dark")])
def test_the_graph_stays_and_nothing_overflows(
    open_app: Any, app: RunningServer, violations: Any, width: int, scheme: str
) -> None:
    made = app.request(
        "POST", "/documents", json={"kind": "patient-case", "body": sample_case().model_dump()}
    )
    page = open_app(f"/patient?case={made.json()['id']}&step=advice", width=width, scheme=scheme)
    page.get_by_role("table", name="Candidates in the order of preference").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.get_by_role("heading", name="Keep it").scroll_into_view_if_needed()
    box = page.locator("canvas").first.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= page.viewport_size["height"]
    for name in STEPS[:4]:
        step(page, name).click()
        page.get_by_role("button", name="Next").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_no_step_has_a_serious_violation(sample_page: Any, violations: Any) -> None:
    for name in STEPS[:4]:
        step(sample_page, name).click()
        for fold in sample_page.locator("details").all():
            fold.evaluate("element => (element.open = true)")
        assert violations(sample_page) == [], name


def test_the_report_can_be_downloaded(sample_page: Any) -> None:
    page = sample_page
    step(page, "Advice").click()
    page.get_by_role("button", name="Make the report").click()
    for name in ("patient.html", "patient.pdf", "visit.toml", "forecast.json", "fhir-bundle.json"):
        page.get_by_role("link", name=name).wait_for()
    with page.expect_download() as started:
        page.get_by_role("link", name="visit.toml").click()
    assert 'schema = "statera.request/1"' in Path(started.value.path()).read_text()


def test_a_request_is_read_and_a_case_deleted(open_app: Any) -> None:
    page = open_app("/patient")
    visit = Path(__file__).parents[2] / "examples" / "visit.toml"
    page.locator("input[type=file]").set_input_files(visit)
    page.get_by_role("figure", name="Concentration").wait_for()
    page.get_by_role("button", name="All cases").click()
    mine = page.get_by_role("region", name="Your cases")
    entry = mine.get_by_role("button", name=re.compile("^From a file")).first
    entry.wait_for()
    before = mine.get_by_role("listitem").count()
    page.once("dialog", lambda d: d.accept())
    mine.get_by_role("button", name=re.compile("^Delete From a file")).first.click()
    page.wait_for_function(
        "n => document.querySelectorAll('.cases li').length === n", arg=before - 1
    )
    bad = {"name": "x.json", "mimeType": "application/json", "buffer": b"{"}
    page.locator("input[type=file]").set_input_files(bad)
    page.get_by_text("this is not valid JSON").wait_for()


def test_a_case_that_is_not_there_is_said(open_app: Any) -> None:
    page = open_app(f"/patient?case={'0' * 32}")
    page.get_by_text("there is no such document").wait_for()
    page.get_by_role("button", name="Open the sample case").wait_for()


@pytest.fixture
def two_users(tmp_path: Path) -> Iterator[SmallServer]:
    lines = [f"{name}:{hashlib.sha256(name.encode() * 8).hexdigest()}" for name in ("ada", "eve")]
    tokens = tmp_path / "tokens"
    tokens.write_text("\n".join(lines) + "\n")
    tokens.chmod(0o600)
    server = SmallServer(tmp_path / "server", token_file=str(tokens))
    yield server
    server.end()


def test_the_case_of_another_user_is_refused(two_users: SmallServer) -> None:
    body = {"kind": "patient-case", "body": sample_case().model_dump()}
    ada, eve = "ada" * 8, "eve" * 8
    made = two_users.post("/documents", body, ada)
    assert made.status == 201, made.body
    path = f"/documents/{made.json['id']}"
    assert two_users.get(path, ada).json["body"]["patient"] == "SAMPLE"
    assert two_users.get(path, eve).status == 404
    assert two_users.ask("PUT", f"/api/v1{path}", body, eve).status == 404
    assert two_users.ask("DELETE", f"/api/v1{path}", token=eve).status == 404
    assert two_users.get("/documents?kind=patient-case", eve).json == []
    assert json.loads(two_users.get(path, ada).body)["body"] == body["body"]
