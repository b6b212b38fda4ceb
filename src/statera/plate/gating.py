"""Gates of a plate: automatic ones, or those of a file applied to every well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statera.cytometry.automatic_gates import AutomaticOptions, automatic_gates
from statera.cytometry.gatingml import read_gatingml
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.strategy import GatingStrategy
from statera.errors import InputError, Place, UnknownNameError
from statera.plate.settings import GatingMethod, PlateSettings

__all__ = ["PlateGates", "make_gates"]


@dataclass(frozen=True)
class PlateGates:
    """Gates to apply.

    Attributes
    ----------
    whole
        Of the plate.
    by_well
        Of wells whose own differ, by name.
    populations
        Name in the results to name of the gate.
    confidence
        Of automatic gates.
    """

    whole: GatingStrategy
    by_well: Mapping[str, GatingStrategy]
    populations: Mapping[str, str]
    confidence: tuple[Any, ...] = ()

    def of(self, well: str) -> GatingStrategy:
        """Return the strategy of one well."""
        return self.by_well.get(well, self.whole)


def make_gates(settings: PlateSettings, samples: Mapping[str, FcsFile]) -> PlateGates:
    """Return the gates of a plate.

    Parameters
    ----------
    settings
    samples
        Some events of every stained well, by its name; used by automatic gates only.

    Raises
    ------
    InputError
        If a file of gates cannot be read or has no gate for a population, or if automatic gates
        find no evidence.
    """
    method = settings.gating.method
    if method is GatingMethod.AUTOMATIC:
        found = automatic_gates(samples, settings.panel, AutomaticOptions())
        names = {name: name for name in settings.panel.populations}
        return PlateGates(found.strategy, found.by_well, names, tuple(found.confidence))
    strategy = _from_file(settings)
    for name, gate in settings.gating.populations.items():
        if gate not in strategy.populations:
            raise UnknownNameError("gate", gate, strategy.populations, where=f"populations.{name}")
    return PlateGates(strategy, {}, settings.gating.populations)


def _from_file(settings: PlateSettings) -> GatingStrategy:
    path = settings.gating.file
    assert path is not None
    if settings.gating.method is GatingMethod.GATINGML:
        return read_gatingml(path)
    raise InputError("gates of this kind cannot be read", where=Place(str(path)))
