"""Kinetics of ready-made structures: absorption, compartments and elimination."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ABSORPTIONS", "ELIMINATIONS", "Draft", "kinetics", "kinetics_parts"]

ABSORPTIONS: Mapping[str, str] = {
    "iv": "given at once or by infusion",
    "oral": "first-order absorption",
    "zero_order": "zero-order absorption over D",
    "parallel": "a fraction FR by first order, the rest by zero order over D",
    "transit": "absorption through NTR transit compartments, any real number",
}
"""How a dose enters, by the part of a name after ``1cmt_``."""

ELIMINATIONS = ("linear", "mm", "mixed")


@dataclass
class Draft:
    """A structure while it is put together.

    Attributes
    ----------
    needs
        Unit of every parameter by name.
    dynamics, initial, inputs, outputs
        As in a model file.
    volume_name
        Name of the central volume.
    """

    title: str
    time: str
    amount: str
    volume: str
    needs: dict[str, str] = field(default_factory=dict)
    dynamics: dict[str, str] = field(default_factory=dict)
    initial: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    volume_name: str = "V"

    @property
    def rate(self) -> str:
        """Unit of a rate constant."""
        return f"1/{self.time}"

    @property
    def concentration(self) -> str:
        """Unit of a concentration."""
        return f"{self.amount}/{self.volume}"

    @property
    def clearance(self) -> str:
        """Unit of a clearance."""
        return f"{self.volume}/{self.time}"


def kinetics_parts(name: str) -> tuple[int, str] | None:
    """Return the number of compartments and the absorption of a name such as ``2cmt_oral``."""
    match = re.fullmatch(r"([123])cmt_(\w+)", name)
    if match is None or match[2] not in ABSORPTIONS:
        return None
    return int(match[1]), match[2]


def kinetics(draft: Draft, name: str, elimination: str, optional: Sequence[str]) -> None:
    """Add the states of the drug, its input and its concentration ``C``."""
    parts = kinetics_parts(name)
    assert parts is not None
    n, absorption = parts
    draft.volume_name = volume = "V" if n == 1 else "V1"
    terms = _eliminated(draft, elimination)
    draft.needs[volume] = draft.volume
    peripheral: dict[str, str] = {}
    places = (("Q2" if n == 3 else "Q", "V2", "peripheral1"), ("Q3", "V3", "peripheral2"))
    for flow, place, state in places[: n - 1]:
        draft.needs |= {flow: draft.clearance, place: draft.volume}
        out, back = f"{flow}/{volume}*central", f"{flow}/{place}*{state}"
        terms.append(f"- {out} + {back}")
        peripheral[state] = f"{out} - {back}"
    if absorption in ("oral", "parallel", "transit"):
        draft.needs["KA"] = draft.rate
        draft.dynamics["depot"] = "-KA*depot"
        terms.insert(0, "KA*depot")
    draft.dynamics["central"] = " ".join(terms)
    draft.dynamics |= peripheral
    draft.outputs["C"] = {
        "expression": f"central/{volume}", "unit": draft.concentration, "label": "concentration",
    }  # fmt: skip
    _absorption(draft, absorption, optional)


def _eliminated(draft: Draft, elimination: str) -> list[str]:
    terms = []
    volume = draft.volume_name
    if elimination in ("linear", "mixed"):
        draft.needs["CL"] = draft.clearance
        terms.append(f"- CL/{volume}*central")
    if elimination in ("mm", "mixed"):
        draft.needs |= {"VM": f"{draft.amount}/{draft.time}", "KM": draft.concentration}
        terms.append(f"- VM*central/(KM*{volume} + central)")
    return terms


def _absorption(draft: Draft, absorption: str, optional: Sequence[str]) -> None:
    more: dict[str, str] = {}
    if absorption != "iv":
        for key, place, unit in (("F", "bioavailability", ""), ("LAG", "lag", draft.time)):
            if key in optional:
                draft.needs[key] = unit
                more[place] = key
    iv: list[dict[str, str]] = [{"kind": "bolus", "into": "central"}]
    depot = {"kind": "bolus", "into": "depot"} | more
    zero = {"kind": "zero_order", "into": "central", "duration": "D"} | more
    if absorption in ("zero_order", "parallel"):
        draft.needs["D"] = draft.time
    if absorption == "oral":
        draft.inputs["oral"] = [depot]
    elif absorption == "zero_order":
        draft.inputs["oral"] = [zero]
    elif absorption == "parallel":
        draft.needs["FR"] = ""
        times_f = "*F" if "bioavailability" in more else ""
        draft.inputs["oral"] = [
            depot | {"bioavailability": f"FR{times_f}"},
            zero | {"bioavailability": f"(1 - FR){times_f}"},
        ]
    elif absorption == "transit":
        draft.needs |= {"NTR": "", "MTT": draft.time}
        through = {"kind": "transit", "into": "depot", "n": "NTR", "mtt": "MTT"}
        draft.inputs["oral"] = [through | more]
    draft.inputs["iv"] = iv
