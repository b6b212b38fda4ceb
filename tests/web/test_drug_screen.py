"""The drug page in a browser: numbers, sources, sliders, drugs, widths."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from .running_server import RunningServer

_SLIDER = "Total concentration in plasma"
_SECTIONS = (
    "identity", "mechanism", "pharmacokinetics", "engagement", "dosing", "efficacy", "biomarkers",
    "protocol", "safety", "monitoring", "audit",
)  # fmt: skip


@pytest.fixture
def page(open_app: Any) -> Any:
    """The page of baricitinib, with its picture and its first chart."""
    found = open_app("/drug/baricitinib")
    found.wait_for_selector("svg.lane")
    found.wait_for_selector("#exposure canvas")
    return found


def _wait_for_section(page: Any, key: str) -> None:
    # the first time after an installation, solvers are compiled
    section = page.locator(f"section#{key}[aria-busy=false]")
    section.locator("> .stack, > [role=alert]").first.wait_for(state="attached", timeout=300_000)
    assert section.locator("> [role=alert]").all_inner_texts() == []


def _grid(app: RunningServer, drug: str = "baricitinib") -> dict[str, Any]:
    result: dict[str, Any] = app.ask("drug-inhibition", {"drug": drug})["result"]
    return result


def _slider(page: Any, label: str) -> Any:
    return page.get_by_role("slider", name=label)


def _asked(page: Any, task: str) -> int:
    return sum(url.endswith(f"/tasks/{task}") for url in page.requests)


def _endpoint(page: Any, name: str) -> str:
    value = page.locator("#exposure dl.facts div", has_text=name).first.locator("dd button").first
    return str(value.inner_text())


def _wait_for_endpoint(page: Any, name: str, text: str) -> None:
    place = page.locator("#exposure dl.facts div", has_text=name).first.locator("dd button").first
    place.filter(has_text=text).wait_for()


def _shown(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _lane_words(grid: dict[str, Any], index: int, cytokine: str) -> str:
    group = next(g for g in grid["groups"] if cytokine in g["cytokines"])
    course = group["limiting_kinase"]
    assert course["high"] is None
    return f"{round(course['low'][index])} %"


def test_the_picture_shows_the_numbers_of_the_interface(page: Any, app: RunningServer) -> None:
    grid = _grid(app)
    for cytokine in ("IL-6", "IFN-gamma", "GM-CSF", "IL-15"):
        lane = page.get_by_role("img", name=f"{cytokine}:")
        assert _lane_words(grid, grid["start"], cytokine) in lane.get_attribute("aria-label")
    assert "JAK3 at most" in page.get_by_role("img", name="IL-15:").get_attribute("aria-label")


def test_the_slider_needs_no_request_and_is_kept_in_the_address(
    page: Any, app: RunningServer
) -> None:
    grid = _grid(app)
    before = _asked(page, "drug-inhibition")
    slider = _slider(page, _SLIDER)
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    index = grid["start"] + 12
    lane = page.get_by_role("img", name="IL-6:")
    assert _lane_words(grid, index, "IL-6") in lane.get_attribute("aria-label")
    assert f"{grid['concentration'][index]:g}" in slider.get_attribute("aria-valuetext")
    # keys that come slowly leave other concentrations in it on the way
    page.wait_for_url(
        lambda url: (
            parse_qs(urlsplit(url).query).get("c") == [f"{grid['concentration'][index]:.6g}"]
        )
    )
    assert _asked(page, "drug-inhibition") == before
    page.reload()
    page.wait_for_selector("svg.lane")
    lane = page.get_by_role("img", name="IL-6:")
    assert _lane_words(grid, index, "IL-6") in lane.get_attribute("aria-label")


def test_a_label_dose_sets_its_average_by_mouse(page: Any, app: RunningServer) -> None:
    grid = _grid(app)
    mark = next(m for m in grid["marks"] if m["dose_mg"] == 2 and m["endpoint"] == "Cavg")
    group = page.get_by_role("group", name="Typical concentrations at label doses")
    group.get_by_role("button", name=f"average {_shown(mark['concentration'])}").click()
    number = page.get_by_label("Total concentration, as a number")
    assert float(number.input_value()) == mark["concentration"]


def test_another_assumption_and_another_cytokine_change_the_picture(page: Any) -> None:
    before = page.get_by_role("img", name="IL-6:").get_attribute("aria-label")
    page.get_by_role("button", name="Independent kinases").click()
    assert page.get_by_role("img", name="IL-6:").get_attribute("aria-label") != before
    page.get_by_role("button", name="IL-12", exact=True).click()
    page.get_by_role("img", name="IL-12:").wait_for()
    page.wait_for_url(lambda url: "rule=independent" in url)


def test_dose_and_renal_function_move_the_curves(page: Any, app: RunningServer) -> None:
    page.get_by_label("Dose, as a number").fill("2")
    page.get_by_label("Dose, as a number").press("Enter")
    renal = _slider(page, "Renal function: eGFR")
    renal.focus()
    for _ in range(33):
        page.keyboard.press("ArrowLeft")
    answer = app.ask(
        "drug-exposure", {"drug": "baricitinib", "dose_mg": 2, "covariates": {"EGFR": 60}}
    )
    rows = {row[1]: row for row in answer["tables"]["endpoints"]["rows"]}
    _wait_for_endpoint(page, "AUC", _shown(rows["AUC"][3]))
    for name in ("Cmax", "AUC", "Cavg", "Ctrough"):
        assert _endpoint(page, name).startswith(_shown(rows[name][3]))
    page.wait_for_url(lambda url: "cov=" in url)
    page.reload()
    page.wait_for_selector("#exposure canvas")
    _wait_for_endpoint(page, "AUC", _shown(rows["AUC"][3]))


def test_a_label_dose_is_taken_over_and_a_curve_is_kept(page: Any) -> None:
    first = _endpoint(page, "Cmax")
    page.get_by_role("button", name="Keep for comparison").click()
    page.get_by_role("button", name="Kept: 4 mg once daily").wait_for()
    labels = page.get_by_role("region", name="Label doses by region")
    labels.get_by_role("button", name="2 mg once daily").first.click()
    page.wait_for_url(lambda url: "dose=2" in url)
    page.get_by_role("heading", name="2 mg once daily").first.wait_for()
    assert _endpoint(page, "Cmax") != first


def test_renal_function_outside_the_data_is_said(page: Any) -> None:
    field = page.get_by_label("Renal function: eGFR, as a number")
    field.fill("30")
    field.press("Enter")
    page.locator("#exposure .note[data-status=warn]").first.wait_for()


def test_a_number_opens_its_source_by_keyboard(page: Any) -> None:
    value = page.locator("#inhibition .groups button", has_text="5.9 nM").first
    value.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    text = dialog.inner_text()
    for words in ("Year", "Grade", "Where in it", "Status", "5.9 nM"):
        assert words in text
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert value.evaluate("element => element === document.activeElement")


def test_a_computed_number_opens_its_method(page: Any) -> None:
    page.locator("#inhibition .groups button", has_text="%").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("heading", name="How it is computed").wait_for()
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")


def test_all_sections_come_with_tables_and_figures(page: Any) -> None:
    for key in _SECTIONS:
        _wait_for_section(page, key)
    shown = page.locator(".main > section").evaluate_all("all => all.map(one => one.id)")
    assert tuple(key for key in shown if key in _SECTIONS) == _SECTIONS
    images = page.locator(".main img")
    assert images.count() > 15
    assert all(images.evaluate_all("all => all.map(one => one.alt.length > 20)"))
    page.locator("#pharmacokinetics").scroll_into_view_if_needed()
    drawn = page.locator("#pharmacokinetics img").first
    drawn.evaluate("image => image.decode()")
    assert drawn.evaluate("image => image.naturalWidth > 100")
    assert page.errors == []


def test_a_conflict_is_flagged_where_it_stands_and_explained(page: Any) -> None:
    _wait_for_section(page, "pharmacokinetics")
    flagged = page.locator("#pharmacokinetics button", has_text="sources disagree").first
    flagged.scroll_into_view_if_needed()
    flagged.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("heading", name="Sources disagree").first.wait_for()
    assert "Rule followed here" in dialog.inner_text()


def test_a_drug_without_model_says_what_is_missing(page: Any) -> None:
    page.get_by_label("Drug", exact=True).select_option("deucravacitinib")
    page.wait_for_url("**/drug/deucravacitinib*")
    page.get_by_role("heading", name="Deucravacitinib", level=1).wait_for()
    page.locator("#exposure .note", has_text="No population model").wait_for()
    page.locator("#inhibition .note", has_text="not coloured").wait_for()
    assert page.errors == []


def test_a_drug_in_mass_units_and_an_alias(open_app: Any) -> None:
    page = open_app("/drug/filgotinib")
    page.wait_for_selector("#exposure canvas")
    assert "ng/mL" in _slider(page, _SLIDER).get_attribute("aria-valuetext")
    other = open_app("/drug/Olumiant")
    other.get_by_role("heading", name="Baricitinib", level=1).wait_for()
    other.wait_for_selector("#exposure canvas")
    assert page.errors == other.errors == []


def test_an_unknown_drug_is_said_in_words(open_app: Any) -> None:
    page = open_app("/drug/%3Cb%3Enothing")
    alert = page.get_by_role("alert").first
    alert.wait_for()
    assert "<b>nothing" in alert.inner_text()


def test_the_command_has_the_concentration_of_the_slider(open_app: Any, app: RunningServer) -> None:
    page = open_app("/drug/baricitinib", permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_selector("svg.lane")
    grid = _grid(app)
    slider = _slider(page, _SLIDER)
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.locator("#inhibition").get_by_role("button", name="Command").click()
    page.locator("#inhibition [role=status]", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'"{grid["concentration"][grid["start"] + 1]:g} nM"' in copied
    page.locator("#inhibition").get_by_role("button", name="CSV").click()
    page.locator("#inhibition [role=status]", has_text="rows as CSV").wait_for()
    table = page.evaluate("navigator.clipboard.readText()")
    assert "IL-6,JAK1/JAK2/TYK2," in table


@pytest.mark.parametrize(("width", "scheme"), [(1300, "dark"), (360, "light")])
def test_the_live_parts_can_be_used_by_everybody(
    open_app: Any, violations: Any, width: int, scheme: str
) -> None:
    page = open_app("/drug/baricitinib", width, scheme)
    page.wait_for_selector("#exposure canvas")
    _wait_for_section(page, "identity")
    # The monograph has tens of thousands of nodes: a smaller one is looked at as a whole below.
    page.evaluate(
        "document.querySelectorAll('section[aria-busy] > .stack').forEach(e => e.remove())"
    )
    assert violations(page) == []
    assert page.errors == []


def test_a_whole_monograph_can_be_read_by_everybody(open_app: Any, violations: Any) -> None:
    """All of the largest monograph, folds opened; by section, since axe slows on large pages."""
    page = open_app("/drug/baricitinib")
    for key in _SECTIONS:
        _wait_for_section(page, key)
    nodes = page.evaluate(
        """keys => {
          window.parts = Object.fromEntries(keys.map(key => {
            const part = document.querySelector(`#${key} > .stack`), place = part.parentNode;
            const nodes = part.querySelectorAll('*').length;
            part.remove();
            return [key, { part, place, nodes }];
          }));
          return Object.values(window.parts).reduce((sum, { nodes }) => sum + nodes, 0);
        }""",
        list(_SECTIONS),
    )
    assert nodes > 15_000, "this is not the whole of it"
    for key in _SECTIONS:
        page.evaluate(
            """key => {
              const { part, place } = window.parts[key];
              place.append(part);
              part.querySelectorAll('details').forEach(fold => (fold.open = true));
            }""",
            key,
        )
        assert violations(page, f"#{key}") == [], key
        page.evaluate("key => window.parts[key].part.remove()", key)
    assert page.errors == []


@pytest.mark.parametrize("width", [360, 1300])
def test_the_page_is_not_wider_than_the_window(open_app: Any, width: int) -> None:
    page = open_app("/drug/baricitinib", width)
    page.wait_for_selector("#exposure canvas")
    for key in _SECTIONS:
        _wait_for_section(page, key)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors == []


def test_nothing_is_asked_from_outside(page: Any, app: RunningServer) -> None:
    _wait_for_section(page, "audit")
    outside = [url for url in page.requests if not url.startswith((app.url, "data:", "blob:"))]
    assert outside == []


def test_a_new_dose_is_drawn_soon(page: Any) -> None:
    """The time from the slider to the new numbers, measured in the page, is kept as a record."""
    _wait_for_section(page, "audit")
    spent = page.evaluate(
        """async () => {
          const slider = document.querySelector('.controls input[type=range]');
          const place = document.querySelector('#exposure dl.facts dd button');
          const times = [];
          for (const value of [3, 5, 6, 2.5, 3.5]) {
            const before = place.textContent;
            const began = performance.now();
            slider.value = value;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            while (place.textContent === before) await new Promise(requestAnimationFrame);
            times.push(performance.now() - began);
            await new Promise(resolve => setTimeout(resolve, 300));
          }
          return times;
        }"""
    )
    assert len(spent) == 5
    print(json.dumps([round(t) for t in spent]))
