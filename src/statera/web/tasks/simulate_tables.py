"""What can be copied of a simulation as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statera.web.answer import Column, Table

__all__ = ["tables"]


def tables(result: Mapping[str, Any]) -> dict[str, Table]:
    """Return profiles and endpoints, in long form; units stand in a column of their own."""
    levels = [f"p{level:g}" for level in result["percentiles"]]
    return {
        "profiles": _profiles(result, levels),
        "endpoints": _endpoints(result, levels),
        "distribution": _distribution(result),
    }


def _profiles(result: Mapping[str, Any], levels: list[str]) -> Table:
    rows: list[list[Any]] = []
    for arm in result["arms"]:
        shown = {name: (p["unit"], p["bands"]) for name, p in arm["profiles"].items()}
        inhibition = arm["inhibition"]
        if inhibition is not None and "bands" in inhibition:
            shown[f"inhibition, {inhibition['name']}"] = ("%", inhibition["bands"])
        times = arm["times"].tolist()
        for name, (unit, bands) in shown.items():
            rows += [
                [arm["name"], name, unit, t, *values]
                for t, values in zip(times, bands.T.tolist(), strict=True)
            ]
    columns = ("arm", "output", "unit", "time")
    return Table(
        [*(Column(c, "h" if c == "time" else "") for c in columns), *map(Column, levels)], rows
    )


def _endpoints(result: Mapping[str, Any], levels: list[str]) -> Table:
    rows = [
        [
            arm["name"], row["output"], row["endpoint"], entry["unit"], *entry["window_h"],
            entry["n"], *(entry.get(level) for level in levels), entry.get("geometric_mean"),
            entry["ratio"],
        ]
        for row in result["endpoints"]
        for arm, entry in zip(result["arms"], row["arms"], strict=True)
        if entry is not None
    ]  # fmt: skip
    columns = [
        Column("arm"), Column("output"), Column("endpoint"), Column("unit"),
        Column("window_start", "h"), Column("window_end", "h"), Column("n"),
        *map(Column, levels), Column("geometric_mean"), Column("ratio_to_first_arm"),
    ]  # fmt: skip
    return Table(columns, rows)


def _distribution(result: Mapping[str, Any]) -> Table:
    found = result["distribution"]
    if found is None:
        return Table([], [])
    unit = found["unit"]
    edges = found["edges"].tolist()
    rows = [
        [arm["name"], low, high, share]
        for arm in found["arms"]
        if arm is not None
        for low, high, share in zip(edges[:-1], edges[1:], arm["share"].tolist(), strict=True)
    ]
    columns = [
        Column("arm"), Column("from", unit), Column("to", unit), Column("share of subjects"),
    ]  # fmt: skip
    return Table(columns, rows)
