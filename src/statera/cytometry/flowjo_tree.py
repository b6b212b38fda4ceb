"""The tree of populations of a sample or group in FlowJo's workspaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree

from statera.cytometry.flowjo_gates import read_gate
from statera.cytometry.flowjo_parameters import Parameters, Untranslated
from statera.cytometry.flowjo_scales import local
from statera.cytometry.gates import BooleanGate, Gate, Reference
from statera.cytometry.strategy import GatingStrategy
from statera.cytometry.whole_number import whole_number
from statera.errors import InputError

__all__ = ["Tree", "read_tree"]

Element = ElementTree.Element
_OPERATIONS: dict[str, Literal["and", "or", "not"]] = {
    "AndNode": "and",
    "OrNode": "or",
    "NotNode": "not",
}
_DEEPEST = 200
INSIDE = " [inside]"
"""Ends the name of a region whose outside is the population."""


@dataclass(frozen=True)
class Tree:
    """Populations of a sample or group.

    Attributes
    ----------
    strategy
        Gates named by their path, such as ``Live/CD3+``.
    counts
        Events that FlowJo counted, by path; None where it had not.
    own
        Paths of gates that belong to the sample alone, not to a group.
    """

    strategy: GatingStrategy
    counts: dict[str, int | None]
    own: tuple[str, ...]


@dataclass
class _Walk:
    where: str
    parameters: Parameters
    gates: list[Gate] = field(default_factory=list)
    counts: dict[str, int | None] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    lost: list[Untranslated] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)

    def lose(self, path: str, reason: str) -> None:
        self.gone[path] = reason
        self.lost.append(Untranslated(self.where, path, reason))

    def level(self, node: Element, parent: str, depth: int) -> None:
        """Take over what stands in the ``Subpopulations`` of a node."""
        if depth > _DEEPEST:
            raise InputError(f"populations lie in each other more than {_DEEPEST} times deep")
        for group in node:
            if local(group.tag) != "Subpopulations":
                continue
            for element in group:
                kind = local(element.tag)
                name = element.get("name", "")
                path = f"{parent}/{name}" if parent else name
                if kind == "Population" or kind in _OPERATIONS:
                    self.population(element, kind, path, parent, depth)
                else:
                    said = "statistics are not taken over" if kind == "Statistic" else "not known"
                    self.lost.append(Untranslated(self.where, f"{kind} {path}", said))

    def population(self, element: Element, kind: str, path: str, parent: str, depth: int) -> None:
        if path in self.counts:
            reason = "a second population of that name in that place is left out"
            self.lost.append(Untranslated(self.where, path, reason))
            return
        self.counts[path] = _count(element)
        if element.get("owningGroup", "") == "":
            self.own.append(path)
        if parent in self.gone:
            self.lose(path, f"lies in {parent}, which is not taken over")
        else:
            try:
                if kind == "Population":
                    self.region(element, path, parent)
                else:
                    self.gates.append(_boolean(element, _OPERATIONS[kind], path, parent))
            except InputError as error:
                self.lose(path, error.what)
        self.level(element, path, depth + 1)

    def region(self, element: Element, path: str, parent: str) -> None:
        found = [e for holder in element if local(holder.tag) == "Gate" for e in holder]
        if len(found) != 1:
            raise InputError(f"has {len(found)} gates in place of one")
        gate, remark = read_gate(found[0], path, parent, self.parameters)
        if remark:
            self.lost.append(Untranslated(self.where, path, remark, kept=True))
        if found[0].get("eventsInside", "1") == "0":
            inner = f"{path}{INSIDE}"
            outside = Reference(inner)
            made, _ = read_gate(found[0], inner, parent, self.parameters)
            self.gates += [made, BooleanGate(path, "not", (outside,), parent)]
        else:
            self.gates.append(gate)

    def drop_dangling(self) -> None:
        """Leave out boolean gates of gates that are not there, and what depends on them."""
        while True:
            names = {gate.name for gate in self.gates}
            for gate in self.gates:
                wanted = [gate.parent] if gate.parent else []
                if isinstance(gate, BooleanGate):
                    wanted += [r.name for r in gate.references]
                missing = next((name for name in wanted if name not in names), None)
                if missing is not None:
                    self.gates.remove(gate)
                    self.lose(gate.name, f"refers to {missing}, which is not taken over")
                    break
            else:
                return


def read_tree(node: Element, parameters: Parameters, where: str) -> tuple[Tree, list[Untranslated]]:
    """Return the populations below a ``SampleNode`` or ``GroupNode``.

    Raises
    ------
    InputError
        If they lie too deep in each other.
    """
    walk = _Walk(where, parameters)
    walk.level(node, "", 0)
    walk.drop_dangling()
    matrices = {made.name: made.spillover for made in parameters.compensations}
    counts, total = walk.counts, _count(node)
    if total and counts and all(n == 0 for n in counts.values()):
        said = "all are 0: perhaps FlowJo had not counted when it saved"
        walk.lost.append(Untranslated(where, "counts", said, kept=True))
    strategy = GatingStrategy(tuple(walk.gates), matrices)
    return Tree(strategy, counts, tuple(walk.own)), walk.lost


def _count(element: Element) -> int | None:
    return whole_number(element.get("count", ""))


def _boolean(
    element: Element, operation: Literal["and", "or", "not"], path: str, parent: str
) -> BooleanGate:
    names = [
        e.get("name", "") for holder in element if local(holder.tag) == "Dependents" for e in holder
    ]
    if not names or (operation == "not" and len(names) != 1):
        raise InputError(f"joins {len(names)} populations by '{operation}'")
    return BooleanGate(path, operation, tuple(Reference(name) for name in names), parent)
