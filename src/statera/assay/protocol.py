"""Structured assay protocols: what the source states, what is recommended, what is left open."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from statera.errors import InputError, Place, UnknownNameError
from statera.sources.fact import Status
from statera.units import is_unit

__all__ = [
    "Concentration",
    "Control",
    "Gap",
    "Inhibitor",
    "Material",
    "Protocol",
    "Statement",
    "load_protocol",
    "protocol_names",
    "read_protocol",
]

_FOLDER = "protocols"
_PLACED = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True)
class Concentration:
    """A concentration with its unit as printed."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


@dataclass(frozen=True)
class Material:
    """Something the assay needs.

    Attributes
    ----------
    name, kind
        What it is, and its class: cells, stimulus, inhibitor, antibody or reagent.
    concentration
        As stated; None where there is none.
    detail
        How it is made or what it marks.
    status
        Stated by the source, or assumed by this program.
    """

    name: str
    kind: str
    status: Status
    concentration: Concentration | None = None
    detail: str = ""


@dataclass(frozen=True)
class Inhibitor:
    """The drug, its stock solution and the solvent."""

    name: str
    stock: Concentration
    solvent: str
    status: Status


@dataclass(frozen=True)
class Statement:
    """One step, readout or rule of analysis, with its origin."""

    text: str
    status: Status
    note: str = ""

    @property
    def is_stated(self) -> bool:
        """True where the source states it; False where this program recommends it."""
        return self.status is not Status.ASSUMED


@dataclass(frozen=True)
class Control:
    """A control and what it is for."""

    name: str
    purpose: str
    status: Status

    @property
    def is_stated(self) -> bool:
        """True where the source states it; False where this program recommends it."""
        return self.status is not Status.ASSUMED


@dataclass(frozen=True)
class Gap:
    """Something the source does not state, and why it matters."""

    what: str
    why: str


@dataclass(frozen=True)
class Protocol:
    """An assay protocol.

    Attributes
    ----------
    name
        Name of the file it was read from.
    title, objective
        What is measured and why.
    drug
        The inhibitor and its stock.
    materials, steps, controls, readout, analysis, gaps
        In the order of the file.
    source, locator, note
        Id of the source, where in it, and what a reader must know about it.
    """

    name: str
    title: str
    objective: str
    drug: Inhibitor
    materials: tuple[Material, ...]
    steps: tuple[Statement, ...]
    controls: tuple[Control, ...]
    readout: tuple[Statement, ...]
    analysis: tuple[Statement, ...]
    gaps: tuple[Gap, ...]
    source: str
    locator: str
    note: str

    @property
    def concentrations(self) -> tuple[tuple[str, Concentration], ...]:
        """Every stated concentration with what it is of."""
        return tuple(
            (m.name, m.concentration) for m in self.materials if m.concentration is not None
        )

    @property
    def stated_controls(self) -> tuple[Control, ...]:
        """Controls that the source states."""
        return tuple(c for c in self.controls if c.is_stated)

    @property
    def recommended_controls(self) -> tuple[Control, ...]:
        """Controls that this program recommends and the source does not state."""
        return tuple(c for c in self.controls if not c.is_stated)


