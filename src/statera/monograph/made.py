"""How a monograph was made: versions, seed, options, and hashes of every input file."""

from __future__ import annotations

from typing import Any

from statera.engagement import PotencyFile, read_potencies
from statera.library.paths import data_root, files_in
from statera.library.read import read_text
from statera.manifest import content_hash, manifest
from statera.monograph.context import Context

__all__ = ["made_with"]


def made_with(context: Context) -> dict[str, Any]:
    """Return the manifest of a monograph."""
    root = data_root()
    inputs: dict[str, str | bytes] = {}
    for folder in ("facts", "labels", f"models/{context.name}"):
        for file in files_in(root, folder):
            wanted = file.name.startswith((context.name, "class")) or folder.startswith("models")
            if wanted:
                inputs[f"{folder.replace('/', '-')}-{file.name}"] = read_text(file)
    for name in ("cytokines.toml", "conflicts.toml", "gaps.toml", "references.json"):
        inputs[name] = read_text(root / name)
    table = context.options.potency_table
    if table is not None:
        inputs[table.name] = read_text(table)
    plate = None if table is None else read_potencies(table, context.name).plate
    more = {} if plate is None else {"potencies_from": _made_of(plate)}
    return manifest(
        inputs,
        seed=context.options.seed,
        subjects=context.options.n,
        concentration_nM=context.concentration_nM,
        model=context.model.id if context.model else None,
        **more,
    )


def _made_of(plate: PotencyFile) -> dict[str, Any]:
    """Return how fitted potencies were made; files of events are counted, and hashed together."""
    made = plate.provenance
    listed = "\n".join(f"{name} {made.files[name]}" for name in sorted(made.files))
    return {
        "experiment": plate.name,
        "statera": made.statera,
        "created": made.created,
        "settings": made.settings,
        "plate_map": made.plate_map,
        "gates": made.gates,
        "n_files": len(made.files),
        "files": content_hash(listed),
    }
