"""Routes of tasks that somebody waits for: one address a task, made from the catalogue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response

from statera.errors import UnknownNameError
from statera.web.server.answer_cache import canonical_json
from statera.web.server.asked_uploads import asked_uploads
from statera.web.server.described import Envelope, described_failures
from statera.web.server.failure import Failure
from statera.web.server.pool import Pool
from statera.web.server.strict_body import strict_body
from statera.web.server.who import SignedIn
from statera.web.task import Request as TaskRequest
from statera.web.task import Task

__all__ = ["no_such_task", "task_routes", "unless_gone"]

Result = TypeVar("Result")


def task_routes(catalogue: Mapping[str, Task]) -> APIRouter:
    """Return the routes ``/tasks/NAME``."""
    routes = APIRouter(prefix="/tasks", tags=["tasks"])
    for task in catalogue.values():
        if not task.job:
            routes.add_api_route(
                f"/{task.name}",
                _answering(task),
                methods=["POST"],
                summary=task.summary,
                operation_id=f"task_{task.name.replace('-', '_')}",
                response_model=Envelope,
                responses=described_failures(404, 422, 429, 500, 503, 504),
            )

    @routes.post("/{name}", include_in_schema=False)
    async def unknown(name: str) -> Response:
        raise no_such_task(name, catalogue)

    return routes


def no_such_task(name: str, catalogue: Mapping[str, Task], *, as_job: bool = False) -> Failure:
    """Return the failure for a name that no route has."""
    if name in catalogue and not as_job:
        hint = f"Start it by POST /api/v1/jobs/{name}."
        return Failure(404, f"'{name}' takes too long to wait for: it runs as a job", "name", hint)
    error = UnknownNameError("task", name[:100], catalogue)
    return Failure(404, error.what, "name", error.hint)


def _answering(task: Task) -> Callable[..., Awaitable[Response]]:
    async def answer(body: TaskRequest, request: Request, user: SignedIn) -> Response:
        uploads = await asked_uploads(request.app, user.id, body)
        private = any(not name.startswith("sample-") for name in uploads)
        pool: Pool = request.app.state.pool
        asked = pool.ask(
            user.id, task, canonical_json(body), uploads, public=task.cacheable and not private
        )
        return Response(await unless_gone(request, asked), media_type="application/json")

    answer.__annotations__["body"] = strict_body(
        task.request
    )  # each address takes the model of its task
    return answer


async def unless_gone(request: Request, asked: Awaitable[Result]) -> Result:
    """Await an answer; give it up as soon as the client closes the connection."""
    answering = asyncio.ensure_future(asked)
    leaving = asyncio.ensure_future(_leave(request))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise Failure(499, "the client has closed the connection", kind="gone")
        return answering.result()
    finally:
        answering.cancel()
        leaving.cancel()


async def _leave(request: Request) -> None:
    while True:
        message: Mapping[str, Any] = await request.receive()
        if message["type"] == "http.disconnect":
            return
