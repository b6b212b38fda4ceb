"""Match the wells of a plate map with the files in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from statera.errors import InputError, Place
from statera.plate.plate_map import Condition, Well
from statera.plate.problem import Problem, Severity

__all__ = ["match_files"]


def match_files(wells: Sequence[Well], folder: Path) -> tuple[dict[str, Path], tuple[Problem, ...]]:
    """Return the file of each well by its name, and what does not match.

    A well without a file and a file without a well are problems, each named; a name that differs
    in case only is taken and said.

    Raises
    ------
    InputError
        If the folder is not there.
    """
    if not folder.is_dir():
        raise InputError(
            "the folder of FCS files is not there",
            where=Place(str(folder)),
            hint="Check 'files' in the settings; it is taken from the folder of the settings.",
        )
    there = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    lower = {name.lower(): path for name, path in there.items()}
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for well in wells:
        if not well.file:
            if well.condition is not Condition.UNUSED:
                problems.append(
                    Problem(f"well {well.name}", "the plate map names no file for this well")
                )
            continue
        path = there.get(well.file) or _below(folder, well.file)
        if path is None and well.file.lower() in lower:
            path = lower[well.file.lower()]
            problems.append(
                Problem(
                    f"well {well.name}",
                    f"'{well.file}' is read from {path.name}, whose name differs in case",
                    severity=Severity.WARNING,
                )
            )
        if path is None:
            problems.append(
                Problem(
                    f"well {well.name}",
                    f"the file {well.file} is not in the folder",
                    f"Expected it in {folder.name}; copy it there or correct the plate map.",
                )
            )
            continue
        found[well.name] = path
    problems += _left_over(there, found)
    return found, tuple(problems)


def _below(folder: Path, name: str) -> Path | None:
    """Return a file named with a folder, if it stays inside the folder of files."""
    path = (folder / name).resolve()
    return path if path.is_file() and path.is_relative_to(folder.resolve()) else None


def _left_over(there: dict[str, Path], found: dict[str, Path]) -> list[Problem]:
    used = {path.resolve() for path in found.values()}
    left = [
        path.name
        for path in there.values()
        if path.suffix.lower() in (".fcs", ".lmd") and path.resolve() not in used
    ]
    if not left:
        return []
    shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
    one = len(left) == 1
    return [
        Problem(
            "files",
            f"{len(left)} file{'' if one else 's'} in the folder "
            f"{'belongs' if one else 'belong'} to no well of the plate map: {shown}",
            "Add rows to the plate map, or leave it so: they are not analysed.",
            Severity.WARNING,
        )
    ]
