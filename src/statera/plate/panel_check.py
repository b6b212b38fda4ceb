"""Compare the channels of files with the panel and with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from statera.cytometry.read_fcs import FcsFile
from statera.plate.problem import Problem, Severity
from statera.plate.settings import GatingMethod, PlateSettings

__all__ = ["check_panels"]


def check_panels(
    files: Mapping[str, FcsFile], settings: PlateSettings
) -> tuple[dict[str, FcsFile], tuple[Problem, ...]]:
    """Return the wells whose files have all channels of the panel, and what is odd about others.

    Files whose channels differ from those of most wells, yet hold what the panel asks for, are
    analysed and named.
    """
    usable: dict[str, FcsFile] = {}
    problems: list[Problem] = []
    lacking: dict[str, list[str]] = {}
    for well, file in files.items():
        said = _lacks(file, settings)
        if said:
            lacking.setdefault(said, []).append(well)
        else:
            usable[well] = file
    for said, wells in lacking.items():
        there = ", ".join(_shown((c.name, c.label)) for c in files[wells[0]].channels)
        problems.append(
            Problem(_named(wells), f"not analysed: no {said}", f"Channels there: {there}.")
        )
    if usable:
        problems += _mixed(usable)
    if settings.gating.method is GatingMethod.AUTOMATIC:
        for well in [w for w, file in usable.items() if file.n_events == 0]:
            del usable[well]
            problems.append(Problem(f"well {well}", "the file holds no events"))
    return usable, tuple(problems)


def _lacks(file: FcsFile, settings: PlateSettings) -> str:
    """Return what of the panel a file lacks; gates from a file look for their own channels."""
    missing = settings.panel.resolve(file).missing
    automatic = settings.gating.method is GatingMethod.AUTOMATIC
    needed = {
        role: channel
        for role, channel in missing.items()
        if role.startswith("readout") or (automatic and role != "time")
    }
    return ", ".join(f"{channel} ({role})" for role, channel in needed.items())


def _mixed(files: Mapping[str, FcsFile]) -> list[Problem]:
    """Name wells whose channels or labels are not those of most."""
    kinds = {w: tuple((c.name, c.label) for c in f.channels) for w, f in files.items()}
    usual, _ = Counter(kinds.values()).most_common(1)[0]
    odd: dict[str, list[str]] = {}
    for well, kind in kinds.items():
        if kind != usual:
            more = [_shown(c) for c in kind if c not in usual]
            less = [_shown(c) for c in usual if c not in kind]
            parts = [f"has {', '.join(more)}"] if more else []
            parts += [f"lacks {', '.join(less)}"] if less else []
            odd.setdefault(" and ".join(parts) or "has another order of channels", []).append(well)
    return [
        Problem(
            _named(wells),
            f"the panel differs from that of most wells: {said}",
            "The channels that the settings name are all there, so the wells are analysed.",
            Severity.WARNING,
        )
        for said, wells in odd.items()
        if said != "has another order of channels"
    ]


def _shown(channel: tuple[str, str]) -> str:
    name, label = channel
    return f"{name} ({label})" if label else name


def _named(wells: list[str]) -> str:
    if len(wells) == 1:
        return f"well {wells[0]}"
    shown = ", ".join(wells[:6]) + (f" and {len(wells) - 6} more" if len(wells) > 6 else "")
    return f"wells {shown}"
