"""Read FlowJo's workspaces (.wsp): gates, scales, compensation and counts of each sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from urllib.parse import unquote
from xml.etree import ElementTree

from statera.cytometry.flowjo_parameters import Parameters, Untranslated, read_parameters
from statera.cytometry.flowjo_scales import local
from statera.cytometry.flowjo_tree import Tree, read_tree
from statera.cytometry.scales import Scale
from statera.cytometry.strategy import GatingStrategy
from statera.cytometry.whole_number import whole_number
from statera.cytometry.xml_file import parse_xml
from statera.errors import InputError, Place, UnknownNameError

__all__ = ["FlowJoGroup", "FlowJoSample", "FlowJoWorkspace", "read_flowjo"]

Element = ElementTree.Element
_LARGEST = 500_000_000
"""Bytes of a file; workspaces of plates with many populations have tens of millions."""


@dataclass(frozen=True)
class FlowJoSample:
    """A sample of a workspace.

    Attributes
    ----------
    id, name
        FlowJo's own; the name is mostly that of the file.
    file_name
        Last part of the address of its file.
    keywords
    strategy
        Gates named by their path, such as ``Live/CD3+``; ``Comp-`` names are dyes of the matrix.
    scales
        By parameter, such as ``Comp-FITC-A``.
    counts
        Events that FlowJo counted by path; None where it had not.
    total
        Events of the sample by FlowJo.
    own_gates
        Paths of gates that are the sample's alone, not its group's.
    """

    id: str
    name: str
    file_name: str
    keywords: Mapping[str, str]
    strategy: GatingStrategy
    scales: Mapping[str, Scale]
    counts: Mapping[str, int | None]
    total: int | None
    own_gates: tuple[str, ...]


@dataclass(frozen=True)
class FlowJoGroup:
    """A group of samples.

    Attributes
    ----------
    name
    sample_ids
    strategy
        Gates defined once for all samples, on the scales and with the matrix of the first of
        them; None where the group has no gates or no samples.
    """

    name: str
    sample_ids: tuple[str, ...]
    strategy: GatingStrategy | None


@dataclass(frozen=True)
class FlowJoWorkspace:
    """A workspace.

    Attributes
    ----------
    path
    version
        Of FlowJo.
    samples, groups
    untranslated
        All that is not taken over as it stands, each with its reason.
    """

    path: Path
    version: str
    samples: tuple[FlowJoSample, ...]
    groups: tuple[FlowJoGroup, ...]
    untranslated: tuple[Untranslated, ...]

    def sample(self, name: str) -> FlowJoSample:
        """Return a sample by its name, the name of its file or its id.

        Raises
        ------
        UnknownNameError
            If there is none.
        InputError
            If several are called so.
        """
        for key in ("name", "file_name", "id"):
            found = [s for s in self.samples if getattr(s, key) == name]
            if len(found) > 1:
                raise InputError(
                    f"{len(found)} samples are called '{name}'",
                    where=Place(str(self.path)),
                    hint=f"Choose by id: {', '.join(s.id for s in found)}.",
                )
            if found:
                return found[0]
        known = [s.name for s in self.samples]
        raise UnknownNameError("sample", name, known, where=Place(str(self.path)))

    def group(self, name: str) -> FlowJoGroup:
        """Return a group by its name.

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        for group in self.groups:
            if group.name == name:
                return group
        known = [g.name for g in self.groups]
        raise UnknownNameError("group", name, known, where=Place(str(self.path)))


def read_flowjo(path: str | Path) -> FlowJoWorkspace:
    """Return what a workspace of FlowJo 10 holds.

    One sample, gate or scale that cannot be taken over is named in `untranslated`; the rest is
    read.

    Raises
    ------
    InputError
        If the file is no workspace, or its XML is not well-formed or unsafe.
    """
    file = Path(path)
    root = parse_xml(file, _LARGEST)
    if local(root.tag) != "Workspace":
        raise InputError(
            f"this is no workspace of FlowJo: it begins with '{local(root.tag)}'",
            where=Place(str(file)),
            hint="Save it from FlowJo 10 as .wsp; Gating-ML is read by read_gatingml.",
        )
    lost: list[Untranslated] = []
    samples: list[FlowJoSample] = []
    parameters: dict[str, Parameters] = {}
    for element in _all(root, "SampleList", "Sample"):
        sample, made, more = _sample(element)
        lost += more
        if sample is not None:
            samples.append(sample)
            parameters[sample.id] = made
    groups = []
    for element in _all(root, "Groups", "GroupNode"):
        group, more = _group(element, parameters)
        groups.append(group)
        lost += more
    if not samples and not lost:
        raise InputError("the workspace holds no samples", where=Place(str(file)))
    version = root.get("flowJoVersion", "")
    return FlowJoWorkspace(file, version, tuple(samples), tuple(groups), tuple(lost))


def _all(root: Element, holder: str, kind: str) -> list[Element]:
    return [e for part in root if local(part.tag) == holder for e in part if local(e.tag) == kind]


def _sample(
    element: Element,
) -> tuple[FlowJoSample | None, Parameters, list[Untranslated]]:
    parts = {local(e.tag): e for e in element}
    node, address = parts.get("SampleNode"), parts.get("DataSet")
    uri = "" if address is None else address.get("uri", "")
    # addresses may be those of another system, with its separators
    file_name = PureWindowsPath(unquote(uri)).name
    name = file_name if node is None else node.get("name", file_name)
    keywords = {
        e.get("name", ""): e.get("value", "")
        for e in parts.get("Keywords", element)
        if local(e.tag) == "Keyword"
    }
    parameters, lost = read_parameters(element, keywords, name)
    if node is None:
        return None, parameters, [*lost, Untranslated(name, "sample", "has no populations' node")]
    try:
        tree, more = read_tree(node, parameters, name)
    except InputError as error:
        return None, parameters, [*lost, Untranslated(name, "sample", error.what)]
    found = FlowJoSample(
        node.get("sampleID", "") or ("" if address is None else address.get("sampleID", "")),
        name,
        file_name,
        keywords,
        tree.strategy,
        parameters.scales,
        tree.counts,
        _total(node),
        tree.own,
    )
    return found, parameters, lost + more


def _total(node: Element) -> int | None:
    return whole_number(node.get("count", ""))


def _group(
    element: Element, parameters: Mapping[str, Parameters]
) -> tuple[FlowJoGroup, list[Untranslated]]:
    name = element.get("name", "")
    where = f"group {name}"
    refs = [
        e.get("sampleID", "")
        for part in element
        if local(part.tag) == "Group"
        for e in part.iter()
        if local(e.tag) == "SampleRef"
    ]
    ids = tuple(dict.fromkeys(refs))
    lost = [
        Untranslated(where, f"sample {i}", "is not in the workspace")
        for i in ids
        if i not in parameters
    ]
    present = tuple(i for i in ids if i in parameters)
    gated = any(local(e.tag) == "Subpopulations" and len(e) for e in element)
    tree: Tree | None = None
    if gated and present:
        try:
            tree, more = read_tree(element, parameters[present[0]], where)
            lost += [m for m in more if m.what != "counts"]
        except InputError as error:
            lost.append(Untranslated(where, "gates", error.what))
    elif gated:
        lost.append(Untranslated(where, "gates", "no sample of the group gives their scales"))
    return FlowJoGroup(name, present, None if tree is None else tree.strategy), lost
