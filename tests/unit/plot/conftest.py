"""Ways to look into a drawing."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

NAMES = {"key": "fig", "title": "Title <1>", "alt": 'Words & "quotes"'}


@pytest.fixture
def names() -> dict[str, str]:
    return dict(NAMES)


@pytest.fixture
def checked() -> Callable[[str], ElementTree.Element]:
    """A function that checks what every drawing must be and returns its root."""

    def check(svg: str) -> ElementTree.Element:
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("role") == "img"
        assert root.get("width") == "100%"
        assert root.get("viewBox", "").startswith("0 0 ")
        words = {e.get("id"): e.text for e in root if e.get("id") in ("fig-title", "fig-desc")}
        assert words == {"fig-title": NAMES["title"], "fig-desc": NAMES["alt"]}
        assert root.get("aria-labelledby") == "fig-title fig-desc"
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        assert all(str(i).startswith("fig-") for i in ids)
        used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)
        assert {a or b for a, b in used} <= set(ids)
        assert svg.count("http") == 1, "only the name space of SVG"
        assert "<style" not in svg
        assert "nan" not in re.sub(r">[^<]*<", "><", svg).lower()
        return root

    return check
