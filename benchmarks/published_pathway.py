"""A published pathway, read from its SBML file where the reference data are.

Yamada and others 2003, BioModels BIOMD0000000093: interferon gamma, JAK and STAT1 with SHP2 and
SOCS1. Only what that file holds is understood: rate constants that belong to reactions, volumes of
1, and products, sums and quotients. `statera` itself does not read SBML.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from statera.model import Model, build_model

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(os.environ.get("STATERA_REFERENCE", ROOT.parent / "shared" / "reference"))
FILE = REFERENCE / "pathway" / "yamada2003-jak-stat-pathway__BIOMD0000000093.xml"
_SIGNS = {"times": "*", "plus": "+", "minus": "-", "divide": "/"}


def _all(node: Any, tag: str) -> list[Any]:
    return [found for found in node.iter() if found.tag.rpartition("}")[2] == tag]


def _formula(node: Any, names: dict[str, str]) -> str:
    tag = node.tag.rpartition("}")[2]
    if tag == "ci":
        return names[node.text.strip()]
    if tag == "cn":
        return node.text.strip()
    operator, *parts = list(node)
    sign = _SIGNS[operator.tag.rpartition("}")[2]]
    inner = [_formula(part, names) for part in parts]
    return f"({sign}{inner[0]})" if len(inner) == 1 else f"({f' {sign} '.join(inner)})"


@lru_cache(maxsize=1)
def yamada() -> Model:
    """33 states and 72 rate constants; interferon is held."""
    root = ElementTree.parse(FILE).getroot()
    species = _all(root, "species")
    held = {
        s.get("id"): s.get("initialConcentration") for s in species if s.get("boundaryCondition")
    }
    begun = {s.get("id"): s.get("initialConcentration") for s in species if s.get("id") not in held}
    names = {name: f"({value})" for name, value in held.items()} | {name: name for name in begun}
    for volume in _all(root, "compartment"):
        assert float(volume.get("size")) == 1.0
        names[volume.get("id")] = "1"
    rates: dict[str, list[str]] = {name: [] for name in begun}
    parameters: dict[str, dict[str, float]] = {}
    for reaction in _all(root, "reaction"):
        own = {
            p.get("id"): f"{p.get('id')}_{reaction.get('id')}" for p in _all(reaction, "parameter")
        }
        for p in _all(reaction, "parameter"):
            parameters[own[p.get("id")]] = {"value": float(p.get("value"))}
        rate = _formula(_all(reaction, "math")[0][0], names | own)
        for sign, side in (("-", "listOfReactants"), ("+", "listOfProducts")):
            for listed in _all(reaction, side):
                for one in _all(listed, "speciesReference"):
                    if one.get("species") in rates:
                        count = float(one.get("stoichiometry", "1"))
                        rates[one.get("species")].append(f"{sign} {count}*{rate}")
    return build_model(
        {
            "id": "bench/yamada",
            "units": {"time": "h", "amount": "mg"},
            "parameters": parameters,
            "dynamics": {name: " ".join(terms) or "0" for name, terms in rates.items()},
            "initial": {name: value for name, value in begun.items() if float(value) != 0.0},
            "inputs": {"none": [{"kind": "bolus", "into": "R", "bioavailability": "0"}]},
            "outputs": {f"y_{name}": {"expression": name} for name in rates},
        }
    )
