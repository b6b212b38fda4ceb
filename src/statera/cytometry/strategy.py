"""A hierarchy of gates, applied to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensation import Spillover, spillover_of
from statera.cytometry.gates import (
    FROM_FILE,
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    Gate,
    QuadrantGate,
    Ratio,
)
from statera.cytometry.read_fcs import FcsFile
from statera.errors import InputError, UnknownNameError

__all__ = ["GatingStrategy", "apply_gates"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


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


def apply_gates(strategy: GatingStrategy, file: FcsFile) -> dict[str, Mask]:
    """Return which events lie in each population, parents included.

    Parameters
    ----------
    strategy
    file
        With values as read, not compensated: gates name their compensation themselves.

    Returns
    -------
    dict
        (n_events,) bool by population.

    Raises
    ------
    UnknownNameError
        If a channel or matrix is not there.
    InputError
        If gates refer to each other in a circle, or the file holds no matrix where one is asked.
    """
    return _Session(strategy, file).all()


class _Session:
    """Gates of one file: values by dimension and masks are made once."""

    def __init__(self, strategy: GatingStrategy, file: FcsFile) -> None:
        self.strategy, self.file = strategy, file
        self.home = {name: gate for gate in strategy.gates for name in populations_of(gate)}
        self._values: dict[Dimension, Floats] = {}
        self._unmixed: dict[str, tuple[Spillover, Floats]] = {}
        self._own: dict[str, Mask] = {}
        self._open: list[str] = []

    def all(self) -> dict[str, Mask]:
        return {name: self.full(name) for name in self.strategy.populations}

    def full(self, name: str) -> Mask:
        """Return a population within all of its parents."""
        gate = self.home[name]
        mask = self.own(name)
        return mask & self.full(gate.parent) if gate.parent else mask

    def own(self, name: str) -> Mask:
        """Return a population by its own gate alone."""
        if name in self._own:
            return self._own[name]
        if name in self._open:
            raise InputError(
                f"the gates {', '.join(self._open)} refer to each other in a circle", where=name
            )
        self._open.append(name)
        gate = self.home[name]
        if isinstance(gate, BooleanGate):
            self._own[name] = self._joined(gate)
        elif isinstance(gate, QuadrantGate):
            self._own |= gate.cells([self.values(d) for d in gate.dimensions])
        else:
            self._own[name] = gate.inside([self.values(d) for d in gate.dimensions])
        self._open.pop()
        return self._own[name]

    def _joined(self, gate: BooleanGate) -> Mask:
        masks = [self.full(r.name) ^ r.complement for r in gate.references]
        if gate.operation == "not":
            return ~masks[0]
        joined = masks[0].copy()
        for mask in masks[1:]:
            joined = joined & mask if gate.operation == "and" else joined | mask
        return joined

    def values(self, dimension: Dimension) -> Floats:
        """Return the values of a dimension on its scale."""
        if dimension not in self._values:
            channel = dimension.channel
            if isinstance(channel, Ratio):
                above = self._linear(channel.numerator, dimension.compensation)
                below = self._linear(channel.denominator, dimension.compensation)
                with np.errstate(divide="ignore", invalid="ignore"):
                    found = channel.A * (above - channel.B) / (below - channel.C)
            else:
                found = self._linear(channel, dimension.compensation)
            scale = dimension.scale
            self._values[dimension] = found if scale is None else scale(found)
        return self._values[dimension]

    def _linear(self, channel: str, compensation: str) -> Floats:
        if compensation == UNCOMPENSATED:
            return self.file.channel(channel)
        spillover, values = self._compensated(compensation)
        for names in (spillover.dyes, spillover.detectors):
            if channel in names and len(names) == values.shape[0]:
                found: Floats = values[names.index(channel)]
                return found
        return self.file.channel(channel)  # not among the dyes: scatter and time

    def _compensated(self, name: str) -> tuple[Spillover, Floats]:
        if name not in self._unmixed:
            if name in self.strategy.spillovers:
                spillover = self.strategy.spillovers[name]
            elif name == FROM_FILE:
                own = spillover_of(self.file)
                if own is None:
                    empty = Spillover((), (), np.zeros((0, 0)), "no matrix in the file")
                    self._unmixed[name] = (empty, np.zeros((0, self.file.n_events)))
                    return self._unmixed[name]
                spillover = own
            else:
                raise UnknownNameError("spillover matrix", name, self.strategy.spillovers)
            observed = self.file.events[spillover.rows(self.file)]
            self._unmixed[name] = (spillover, spillover.unmixing @ observed)
        return self._unmixed[name]
