"""The screen for simulations: by mouse and by keyboard, its numbers those of the interface."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from .running_server import RunningServer

BARICITINIB = "baricitinib/Decker_2024"
DAY = {"model": BARICITINIB, "dose": "4 mg q24h x3"}
MINUS = "\u2212"


def address(**state: Any) -> str:
    """The screen with a state; few subjects, so that a busy machine answers soon."""
    given = {"arms": [DAY], "n": 100, **state}
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
    return f"/simulate?{urlencode(texts)}"


def shown(value: float) -> str:
    """A number with three digits as the screens write it."""
    exponent = int(f"{value:e}".partition("e")[2])
    if value == 0:
        return "0"
    assert -3 <= exponent <= 5
    return f"{value:.{max(2 - exponent, 0)}f}".replace("-", MINUS)


def cell_of(entry: dict[str, Any]) -> str:
    return f"{shown(entry['p50'])} ({shown(entry['p5'])} to {shown(entry['p95'])})"


def rows_of(page: Any) -> dict[str, list[str]]:
    """The table of endpoints by the name of the endpoint."""
    table = page.get_by_role("region", name="Endpoints").locator("tbody tr")
    found = [row.locator("th, td").all_inner_texts() for row in table.all()]
    return {row[0]: row[1:] for row in found}


def endpoint(found: dict[str, Any], name: str, window: str = "last interval") -> dict[str, Any]:
    (row,) = [
        r for r in found["result"]["endpoints"] if (r["window"], r["endpoint"]) == (window, name)
    ]
    return row


def wait_for(page: Any, name: str, column: int, text: str) -> None:
    row = page.get_by_role("region", name="Endpoints").locator("tbody tr").filter(has_text=name)
    row.first.locator("th, td").nth(column).filter(has_text=text).wait_for()


def test_the_first_visit_shows_a_result_whose_numbers_are_the_interfaces(
    open_app: Any, app: RunningServer
) -> None:
    page = open_app("/simulate")
    page.get_by_role("region", name="Endpoints").wait_for()
    found = app.ask("simulate", {"arms": [{"model": BARICITINIB, "dose": "4 mg q24h x7"}]})
    table = rows_of(page)
    for name in ("Cmax", "tmax", "AUC", "Cavg", "Ctrough"):
        (entry,) = endpoint(found, name)["arms"]
        assert table[name][1] == cell_of(entry)
    assert page.errors == []
    assert all(url.startswith((app.url, "data:", "blob:")) for url in page.requests)


def test_the_slider_gives_new_numbers_and_a_reload_keeps_them(
    open_app: Any, app: RunningServer
) -> None:
    page = open_app(address())
    page.get_by_role("region", name="Endpoints").wait_for()
    slider = page.get_by_role("slider", name="Amount of the first dose (mg)")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    dose = page.get_by_label("Regimen", exact=True).input_value()
    assert dose != DAY["dose"]
    found = app.ask("simulate", {"arms": [{**DAY, "dose": dose}], "n": 100})
    expected = cell_of(endpoint(found, "AUC")["arms"][0])
    wait_for(page, "AUC", 2, expected)
    page.wait_for_function("dose => decodeURIComponent(location.search).includes(dose)",
                           arg=dose.replace(" ", "+"))  # fmt: skip
    page.reload()
    wait_for(page, "AUC", 2, expected)
    assert page.get_by_label("Regimen", exact=True).input_value() == dose


def test_a_sample_compares_arms_by_one_click(open_app: Any, app: RunningServer) -> None:
    page = open_app(address())
    page.get_by_role("button", name="Baricitinib, 2 and 4 mg").click()
    page.get_by_role("heading", name="Inhibition: IL-6").wait_for()
    arms = [{"model": BARICITINIB, "dose": f"{amount} mg q24h x7"} for amount in (4, 2)]
    asked = {"arms": arms, "n": 100, "readout": "IL-6", "thresholds": {"CP": [20]}}
    found = app.ask("simulate", asked)
    for name in ("AUC", "time above 20", "mean inhibition, IL-6"):
        row = endpoint(found, name)["arms"]
        wait_for(page, name, 3, cell_of(row[1]))
        if row[1]["ratio"] is not None:
            wait_for(page, name, 4, shown(row[1]["ratio"]))
    assert page.get_by_role("region", name="Arm 2").is_visible()
    page.get_by_role("button", name="Remove 2 mg q24h x7").click()
    page.get_by_role("region", name="Arm 2").wait_for(state="detached")


def test_endpoints_of_windows_thresholds_and_percentiles_of_ones_own(
    open_app: Any, app: RunningServer
) -> None:
    page = open_app(address(windows="0-12, 12-72", above="15", p="10, 50, 90", window="window 2"))
    found = app.ask("simulate", {
        "arms": [DAY], "n": 100, "thresholds": {"CP": [15]}, "percentiles": [10, 50, 90],
        "windows": [{"start": 0, "end": 12}, {"start": 12, "end": 72}],
    })  # fmt: skip
    (entry,) = endpoint(found, "time above 15", "window 2")["arms"]
    text = f"{shown(entry['p50'])} ({shown(entry['p10'])} to {shown(entry['p90'])})"
    wait_for(page, "time above 15", 2, text)
    page.get_by_label("Windows of your own (h)").fill("nonsense")
    page.get_by_text("Write windows like").wait_for()
    wait_for(page, "time above 15", 2, text)  # the last good result stays


def test_the_distribution_of_an_endpoint_is_drawn(open_app: Any) -> None:
    page = open_app(address())
    page.get_by_role("tab", name="Endpoints").focus()
    page.keyboard.press("ArrowRight")
    figure = page.get_by_role("img", name=re.compile("Distribution of AUC"))
    figure.wait_for()
    assert figure.locator("rect").count() >= 12
    page.get_by_label("Endpoint", exact=True).select_option("Cmax")
    page.get_by_role("img", name=re.compile("Distribution of Cmax")).wait_for()


def test_lines_of_the_regimen_and_its_text_are_one(open_app: Any) -> None:
    page = open_app(address())
    page.get_by_text("Edit the lines of the regimen").click()
    lines = page.get_by_role("group", name="Lines of the regimen")
    lines.get_by_label("Doses", exact=True).wait_for()
    page.get_by_role("button", name="Add a line").click()
    second = lines.get_by_role("group", name="Line 2")
    second.get_by_label("Amount (mg)").fill("2")
    second.get_by_label("Amount (mg)").press("Enter")
    text = page.get_by_label("Regimen", exact=True)
    for _ in range(100):
        if "2 mg" in text.input_value():
            break
        page.wait_for_timeout(100)
    assert text.input_value() == "4 mg q24h x3; 2 mg q24h x3"


def test_errors_and_warnings_stand_at_their_field(open_app: Any) -> None:
    page = open_app(address())
    page.get_by_role("region", name="Endpoints").wait_for()
    dose = page.get_by_label("Regimen", exact=True)
    dose.fill("four milligrams")
    dose.press("Enter")
    page.wait_for_function("() => document.querySelector('[aria-invalid=true]')")
    assert dose.get_attribute("aria-invalid") == "true"
    assert page.get_by_role("region", name="Endpoints").is_visible()
    dose.fill("4 mg q24h x3")
    dose.press("Enter")
    page.get_by_text("Covariates: references").click()
    egfr = page.get_by_label("baseline eGFR (bedside Schwartz) (mL/min/1.73m2)")
    egfr.fill("45")
    egfr.press("Enter")
    page.get_by_role("region", name="Arm 1").get_by_text("this is an extrapolation").wait_for()
    egfr.fill("9999")
    egfr.press("Enter")
    page.get_by_role("region", name="Arm 1").get_by_text("outside the plausible range").wait_for()


def test_what_is_copied_is_what_the_interface_gives(open_app: Any, app: RunningServer) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    page = open_app(address(), permissions=allowed)
    page.get_by_role("region", name="Endpoints").wait_for()
    found = app.ask("simulate", {"arms": [DAY], "n": 100})
    for name in ("Python", "Command"):
        page.get_by_role("button", name=name, exact=True).click()
        page.get_by_text("Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == found["copies"][name.lower()]
    page.get_by_role("button", name="CSV: profiles").click()
    page.get_by_text("rows as CSV").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    heads, first = copied.splitlines()[:2]
    assert heads == "arm,output,unit,time (h),p5,p50,p95"
    assert first.startswith("4 mg q24h x3,CP,ng/mL,0,")
    assert len(copied.splitlines()) == 1 + len(found["tables"]["profiles"]["rows"])


def test_a_potency_of_ones_own_is_asked_for_where_the_library_has_none(open_app: Any) -> None:
    tofacitinib = {"model": "tofacitinib/Xie_2019", "dose": "5 mg q12h x4"}
    page = open_app(address(arms=[tofacitinib]))
    page.get_by_text("Potency of your own: the library has none").click()
    page.get_by_label("IC50 (nM)").fill("10")
    page.get_by_label("IC50 (nM)").press("Enter")
    arm = page.get_by_role("region", name="Arm 1")
    arm.get_by_text("the molar mass is not known").wait_for()
    page.get_by_label("Molar mass (g/mol)").fill("312.4")
    page.get_by_label("Molar mass (g/mol)").press("Enter")
    page.get_by_role("heading", name="Inhibition: your IC50").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (1300, "dark"), (360, "light")])
def test_it_fits_and_is_accessible(open_app: Any, violations: Any, width: int, scheme: str) -> None:
    arms = [DAY, {**DAY, "dose": "2 mg q24h x3", "covariates": {"EGFR": "45"}}]
    page = open_app(address(arms=arms, readout="IL-6", above="20"), width, scheme)
    page.get_by_role("heading", name="Inhibition: IL-6").wait_for()
    page.get_by_role("region", name="Endpoints").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.get_by_role("tab", name="Models and sources").click()
    page.get_by_role("region", name=f"Parameters of {BARICITINIB}").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    assert page.errors == []


def test_decimal_commas_are_read_or_asked_about(open_app: Any) -> None:
    page = open_app("/simulate")
    page.get_by_role("figure").first.wait_for()
    above = page.get_by_label("Time above")
    above.fill("12,5")
    page.get_by_text("Is 12,5 one number or two? Write 12.5, or 12; 5.").wait_for()
    above.fill("-5")
    page.get_by_text("Each at least 0.").wait_for()
    above.fill("")
    subjects = page.get_by_label("Subjects")
    subjects.fill("100,5")
    page.get_by_text("A whole number is needed.").wait_for()
    page.get_by_text("Covariates: references").click()
    subjects.fill("1000")
    weight = page.get_by_label("body weight")
    regimen = page.get_by_role("textbox", name="Regimen", exact=True)
    weight.fill("58,5")
    page.get_by_text("Covariates (1 set)").wait_for()
    regimen.fill("4,5 mg q24h x7")
    page.get_by_role("alert").filter(has_text="Write decimals with a point.").wait_for()
    weight.fill("")
    regimen.fill("4 mg q24h x7")
    page.get_by_role("alert").filter(has_text="decimals").wait_for(state="detached")
    page.wait_for_url("**/simulate")  # nothing is left of it in the address
