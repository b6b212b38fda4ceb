"""Responses of ready-made structures, driven by a concentration.

Indirect responses are those of Dayneka, Garg and Jusko (1993), target-mediated disposition that of
Mager and Jusko (2001) with the approximations of Gibiansky and others (2008), myelosuppression that
of Friberg and others (2002).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from statera.model.structure_parts import Draft

__all__ = ["RESPONSES", "Response"]


@dataclass(frozen=True)
class Response:
    """What a name stands for, and what adds it to a draft."""

    sentence: str
    add: Callable[[Draft], None]


def _concentration(draft: Draft) -> str:
    return f"central/{draft.volume_name}"


def _indirect(inhibits: bool, production: bool) -> Callable[[Draft], None]:
    def add(draft: Draft) -> None:
        most, half = ("IMAX", "IC50") if inhibits else ("EMAX", "EC50")
        draft.needs |= {"KIN": draft.rate, "KOUT": draft.rate, most: "", half: draft.concentration}
        drug = _concentration(draft)
        factor = f"(1 {'-' if inhibits else '+'} {most}*{drug}/({half} + {drug}))"
        made, lost = ("KIN", "KOUT*response")
        if production:
            made = f"{made}*{factor}"
        else:
            lost = f"{lost}*{factor}"
        draft.dynamics["response"] = f"{made} - {lost}"
        _baseline(draft)

    return add


def _baseline(draft: Draft) -> None:
    draft.initial["response"] = "KIN/KOUT"
    draft.outputs["R"] = {"expression": "response", "unit": "", "label": "response"}


def _turnover(draft: Draft) -> None:
    draft.needs |= {"KIN": draft.rate, "KOUT": draft.rate}
    draft.dynamics["response"] = "KIN - KOUT*response"
    _baseline(draft)


def _effect_compartment(draft: Draft) -> None:
    draft.needs |= {"KE0": draft.rate, "E0": "", "EMAX": "", "EC50": draft.concentration}
    draft.dynamics["effect_site"] = f"KE0*({_concentration(draft)} - effect_site)"
    draft.outputs["CE"] = {
        "expression": "effect_site", "unit": draft.concentration, "label": "effect site",
    }  # fmt: skip
    draft.outputs["E"] = {
        "expression": "E0 + EMAX*effect_site/(EC50 + effect_site)", "unit": "", "label": "effect",
    }  # fmt: skip


def _metabolite(draft: Draft) -> None:
    draft.needs |= {"FM": "", "CLM": draft.clearance, "VMET": draft.volume}
    made = f"FM*CL/{draft.volume_name}*central"
    draft.dynamics["metabolite"] = f"{made} - CLM/VMET*metabolite"
    draft.outputs["CMET"] = {
        "expression": "metabolite/VMET", "unit": draft.concentration, "label": "metabolite",
    }  # fmt: skip


def _tmdd_full(draft: Draft) -> None:
    per_time = f"{draft.concentration}/{draft.time}"
    draft.needs |= {
        "KON": f"1/({draft.concentration}*{draft.time})", "KOFF": draft.rate,
        "KINT": draft.rate, "KSYN": per_time, "KDEG": draft.rate,
    }  # fmt: skip
    volume = draft.volume_name
    bound = f"KON*central/{volume}*target"
    draft.dynamics["central"] += f" - {volume}*({bound} - KOFF*complex)"
    draft.dynamics["target"] = f"KSYN - KDEG*target - {bound} + KOFF*complex"
    draft.dynamics["complex"] = f"{bound} - (KOFF + KINT)*complex"
    draft.initial["target"] = "KSYN/KDEG"
    draft.outputs["R"] = {"expression": "target", "unit": draft.concentration}
    draft.outputs["RC"] = {"expression": "complex", "unit": draft.concentration}


def _tmdd_fast(constant: str) -> Callable[[Draft], None]:
    """Total drug and total target, the complex at equilibrium or quasi-steady state.

    ``central`` is the total amount; free drug C solves ``C^2 - x C - K C_total = 0`` with
    ``x = C_total - R_total - K``, written so that nothing cancels where x is below zero.
    """

    def add(draft: Draft) -> None:
        draft.needs |= {
            constant: draft.concentration, "KINT": draft.rate,
            "KSYN": f"{draft.concentration}/{draft.time}", "KDEG": draft.rate,
        }  # fmt: skip
        volume = draft.volume_name
        total = f"(central/{volume})"
        x = f"({total} - target_total - {constant})"
        root = f"sqrt({x}^2 + 4*{constant}*{total})"
        free = f"where({x} > 0, ({x} + {root})/2, 2*{constant}*{total}/({root} - {x}))"
        complex_ = f"target_total*{free}/({constant} + {free})"
        for state, text in draft.dynamics.items():
            if state != "depot":
                draft.dynamics[state] = text.replace("central", f"({volume}*{free})")
        draft.dynamics["central"] += f" - {volume}*KINT*{complex_}"
        draft.dynamics["target_total"] = f"KSYN - KDEG*target_total - (KINT - KDEG)*{complex_}"
        draft.initial["target_total"] = "KSYN/KDEG"
        unit = draft.concentration
        draft.outputs = {
            "C": {"expression": free, "unit": unit, "label": "free concentration"},
            "CTOT": {"expression": total, "unit": unit, "label": "total concentration"},
            "RTOT": {"expression": "target_total", "unit": unit, "label": "total target"},
        }

    return add


def _tmdd_mm(draft: Draft) -> None:
    draft.needs |= {"VM": f"{draft.amount}/{draft.time}", "KM": draft.concentration}
    draft.dynamics["central"] += f" - VM*central/(KM*{draft.volume_name} + central)"


def _friberg(draft: Draft) -> None:
    draft.needs |= {
        "MTT": draft.time, "CIRC0": "", "GAMMA": "", "SLOPE": f"1/({draft.concentration})",
    }  # fmt: skip
    drug = f"(1 - SLOPE*{_concentration(draft)})"
    draft.dynamics |= {
        "proliferating": f"4/MTT*proliferating*({drug}*(CIRC0/circulating)^GAMMA - 1)",
        "transit1": "4/MTT*(proliferating - transit1)",
        "transit2": "4/MTT*(transit1 - transit2)",
        "transit3": "4/MTT*(transit2 - transit3)",
        "circulating": "4/MTT*(transit3 - circulating)",
    }
    for state in ("proliferating", "transit1", "transit2", "transit3", "circulating"):
        draft.initial[state] = "CIRC0"
    draft.outputs["CIRC"] = {"expression": "circulating", "unit": "", "label": "circulating cells"}


RESPONSES: Mapping[str, Response] = {
    "indirect_response_1": Response("production of a response inhibited", _indirect(True, True)),
    "indirect_response_2": Response("loss of a response inhibited", _indirect(True, False)),
    "indirect_response_3": Response("production of a response raised", _indirect(False, True)),
    "indirect_response_4": Response("loss of a response raised", _indirect(False, False)),
    "turnover": Response("production and loss of a response", _turnover),
    "effect_compartment": Response("effect site behind the plasma", _effect_compartment),
    "parent_metabolite": Response("a drug and its metabolite", _metabolite),
    "tmdd_full": Response("binding to a target that is made and lost", _tmdd_full),
    "tmdd_qe": Response("the same, binding at equilibrium (KD)", _tmdd_fast("KD")),
    "tmdd_qss": Response("the same, complex at quasi-steady state (KSS)", _tmdd_fast("KSS")),
    "tmdd_mm": Response("the same, target saturated: VM and KM beside CL", _tmdd_mm),
    "friberg": Response("myelosuppression: proliferation, three transits, feedback", _friberg),
}
