"""Figures as SVG text that can stand in a page beside others."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["clean", "number", "open_tag", "to_svg"]

_NS = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_DECIMALS = re.compile(r"-?\d+\.\d{3,}")
_PIXELS_PER_POINT = 4 / 3


def to_svg(fig: Figure, key: str, title: str, alt: str) -> str:
    """Return a matplotlib figure as one ``<svg>`` element.

    The prolog, the document type, the metadata and the style sheet (which would apply to the
    whole page) are left out; every anchor starts with `key`; the drawing is as wide as its
    place, up to its natural width. The same figure gives the same text.

    Parameters
    ----------
    fig
        The figure; call inside `statera.plot.theme.theme`.
    key
        Unique name of the figure in its page.
    title, alt
        Short name, and what the figure shows in words.

    Raises
    ------
    ValueError
        If `key` is not a name that can be an anchor.
    """
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_NS}style", f"{_NS}metadata"):
                parent.remove(child)
    _rename_anchors(root, key)
    for element in root.iter():
        # Scales in `transform` stay as they are: they multiply coordinates in the thousands.
        for name in ("d", "x", "y", "points"):
            if name in element.attrib:
                element.set(name, _shorter(element.attrib[name]))
        if element.attrib.get("style"):
            element.set("style", element.attrib["style"].replace(": ", ":").replace("; ", ";"))
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    body = "".join(_text(child) for child in root)
    head = open_tag(
        key,
        title,
        alt,
        (width, height),
        natural=width * _PIXELS_PER_POINT,
        style="stroke-linejoin:round;stroke-linecap:butt",
    )
    return f"{head}{body}</svg>"


def open_tag(
    key: str,
    title: str,
    alt: str,
    size: tuple[float, float],
    *,
    natural: float,
    style: str = "",
) -> str:
    """Return the opening of an SVG element with its name and description.

    Parameters
    ----------
    key
        Unique name, the start of every anchor inside.
    title, alt
        Read out by screen readers: name and description.
    size
        Width and height of the view box.
    natural
        Width in CSS pixels beyond which the drawing is not enlarged.
    style
        Further declarations.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", key):
        raise ValueError(f"'{key}' cannot be an anchor: use letters, digits, '_', '.' and '-'")
    extra = f";{style}" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="100%" '
        f'viewBox="0 0 {number(size[0])} {number(size[1])}" '
        f'aria-labelledby="{key}-title {key}-desc" '
        f'style="--natural:{number(natural)}px;max-width:{number(natural)}px{extra}">'
        f'<title id="{key}-title">{clean(title)}</title>'
        f'<desc id="{key}-desc">{clean(alt)}</desc>'
    )


def clean(text: str) -> str:
    """Return `text` escaped for SVG content and quoted attributes, without control characters."""
    visible = "".join(c for c in text if c in "\t\n" or ord(c) >= 32)
    return escape(visible, {'"': "&quot;"})


def number(value: float) -> str:
    """Return a coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _shorter(text: str) -> str:
    return " ".join(_DECIMALS.sub(lambda match: number(float(match.group())), text).split())


def _rename_anchors(root: ElementTree.Element, key: str) -> None:
    """Name the anchors that are referred to after the figure, and drop the rest."""
    # Numbers in order of first use are shorter than the original names, and a page of text as
    # shapes refers to its letters thousands of times.
    used: dict[str, str] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            found = _REFERENCE.findall(value)
            if name in (_XLINK, "href"):
                found.append(value.removeprefix("#"))
            for anchor in found:
                used.setdefault(anchor, f"{key}-{len(used)}")
    for element in root.iter():
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
        for name, value in list(element.attrib.items()):
            if name == "id" and value in used:
                element.set(name, used[value])
            elif name == "id":
                del element.attrib[name]
            elif name == "href":
                element.set(name, f"#{used[value.removeprefix('#')]}")
            elif "url(#" in value:
                element.set(name, _REFERENCE.sub(lambda m: f"url(#{used[m[1]]})", value))


def _text(element: ElementTree.Element) -> str:
    """Write an element without prefixes; drawings of matplotlib hold no text nodes."""
    name = element.tag.removeprefix(_NS)
    attributes = "".join(f' {k}="{clean(v)}"' for k, v in element.attrib.items())
    children = "".join(_text(child) for child in element)
    if not children and name == "g":
        return ""
    if not attributes and name == "g":
        return children
    return f"<{name}{attributes}>{children}</{name}>" if children else f"<{name}{attributes}/>"
