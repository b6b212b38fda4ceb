"""What a worker does before its first request, and then while nobody asks for anything."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator

from statera.web.catalogue import CATALOGUE
from statera.web.requests.patient import ForecastRequest, NoRequest
from statera.web.requests.simulate import SimulateRequest
from statera.web.worker_work import WorkerWork

__all__ = ["warm_up"]


def warm_up() -> Iterator[None]:
    """Load the numeric stack, compiled code and the tasks, so that first answers are fast.

    The worker is ready after the first step. It takes the others one by one while it is idle.
    """
    _run("simulate", SimulateRequest.model_validate({"arms": [{}], "n": 10}).model_dump_json())
    yield
    for task in CATALOGUE.values():
        importlib.import_module(task.run.partition(":")[0])
        yield
    options = json.loads(_run("patient-options", NoRequest().model_dump_json()))
    yield
    forecast = {"case": options["result"]["sample"], "detail": "quick"}
    _run(
        "patient-forecast", ForecastRequest.model_validate(forecast).model_dump_json(by_alias=True)
    )
    yield


def _run(name: str, request: str) -> bytes:
    task = CATALOGUE[name]
    module, _, function = task.run.partition(":")
    run = getattr(importlib.import_module(module), function)
    with WorkerWork({}, lambda _: None) as work:
        answer: bytes = run(task.request.model_validate_json(request), work).to_json()
    return answer
