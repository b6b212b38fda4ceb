"""All tasks, by name."""

from __future__ import annotations

from statera.web.requests import drug, evidence, fit, pathway, patient, plate, simulate
from statera.web.task import Task

__all__ = ["CATALOGUE"]

_SCREENS = (drug, simulate, patient, plate, fit, evidence, pathway)

CATALOGUE: dict[str, Task] = {task.name: task for screen in _SCREENS for task in screen.TASKS}
