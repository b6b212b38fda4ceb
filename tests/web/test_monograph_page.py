"""The computed page of real drugs in a browser: complete, legible, self-contained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from statera.monograph import MonographOptions, build
from statera.report import render_html

pytestmark = pytest.mark.browser

DRUGS = ("baricitinib", "ruxolitinib")
SECTIONS = (
    "Identity and intended use",
    "Mechanism",
    "Pharmacokinetics",
    "Target engagement",
    "Indications and dosing",
    "Efficacy",
    "Biomarkers of response",
    "Assay protocol",
    "Comparative safety",
    "Therapeutic drug monitoring",
    "Audit",
)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("monographs")
    found = {}
    for drug in DRUGS:
        found[drug] = folder / f"{drug}.html"
        document = build(drug, MonographOptions(n=100))
        found[drug].write_text(render_html(document), encoding="utf-8")
    return found


@pytest.mark.parametrize("drug", DRUGS)
def test_the_page_asks_for_nothing_else_and_has_no_error(
    open_file: Any, pages: dict[str, Path], drug: str
) -> None:
    page = open_file(pages[drug], 1300)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    outside = [url for url in page.requests if not url.startswith("data:")]
    assert outside == [pages[drug].as_uri()]
    assert page.errors == []


@pytest.mark.parametrize("drug", DRUGS)
def test_every_section_is_there_and_says_something(
    open_file: Any, pages: dict[str, Path], drug: str
) -> None:
    page = open_file(pages[drug], 1300)
    headings = page.locator("main section > h2, main section h2").all_inner_texts()
    for title in SECTIONS:
        assert any(title in heading for heading in headings), (title, headings)
    lengths = page.evaluate(
        "[...document.querySelectorAll('main section')].map(s => s.innerText.length)"
    )
    assert min(lengths) > 100


@pytest.mark.parametrize("drug", DRUGS)
@pytest.mark.parametrize("width", [360, 1300])
def test_nothing_serious_stands_in_the_way(
    open_file: Any, violations: Any, pages: dict[str, Path], drug: str, width: int
) -> None:
    page = open_file(pages[drug], width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


@pytest.mark.parametrize("drug", DRUGS)
def test_every_link_inside_the_page_has_its_target(pages: dict[str, Path], drug: str) -> None:
    html = pages[drug].read_text(encoding="utf-8")
    targets = set(re.findall(r'\bid="([^"]+)"', html))
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert len(links) > 20
    assert links <= targets
