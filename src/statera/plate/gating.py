"""Gates of a plate: automatic ones, or those of a file applied to every well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from statera.cytometry.automatic_gates import AutomaticOptions, automatic_gates
from statera.cytometry.compensation import Spillover
from statera.cytometry.gate_confidence import GateConfidence
from statera.cytometry.gates import FROM_FILE, UNCOMPENSATED
from statera.cytometry.gatingml import read_gatingml
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.strategy import GatingStrategy
from statera.errors import InputError, Place, UnknownNameError
from statera.plate.problem import Problem, Severity
from statera.plate.settings import CompensationKind, GatingMethod, PlateSettings

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
    problems
        Gates and populations that could not be made.
    """

    whole: GatingStrategy
    by_well: Mapping[str, GatingStrategy]
    populations: Mapping[str, str]
    confidence: tuple[GateConfidence, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, well: str) -> GatingStrategy:
        """Return the strategy of one well."""
        return self.by_well.get(well, self.whole)


def make_gates(
    settings: PlateSettings, samples: Mapping[str, FcsFile], whole: Spillover | None
) -> PlateGates:
    """Return the gates of a plate.

    Parameters
    ----------
    settings
    samples
        Some events of every stained well, by its name; used by automatic gates only.
    whole
        Matrix of the plate; None where each file brings its own.

    Raises
    ------
    InputError
        If a file of gates cannot be read or has no gate for a population, or if automatic gates
        find no evidence.
    """
    method = settings.gating.method
    if method is GatingMethod.AUTOMATIC:
        return _automatic(settings, samples, whole)
    strategy = _from_file(settings)
    for name, gate in settings.gating.populations.items():
        if gate not in strategy.populations:
            raise UnknownNameError("gate", gate, strategy.populations, where=f"populations.{name}")
    return PlateGates(strategy, {}, settings.gating.populations)


def _automatic(
    settings: PlateSettings, samples: Mapping[str, FcsFile], whole: Spillover | None
) -> PlateGates:
    kind = settings.compensation.kind
    matrix: str | Spillover = whole if whole is not None else FROM_FILE
    if kind is CompensationKind.NONE:
        matrix = UNCOMPENSATED
    found = automatic_gates(samples, settings.panel, AutomaticOptions(compensation=matrix))
    made = found.strategy.populations
    names = {name: name for name in settings.panel.populations if name in made}
    problems = [
        Problem(
            f"gate {name}",
            why,
            "Look at the gate drawings, or give gates of your own: gating.method.",
            Severity.ERROR if name in settings.panel.populations else Severity.WARNING,
        )
        for name, why in found.refused.items()
    ]
    problems += [Problem("gates", note, severity=Severity.WARNING) for note in found.notes]
    if not names:
        said = "; ".join(found.refused.values())
        raise InputError(
            f"no population could be gated: {said}",
            where=Place(str(settings.path)),
            hint="Check the panel, or give gates of your own: gating.method.",
        )
    return PlateGates(
        found.strategy, found.by_well, names, tuple(found.confidence), tuple(problems)
    )


def _from_file(settings: PlateSettings) -> GatingStrategy:
    path = settings.gating.file
    assert path is not None
    if settings.gating.method is GatingMethod.GATINGML:
        return read_gatingml(path)
    raise InputError("gates of this kind cannot be read", where=Place(str(path)))
