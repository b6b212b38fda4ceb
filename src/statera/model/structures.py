"""Ready-made structures: equations under their usual names, for numbers that the caller gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statera.errors import UnknownNameError
from statera.model.fields import SpecError
from statera.model.structure_parts import (
    ABSORPTIONS,
    ELIMINATIONS,
    Draft,
    kinetics,
    kinetics_parts,
)
from statera.model.structure_responses import RESPONSES

__all__ = ["structure", "structure_names", "structure_parameters"]


def structure_names() -> dict[str, str]:
    """Return the names that `structure` knows, with a sentence each."""
    found = {}
    for n in (1, 2, 3):
        for absorption, sentence in ABSORPTIONS.items():
            found[f"{n}cmt_{absorption}"] = f"{n} compartment{'s' * (n > 1)}, {sentence}"
    return found | {name: response.sentence for name, response in RESPONSES.items()}


def structure_parameters(
    name: str, *, pk: str = "1cmt_iv", elimination: str = "linear", units: Mapping[str, str] = {}
) -> dict[str, str]:
    """Return the parameters that a structure needs, with their units."""
    return dict(_draft(name, pk, elimination, units).needs)


def structure(
    name: str,
    values: Mapping[str, float | Mapping[str, Any]],
    *,
    pk: str = "1cmt_iv",
    elimination: str = "linear",
    units: Mapping[str, str] = {},
) -> dict[str, Any]:
    """Return a ready-made structure as plain data, to be changed or given to `build_model`.

    Parameters
    ----------
    name
        Such as ``"2cmt_oral"``, ``"indirect_response_1"`` or ``"tmdd_qss"``: see
        `structure_names` and ``docs/structures.md``.
    values
        A number for every parameter of the structure, or its table of a model file (``value``,
        ``status``, ``locator`` and so on). F and LAG may be given for absorbed doses. There are
        no defaults: numbers belong to a drug.
    pk
        Kinetics that drive a response.
    elimination
        ``"linear"``, ``"mm"`` (VM, KM) or ``"mixed"`` (both).
    units
        Units of ``time``, ``amount`` and ``volume``; h, mg and L where not given.

    Raises
    ------
    UnknownNameError
        If there is no such structure, or a value is given that it does not have.
    SpecError
        If a value is missing.
    """
    draft = _draft(name, pk, elimination, units, asked=values)
    for key in values:
        if key not in draft.needs:
            raise UnknownNameError(f"parameter of {name}", key, draft.needs)
    if missing := [key for key in draft.needs if key not in values]:
        raise SpecError(
            ("parameters", missing[0]),
            f"the structure '{name}' needs values for {', '.join(missing)}",
            f"All of its parameters: {', '.join(draft.needs)}.",
        )
    parameters = {}
    for key, unit in draft.needs.items():
        given = values[key]
        row = dict(given) if isinstance(given, Mapping) else {"value": given}
        parameters[key] = {"unit": unit} | row
    return {
        "id": f"structure/{name}",
        "title": draft.title,
        "units": {"time": draft.time, "amount": draft.amount},
        "parameters": parameters,
        "dynamics": draft.dynamics,
        "initial": draft.initial,
        "inputs": draft.inputs,
        "outputs": draft.outputs,
    }


def _draft(
    name: str,
    pk: str,
    elimination: str,
    units: Mapping[str, str],
    asked: Mapping[str, Any] = {},
) -> Draft:
    known = structure_names()
    if name not in known:
        raise UnknownNameError("structure", name, known)
    if elimination not in ELIMINATIONS:
        raise UnknownNameError("elimination", elimination, ELIMINATIONS)
    for unit in units:
        if unit not in ("time", "amount", "volume"):
            raise UnknownNameError("unit", unit, ("time", "amount", "volume"))
    drug = name if name not in RESPONSES else pk
    if name in RESPONSES and kinetics_parts(pk) is None:
        raise UnknownNameError("kinetics", pk, [n for n in known if n not in RESPONSES])
    draft = Draft(
        title=known[name],
        time=units.get("time", "h"),
        amount=units.get("amount", "mg"),
        volume=units.get("volume", "L"),
    )
    if name.startswith("tmdd") and elimination != "linear":
        raise SpecError(("parameters",), "the target saturates already: use linear elimination")
    if name == "parent_metabolite" and elimination == "mm":
        raise SpecError(("parameters",), "a metabolite is formed by CL: use linear or mixed")
    kinetics(draft, drug, elimination, [key for key in ("F", "LAG") if key in asked])
    if name in RESPONSES:
        RESPONSES[name].add(draft)
    return draft
