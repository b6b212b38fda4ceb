"""A hierarchy of gates, applied to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensated_values import compensated_values
from statera.cytometry.compensation import Spillover, spillover_of
from statera.cytometry.describe_fcs import FcsDescription
from statera.cytometry.gates import (
    FROM_FILE,
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    Ratio,
    RectangleGate,
)
from statera.cytometry.read_fcs import FcsFile
from statera.errors import InputError, UnknownNameError

__all__ = ["GatingStrategy", "apply_gates", "gate_values", "named_spillover", "populations_of"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Events = NDArray[np.int64]


@dataclass(frozen=True)
class GatingStrategy:
    """Gates with what they refer to.

    Attributes
    ----------
    gates
        In any order; parents and references by name.
    spillovers
        Matrices by name.
    """

    gates: tuple[Gate, ...]
    spillovers: Mapping[str, Spillover] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [name for gate in self.gates for name in populations_of(gate)]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise InputError(f"two gates are called '{min(twice)}'", where="gates")
        for gate in self.gates:
            wanted = [gate.parent] if gate.parent else []
            if isinstance(gate, BooleanGate):
                wanted += [reference.name for reference in gate.references]
            for name in wanted:
                if name not in names:
                    raise UnknownNameError("gate", name, names, where=gate.name)

    @property
    def populations(self) -> tuple[str, ...]:
        """Names of all populations that the gates make, in order."""
        return tuple(name for gate in self.gates for name in populations_of(gate))


def populations_of(gate: Gate) -> tuple[str, ...]:
    """Return the populations a gate makes: the cells of a quadrant, else itself."""
    if isinstance(gate, QuadrantGate):
        return tuple(name for name, _ in gate.quadrants)
    return (gate.name,)


def apply_gates(
    strategy: GatingStrategy, file: FcsFile, *, single_precision: bool = False
) -> dict[str, Mask]:
    """Return which events lie in each population, parents included.

    Parameters
    ----------
    strategy
    file
        With values as read, not compensated: gates name their compensation themselves. Channels
        that no gate needs may be absent (see `needed_channels`).
    single_precision
        Round values on their scale to 32 bits before they are compared, as programs do that keep
        them so: an event within a rounding of an edge may then change sides.

    Returns
    -------
    dict
        (n_events,) bool by population.

    Raises
    ------
    UnknownNameError
        If a channel or matrix is not there.
    InputError
        If gates refer to each other in a circle.
    """
    return _Session(strategy, file, single_precision=single_precision).all()


def gate_values(
    strategy: GatingStrategy,
    file: FcsFile,
    dimensions: Sequence[Dimension],
    mask: Mask | None = None,
) -> list[Floats]:
    """Return values as gates see them: compensated, as ratios, on their scale.

    Parameters
    ----------
    strategy
        With the matrices that dimensions name.
    file
        As read.
    dimensions
    mask : (n_events,) bool
        Which events; all by default.

    Returns
    -------
    list
        (n_events,) or (n_chosen,) float64 by dimension.

    Raises
    ------
    UnknownNameError
        If a channel or matrix is not there.
    """
    session = _Session(strategy, file)
    events = None if mask is None else np.flatnonzero(mask)
    return [session.measured(dimension, events) for dimension in dimensions]


class _Session:
    """Gates of one file, each looked at for the events of its parent alone."""

    def __init__(
        self, strategy: GatingStrategy, file: FcsFile, *, single_precision: bool = False
    ) -> None:
        self.strategy, self.file, self.single_precision = strategy, file, single_precision
        self.home = {name: gate for gate in strategy.gates for name in populations_of(gate)}
        self._masks: dict[str, Mask] = {}
        self._events: dict[str, Events] = {}
        self._values: dict[tuple[Dimension, str], Floats] = {}
        self._spillovers: dict[str, Spillover | None] = {}
        self._open: list[str] = []

    def all(self) -> dict[str, Mask]:
        return {name: self.mask(name) for name in self.strategy.populations}

    def mask(self, name: str) -> Mask:
        """Return a population within all of its parents."""
        if name not in self._masks:
            if name in self._open:
                raise InputError(
                    f"the gates {', '.join(self._open)} refer to each other in a circle",
                    where=name,
                )
            self._open.append(name)
            gate = self.home[name]
            if isinstance(gate, BooleanGate):
                self._masks[name] = self._joined(gate)
            elif isinstance(gate, QuadrantGate):
                cells = gate.cells(self._dimensions(gate))
                self._masks |= {cell: self._spread(found, gate) for cell, found in cells.items()}
            else:
                self._masks[name] = self._spread(gate.inside(self._dimensions(gate)), gate)
            self._open.pop()
        return self._masks[name]

    def _joined(self, gate: BooleanGate) -> Mask:
        masks = [self.mask(r.name) ^ r.complement for r in gate.references]
        if gate.operation == "not":
            joined = ~masks[0]
        else:
            join = np.logical_and if gate.operation == "and" else np.logical_or
            joined = join.reduce(masks)
        return joined & self.mask(gate.parent) if gate.parent else joined

    def _spread(self, found: Mask, gate: Gate) -> Mask:
        """Return a mask of all events from that of the parent's."""
        events = self.events(gate.parent)
        if events is None:
            return found
        mask = np.zeros(self.file.n_events, dtype=bool)
        mask[events] = found
        return mask

    def events(self, name: str) -> Events | None:
        """Return the numbers of a population's events; None for all events."""
        if not name:
            return None
        if name not in self._events:
            self._events[name] = np.flatnonzero(self.mask(name))
        return self._events[name]

    def _dimensions(
        self, gate: RectangleGate | PolygonGate | EllipsoidGate | QuadrantGate
    ) -> list[Floats]:
        """Return values of a gate's dimensions for the events of its parent."""
        events = self.events(gate.parent)
        for dimension in gate.dimensions:
            key = (dimension, gate.parent)
            if key not in self._values:
                values = self.measured(dimension, events)
                if self.single_precision:
                    values = values.astype(np.float32).astype(np.float64)
                self._values[key] = values
        return [self._values[dimension, gate.parent] for dimension in gate.dimensions]

    def measured(self, dimension: Dimension, events: Events | None) -> Floats:
        """Return values of a dimension on its scale."""
        channel, compensation = dimension.channel, dimension.compensation
        if isinstance(channel, Ratio):
            above = self._linear(channel.numerator, compensation, events)
            below = self._linear(channel.denominator, compensation, events)
            with np.errstate(divide="ignore", invalid="ignore"):
                found = channel.A * (above - channel.B) / (below - channel.C)
        else:
            found = self._linear(channel, compensation, events)
        return found if dimension.scale is None else dimension.scale(found)

    def _linear(self, channel: str, compensation: str, events: Events | None) -> Floats:
        spillover = self._spillover(compensation)
        if spillover is not None:
            return compensated_values(self.file, channel, spillover, events)
        plain = self.file.channel(channel)
        return plain if events is None else plain[events]

    def _spillover(self, name: str) -> Spillover | None:
        if name not in self._spillovers:
            self._spillovers[name] = named_spillover(self.strategy, name, self.file)
        return self._spillovers[name]


def named_spillover(
    strategy: GatingStrategy, name: str, file: FcsFile | FcsDescription
) -> Spillover | None:
    """Return the matrix that a dimension names; None where its values are taken as they are.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name == UNCOMPENSATED:
        return None
    if name in strategy.spillovers:
        return strategy.spillovers[name]
    if name == FROM_FILE:
        return spillover_of(file)
    raise UnknownNameError("spillover matrix", name, strategy.spillovers)
