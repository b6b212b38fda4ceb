"""Workspaces written for tests, in the form of FlowJo 10."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

SPACES = " ".join(
    f'xmlns:{prefix}="http://www.isac-net.org/std/Gating-ML/v2.0/{name}"'
    for prefix, name in (
        ("gating", "gating"),
        ("transforms", "transformations"),
        ("data-type", "datatypes"),
    )
)


def scale(kind: str, parameter: str, **numbers: object) -> str:
    words = " ".join(f'transforms:{k}="{v}"' for k, v in numbers.items())
    name = f"<data-type:parameter data-type:name={quoteattr(parameter)} />"
    return f"<transforms:{kind} {words}>{name}</transforms:{kind}>"


def dimension(name: str, low: float | None = None, high: float | None = None) -> str:
    ends = "" if low is None else f' gating:min="{low}"'
    ends += "" if high is None else f' gating:max="{high}"'
    inner = f"<data-type:fcs-dimension data-type:name={quoteattr(name)} />"
    return f"<gating:dimension{ends}>{inner}</gating:dimension>"


def vertices(points: Iterable[Iterable[float]]) -> str:
    return "".join(
        "<gating:vertex>"
        + "".join(f'<gating:coordinate data-type:value="{v}" />' for v in point)
        + "</gating:vertex>"
        for point in points
    )


def rectangle(*sides: str, inside: int = 1) -> str:
    words = f'<gating:RectangleGate eventsInside="{inside}">'
    return f"{words}{''.join(sides)}</gating:RectangleGate>"


def polygon(x: str, y: str, points: Iterable[Iterable[float]]) -> str:
    inner = dimension(x) + dimension(y) + vertices(points)
    return f'<gating:PolygonGate eventsInside="1" gateResolution="256">{inner}</gating:PolygonGate>'


def ellipse(
    x: str, y: str, foci: Iterable[Iterable[float]], edge: Iterable[Iterable[float]]
) -> str:
    inner = dimension(x) + dimension(y)
    inner += f"<gating:foci>{vertices(foci)}</gating:foci>"
    inner += f"<gating:edge>{vertices(edge)}</gating:edge>"
    return f'<gating:EllipsoidGate eventsInside="1">{inner}</gating:EllipsoidGate>'


def population(name: str, gate: str, *inner: str, count: int = -1, group: str = "") -> str:
    below = f"<Subpopulations>{''.join(inner)}</Subpopulations>" if inner else ""
    words = f'name={quoteattr(name)} owningGroup={quoteattr(group)} count="{count}"'
    return f'<Population {words}><Gate gating:id="ID1">{gate}</Gate>{below}</Population>'


def joined(node: str, name: str, *of: str, count: int = -1) -> str:
    parts = "".join(f"<Dependent name={quoteattr(path)} />" for path in of)
    words = f'name={quoteattr(name)} owningGroup="" count="{count}"'
    return f"<{node} {words}><Dependents>{parts}</Dependents></{node}>"


def matrix(
    names: Iterable[str], rows: Iterable[Iterable[float]], words: str = 'prefix="Comp-" suffix=""'
) -> str:
    names = list(names)
    body = "".join(
        f"<transforms:spillover data-type:parameter={quoteattr(dye)}>"
        + "".join(
            f"<transforms:coefficient data-type:parameter={quoteattr(n)} transforms:value='{v}' />"
            for n, v in zip(names, row, strict=True)
        )
        + "</transforms:spillover>"
        for dye, row in zip(names, rows, strict=True)
    )
    return f'<transforms:spilloverMatrix name="set up" {words}>{body}</transforms:spilloverMatrix>'


def sample(
    number: int,
    name: str,
    populations: str,
    *,
    scales: str = "",
    channels: Iterable[str] = (),
    more: str = "",
    count: int = 100,
) -> str:
    words = "".join(
        f"<Keyword name='$P{i}N' value={quoteattr(n)} />" for i, n in enumerate(channels, start=1)
    )
    return (
        f'<Sample><DataSet uri="file:/C:/plate%201/{name}" sampleID="{number}" />{more}'
        f"<Transformations>{scales}</Transformations><Keywords>{words}</Keywords>"
        f'<SampleNode name="{name}" count="{count}" sampleID="{number}">'
        f"<Subpopulations>{populations}</Subpopulations></SampleNode></Sample>"
    )


def group(name: str, samples: Iterable[int], populations: str = "") -> str:
    refs = "".join(f'<SampleRef sampleID="{i}" />' for i in samples)
    below = f"<Subpopulations>{populations}</Subpopulations>" if populations else ""
    inner = f"<Group name={quoteattr(name)}><SampleRefs>{refs}</SampleRefs></Group>"
    return f"<GroupNode name={quoteattr(name)} count='-1'>{below}{inner}</GroupNode>"


def workspace(samples: str, groups: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Workspace flowJoVersion="10.8.1" {SPACES}>'
        f"<Groups>{groups}</Groups><SampleList>{samples}</SampleList></Workspace>"
    )
