"""Routes of jobs: start, look, cancel, resume, fetch, delete."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException

from statera.web.server.allowed_methods import allowed_methods
from statera.web.server.answer_cache import canonical_json
from statera.web.server.asked_uploads import asked_uploads
from statera.web.server.described import Envelope, ErrorBody, described_failures
from statera.web.server.failure import Failure
from statera.web.server.job import Job, told
from statera.web.server.job_store import JobStore
from statera.web.server.job_supervisor import JobSupervisor, job_folder
from statera.web.server.routes_tasks import no_such_task
from statera.web.server.strict_body import strict_body
from statera.web.server.who import SignedIn
from statera.web.task import Request as TaskRequest
from statera.web.task import Task

__all__ = ["job_routes"]


_ID = re.compile("[0-9a-f]{32}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class _JobIds(Convertor[str]):
    """Lets only ids of jobs through, so that the name of a task is never taken for one."""

    regex = _ID.pattern

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("job", _JobIds())
JobKey = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
FileName = Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class StartedBody(BaseModel):
    """The id of a job."""

    id: str


class JobListed(BaseModel):
    """A job without what it told."""

    id: str
    task: str
    status: str
    attempt: int
    fraction: float | None
    message: str
    created: str
    started: str | None
    ended: str | None
    error: ErrorBody | None


class EventBody(BaseModel):
    """What a job told."""

    seq: int
    time: str
    fraction: float | None
    message: str
    data: dict[str, Any]


class FileBody(BaseModel):
    """A file that a job keeps."""

    name: str
    media_type: str
    size: int


class JobBody(JobListed):
    """A job."""

    events: list[EventBody]
    files: list[FileBody]


def job_routes(catalogue: Mapping[str, Task]) -> APIRouter:
    """Return the routes ``/jobs``."""
    routes = APIRouter(prefix="/jobs", tags=["jobs"])
    for task in catalogue.values():
        routes.add_api_route(
            f"/{task.name}",
            _starting(task),
            methods=["POST"],
            status_code=202,
            summary=task.summary,
            operation_id=f"job_{task.name.replace('-', '_')}",
            response_model=StartedBody,
            responses=described_failures(404, 422, 429),
        )

    _add_readers(routes)
    _add_changers(routes)

    @routes.api_route("/{rest:path}", methods=list(_METHODS), include_in_schema=False)
    def nothing(rest: str, request: Request) -> Response:
        is_known = rest in catalogue or _ID.fullmatch(rest.partition("/")[0])
        if is_known and allowed_methods(request.app, request.scope["path"]):
            raise HTTPException(405)
        if request.method == "POST" and "/" not in rest:
            raise no_such_task(rest, catalogue, as_job=True)
        raise Failure(404, "there is no such job", "job")

    return routes


def _starting(task: Task) -> Callable[..., Awaitable[Response]]:
    async def start(body: TaskRequest, request: Request, user: SignedIn) -> Response:
        uploads = await asked_uploads(request.app, user.id, body)
        job = await asyncio.to_thread(
            _store(request).create,
            user.id, task.name, canonical_json(body).decode(), json.dumps(uploads),
        )  # fmt: skip
        await _audit(request, user.id, "start job", job)
        _supervisor(request).look()
        return _json({"id": job}, 202)

    start.__annotations__["body"] = strict_body(
        task.request
    )  # each address takes the model of its task
    return start


def _add_readers(routes: APIRouter) -> None:
    @routes.get("", summary="Your jobs, newest first.", response_model=list[JobListed])
    def listed(request: Request, user: SignedIn) -> Response:
        return _json([told(job) for job in _store(request).listed(user.id)])

    @routes.get(
        "/{job_id:job}",
        summary="A job: its state, what it told after an event, and its files.",
        response_model=JobBody,
        responses=described_failures(404, 422),
    )
    def read(
        job_id: JobKey,
        request: Request,
        user: SignedIn,
        after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    ) -> Response:
        store = _store(request)
        # the state is read first: a job that is over then has told everything
        found = told(store.find(user.id, job_id))
        found["events"] = store.told_after(job_id, after)
        found["files"] = store.files(job_id)
        return _json(found)

    @routes.get(
        "/{job_id:job}/request",
        summary="What was asked.",
        response_model=Any,
        responses=described_failures(404, 422),
    )
    def asked(job_id: JobKey, request: Request, user: SignedIn) -> Response:
        return Response(_store(request).request(user.id, job_id), media_type="application/json")

    @routes.get(
        "/{job_id:job}/result",
        summary="What a job that is done has found.",
        response_model=Envelope,
        responses=described_failures(404, 409, 422),
    )
    def result(job_id: JobKey, request: Request, user: SignedIn) -> Response:
        job = _store(request).find(user.id, job_id)
        if job.status != "done":
            raise Failure(409, f"the job is {job.status}: it has no result", "job")
        path = job_folder(request.app.state.settings.folder, job.id) / "result.json"
        return FileResponse(_there(path), media_type="application/json")

    @routes.get(
        "/{job_id:job}/files/{name}",
        summary="A file that a job keeps.",
        response_class=FileResponse,
        responses=described_failures(404, 422),
    )
    def file(job_id: JobKey, name: FileName, request: Request, user: SignedIn) -> Response:
        store = _store(request)
        job = store.find(user.id, job_id)
        found = next((each for each in store.files(job.id) if each["name"] == name), None)
        if found is None:
            raise Failure(404, "the job has no such file", "name")
        path = job_folder(request.app.state.settings.folder, job.id) / "files" / found["name"]
        return FileResponse(_there(path), media_type=found["media_type"], filename=found["name"])


def _add_changers(routes: APIRouter) -> None:
    failures = described_failures(404, 409, 422)

    @routes.post(
        "/{job_id:job}/cancel", summary="Stop a job.", response_model=JobListed, responses=failures
    )
    async def cancel(job_id: JobKey, request: Request, user: SignedIn) -> Response:
        job = await asyncio.to_thread(_store(request).cancel, user.id, job_id)
        _supervisor(request).look(job_id)
        await _audit(request, user.id, "cancel job", job_id)
        return _json(told(job))

    @routes.post(
        "/{job_id:job}/resume",
        summary="Let a job that was cancelled, failed or interrupted go on where it was.",
        response_model=JobListed,
        responses=described_failures(404, 409, 422, 429),
    )
    async def resume(job_id: JobKey, request: Request, user: SignedIn) -> Response:
        job = await asyncio.to_thread(_store(request).resume, user.id, job_id)
        _supervisor(request).look()
        await _audit(request, user.id, "resume job", job_id)
        return _json(told(job))

    @routes.delete(
        "/{job_id:job}", status_code=204, summary="Delete a job and its files.", responses=failures
    )
    async def delete(job_id: JobKey, request: Request, user: SignedIn) -> Response:
        job: Job = await asyncio.to_thread(_store(request).find, user.id, job_id)
        await asyncio.to_thread(_store(request).delete, user.id, job.id)
        folder = job_folder(request.app.state.settings.folder, job.id)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        await _audit(request, user.id, "delete job", job.id)
        return Response(status_code=204)


def _there(path: FilePath) -> FilePath:
    if not path.is_file():
        raise Failure(404, "the folder of this job is gone", "job", "Start the job anew.")
    return path


def _store(request: Request) -> JobStore:
    store: JobStore = request.app.state.jobs
    return store


def _supervisor(request: Request) -> JobSupervisor:
    supervisor: JobSupervisor = request.app.state.supervisor
    return supervisor


def _json(found: Any, status: int = 200) -> Response:
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


async def _audit(request: Request, user: str, action: str, job: str) -> None:
    await asyncio.to_thread(request.app.state.audit.append, user, action, job)
