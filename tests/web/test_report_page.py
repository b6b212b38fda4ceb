"""A rendered report in a real browser: no request, no error, no barrier, no overflow."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(open_file: Any, specimen_page: Path) -> Any:
    """A function that opens the specimen."""
    return partial(open_file, specimen_page)


def _becomes(page: Any, condition: str) -> bool:
    """Ask again until the condition holds; the page's own policy forbids polling inside it."""
    for _ in range(50):
        if page.evaluate(condition):
            return True
        page.wait_for_timeout(50)
    return False


def test_nothing_is_requested_but_the_file(open_page: Any, specimen_page: Path) -> None:
    page = open_page(1300)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    outside = [url for url in page.requests if not url.startswith("data:")]
    assert outside == [specimen_page.as_uri()]
    assert page.errors == []


def test_the_page_needs_no_script(open_page: Any) -> None:
    page = open_page(1300, java_script_enabled=False)
    assert page.locator("main svg").count() == 11
    details = page.locator("details").first
    assert not details.locator("p").first.is_visible()
    details.locator("summary").click()
    assert details.locator("p").first.is_visible()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1300, "light"), (360, "light"), (1300, "dark"), (360, "dark")]
)
def test_axe_finds_no_serious_barrier(
    open_page: Any, violations: Any, width: int, scheme: str
) -> None:
    page = open_page(width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 414, 800, 1100, 1400])
def test_the_body_never_scrolls_sideways(open_page: Any, width: int) -> None:
    page = open_page(width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_wide_tables_scroll_within_themselves_by_keyboard(open_page: Any) -> None:
    page = open_page(360)
    region = page.locator("#table-3 .scroll")
    assert region.evaluate("e => e.scrollWidth > e.clientWidth")
    region.focus()
    page.keyboard.press("ArrowRight")
    assert _becomes(page, "document.querySelector('#table-3 .scroll').scrollLeft > 0")


def test_contents_stay_in_view_on_wide_screens_only(open_page: Any) -> None:
    wide = open_page(1400)
    wide.evaluate("window.scrollTo({top: 4000, behavior: 'instant'})")
    assert wide.locator("nav.contents").bounding_box()["y"] >= 0
    narrow = open_page(360)
    narrow.evaluate("window.scrollTo({top: 4000, behavior: 'instant'})")
    assert narrow.locator("nav.contents").bounding_box()["y"] < 0


def test_the_first_tab_stop_skips_to_the_content(open_page: Any) -> None:
    page = open_page(1300)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_reference_number_leads_to_its_reference(open_page: Any) -> None:
    page = open_page(1300)
    page.get_by_role("link", name="reference 2", exact=True).first.click()
    assert page.url.endswith("#ref-SPEC23")
    assert _becomes(
        page,
        "document.getElementById('ref-SPEC23').getBoundingClientRect().top < window.innerHeight",
    )


def test_drawings_have_a_name_and_a_description(open_page: Any) -> None:
    page = open_page(1300)
    for drawing in page.get_by_role("img").all():
        name = drawing.evaluate(
            "e => e.getAttribute('aria-labelledby').split(' ')"
            ".map(i => document.getElementById(i).textContent)"
        )
        assert len(name) == 2
        assert all(name)


def test_copied_values_are_free_of_marks(open_page: Any) -> None:
    page = open_page(1300)
    text = page.evaluate(
        "() => { const s = getSelection(); s.selectAllChildren("
        "document.querySelector('#table-2 tbody tr')); return s.toString(); }"
    )
    assert " ".join(text.split()) == "Peak concentration 53 CV 22 % 47 −11 % within 20 %"


def test_paper_has_no_contents_and_keeps_reference_numbers(open_page: Any) -> None:
    page = open_page(1300)
    page.emulate_media(media="print")
    assert not page.locator("nav.contents").is_visible()
    assert not page.locator("details").first.is_visible()
    assert page.locator("main .refs a").first.is_visible()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
