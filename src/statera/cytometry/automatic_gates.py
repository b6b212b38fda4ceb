"""Gates for a whole plate, found in the events, each with what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from statera.cytometry.automatic_markers import MarkerGates, add_live
from statera.cytometry.automatic_scatter import add_cells, add_leukocytes, add_singlets
from statera.cytometry.gate_builder import AutomaticOptions, GateBuilder
from statera.cytometry.gate_confidence import GateConfidence
from statera.cytometry.panel import Panel
from statera.cytometry.plate_events import PlateEvents
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.strategy import GatingStrategy
from statera.errors import InputError

__all__ = ["AutomaticGates", "AutomaticOptions", "automatic_gates"]


@dataclass(frozen=True)
class AutomaticGates:
    """Gates of a plate.

    Attributes
    ----------
    strategy
        Of the plate.
    by_well
        With the borders of a well in place, for wells whose gates differ.
    confidence
        What speaks for each gate, on the plate (well ``""``) and in each well.
    refused
        Why a gate or population is not made, by its name.
    notes
        What the panel does not allow to tell apart.
    problems
        Channels that a well's file lacks, or its matrix that cannot be used, by well.
    """

    strategy: GatingStrategy
    by_well: Mapping[str, GatingStrategy]
    confidence: tuple[GateConfidence, ...]
    refused: Mapping[str, str]
    notes: tuple[str, ...]
    problems: Mapping[str, tuple[str, ...]]

    def for_well(self, well: str) -> GatingStrategy:
        """Return the gates to apply to a well."""
        return self.by_well.get(well, self.strategy)


def automatic_gates(
    files: Mapping[str, FcsFile], panel: Panel, options: AutomaticOptions | None = None
) -> AutomaticGates:
    """Return gates for the populations of a panel.

    Cells are told from debris, single cells from doublets, live from dead cells, and populations
    by their markers, one after the other and each within the one before. Borders are valleys of
    smoothed densities, pooled over the wells and moved within bounds for each of them; where no
    valley shows, a mixture of two normal distributions may stand in; where nothing speaks for a
    border, the gate is refused by name.

    Parameters
    ----------
    files
        Some 5000 events of each well suffice; values as read, not compensated.
    panel
    options

    Raises
    ------
    InputError
        If there is no file, none with events, or none whose matrix can be used.
    """
    chosen = options or AutomaticOptions()
    if not any(file.n_events for file in files.values()):
        raise InputError(
            "there are no events to find gates in",
            where="files",
            hint="Check that the files are those of stained wells.",
        )
    events = PlateEvents(files, panel, chosen.compensation)
    events, problems = _usable(events)
    builder = GateBuilder(events, chosen)
    place = add_cells(builder, "")
    place = add_singlets(builder, place)
    bases = {panel.base(name) for name in panel.populations}
    live = add_live(builder, place)
    wanted = bases & {"lymphocytes", "monocytes"}
    if wanted:
        add_leukocytes(builder, live, wanted)
    markers = MarkerGates(builder, live)
    for name in panel.populations:
        markers.add(name)
    return AutomaticGates(
        strategy=builder.strategy(),
        by_well={well: builder.strategy(well) for well in builder.special},
        confidence=tuple(builder.confidence),
        refused=dict(builder.refused),
        notes=tuple(builder.notes),
        problems=problems,
    )


def _usable(events: PlateEvents) -> tuple[PlateEvents, dict[str, tuple[str, ...]]]:
    """Return the wells whose matrix can be used, and what is wrong with any, by well."""
    problems = {w: c.problems for w, c in events.channels.items() if c.problems}
    if not events.unreadable:
        return events, problems
    for well, why in events.unreadable.items():
        said = f"{why}; the well has no part in the gates"
        problems[well] = (*problems.get(well, ()), said)
    rest = {w: f for w, f in events.files.items() if w not in events.unreadable}
    if not any(file.n_events for file in rest.values()):
        raise InputError(
            next(iter(events.unreadable.values())),
            where="files",
            hint="Hand in a matrix, or take values as read.",
        )
    return PlateEvents(rest, events.panel, events.given or events.matrix), problems
