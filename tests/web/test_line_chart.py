"""The chart of profiles: read by keyboard, told as a table, updated in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

READ = "read values with the arrow keys"


@pytest.fixture
def chart(open_app: Callable[..., Any]) -> tuple[Any, Any, list[list[float]]]:
    """A page with a chart, the chart, and the rows that the API gave for it."""
    page = open_app("/")
    with page.expect_response(_simulated) as told:
        page.get_by_role("navigation").get_by_role("link", name="Simulate").click()
    slider = page.get_by_role("slider", name=READ).first
    slider.wait_for()
    arm = told.value.json()["result"]["arms"][0]
    bands = next(iter(arm["profiles"].values()))["bands"]
    return page, slider, [list(row) for row in zip(arm["times"], *bands, strict=True)]


def _simulated(found: Any) -> bool:
    return bool(found.url.endswith("/api/v1/tasks/simulate"))


def picture(page: Any) -> str:
    return str(page.evaluate("document.querySelector('canvas').toDataURL()"))


def significant(value: float) -> str:
    """Write a number as the page does: three significant digits."""
    return f"{value:#.3g}".rstrip(".")


def test_values_are_read_by_keyboard(chart: tuple[Any, Any, list[list[float]]]) -> None:
    page, slider, rows = chart
    slider.focus()
    page.keyboard.press("End")
    text = slider.get_attribute("aria-valuetext")
    time, *levels = rows[-1]
    assert float(slider.get_attribute("aria-valuenow")) == time
    for level in levels:
        assert significant(level) in text
    page.keyboard.press("Home")
    assert float(slider.get_attribute("aria-valuenow")) == rows[0][0]
    page.keyboard.press("ArrowRight")
    assert float(slider.get_attribute("aria-valuenow")) > rows[0][0]


def test_table_holds_all_numbers(chart: tuple[Any, Any, list[list[float]]]) -> None:
    page, _, rows = chart
    page.get_by_text("Show as table").first.press("Enter")
    figure = page.locator("figure.chart").first
    while figure.get_by_role("button", name="Show all").count():
        figure.get_by_role("button", name="Show all").click()
    assert figure.get_by_role("table").get_by_role("row").count() == len(rows) + 1
    assert figure.locator("p.hidden").inner_text().startswith("Concentration")


def test_legend_hides_and_shows_by_keyboard(chart: tuple[Any, Any, list[list[float]]]) -> None:
    page, _, _ = chart
    item = page.locator("figure.chart").first.get_by_role("button").first
    whole = picture(page)
    item.press("Enter")
    assert item.get_attribute("aria-pressed") == "false"
    assert picture(page) != whole
    item.press("Enter")
    assert item.get_attribute("aria-pressed") == "true"


def test_new_numbers_and_colours_are_drawn_on_the_same_canvas(
    chart: tuple[Any, Any, list[list[float]]],
) -> None:
    page, _, _ = chart
    page.evaluate("document.querySelector('canvas').dataset.mark = 'first'")
    before = picture(page)
    with page.expect_response(_simulated):
        page.get_by_role("slider", name="Amount of the first dose").press("ArrowRight")
    page.wait_for_timeout(300)
    after = picture(page)
    assert after != before
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert picture(page) != after
    assert page.evaluate("document.querySelector('canvas').dataset.mark") == "first"


def test_chart_follows_the_width_of_the_page(chart: tuple[Any, Any, list[list[float]]]) -> None:
    page, slider, _ = chart
    wide = slider.bounding_box()["width"]
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_timeout(400)
    canvas = page.locator("canvas").first.bounding_box()
    assert canvas["width"] < wide
    assert canvas["width"] <= 360
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
