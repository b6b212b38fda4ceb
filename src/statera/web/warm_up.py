"""What a worker does before its first request, and then while nobody asks for anything."""

from __future__ import annotations

from collections.abc import Iterator

from statera.web.catalogue import CATALOGUE
from statera.web.named import load
from statera.web.requests.simulate import SimulateRequest
from statera.web.worker_work import WorkerWork

__all__ = ["warm_up"]


def warm_up() -> Iterator[None]:
    """Load the numeric stack, compiled code and the tasks, so that first answers are fast.

    The worker is ready after the first step. It takes the others one by one while it is idle.
    """
    _run("simulate", SimulateRequest.model_validate({"arms": [{}], "n": 10}).model_dump_json())
    yield
    from statera.web.tasks import drug_warm_up  # noqa: PLC0415  loaded while idle

    drug_warm_up.warm_up()
    yield
    from statera.tdm.forecast import forecast  # noqa: PLC0415  loaded while idle
    from statera.web.tasks.patient_case import limited_tree, request_of  # noqa: PLC0415  loaded while idle
    from statera.web.tasks.patient_sample import sample_case  # noqa: PLC0415  loaded while idle

    yield
    forecast(request_of(limited_tree(sample_case())[0]))
    yield
    for task in CATALOGUE.values():
        load(task.run)
        yield


def _run(name: str, request: str) -> bytes:
    task = CATALOGUE[name]
    run = load(task.run)
    with WorkerWork({}, lambda _: None) as work:
        answer: bytes = run(task.request.model_validate_json(request), work).to_json()
    return answer
