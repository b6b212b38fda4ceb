"""Gates of a plate while they are being made: each is made within the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensation import Spillover
from statera.cytometry.gate_confidence import GateConfidence
from statera.cytometry.gates import BooleanGate, Gate, PolygonGate, RectangleGate
from statera.cytometry.plate_border import BorderOptions
from statera.cytometry.plate_events import PLATE_MATRIX, PlateEvents
from statera.cytometry.strategy import GatingStrategy

__all__ = ["AutomaticOptions", "GateBuilder"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Drawn = TypeVar("Drawn", RectangleGate, PolygonGate)


@dataclass(frozen=True)
class AutomaticOptions:
    """How automatic gates are made.

    Attributes
    ----------
    compensation
        ``FCS`` for the matrix of each file, ``uncompensated``, or a matrix for all.
    border
        How borders along one axis are sought.
    singlet_mads
        Half the width of the band of single cells, in standard deviations by the median of
        absolute deviations.
    debris_ratio
        A peak of forward scatter below this share of the next one is debris.
    """

    compensation: str | Spillover = "FCS"
    border: BorderOptions = field(default_factory=BorderOptions)
    singlet_mads: float = 5.0
    debris_ratio: float = 0.45


class GateBuilder:
    """Gates so far, the events in them, and what was said about them.

    Attributes
    ----------
    events, options
    gates
        Of the plate, by name.
    special
        Gates of a well that differ, by well and name.
    confidence, notes
    refused
        Why a gate is not made, by its name.
    """

    def __init__(self, events: PlateEvents, options: AutomaticOptions) -> None:
        self.events = events
        self.options = options
        self.gates: dict[str, Gate] = {}
        self.special: dict[str, dict[str, Gate]] = {}
        self.confidence: list[GateConfidence] = []
        self.refused: dict[str, str] = {}
        self.notes: list[str] = []
        everything = {w: np.ones(f.n_events, dtype=bool) for w, f in events.files.items()}
        self.masks: dict[str, dict[str, Mask]] = {"": everything}

    def add(
        self,
        gate: Drawn,
        roles: tuple[str, ...],
        own: Mapping[str, Drawn],
        values: Callable[[str, str], Floats | None],
    ) -> None:
        """Add a gate and gate the events.

        Parameters
        ----------
        gate
            Of the plate.
        roles
            What its dimensions look at.
        own
            Gates of wells that differ, with the channels of the plate.
        values
            Linear values of a well and role.
        """
        self.gates[gate.name] = gate
        masks: dict[str, Mask] = {}
        for well, parent in self.masks[gate.parent].items():
            found = [values(well, role) for role in roles]
            present = [x for x in found if x is not None]
            if len(present) < len(roles):
                masks[well] = np.zeros_like(parent)
                continue
            here = self._renamed(own.get(well, gate), well, roles)
            if here != gate:
                self.special.setdefault(well, {})[gate.name] = here
            scaled = [
                x if d.scale is None else d.scale(x)
                for x, d in zip(present, here.dimensions, strict=True)
            ]
            masks[well] = parent & here.inside(scaled)
        self.masks[gate.name] = masks

    def _renamed(self, gate: Drawn, well: str, roles: tuple[str, ...]) -> Drawn:
        """Return the gate with the channels of a well, which may be called otherwise there."""
        dimensions = tuple(
            replace(d, channel=self.events.channel_name(well, role))
            for d, role in zip(gate.dimensions, roles, strict=True)
        )
        return gate if dimensions == gate.dimensions else replace(gate, dimensions=dimensions)

    def add_boolean(self, gate: BooleanGate) -> None:
        """Add a gate that stands for the one it refers to."""
        self.gates[gate.name] = gate
        self.masks[gate.name] = self.masks[gate.references[0].name]

    def strategy(self, well: str = "") -> GatingStrategy:
        """Return the gates of the plate, or with those of a well in place."""
        own = self.special.get(well, {})
        gates = tuple(own.get(name, gate) for name, gate in self.gates.items())
        given = self.events.given
        return GatingStrategy(gates, {} if given is None else {PLATE_MATRIX: given})
