"""Gates of a plate: automatic ones, or those of a file applied to every well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from statera.cytometry.automatic_gates import AutomaticOptions, automatic_gates
from statera.cytometry.compensation import Spillover
from statera.cytometry.flowjo import FlowJoSample, FlowJoWorkspace, read_flowjo
from statera.cytometry.flowjo_bins import BinOptions, binned_strategy
from statera.cytometry.gate_confidence import GateConfidence
from statera.cytometry.gates import FROM_FILE, UNCOMPENSATED
from statera.cytometry.gates_toml import read_gates_toml
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
    found = _made(settings, samples, whole)
    if not settings.gating.binned:
        return found
    return replace(
        found,
        whole=binned_strategy(found.whole, BinOptions()),
        by_well={w: binned_strategy(s, BinOptions()) for w, s in found.by_well.items()},
    )


def _made(
    settings: PlateSettings, samples: Mapping[str, FcsFile], whole: Spillover | None
) -> PlateGates:
    method = settings.gating.method
    if method is GatingMethod.AUTOMATIC:
        return _automatic(settings, samples, whole)
    if method is GatingMethod.FLOWJO:
        return _flowjo(settings, samples)
    assert settings.gating.file is not None
    reader = read_gatingml if method is GatingMethod.GATINGML else read_gates_toml
    strategy = reader(settings.gating.file)
    _check_named(strategy, settings)
    return PlateGates(strategy, {}, settings.gating.populations)


def _check_named(strategy: GatingStrategy, settings: PlateSettings) -> None:
    for name, gate in settings.gating.populations.items():
        if gate not in strategy.populations:
            raise UnknownNameError("gate", gate, strategy.populations, where=f"populations.{name}")


def _flowjo(settings: PlateSettings, samples: Mapping[str, FcsFile]) -> PlateGates:
    """Return the gates of each well's own sample, and of a group for wells without one."""
    assert settings.gating.file is not None
    workspace = read_flowjo(settings.gating.file)
    own: dict[str, FlowJoSample] = {}
    for sample in workspace.samples:
        own.setdefault(sample.file_name or sample.name, sample)
        own.setdefault(sample.name, sample)
    found = {w: own[f.path.name].strategy for w, f in samples.items() if f.path.name in own}
    whole = _group_gates(workspace, settings, next(iter(found.values()), None))
    others = [w for w in samples if w not in found]
    problems = [
        Problem(lost.where, f"{lost.what}: {lost.reason}", severity=Severity.WARNING)
        for lost in workspace.untranslated
        if not lost.kept
    ]
    if others:
        said = f"{len(others)} wells are not in the workspace and take the gates of a group"
        problems.append(Problem(", ".join(others[:6]), said, severity=Severity.WARNING))
    _check_named(whole, settings)
    wanted = set(settings.gating.populations.values())
    for well, strategy in list(found.items()):
        lacking = wanted - set(strategy.populations)
        if lacking:
            said = f"its sample has no gate {', '.join(sorted(lacking))}: the group's are taken"
            problems.append(Problem(f"well {well}", said, severity=Severity.WARNING))
            del found[well]
    return PlateGates(whole, found, settings.gating.populations, (), tuple(problems))


def _group_gates(
    workspace: FlowJoWorkspace, settings: PlateSettings, otherwise: GatingStrategy | None
) -> GatingStrategy:
    if settings.gating.group:
        strategy = workspace.group(settings.gating.group).strategy
        if strategy is not None:
            return strategy
        raise InputError(
            f"the group '{settings.gating.group}' has no gates",
            where=Place(str(workspace.path)),
            hint="Choose another by gating.group.",
        )
    wanted = set(settings.gating.populations.values())
    gated = [g.strategy for g in workspace.groups if g.strategy is not None]
    fitting = [s for s in gated if wanted <= set(s.populations)]
    found = fitting[0] if fitting else otherwise
    if found is None:
        raise InputError(
            "the workspace has no gates for these files",
            where=Place(str(workspace.path)),
            hint="Name a group of the workspace: gating.group.",
        )
    return found


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
