"""The page of a plate in a browser: complete, legible, self-contained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.plate_report.plate_results import simulated_plate

from statera.plate_report import build_plate_report
from statera.report import render_html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def plate_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plate") / "plate.html"
    path.write_text(render_html(build_plate_report(simulated_plate())), encoding="utf-8")
    return path


def test_nothing_is_requested_and_the_verdict_comes_first(open_file: Any, plate_page: Path) -> None:
    page = open_file(plate_page, 1280)
    assert [url for url in page.requests if not url.startswith("data:")] == [plate_page.as_uri()]
    assert page.errors == []
    assert "What this plate says" in page.locator("main h2").nth(1).inner_text()
    verdict = page.locator("#verdict").bounding_box()
    assert verdict["y"] < 900, "the verdict is on the first screen"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_no_serious_barrier(
    open_file: Any, tmp_path: Path, violations: Any, width: int, scheme: str
) -> None:
    path = tmp_path / "small.html"  # as many kinds of blocks in fewer rows
    small = simulated_plate(rows=2, donors=1, drawn=4)
    path.write_text(render_html(build_plate_report(small)), encoding="utf-8")
    page = open_file(path, width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(page) == []


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_the_body_never_scrolls_sideways(open_file: Any, plate_page: Path, width: int) -> None:
    page = open_file(plate_page, width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_long_tables_open_on_request_and_paper_says_they_are_left_out(
    open_file: Any, plate_page: Path
) -> None:
    page = open_file(plate_page, 1280)
    statistics = page.locator("#statistics figure.table")
    assert not statistics.locator("table").is_visible()
    assert not statistics.locator(".paper").is_visible()
    statistics.locator("summary").click()
    assert statistics.locator("table").is_visible()
    page.emulate_media(media="print")
    assert statistics.locator(".paper").is_visible()
    assert not statistics.locator("table").is_visible()


def test_the_ic50_table_fits_beside_the_contents(open_file: Any, plate_page: Path) -> None:
    page = open_file(plate_page, 1280)
    region = page.locator("#ic50 figure.table .scroll").first
    assert region.evaluate("e => e.scrollWidth - e.clientWidth") == 0


def test_texts_of_wells_stay_in_their_wells(open_file: Any, plate_page: Path) -> None:
    page = open_file(plate_page, 1280)
    over = page.evaluate(
        """() => {
          const bad = [];
          for (const svg of document.querySelectorAll('#plate svg')) {
            const wells = [...svg.querySelectorAll('rect')].map(r => r.getBoundingClientRect())
              .filter(b => b.width > 20);
            for (const text of svg.querySelectorAll('text[text-anchor=middle]')) {
              const t = text.getBoundingClientRect();
              const x = (t.left + t.right) / 2, y = (t.top + t.bottom) / 2;
              const home = wells.find(b => x > b.left && x < b.right && y > b.top && y < b.bottom);
              if (home && (t.left < home.left || t.right > home.right)) bad.push(text.textContent);
            }
          }
          return bad;
        }"""
    )
    assert over == []
