"""Live cells and populations of a plate, by markers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.automatic_scale import marker_scale
from statera.cytometry.gate_builder import GateBuilder
from statera.cytometry.gate_confidence import border_confidence
from statera.cytometry.gates import BooleanGate, Dimension, RectangleGate, Reference
from statera.cytometry.plate_border import PlateBorder, plate_border
from statera.cytometry.scales import Scale

__all__ = ["MarkerGates", "add_live"]

Floats = NDArray[np.float64]
_CLEAR = 0.7
"""Clarity of a valley from which no other is sought."""

Signs = tuple[tuple[str, bool], ...]


def _linear(builder: GateBuilder, role: str, parent: str) -> dict[str, Floats]:
    """Return compensated values within a gate and the channel's limits, by well."""
    found = {}
    for well, mask in builder.masks[parent].items():
        x = builder.events.compensated(well, role)
        if x is not None:
            found[well] = x[mask & builder.events.within_limits(well, role)]
    return found


def _scale(builder: GateBuilder, role: str, parent: str) -> Scale | None:
    channel = builder.events.channel(role)
    if channel is None:
        return None
    values = _linear(builder, role, parent)
    return marker_scale(np.concatenate([*values.values(), np.zeros(0)]), channel)


def _border(
    builder: GateBuilder, role: str, parent: str, scale: Scale, *, wells: bool, mixture: bool
) -> PlateBorder | None:
    values = {
        well: builder.events.for_density(x, scale)
        for well, x in _linear(builder, role, parent).items()
    }
    return plate_border(values, builder.options.border, wells=wells, mixture=mixture)


def _add_side(
    builder: GateBuilder, name: str, parent: str, role: str, scale: Scale, border: PlateBorder,
    *, positive: bool,
) -> None:  # fmt: skip
    """Add the gate of one side of a border, with what speaks for it."""
    dimension = Dimension(
        builder.events.common_name(role), scale, builder.events.compensation(scatter=False)
    )

    def side(position: float) -> RectangleGate:
        low, high = (position, np.inf) if positive else (-np.inf, position)
        return RectangleGate(name, (dimension,), (low,), (high,), parent)

    gate = side(border.position)
    own = {well: side(b.position) for well, b in border.wells.items() if b.shift != 0.0}
    builder.add(gate, (role,), own, builder.events.compensated)
    marker = role.removeprefix("marker ")
    axis = dimension.channel if role == "live_dead" else f"{marker} ({dimension.channel})"
    builder.confidence += border_confidence(name, str(axis), scale, border, builder.options.border)


def add_live(builder: GateBuilder, parent: str) -> str:
    """Add the gate of live cells; return the name of the gate to go on in."""
    role = "live_dead"
    scale = _scale(builder, role, parent)
    if scale is None:
        builder.notes.append("No stain for dead cells: they are not told from live ones.")
        return parent
    border = _border(builder, role, parent, scale, wells=True, mixture=True)
    if border is None:
        builder.refused["live"] = (
            f"{builder.events.common_name(role)} shows a single peak in all wells together: no "
            "border of dead cells is drawn, all go on"
        )
        return parent
    _add_side(builder, "live", parent, role, scale, border, positive=False)
    return "live"


class MarkerGates:
    """Gates of populations by signs of markers, each within the signs before it.

    Parameters
    ----------
    builder
    default
        The gate that populations lie in which name none.
    """

    def __init__(self, builder: GateBuilder, default: str) -> None:
        self.builder = builder
        self.default = default
        self._scales: dict[str, Scale | None] = {}
        self._borders: dict[tuple[str, str], PlateBorder | None] = {}
        self._names: dict[tuple[str, Signs], str] = {}
        panel = builder.events.panel
        for name in panel.populations:
            key = (self._base(name), panel.signs(name))
            if key[1]:
                self._names.setdefault(key, name)

    def _base(self, population: str) -> str:
        return self.builder.events.panel.base(population) or self.default

    def _name(self, base: str, signs: Signs) -> str:
        """Return the name of a gate: its population's, else its signs."""
        text = " ".join(marker + ("+" if positive else "-") for marker, positive in signs)
        prefix = "" if base == self.default else f"{base} "
        return self._names.get((base, signs), prefix + text)

    def add(self, population: str) -> None:
        """Add the gates of a population, or say why there are none."""
        builder = self.builder
        base, signs = self._base(population), builder.events.panel.signs(population)
        if base and base not in builder.masks:
            why = builder.refused.get(base, "its channels are not in the panel")
            builder.refused[population] = f"it lies in {base}, for which there is no gate: {why}"
            return
        parents = [base]
        for i in range(1, len(signs) + 1):
            name = self._name(base, signs[:i])
            if name not in builder.gates:
                why = self._add_sign(name, parents, *signs[i - 1])
                if why:
                    builder.refused[population] = why
                    return
            parents.append(name)
        if population not in builder.gates:
            builder.add_boolean(BooleanGate(population, "and", (Reference(parents[-1]),)))

    def _add_sign(self, name: str, parents: list[str], marker: str, positive: bool) -> str:
        """Add the gate of a sign; return why it cannot be, or nothing."""
        builder, role = self.builder, f"marker {marker}"
        if marker not in self._scales:
            self._scales[marker] = _scale(builder, role, self.default)
        scale = self._scales[marker]
        if scale is None:
            return f"no well has the channel of {marker}"
        context = self._context(role, parents, scale)
        border = _border(
            builder,
            role,
            parents[-1] if context is None else context,
            scale,
            wells=True,
            mixture=context is None,
        )
        if border is None:
            within = f" in {parents[-1]}" if parents[-1] else ""
            return (
                f"{marker} shows a single peak{within} in all wells together: no border is drawn. "
                f"Leave {marker} out of the population if all of its cells are alike in it"
            )
        _add_side(builder, name, parents[-1], role, scale, border, positive=positive)
        if context is not None and context != parents[-1]:
            row = next(i for i, c in enumerate(builder.confidence) if c.gate == name)
            first = builder.confidence[row]
            said = f"{first.sentence} It was sought in {context or 'all events'}, where it shows."
            builder.confidence[row] = replace(first, sentence=said)
        return ""

    def _context(self, role: str, parents: list[str], scale: Scale) -> str | None:
        """Return the parent to seek a border in; None where no valley shows in any.

        The nearest in which the valley is clear, as other cells further up may have a staining of
        their own; else the one in which it is clearest.
        """
        found: list[tuple[float, str]] = []
        for parent in self._upwards(parents):
            key = (role, parent)
            if key not in self._borders:
                self._borders[key] = _border(
                    self.builder, role, parent, scale, wells=False, mixture=False
                )
            border = self._borders[key]
            if border is not None:
                if border.clarity >= _CLEAR:
                    return parent
                found.append((border.clarity, parent))
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def _upwards(self, parents: list[str]) -> list[str]:
        """Return gates from the nearest parent to the default one."""
        outer = [] if parents[0] == self.default else [self.default]
        return [*reversed(parents), *outer]