class _Table:
    """A TOML table that knows its place, so that every error can name it."""

    def __init__(self, data: Mapping[str, Any], file: str, path: str) -> None:
        self.data, self.file, self.path = data, file, path
        self.read: set[str] = set()

    def fail(self, what: str, hint: str = "") -> InputError:
        where = f"{self.path}: " if self.path else ""
        return InputError(f"{where}{what}", where=Place(self.file), hint=hint)

    def text(self, key: str, default: str | None = None) -> str:
        self.read.add(key)
        value = self.data.get(key, default)
        if value is None:
            raise self.fail(f"'{key}' is missing", "Give it as text.")
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.fail(f"'{key}' is not a text", "Write it between quotes, not empty.")
        return value

    def status(self) -> Status:
        written = self.text("status")
        try:
            return Status(written)
        except ValueError:
            raise UnknownNameError(
                "status", written, [s.value for s in Status], where=Place(self.file)
            ) from None

    def table(self, key: str) -> _Table:
        self.read.add(key)
        value = self.data.get(key)
        if not isinstance(value, dict):
            raise self.fail(f"the table '{key}' is missing", f"Add [{self._join(key)}].")
        return _Table(value, self.file, self._join(key))

    def tables(self, key: str) -> list[_Table]:
        self.read.add(key)
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(f"'{key}' is not a list of tables", f"Write [[{self._join(key)}]].")
        return [_Table(v, self.file, f"{self._join(key)}[{i}]") for i, v in enumerate(value, 1)]

    def concentration(self, key: str) -> Concentration:
        table = self.table(key)
        value, unit = table.data.get("value"), table.text("unit")
        table.read.add("value")
        table.done()
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise table.fail("'value' is not a number")
        if not 0.0 < value < math.inf:
            raise table.fail(f"a concentration of {value:g} is not possible")
        if not is_unit(unit):
            raise table.fail(f"'{unit}' is not a unit", "Such as ng/mL or mM.")
        return Concentration(float(value), unit)

    def done(self) -> None:
        unknown = sorted(set(self.data) - self.read)
        if unknown:
            raise self.fail(
                f"unknown key '{unknown[0]}'", f"Known here: {', '.join(sorted(self.read))}."
            )

    def _join(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def protocol_names() -> tuple[str, ...]:
    """Return the names of the protocols that come with the package, sorted."""
    folder = resources.files("statera.assay").joinpath(_FOLDER)
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    )


def load_protocol(name: str) -> Protocol:
    """Return a protocol that comes with the package, such as ``pstat3``.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in protocol_names():
        raise UnknownNameError("protocol", name, protocol_names())
    file = resources.files("statera.assay").joinpath(_FOLDER, f"{name}.toml")
    return _parse(file.read_text(encoding="utf-8"), f"{name}.toml", name)


def read_protocol(path: str | Path) -> Protocol:
    """Read a protocol from a TOML file.

    Raises
    ------
    InputError
        With the file, and the line where the file is not valid TOML, if it cannot be read, lacks
        something or contains something unknown.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the protocol cannot be read: {error}", where=Place(str(path))) from error
    return _parse(text, str(path), file.stem)


def _parse(text: str, file: str, name: str) -> Protocol:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        placed = _PLACED.match(str(error))
        where = Place(file)
        what = str(error)
        if placed is not None:
            what, where = placed.group(1), Place(file, int(placed.group(2)), int(placed.group(3)))
        raise InputError(f"not valid TOML: {what}", where=where) from error
    root = _Table(data, file, "")
    source = root.table("source")
    protocol = Protocol(
        name=name,
        title=root.text("title"),
        objective=root.text("objective"),
        drug=_inhibitor(root.table("drug")),
        materials=tuple(_material(t) for t in root.tables("materials")),
        steps=tuple(_statement(t) for t in root.tables("steps")),
        controls=tuple(_control(t) for t in root.tables("controls")),
        readout=tuple(_statement(t) for t in root.tables("readout")),
        analysis=tuple(_statement(t) for t in root.tables("analysis")),
        gaps=tuple(_gap(t) for t in root.tables("gaps")),
        source=source.text("id"),
        locator=source.text("locator", ""),
        note=source.text("note", ""),
    )
    source.done()
    root.done()
    for key in ("materials", "steps"):
        if not getattr(protocol, key):
            raise root.fail(f"no {key} are given", f"Add at least one [[{key}]].")
    return protocol


def _inhibitor(table: _Table) -> Inhibitor:
    drug = Inhibitor(
        table.text("name"), table.concentration("stock"), table.text("solvent"), table.status()
    )
    table.done()
    return drug


def _material(table: _Table) -> Material:
    concentration = table.concentration("concentration") if "concentration" in table.data else None
    material = Material(
        table.text("name"),
        table.text("kind"),
        table.status(),
        concentration,
        table.text("detail", ""),
    )
    table.done()
    return material


def _statement(table: _Table) -> Statement:
    statement = Statement(table.text("text"), table.status(), table.text("note", ""))
    table.done()
    return statement


def _control(table: _Table) -> Control:
    control = Control(table.text("name"), table.text("purpose"), table.status())
    table.done()
    return control


def _gap(table: _Table) -> Gap:
    gap = Gap(table.text("what"), table.text("why"))
    table.done()
    return gap
