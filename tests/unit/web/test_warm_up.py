"""What workers do before they are asked."""

from __future__ import annotations

import sys

from statera.web.catalogue import CATALOGUE
from statera.web.warm_up import warm_up


def test_every_task_is_loaded_and_nothing_fails() -> None:
    steps = list(warm_up())
    assert len(steps) == len(CATALOGUE) + 4
    assert {task.run.partition(":")[0] for task in CATALOGUE.values()} <= set(sys.modules)
