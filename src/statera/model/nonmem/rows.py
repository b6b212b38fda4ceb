"""Initial values of a control stream as tables of a model file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from statera.model.nonmem.values import Block, Theta

__all__ = ["effect_rows", "parameter_rows", "sigma_names"]


def sigma_names(blocks: Sequence[Block]) -> dict[tuple[int, int], str]:
    """Return the parameter of each variance, and of each covariance that is not 0, of EPS."""
    found, first = {}, 0
    for block in blocks:
        for i, row in enumerate(block.values, start=first + 1):
            for j, value in enumerate(row, start=first + 1):
                if i == j or value != 0.0:
                    found[i, j] = f"SIGMA{i}{j}" if i < 10 else f"SIGMA{i}_{j}"
        first += block.size
    return found


def parameter_rows(thetas: Sequence[Theta], sigmas: Sequence[Block]) -> dict[str, Any]:
    """Return the table ``parameters``: thetas, then variances and covariances of EPS."""
    found: dict[str, Any] = {}
    for number, theta in enumerate(thetas, start=1):
        row: dict[str, Any] = {"value": theta.value, "note": theta.note, "fixed": theta.fixed}
        if not theta.fixed and (theta.low, theta.high) != (None, None):
            row["bounds"] = [theta.low, theta.high]
        found[f"THETA{number}"] = row
    names = sigma_names(sigmas)
    first = 0
    for block in sigmas:
        for i, values in enumerate(block.values):
            for j, value in enumerate(values):
                name = names.get((first + i + 1, first + j + 1))
                if name is None:
                    continue
                found[name] = {"value": value, "fixed": block.fixed[i]}
                if i == j and not block.fixed[i]:
                    found[name]["bounds"] = [0.0, None]
        first += block.size
    return found


def effect_rows(blocks: Sequence[Block], of_occasions: Collection[str]) -> dict[str, Any]:
    """Return the tables ``random_effects`` and ``covariances``; repeats of a block have no row."""
    effects: dict[str, Any] = {}
    covariances: list[dict[str, Any]] = []
    first = 0
    for block in blocks:
        for i, values in enumerate(() if block.same else block.values):
            name = f"ETA{first + i + 1}"
            effects[name] = {
                "variance": values[i],
                "level": "occasion" if name in of_occasions else "subject",
                "fixed": block.fixed[i],
                "note": block.notes[i],
            }
            covariances += [
                {"between": [f"ETA{first + j + 1}", name], "value": value}
                for j, value in enumerate(values[:-1])
                if value != 0.0
            ]
        first += block.size
    return {"random_effects": effects, "covariances": covariances}
