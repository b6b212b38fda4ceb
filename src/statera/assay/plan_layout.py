"""Which well holds what: doses, controls and stains on one plate or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from statera.assay.plan_options import Edges, LayoutOptions, PlateOptions, Stain
from statera.errors import InputError
from statera.numerics.streams import stream

__all__ = ["Layout", "PlannedWell", "WellUse", "plan_layout", "usable_wells"]

MAX_PLATES = 50


class WellUse(StrEnum):
    """What a well is for, in the words of the plate map."""

    UNSTIMULATED = "unstimulated"
    STIMULATED = "stimulated"
    DOSE = "dose"
    FMO = "fmo"
    SINGLE_STAIN = "single_stain"
    UNSTAINED = "unstained"
    UNUSED = "unused"


@dataclass(frozen=True)
class PlannedWell:
    """One well.

    Attributes
    ----------
    plate
        From 1.
    row, column
        From 0.
    use
    donor, cytokine
        Empty where the well has none.
    dose
        Index of the dose, highest first; None in controls.
    replicate
        From 1 within doses or controls of one kind.
    stain
        Of a single stain, or what an FMO leaves out.
    """

    plate: int
    row: int
    column: int
    use: WellUse
    donor: str = ""
    cytokine: str = ""
    dose: int | None = None
    replicate: int = 1
    stain: str = ""

    @property
    def well(self) -> str:
        """Such as ``B02``."""
        return f"{chr(ord('A') + self.row)}{self.column + 1:02d}"


@dataclass(frozen=True)
class Layout:
    """All wells of all plates.

    Attributes
    ----------
    wells
        By plate, row and column; edge wells filled with buffer included.
    plates
        Number of plates.
    remarks
        What a reader must know.
    """

    wells: tuple[PlannedWell, ...]
    plates: int
    remarks: tuple[str, ...] = ()

    def count(self, *uses: WellUse) -> int:
        """Return how many wells are for these uses."""
        return sum(w.use in uses for w in self.wells)

    @property
    def samples(self) -> tuple[PlannedWell, ...]:
        """Wells that hold cells."""
        return tuple(w for w in self.wells if w.use is not WellUse.UNUSED)


@dataclass(frozen=True)
class _Group:
    """Wells of one donor with one cytokine: they share controls and stay on one plate."""

    donor: str
    cytokine: str


def usable_wells(plate: PlateOptions) -> list[tuple[int, int]]:
    """Return row and column of the wells that may be used, row by row."""
    rows, columns = plate.format.shape
    edge = 0 if plate.edges is Edges.USED else 1
    return [(r, c) for r in range(edge, rows - edge) for c in range(edge, columns - edge)]


def plan_layout(
    n_doses: int, plate: PlateOptions, layout: LayoutOptions, panel: Sequence[Stain]
) -> Layout:
    """Return the wells.

    All wells of one donor and cytokine stand on one plate, so that its doses share their
    controls. Unstimulated and stimulated wells are spread over the columns; doses are in random
    order within each block of replicates where that is asked for.

    Parameters
    ----------
    n_doses
        Number of doses.
    plate, layout, panel

    Raises
    ------
    InputError
        If one donor with one cytokine does not fit on a plate, or there are too many plates.
    """
    usable = usable_wells(plate)
    size = _group_size(n_doses, layout)
    if size > len(usable):
        raise InputError(_too_large(size, n_doses, plate, layout, len(usable)), where="layout",
            hint="Use fewer doses or replicates, all wells (plate.edges = \"used\"), or 384 wells.",
        )  # fmt: skip
    plates = _packed(layout, size, len(usable))
    if len(plates) > MAX_PLATES:
        raise InputError(
            f"{len(plates)} plates are more than the {MAX_PLATES} that one plan may have",
            where="layout",
            hint="Plan the donors of each day apart.",
        )
    wells: list[PlannedWell] = []
    free: list[list[tuple[int, int]]] = []
    for number, groups in enumerate(plates, 1):
        at = 0
        for group in groups:
            run = usable[at : at + size]
            wells += _group_wells(number, group, run, n_doses, layout, panel)
            at += size
        free.append(usable[at:])
    stains, remarks = _stain_wells(free, usable, layout, panel)
    wells += stains
    count = max(w.plate for w in wells)
    if plate.edges is Edges.BUFFER:
        rows, columns = plate.format.shape
        inner = set(usable)
        wells += [
            PlannedWell(p, r, c, WellUse.UNUSED)
            for p in range(1, count + 1)
            for r in range(rows)
            for c in range(columns)
            if (r, c) not in inner
        ]
    ordered = sorted(wells, key=lambda w: (w.plate, w.row, w.column))
    return Layout(tuple(ordered), count, remarks)


def _group_size(n_doses: int, layout: LayoutOptions) -> int:
    controls = layout.unstimulated + layout.stimulated + layout.fmo
    return n_doses * layout.replicates + controls


def _too_large(
    size: int, n_doses: int, plate: PlateOptions, layout: LayoutOptions, usable: int
) -> str:
    kept = "" if plate.edges is Edges.USED else f" with its edge wells kept {_kept(plate.edges)}"
    return (
        f"one donor with one cytokine needs {size} wells ({n_doses} doses, {layout.replicates} "
        f"replicates, {layout.unstimulated} unstimulated, {layout.stimulated} stimulated, "
        f"{layout.fmo} FMO), and a plate of {plate.format.value} wells{kept} has {usable}"
    )


def _kept(edges: Edges) -> str:
    return "free of cells" if edges is Edges.BUFFER else "empty"


def _packed(layout: LayoutOptions, size: int, capacity: int) -> list[list[_Group]]:
    """Return the groups of each plate; a donor's cytokines stay together where they fit."""
    plates: list[list[_Group]] = []
    most = capacity // size
    for donor in layout.donors:
        groups = [_Group(donor, cytokine) for cytokine in layout.cytokines]
        while groups:
            here = groups[:most]
            groups = groups[most:]
            place = next((p for p in plates if len(p) + len(here) <= most), None)
            if place is None:
                plates.append(list(here))
            else:
                place.extend(here)
    return plates


