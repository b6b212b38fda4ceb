"""Plain compartmental models to begin a fit with: their initial values belong to no drug."""

from __future__ import annotations

from statera.web.requests.fit import TemplateModel

__all__ = ["template_id", "template_text"]

_TITLES = {
    "oral-1": "One compartment, first-order absorption",
    "oral-2": "Two compartments, first-order absorption",
    "iv-1": "One compartment, bolus or infusion",
    "iv-2": "Two compartments, bolus or infusion",
}

_PARAMETERS = {  # initial value, unit, meaning
    "KA": (1.0, "1/h", "absorption rate constant"),
    "CL": (5.0, "L/h", "clearance"),
    "V": (50.0, "L", "volume of distribution"),
    "V1": (50.0, "L", "central volume"),
    "Q": (5.0, "L/h", "intercompartmental clearance"),
    "V2": (50.0, "L", "peripheral volume"),
}
_ONE, _TWO = ("CL", "V"), ("CL", "V1", "Q", "V2")
_WITHOUT_EFFECT = ("Q",)
_VARIANCE = 0.1
_ADDITIVE = {"mg/L": 0.05, "ng/mL": 50.0}
_FACTOR = {"mg/L": "", "ng/mL": "1000*"}


def template_id(choice: TemplateModel) -> str:
    """Return the id of the model, such as ``user/oral-1``."""
    return f"user/{choice.name}"


def template_text(choice: TemplateModel) -> str:
    """Return the model file of a template."""
    oral, two = choice.name.startswith("oral"), choice.name.endswith("2")
    names = (*(("KA",) if oral else ()), *(_TWO if two else _ONE))
    lines = [
        f"# {_TITLES[choice.name]}. The values are initial values and belong to no drug.",
        'schema = "statera.model/1"',
        f'id = "{template_id(choice)}"',
        f'title = "{_TITLES[choice.name]}, log-normal parameters, combined error"',
        "",
        "[units]",
        'time = "h"',
        'amount = "mg"',
        "",
        "[parameters]",
    ]
    after = "/F" if oral else ""
    for name in names:
        value, unit, meaning = _PARAMETERS[name]
        shown = f"{name}{after if name != 'KA' else ''}"
        lines.append(
            f'TV{name} = {{ value = {value}, unit = "{unit}", bounds = [0.0, inf], '
            f'note = "typical {meaning} {shown}" }}'
        )
    lines += [
        f'additive = {{ value = {_ADDITIVE[choice.concentration]}, unit = "{choice.concentration}",'
        ' bounds = [0.0, inf], note = "additive error (SD)" }',
        'proportional = { value = 0.2, unit = "", bounds = [0.0, inf], '
        'note = "proportional error (SD as a fraction)" }',
        "",
        "[random_effects]",
        *(f"eta_{n} = {{ variance = {_VARIANCE} }}" for n in names if n not in _WITHOUT_EFFECT),
        "",
        "[individual]",
        *(f'{n} = "TV{n}{_effect(n)}"' for n in names),
        "",
        "[dynamics]",
        *_dynamics(oral=oral, two=two),
        "",
        f"[[inputs.{'oral' if oral else 'iv'}]]",
        'kind = "bolus"',
        f'into = "{"depot" if oral else "central"}"',
        "",
        "[outputs.C]",
        f'expression = "{_FACTOR[choice.concentration]}central/{"V1" if two else "V"}"',
        f'unit = "{choice.concentration}"',
        'label = "concentration"',
        "",
        "# Variance: additive^2 + (proportional C)^2.",
        "[residual.C]",
        'additive = "additive"',
        'proportional = "proportional"',
        "",
    ]
    return "\n".join(lines)


def _effect(name: str) -> str:
    return "" if name in _WITHOUT_EFFECT else f"*exp(eta_{name})"


def _dynamics(*, oral: bool, two: bool) -> list[str]:
    given = "KA*depot - " if oral else "-"
    leaving = "(CL + Q)/V1*central + Q/V2*peripheral" if two else "CL/V*central"
    found = ['"d/dt(depot)" = "-KA*depot"'] if oral else []
    found.append(f'"d/dt(central)" = "{given}{leaving}"')
    if two:
        found.append('"d/dt(peripheral)" = "Q/V1*central - Q/V2*peripheral"')
    return found
