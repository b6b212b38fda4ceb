"""What the screen 'patient' may ask."""

from __future__ import annotations

from statera.web.task import Task

__all__ = ["TASKS"]

TASKS: tuple[Task, ...] = ()
