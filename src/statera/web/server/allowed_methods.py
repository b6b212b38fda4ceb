"""Which methods an address takes, told from the description of the interface."""

from __future__ import annotations

import re

from fastapi import FastAPI

__all__ = ["allowed_methods"]

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}


def allowed_methods(app: FastAPI, path: str) -> tuple[str, ...]:
    """Return the methods of an address, sorted; none for an address that is not described."""
    if not hasattr(app.state, "addresses"):
        app.state.addresses = [
            (re.compile(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template))), described)
            for template, described in app.openapi()["paths"].items()
        ]
    found: set[str] = set()
    literal = app.openapi()["paths"].get(path)
    if literal is not None:  # the name of a task fits the pattern of a job's id too
        found = {method.upper() for method in literal}
        return tuple(sorted(found & _METHODS))
    for pattern, described in app.state.addresses:
        if pattern.fullmatch(path):
            found |= {method.upper() for method in described}
    return tuple(sorted(found & _METHODS))