def _group_wells(
    plate: int,
    group: _Group,
    run: list[tuple[int, int]],
    n_doses: int,
    layout: LayoutOptions,
    panel: Sequence[Stain],
) -> list[PlannedWell]:
    draw = stream(layout.seed, f"layout {group.donor} {group.cytokine}")
    free = list(run)
    found = []

    def add(place: tuple[int, int], use: WellUse, **more: object) -> None:
        free.remove(place)
        found.append(
            PlannedWell(plate, *place, use, group.donor, group.cytokine, **more)  # type: ignore[arg-type]
        )

    if layout.fmo:
        left_out = ", ".join(s.stain for s in panel if s.readout)
        for k, place in enumerate(run[-layout.fmo :], 1):
            add(place, WellUse.FMO, replicate=k, stain=left_out)
    phases = ((WellUse.UNSTIMULATED, layout.unstimulated), (WellUse.STIMULATED, layout.stimulated))
    for shift, (use, count) in zip((-0.25, 0.25), phases, strict=True):
        for k, place in enumerate(_spread(free, count, shift), 1):
            add(place, use, replicate=k)
    for replicate in range(1, layout.replicates + 1):
        block = free[:n_doses]
        order = draw.permutation(n_doses) if layout.randomise else np.arange(n_doses)
        for dose, place in zip(order.tolist(), block, strict=True):
            add(place, WellUse.DOSE, dose=dose, replicate=replicate)
    return found


def _spread(free: list[tuple[int, int]], count: int, shift: float) -> list[tuple[int, int]]:
    """Return wells in columns and rows as different as can be, evenly over the columns."""
    columns = sorted({c for _, c in free})
    chosen: list[tuple[int, int]] = []
    for k in range(count):
        wanted = (k + 0.5 + shift) / count * len(columns) - 0.5

        def cost(place: tuple[int, int], wanted: float = wanted) -> tuple[int, float, int, int]:
            same_column = sum(place[1] == c for _, c in chosen)
            same_row = sum(place[0] == r for r, _ in chosen)
            return (same_column, abs(columns.index(place[1]) - wanted), same_row, place[0])

        chosen.append(min((p for p in free if p not in chosen), key=cost))
    return sorted(chosen)


def _stain_wells(
    free: list[list[tuple[int, int]]],
    usable: list[tuple[int, int]],
    layout: LayoutOptions,
    panel: Sequence[Stain],
) -> tuple[list[PlannedWell], tuple[str, ...]]:
    """Return single stains and unstained wells, all on one plate."""
    donor, cytokine = layout.donors[0], layout.cytokines[0]
    wanted = [
        (WellUse.SINGLE_STAIN, s.stain, cytokine if s.readout else "", 1)
        for s in panel
        if layout.single_stains
    ]
    wanted += [(WellUse.UNSTAINED, "", "", k) for k in range(1, layout.unstained + 1)]
    if not wanted:
        return [], ()
    if len(wanted) > len(usable):
        raise InputError(
            f"{len(wanted)} single stains and unstained wells do not fit on one plate",
            where="layout.single_stains",
            hint="Use fewer wells of each.",
        )
    plate = next((i for i, places in enumerate(free) if len(places) >= len(wanted)), len(free))
    remarks: tuple[str, ...] = ()
    if plate == len(free):
        free.append(list(usable))
        remarks = (f"Plate {plate + 1} holds only single stains and unstained wells.",)
    places = free[plate][-len(wanted) :]
    wells = [
        PlannedWell(plate + 1, *place, use, donor, at, None, k, stain)
        for place, (use, stain, at, k) in zip(places, wanted, strict=True)
    ]
    return wells, remarks
