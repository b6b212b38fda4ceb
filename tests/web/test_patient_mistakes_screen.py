"""What the screen for one patient does with mistakes, rows out of order, and the way back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from statera.web.tasks.patient_sample import sample_case

from .running_server import RunningServer


@pytest.fixture
def open_case(open_app: Any, app: RunningServer) -> Any:
    """A function that opens a case of the given content at a step."""

    def open_with(step: str, **changes: Any) -> Any:
        body = {**sample_case().model_dump(), **changes}
        made = app.request("POST", "/documents", json={"kind": "patient-case", "body": body})
        page = open_app(f"/patient?case={made.json()['id']}&step={step}")
        page.get_by_role("navigation", name="Steps").wait_for()
        return page

    return open_with


def sentence(page: Any, words: str) -> None:
    page.locator("section > p.fine").filter(has_text=words).first.wait_for()


def status(page: Any, name: str, words: str) -> None:
    steps = page.get_by_role("navigation", name="Steps")
    steps.get_by_role("button", name=re.compile(f"{name}.*{words}", re.DOTALL)).wait_for()


def test_samples_out_of_order_keep_their_own_judgement(open_case: Any, app: RunningServer) -> None:
    samples = sample_case().model_dump()["samples"]
    written = [samples[1], {**samples[0], "value": ""}, samples[0]]
    page = open_case("samples", samples=written)
    asked = {"case": sample_case().model_dump(), "detail": "full"}
    early, late = app.ask("patient-forecast", asked)["result"]["forecast"]["samples"]
    boxes = page.get_by_role("group", name=re.compile("^Sample [0-9]$"))
    for box, found in ((0, late), (2, early)):
        boxes.nth(box).get_by_text(f"percentile {found['percentile']:.0f}", exact=False).wait_for()
    assert "percentile" not in boxes.nth(1).inner_text()
    assert "Not used yet: give a value." in boxes.nth(1).inner_text()
    boxes.nth(0).get_by_role("textbox", name="Value").fill("two")
    boxes.nth(0).get_by_text("'value' is 'two'").wait_for()
    assert "two" not in boxes.nth(2).inner_text()
    status(page, "Samples", "warning")
    status(page, "Patient", "complete")


def test_decimal_commas_are_read_and_lists_are_not_guessed(open_case: Any) -> None:
    page = open_case("samples")
    value = page.get_by_role("textbox", name="Value").first
    value.fill("<0,2")
    value.press("Enter")
    sentence(page, "1 below the limit")
    assert value.input_value() == "<0.2"
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Target").click()
    strengths = page.get_by_label("Tablet strengths")
    for text, words in (
        ("1; 2,5; 4", "Is 2,5 one number or two? Write 2.5, or 2; 5."),
        ("1, two", "“two” is not a number."),
        ("-1, 2", "Each has to be above 0"),
        ("1 2 3 4 5 6 7", "Six at most."),
    ):
        strengths.fill(text)
        page.get_by_text(words).wait_for()
        assert strengths.input_value() == text
    strengths.fill("1; 2.5; 4")
    page.get_by_text("Six at most.").wait_for(state="detached")
    intervals = page.get_by_label("Intervals")
    intervals.fill("")
    page.get_by_text("One at least.").wait_for()
    probability = page.get_by_label("Advise from P(target)")
    probability.fill("0,6")
    probability.press("ArrowUp")
    assert probability.input_value() == "0.65"
    tablets = page.get_by_label("Most tablets at a time")
    tablets.fill("2.5")
    page.get_by_text("A whole number is needed.").wait_for()
    assert page.errors == []


def test_another_metric_asks_for_a_range_of_its_own(open_case: Any) -> None:
    page = open_case("target")
    page.get_by_label("Metric").select_option("time_above")
    assert page.get_by_label("From", exact=False).first.input_value() == ""
    status(page, "Target", "missing")
    page.get_by_label("From", exact=False).first.fill("12")
    sentence(page, "needs a concentration above 0 as its threshold")
    status(page, "Target", "warning")
    page.get_by_label("Threshold").fill("5")
    sentence(page, "time above the threshold at least 12 h")


def test_a_dose_without_time_is_said(open_case: Any) -> None:
    page = open_case("doses")
    page.get_by_label("First dose").fill("")
    page.get_by_text("Not used yet: give a date and time.").wait_for()
    status(page, "Doses", "warning")
    sentence(page, "There are samples, and no dose that was taken.")
    page.get_by_label("Amount").fill("1e9")
    page.get_by_text("At most 100000.").wait_for()


def test_an_unknown_model_is_answered_with_names(open_case: Any) -> None:
    page = open_case("patient", models=["baricitinib/Deker_2024"])
    sentence(page, "No model is called 'baricitinib/Deker_2024'. Nearest: baricitinib/Decker_2024")
    assert page.get_by_role("alert").count() == 0
    page.get_by_label("Model", exact=True).select_option("baricitinib/Decker_2024")
    status(page, "Patient", "complete")


def test_an_implausible_value_can_be_confirmed(open_case: Any) -> None:
    page = open_case("patient")
    page.get_by_label("Creatinine, with unit").fill("2400 umol/L")
    page.get_by_label("Values that look implausible are meant").check()
    page.get_by_text("which is implausible").first.wait_for(state="detached")


def test_the_way_back_leads_through_the_steps(open_app: Any) -> None:
    page = open_app("/patient")
    page.get_by_role("button", name="Open the sample case").click()
    page.get_by_role("figure", name="Concentration").wait_for()
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Doses").click()
    page.get_by_role("button", name="Next: Samples").click()
    page.wait_for_url("**&step=samples")
    page.go_back()
    page.get_by_text("What was taken").wait_for()
    page.go_back()
    page.get_by_label("Weight").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Your cases").wait_for()
    assert page.url.endswith("/patient")
    page.go_forward()
    page.get_by_role("figure", name="Concentration").wait_for()


def test_nothing_is_busy_for_ever(open_app: Any) -> None:
    page = open_app("/patient")
    page.get_by_role("button", name="New case").click()
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Advice").click()
    page.get_by_text("Waits for doses, a target and tablet strengths.").wait_for()
    page.locator("[aria-busy=true]").first.wait_for(state="detached")


def test_deleting_a_case_is_asked_about(open_app: Any) -> None:
    page = open_app("/patient")
    page.get_by_role("button", name="New case").click()
    page.get_by_label("Name of the case").fill("To be deleted")
    page.get_by_role("button", name="All cases").click()  # at once: the name is kept
    remove = page.get_by_role("button", name="Delete To be deleted")
    asked = []
    page.once("dialog", lambda d: (asked.append(d.message), d.dismiss()))
    remove.click()
    assert asked == ["Delete “To be deleted”? It cannot be brought back."]
    remove.wait_for()
    page.once("dialog", lambda d: d.accept())
    remove.click()
    remove.wait_for(state="detached")


def test_routes_and_occasions_are_asked_where_a_model_has_them(open_case: Any) -> None:
    page = open_case("doses", models=["upadacitinib/Klunder_2019"], region="", indication="")
    route = page.get_by_label("Route")
    assert route.locator("option").all_inner_texts() == ["er", "ir"]
    assert page.get_by_label("Occasion").count() == 0
    page = open_case("doses", models=["tofacitinib/Vong_2021"], region="", indication="")
    page.get_by_label("Occasion").wait_for()
    assert page.get_by_label("Route").count() == 0
