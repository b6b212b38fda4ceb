"""The file that a model of the library stands in, by its content."""

from __future__ import annotations

from statera.library.models import model_ids
from statera.library.paths import data_root
from statera.manifest import content_hash

__all__ = ["model_hash"]


def model_hash(name: str) -> str:
    """Return the content hash of a model's file; empty where the library has no such model."""
    if name not in model_ids():
        return ""
    drug, _, file = name.partition("/")
    return content_hash((data_root() / "models" / drug / f"{file}.toml").read_bytes())
