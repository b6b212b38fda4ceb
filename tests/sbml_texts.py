"""Short ways to write SBML for tests: formulas in infix, attributes with defaults."""

from __future__ import annotations

import html
import re

from statera.pathway.sbml_file import sbml_library

_URI = {
    (2, 1): "http://www.sbml.org/sbml/level2",
    (3, 1): "http://www.sbml.org/sbml/level3/version1/core",
    (3, 2): "http://www.sbml.org/sbml/level3/version2/core",
}
_LISTS = {
    "functionDefinition": "FunctionDefinitions",
    "unitDefinition": "UnitDefinitions",
    "compartment": "Compartments",
    "species": "Species",
    "parameter": "Parameters",
    "initialAssignment": "InitialAssignments",
    "rule": "Rules",
    "constraint": "Constraints",
    "reaction": "Reactions",
    "event": "Events",
}


def mathml(formula: str) -> str:
    """Return MathML of a formula in infix."""
    libsbml = sbml_library()
    tree = libsbml.parseL3Formula(formula)
    assert tree is not None, libsbml.getLastParseL3Error()
    text: str = libsbml.writeMathMLToString(tree)
    return text.split("?>", 1)[1].strip()


def sbml(body: str, level: int = 3, version: int = 2, model: str = "", head: str = "") -> str:
    """Return SBML with elements in any order, each formula within ``<m>`` in infix.

    Attributes that level 3 demands are filled in where they are missing.
    """
    uri = _URI.get((level, version), f"http://www.sbml.org/sbml/level2/version{version}")
    body = re.sub(r"<m>(.*?)</m>", lambda m: mathml(html.unescape(m[1])), body, flags=re.DOTALL)
    if level == 3:
        body = _filled(body)
        if version == 1:
            body = re.sub(r"<reaction (?![^>]*fast=)", '<reaction fast="false" ', body)
    groups: dict[str, list[str]] = {name: [] for name in _LISTS.values()}
    pattern = re.compile(r"<(\w+)\b(?:[^<>]*/>|.*?</\1>)", re.DOTALL)
    for found in pattern.finditer(body):
        kind = "rule" if found[1].endswith("Rule") else found[1]
        groups[_LISTS[kind]].append(found[0])
    lists = "".join(
        f"<listOf{name}>\n{chr(10).join(items)}\n</listOf{name}>\n"
        for name, items in groups.items()
        if items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="{uri}" level="{level}" '
        f'version="{version}" {head}>\n<model id="m" {model}>\n{lists}</model>\n</sbml>\n'
    )


def _filled(body: str) -> str:
    demanded = {
        "compartment": {"constant": "true"},
        "species": {
            "hasOnlySubstanceUnits": "false",
            "boundaryCondition": "false",
            "constant": "false",
        },
        "parameter": {"constant": "true"},
        "speciesReference": {"constant": "true"},
        "reaction": {"reversible": "false"},
        "event": {"useValuesFromTriggerTime": "true"},
        "trigger": {"initialValue": "true", "persistent": "true"},
    }

    def fill(found: re.Match[str]) -> str:
        text = found[0]
        for name, value in demanded.get(found[1], {}).items():
            if f" {name}=" not in text:
                text = text.replace(f"<{found[1]}", f'<{found[1]} {name}="{value}"', 1)
        return text

    return re.sub(r"<(\w+)\b[^<>]*>", fill, body)


def reaction(
    name: str, law: str, reactants: str = "", products: str = "", local: str = "", level: int = 3
) -> str:
    """Return a reaction; sides as ``2 A + B``, own parameters as ``k=0.1 h=2``."""

    def side(text: str, kind: str) -> str:
        references = ""
        for part in filter(None, (p.strip() for p in text.split("+"))):
            count, species = part.split() if " " in part else ("1", part)
            references += f'<speciesReference species="{species}" stoichiometry="{count}"/>'
        return f"<listOf{kind}>{references}</listOf{kind}>" if references else ""

    item, group = (
        ("localParameter", "LocalParameters") if level == 3 else ("parameter", "Parameters")
    )
    own = "".join(
        f'<{item} id="{pair.split("=")[0]}" value="{pair.split("=")[1]}"/>'
        for pair in local.split()
    )
    parameters = f"<listOf{group}>{own}</listOf{group}>" if own else ""
    kinetic = f"<kineticLaw><m>{html.escape(law)}</m>{parameters}</kineticLaw>"
    return (
        f'<reaction id="{name}">{side(reactants, "Reactants")}{side(products, "Products")}'
        f"{kinetic}</reaction>"
    )


def event(
    trigger: str,
    assign: str,
    delay: str = "",
    priority: str = "",
    attributes: str = "",
    at: str = "",
) -> str:
    """Return an event; assignments as ``x = formula; y = formula``."""
    sets = "".join(
        f'<eventAssignment variable="{part.split("=", 1)[0].strip()}">'
        f"<m>{html.escape(part.split('=', 1)[1].strip())}</m></eventAssignment>"
        for part in assign.split(";")
    )
    late = f"<delay><m>{html.escape(delay)}</m></delay>" if delay else ""
    first = f"<priority><m>{html.escape(priority)}</m></priority>" if priority else ""
    return (
        f"<event {attributes}><trigger {at}><m>{html.escape(trigger)}</m></trigger>{first}{late}"
        f"<listOfEventAssignments>{sets}</listOfEventAssignments></event>"
    )
