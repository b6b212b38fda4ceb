"""The YAML file of a PEtab problem: which files make it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statera.errors import InputError, Place, UsageError

__all__ = [
    "PartFiles",
    "ProblemFiles",
    "file_list",
    "read_problem_files",
    "read_yaml",
    "version_of",
]


@dataclass(frozen=True)
class PartFiles:
    """Files of one model with its data: one entry of ``problems``."""

    model: Path
    conditions: tuple[Path, ...]
    observables: tuple[Path, ...]
    measurements: tuple[Path, ...]
    visualisation: tuple[Path, ...]


@dataclass(frozen=True)
class ProblemFiles:
    """All files of a problem of version 1."""

    yaml: Path
    version: str
    parameters: tuple[Path, ...]
    parts: tuple[PartFiles, ...]


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Return the mapping that a YAML file holds.

    Raises
    ------
    InputError
        If the file cannot be read, is malformed (with line and column) or holds no mapping.
    UsageError
        If PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415  optional
    except ImportError:
        raise UsageError(
            "reading PEtab problems needs PyYAML", hint="pip install 'statera[sbml]'"
        ) from None
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"cannot open the problem: {error.strerror or 'it cannot be read'}",
            where=str(path),
            hint="Give the path of the problem's YAML file.",
        ) from None
    except UnicodeDecodeError:
        raise InputError(
            "the file is not UTF-8 text", where=str(path), hint="Save it as UTF-8."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path))
        what = getattr(error, "problem", None) or "it cannot be read"
        raise InputError(
            f"the YAML is malformed: {what}", where=place, hint="Check indentation and colons."
        ) from None
    if not isinstance(found, dict):
        raise InputError(
            "the file holds no PEtab problem",
            where=str(path),
            hint="It should name format_version, parameter_file and problems.",
        )
    return {str(key): value for key, value in found.items()}


def version_of(content: Mapping[str, Any], path: Path) -> str:
    """Return the format version as text.

    Raises
    ------
    InputError
        If it is missing.
    """
    version = content.get("format_version")
    if version is None or isinstance(version, dict | list):
        raise InputError(
            "format_version is missing", where=str(path), hint="Write format_version: 1"
        )
    return str(version)


def read_problem_files(content: Mapping[str, Any], path: Path) -> ProblemFiles:
    """Return the files that a problem of version 1 names, each of them found on disk.

    Raises
    ------
    InputError
        If an entry is missing or of the wrong kind, or a named file does not exist.
    """
    if content.get("extensions"):
        names = ", ".join(map(str, content["extensions"]))
        raise InputError(
            f"the problem needs extensions of PEtab, which are not read: {names}", where=str(path)
        )
    problems = content.get("problems")
    if not isinstance(problems, list) or not problems:
        raise InputError(
            "problems is missing or empty",
            where=str(path),
            hint="List one entry a model, with sbml_files, condition_files, observable_files and "
            "measurement_files.",
        )
    if "parameter_file" not in content:
        raise InputError(
            "parameter_file is missing", where=str(path), hint="Name the table of parameters."
        )
    return ProblemFiles(
        path,
        version_of(content, path),
        file_list(content["parameter_file"], "parameter_file", path),
        tuple(_part(entry, number, path) for number, entry in enumerate(problems, 1)),
    )


def _part(entry: Any, number: int, path: Path) -> PartFiles:
    where = f"problems, entry {number}"
    if not isinstance(entry, dict):
        raise InputError(f"{where} is not a mapping of file lists", where=str(path))
    models = _entry(entry, "sbml_files", where, path)
    if len(models) != 1:
        raise InputError(
            f"{where} names {len(models)} models",
            where=str(path),
            hint="Write one entry of problems for each model.",
        )
    return PartFiles(
        models[0],
        _entry(entry, "condition_files", where, path),
        _entry(entry, "observable_files", where, path),
        _entry(entry, "measurement_files", where, path),
        file_list(entry.get("visualization_files") or [], f"{where}, visualization_files", path),
    )


def _entry(entry: Mapping[str, Any], key: str, where: str, path: Path) -> tuple[Path, ...]:
    if not entry.get(key):
        raise InputError(
            f"{where} has no {key}", where=str(path), hint=f"Name at least one file in {key}."
        )
    return file_list(entry[key], f"{where}, {key}", path)


def file_list(value: Any, where: str, path: Path) -> tuple[Path, ...]:
    """Return the files that an entry names, one or a list of them, relative to the YAML file.

    Raises
    ------
    InputError
        If one is no name or does not exist.
    """
    names = value if isinstance(value, list) else [value]
    found = []
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"{where}: '{name}' is not a file name", where=str(path))
        file = path.parent / name
        if not file.is_file():
            raise InputError(
                f"{where}: the file {name} does not exist",
                where=str(path),
                hint=f"It was looked for in {path.parent}; names are relative to the YAML file.",
            )
        found.append(file)
    return tuple(found)
