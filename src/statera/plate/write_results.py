"""Write the results of a plate into a folder: tables, gates, data and potencies."""

from __future__ import annotations

import json
from pathlib import Path

from statera.cytometry.gatingml_write import write_gatingml
from statera.engagement.potency_toml import write_potency_toml
from statera.errors import InputError, StateraError
from statera.plate.potency import potency_file
from statera.plate.problem import Problem
from statera.plate.result import PlateResult
from statera.plate.result_dict import SCHEMA, result_to_dict
from statera.plate.tables import (
    comparison_table,
    curve_table,
    ic50_table,
    point_table,
    statistics_table,
    to_csv,
    well_table,
)

__all__ = ["write_results"]


def write_results(result: PlateResult, folder: Path) -> tuple[Problem, ...]:
    """Write all files, and return what could not be written.

    ``ic50.csv``, ``statistics.csv``, ``wells.csv``, ``points.csv``, ``curves.csv``,
    ``result.json``, ``potency.toml`` and ``gates/*.xml`` (Gating-ML 2.0; wells with gates of
    their own have their own file).

    Raises
    ------
    InputError
        If the folder cannot be made or written to.
    """
    try:
        (folder / "gates").mkdir(parents=True, exist_ok=True)
        for name, rows in (
            ("ic50", ic50_table(result)),
            ("statistics", statistics_table(result)),
            ("wells", well_table(result)),
            ("points", point_table(result)),
            ("curves", curve_table(result)),
            ("comparisons", comparison_table(result)),
        ):
            (folder / f"{name}.csv").write_text(to_csv(rows), encoding="utf-8")
        whole = {
            "schema": SCHEMA,
            "result": result_to_dict(result),
            "manifest": dict(result.manifest),
        }
        text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / "result.json").write_text(text + "\n", encoding="utf-8")
        write_potency_toml(potency_file(result), folder / "potency.toml")
        return _write_gates(result, folder / "gates")
    except OSError as error:
        raise InputError(
            f"the results cannot be written: {error.strerror or error}",
            where=str(folder),
            hint="Choose a folder that you may write to.",
        ) from error


def _write_gates(result: PlateResult, folder: Path) -> tuple[Problem, ...]:
    problems = []
    for well, strategy in result.gates.items():
        name = f"{well or 'plate'}.xml"
        try:
            write_gatingml(strategy, folder / name)
        except StateraError as error:
            problems.append(Problem(f"gates/{name}", error.what, error.hint))
    return tuple(problems)
