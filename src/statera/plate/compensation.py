"""Which spillover matrix the wells of a plate are compensated with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensated_values import compensated_values
from statera.cytometry.compensation import (
    Spillover,
    read_spillover_csv,
    spillover_from_stains,
    spillover_of,
)
from statera.cytometry.describe_fcs import FcsDescription
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.strategy import GatingStrategy
from statera.errors import InputError
from statera.plate.plate_map import Condition, Well
from statera.plate.settings import CompensationKind, CompensationSettings

__all__ = ["compensated_channel", "plate_spillover", "well_spillover"]

Floats = NDArray[np.float64]


def plate_spillover(
    settings: CompensationSettings, wells: Sequence[Well], files: Mapping[str, Path]
) -> Spillover | None:
    """Return the matrix of the whole plate; None where each file brings its own, or none is used.

    Raises
    ------
    InputError
        If a table or single stain is missing or wrong.
    """
    if settings.kind is CompensationKind.TABLE:
        assert settings.file is not None
        return read_spillover_csv(settings.file)
    if settings.kind is CompensationKind.SINGLE_STAINS:
        return _from_stains(wells, files)
    return None


def _from_stains(wells: Sequence[Well], files: Mapping[str, Path]) -> Spillover:
    stained: dict[str, FcsFile] = {}
    unstained: FcsFile | None = None
    for well in wells:
        if well.name not in files:
            continue
        if well.condition is Condition.UNSTAINED and unstained is None:
            unstained = read_fcs(files[well.name])
        elif well.condition is Condition.SINGLE_STAIN:
            file = read_fcs(files[well.name])
            if not well.stain:
                raise InputError(
                    "a single stain does not say its channel",
                    where=f"well {well.name}",
                    hint="Name it in the column 'stain' of the plate map.",
                )
            name = file.names[file.index(well.stain)]
            if name in stained:
                raise InputError(f"{name} has two single stains", where=f"well {well.name}")
            stained[name] = file
    if unstained is None or not stained:
        missing = "unstained well" if unstained is None else "well of a single stain"
        raise InputError(
            f"compensation from single stains needs an {missing}"
            if unstained is None
            else f"compensation from single stains needs a {missing}",
            where="compensation",
            hint="Mark such wells in the plate map by 'unstained' and 'single_stain', or take the "
            "matrix from the files.",
        )
    order = [name for name in unstained.names if name in stained]
    return spillover_from_stains(stained, unstained, order)


def well_spillover(
    file: FcsDescription | FcsFile,
    settings: CompensationSettings,
    whole: Spillover | None,
    strategy: GatingStrategy,
) -> Spillover | None:
    """Return the matrix of one well; None for no compensation.

    Raises
    ------
    InputError
        If the matrix is to come with the gates, and these bring none or several.
    """
    if settings.kind is CompensationKind.NONE:
        return None
    if settings.kind is CompensationKind.GATES:
        if len(strategy.spillovers) != 1:
            listed = ", ".join(strategy.spillovers) or "none"
            raise InputError(
                f"the gates should bring one spillover matrix; they bring {listed}",
                where="compensation.from",
                hint="Take the matrix from the files or from a table.",
            )
        return next(iter(strategy.spillovers.values()))
    return whole if whole is not None else spillover_of(file)


def compensated_channel(file: FcsFile, name: str, spillover: Spillover | None) -> Floats:
    """Return linear values of one channel without what spills into it, (n_events,)."""
    if spillover is None:
        return file.channel(name)
    return compensated_values(file, name, spillover)
