"""Which methods an address takes, told from the description of the interface."""

from __future__ import annotations

import re

from fastapi import FastAPI

__all__ = ["allowed_methods"]


def allowed_methods(app: FastAPI, path: str) -> tuple[str, ...]:
    """Return the methods of an address, sorted; none for an address that is not described."""
    found: set[str] = set()
    for template, described in app.openapi()["paths"].items():
        pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path):
            found |= {method.upper() for method in described}
    return tuple(sorted(found & {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}))
