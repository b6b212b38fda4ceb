"""What a name such as ``statera.web.tasks.fit:run`` means."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["load"]


def load(reference: str) -> Any:
    """Return what ``"module:name"`` names."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)
