"""Read what an experiment is planned from: the protocol, and the user's own ``plan.toml``.

Keys that the user leaves out keep what the protocol's source states, or else a default, which the
bench sheet marks as assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from statera.assay.plan_options import (
    HALF_LOG,
    CytokineStock,
    DoseOptions,
    Edges,
    LayoutOptions,
    PipettingOptions,
    PlanOptions,
    PlateFormat,
    PlateOptions,
    PrecisionOptions,
    Reagent,
    Stain,
)
from statera.assay.plan_pipetting import Pipette
from statera.assay.protocol import Material, Protocol
from statera.errors import InputError, StateraError
from statera.library.read import Table, read_document
from statera.units import convert

__all__ = ["SCHEMA", "options_from_protocol", "read_plan"]

SCHEMA = "statera.assay_plan/1"

_STEPS = {"half-log": HALF_LOG, "third-log": 10.0 ** (1.0 / 3.0), "log": 10.0, "two-fold": 2.0}
_SMALL_WELLS = {"cells_ul": 40.0, "drug_ul": 5.0, "cytokine_ul": 5.0, "capacity_ul": 100.0}
"""Defaults of a 384-well plate."""

T = TypeVar("T")


def options_from_protocol(protocol: Protocol, name: str = "") -> PlanOptions:
    """Return the plan that a protocol alone gives, its gaps filled by marked assumptions."""
    stimuli = tuple(_cytokine(m) for m in protocol.materials if m.kind == "stimulus")
    stated = {"doses.stock_mM", "layout.cytokines"}
    stated |= {f"cytokine.{c.name}.final_ng_per_mL" for c in stimuli if c.final_ng_per_mL}
    layout = LayoutOptions(cytokines=tuple(c.name for c in stimuli)) if stimuli else LayoutOptions()
    stock = convert(protocol.drug.stock.value, protocol.drug.stock.unit, "mM")
    return PlanOptions(
        name=name or f"{protocol.name}-{protocol.drug.name}",
        drug=protocol.drug.name,
        solvent=protocol.drug.solvent,
        doses=DoseOptions(stock_mM=stock),
        layout=layout,
        panel=tuple(_stain(m) for m in protocol.materials if m.kind == "antibody"),
        cytokines=stimuli,
        reagents=tuple(Reagent(m.name) for m in protocol.materials if m.kind == "reagent"),
        stated=frozenset(stated),
    )


def _cytokine(material: Material) -> CytokineStock:
    amount = material.concentration
    final = None if amount is None else convert(amount.value, amount.unit, "ng/mL")
    return CytokineStock(material.name.split()[-1], final)


def _stain(material: Material) -> Stain:
    marker = re.sub(r"^anti-", "", material.name, flags=re.IGNORECASE)
    marker = re.sub(r"^phospho-", "p", marker, flags=re.IGNORECASE)
    return Stain(marker, readout="readout" in material.detail)


def read_plan(path: str | Path, protocol: Protocol) -> PlanOptions:
    """Return the plan in a file, over what the protocol gives.

    Raises
    ------
    InputError
        With file, line and column, where something is not understood or not possible.
    """
    document = read_document(path, SCHEMA)
    top = document.table()
    base = options_from_protocol(protocol, Path(path).stem)
    given: set[str] = set()
    doses = _part(top, "doses", given, lambda t: _doses(t, base))
    plate = _part(top, "plate", given, _plate)
    layout = _part(top, "layout", given, lambda t: _layout(t, base))
    pipetting = _part(top, "pipetting", given, _pipetting)
    precision = _part(top, "precision", given, _precision)
    panel = tuple(_read_stain(t) for t in top.tables("panel")) or base.panel
    if len({s.marker for s in panel}) < len(panel) or len({s.stain for s in panel}) < len(panel):
        top.fail("panel", "a marker or channel of the panel occurs twice", "each once")
    if not any(s.readout for s in panel):
        top.fail("panel", "no stain of the panel is the readout", "readout = true in one of them")
    cytokines = _cytokines(top, base, layout, given)
    reagents = tuple(
        _of(t, lambda t: Reagent(t.text("name"), _amount(t, "volume_ul")))
        for t in top.tables("reagent")
    )
    cells = None
    if "cells" in top.data:
        table = top.sub("cells")
        cells = _amount(table, "per_well")
        table.finish()
        given.add("cells.per_well")
    options = PlanOptions(
        name=top.text("name", base.name),
        drug=top.text("drug", base.drug),
        solvent=top.text("solvent", base.solvent),
        doses=doses,
        plate=plate,
        layout=layout,
        pipetting=pipetting,
        panel=panel,
        cytokines=cytokines,
        reagents=reagents or base.reagents,
        cells_per_well=cells,
        precision=precision,
        given=frozenset(given),
        stated=base.stated,
    )
    top.text("protocol", "")
    top.finish("schema")
    return options


def _part(top: Table, key: str, given: set[str], read: Callable[[Table], T]) -> T:
    """Read a table that may be absent; an impossible value is told with its line."""
    table = top.sub(key) if key in top.data else Table(top.document, {}, (key,))
    given |= {f"{key}.{name}" for name in table.data}
    return _of(table, read)


def _of(table: Table, read: Callable[[Table], T]) -> T:
    try:
        found = read(table)
    except InputError as error:
        _placed(error, table)
        raise
    table.finish()
    return found


def _placed(error: StateraError, table: Table) -> None:
    """Give an error that names a key the place of that key in the file."""
    if isinstance(error.where, str):
        key = error.where.rpartition(".")[2]
        inside = (key,) if key in table.data else ()
        error.where = table.document.place(*table.path, *inside)


def _amount(table: Table, key: str) -> float | None:
    value = table.number(key)
    if value is not None and value <= 0.0:
        table.fail(key, f"'{key}' is {value:g}", "a number above 0")
    return value


def _numbers(table: Table, defaults: Mapping[str, float]) -> dict[str, float]:
    found = {}
    for key, default in defaults.items():
        value = table.number(key)
        found[key] = default if value is None else value
    return found


def _count(table: Table, key: str, default: int) -> int:
    value = table.number(key)
    if value is None:
        return default
    if value != int(value):
        table.fail(key, f"'{key}' is {value:g}", "a whole number")
    return int(value)


def _counts(table: Table, key: str) -> tuple[int, ...]:
    values = table.numbers(key) or ()
    if any(v != int(v) for v in values):
        table.fail(key, f"'{key}' holds a number that is not whole", "whole numbers")
    return tuple(int(v) for v in values)


def _doses(table: Table, base: PlanOptions) -> DoseOptions:
    default = base.doses
    numbers = _numbers(
        table,
        {
            "top_nM": default.top_nM,
            "dmso_percent": default.dmso_percent,
            "stock_mM": default.stock_mM,
        },
    )
    step = table.scalar("step")
    if isinstance(step, str):
        if step not in _STEPS:
            table.fail("step", f"'{step}' is no step", f"a number or one of: {', '.join(_STEPS)}")
        step = _STEPS[step]
    listed = table.numbers("list_nM") or ()
    if listed and any(key in table.data for key in ("top_nM", "step", "n")):
        table.fail("list_nM", "doses are listed and described as well", "one of the two")
    return DoseOptions(
        top_nM=numbers["top_nM"],
        step=default.step if step is None else step,
        n=_count(table, "n", default.n),
        listed_nM=listed,
        dmso_percent=numbers["dmso_percent"],
        stock_mM=numbers["stock_mM"],
    )


def _plate(table: Table) -> PlateOptions:
    wells = _count(table, "wells", 96)
    if wells not in {f.value for f in PlateFormat}:
        table.fail("wells", f"a plate of {wells} wells is not known", "96 or 384")
    usual = PlateOptions()
    defaults = {name: getattr(usual, name) for name in _SMALL_WELLS}
    if wells == PlateFormat.WELLS_384:
        defaults = _SMALL_WELLS
    numbers = _numbers(table, defaults)
    edges = table.choice("edges", Edges, usual.edges)
    return PlateOptions(PlateFormat(wells), edges, **numbers)


def _layout(table: Table, base: PlanOptions) -> LayoutOptions:
    default = base.layout
    counts = {
        name: _count(table, name, getattr(default, name))
        for name in (
            "replicates", "unstimulated", "stimulated", "fmo", "unstained", "single_stains", "seed",
        )
    }  # fmt: skip
    donors = default.donors
    if isinstance(table.data.get("donors"), list):
        donors = table.texts("donors")
    elif "donors" in table.data:
        number = _count(table, "donors", 0)
        if not 1 <= number <= 100:
            table.fail("donors", f"{number} donors are not possible", "1 to 100, or their names")
        donors = tuple(f"D{i}" for i in range(1, number + 1))
    cytokines = table.texts("cytokines") or default.cytokines
    randomise = table.flag("randomise", default.randomise)
    return LayoutOptions(donors=donors, cytokines=cytokines, randomise=randomise, **counts)


def _pipetting(table: Table) -> PipettingOptions:
    default = PipettingOptions()
    numbers = _numbers(
        table,
        {
            name: getattr(default, name)
            for name in ("overage_percent", "max_fold", "tube_ul", "least_serial_ul")
        },
    )
    pipettes = tuple(
        _of(t, lambda t: Pipette(*(_needed(t, key) for key in ("low_ul", "high_ul", "step_ul"))))
        for t in table.tables("pipettes")
    )
    return PipettingOptions(pipettes or default.pipettes, **numbers)


def _needed(table: Table, key: str) -> float:
    value = table.number(key)
    if value is None:
        table.fail(key, f"'{key}' is missing", f"{key} in µL")
    return value


def _read_stain(table: Table) -> Stain:
    stain = Stain(
        marker=table.text("marker"),
        readout=table.flag("readout", False),
        viability=table.flag("viability", False),
        channel=table.text("channel", ""),
        dye=table.text("dye", ""),
        clone=table.text("clone", ""),
        volume_ul=_amount(table, "volume_ul"),
    )
    table.finish()
    return stain


def _cytokines(
    top: Table, base: PlanOptions, layout: LayoutOptions, given: set[str]
) -> tuple[CytokineStock, ...]:
    """Return what is known of the cytokines used, those of the file first."""
    found: dict[str, CytokineStock] = {}
    for table in top.tables("cytokine"):
        name = table.text("name")
        if name not in layout.cytokines:
            table.fail("name", f"no well gets '{name}'", f"one of: {', '.join(layout.cytokines)}")
        usual = base.cytokine(name)
        final = _amount(table, "final_ng_per_mL")
        stock = _amount(table, "stock_ug_per_mL")
        given |= {f"cytokine.{name}.{key}" for key in table.data if key != "name"}
        table.finish()
        found[name] = CytokineStock(name, usual.final_ng_per_mL if final is None else final, stock)
    return tuple(found.get(name, base.cytokine(name)) for name in layout.cytokines)


def _precision(table: Table) -> PrecisionOptions:
    default = PrecisionOptions()
    values: dict[str, Any] = {"ic50_nM": table.number("ic50_nM")}
    for field in fields(PrecisionOptions):
        name = field.name
        if name in ("doses", "replicates", "donors"):
            values[name] = _counts(table, name)
        elif name in ("experiments", "seed"):
            values[name] = _count(table, name, getattr(default, name))
        elif name != "ic50_nM":
            value = table.number(name)
            values[name] = getattr(default, name) if value is None else value
    return PrecisionOptions(**values)
