"""What would make a rendered report wrong: broken links, repeated anchors, unsafe drawings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Document,
    Figure,
    Inline,
    Paragraph,
    Steps,
    Table,
)
from statera.report.marks import slug

__all__ = ["inlines", "problems", "svg_problems"]

_SVG = "{http://www.w3.org/2000/svg}"
# Drawing elements only: nothing that loads, runs, or holds HTML or a style sheet.
_ALLOWED = frozenset(
    {"svg", "g", "defs", "title", "desc", "use", "symbol", "clipPath", "mask", "pattern", "marker"}
    | {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"}
    | {"linearGradient", "radialGradient", "stop"}
)
_OUTSIDE_URL = re.compile(r"url\(\s*(?!['\"]?#)", re.IGNORECASE)


def problems(document: Document) -> tuple[str, ...]:
    """Return a sentence for each fault of `document` that a reader would stumble over.

    Checked: every source cited and every method named is in the document; no anchor occurs
    twice; every drawing is one safe, self-contained ``<svg>`` element.
    """
    found = [*_broken_links(document), *_repeated_anchors(document)]
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                found += [f"figure '{block.key}': {fault}" for fault in svg_problems(block.svg)]
    return tuple(found)


def inlines(block: Block) -> Iterator[Inline]:
    """Yield every piece of text of `block` that may carry an origin."""
    match block:
        case Paragraph() | Callout():
            yield from block.parts
        case Table():
            for row in block.rows:
                yield from row
            yield from block.foot
        case Figure():
            yield from block.caption
        case Steps():
            for step in block.steps:
                yield from step
        case Definition():
            for _, said in block.pairs:
                yield said
        case _:
            return


def svg_problems(svg: str) -> tuple[str, ...]:
    """Return what is wrong with a drawing: not one SVG element, or not self-contained."""
    if "<!" in svg.replace("<!--", ""):
        return ("the drawing must not hold a document type",)
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        return (f"the drawing is not well-formed XML ({error})",)
    found = [] if root.tag == f"{_SVG}svg" else ["the drawing is not an <svg> element"]
    for element in root.iter():
        name = str(element.tag).removeprefix(_SVG)
        if name not in _ALLOWED:
            found.append(f"the drawing holds the element <{name}>")
        for attribute, value in element.attrib.items():
            local = attribute.rsplit("}", 1)[-1].lower()
            if local.startswith("on"):
                found.append(f"the drawing holds the script attribute {local}")
                continue
            outside = local in ("href", "src") and not value.startswith("#")
            if outside or _OUTSIDE_URL.search(value):
                found.append(f"the drawing refers to {value!r}")
    return tuple(dict.fromkeys(found))


def _broken_links(document: Document) -> Iterator[str]:
    known = {reference.key for reference in document.references}
    methods = {method.key for method in document.methods}
    for section in document.sections:
        cells = (p for b in section.blocks for p in inlines(b) if isinstance(p, Cell))
        for cell in cells:
            for key in cell.sources:
                if key not in known:
                    yield f"section '{section.key}': source '{key}' is not in the references"
            if cell.method and cell.method not in methods:
                yield f"section '{section.key}': method '{cell.method}' is not described"


def _repeated_anchors(document: Document) -> Iterator[str]:
    anchors = [slug(section.key) for section in document.sections]
    anchors += [f"ref-{slug(reference.key)}" for reference in document.references]
    anchors += [f"method-{slug(method.key)}" for method in document.methods]
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                anchors.append(f"figure-{slug(block.key)}")
                anchors += re.findall(r'\sid="([^"]*)"', block.svg)
    for anchor, count in Counter(anchors).items():
        if count > 1:
            yield f"the anchor '{anchor}' occurs {count} times"
