"""Bodies that are too large, too slow or not what they say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from statera.web.server.body_limit import BodyLimit
from statera.web.server.settings import Limits

from .run_alone import run_alone
from .serving import serving

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One server for all tests here: they leave nothing that another would see."""
    limits = Limits(requests_per_minute=100_000)
    with serving(tmp_path_factory.mktemp("data"), limits=limits) as client:
        yield client


def chunks(size: int, piece: int = 65_536) -> Iterator[bytes]:
    for _ in range(size // piece + 1):
        yield b"x" * piece


def test_a_declared_length_is_refused_before_the_body_comes(local: Any) -> None:
    answer = local.post("/api/v1/documents", content=b"x" * 2_000_001)
    assert answer.status_code == 413
    assert answer.json()["error"]["what"] == "the body is larger than 2,000,000 bytes"


def test_a_body_in_chunks_is_counted(local: Any) -> None:
    answer = local.post("/api/v1/documents", content=chunks(2_000_001), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["error"]["kind"] == "too-large"


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "9" * 30, "0x10"])
def test_lengths_that_are_none(local: Any, length: str) -> None:
    answer = local.post(
        "/api/v1/documents", content=b"{}", headers={"Content-Length": length.encode()}
    )
    assert answer.status_code in (400, 413)


BAD_JSON = (
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"kind":"case","body":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"kind":"case","body":' + b"9" * 5000 + b"}",
    b'{"kind":"case","body":NaN}',
    b'{"kind":"case","body":1e999}',
    b'{"kind":"Case","body":1}',
    b'{"kind":"case\\n","body":1}',
    b'{"kind":"case","body":1,"user":"token:ben"}',
    b'{"kind":"case","body":1,"\\ud800":1}',
    b'{"kind":null}',
    b"null",
    b"[]",
)


@pytest.mark.parametrize("body", BAD_JSON, ids=lambda body: repr(body[:30]))
def test_bodies_that_are_not_as_described(local: Any, body: bytes) -> None:
    answer = local.post("/api/v1/documents", content=body, headers=JSON)
    assert answer.status_code in (400, 422), answer.text
    error = answer.json()["error"]
    assert error["what"]
    assert error["kind"] in ("usage", "input")


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "x"])
@pytest.mark.parametrize("path", ["/documents", "/session", "/tasks/echo", "/jobs/echo"])
def test_bodies_that_are_not_said_to_be_json(local: Any, path: str, kind: str) -> None:
    answer = local.post(f"/api/v1{path}", content=b'{"a": 1}', headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["hint"]


def test_bodies_nested_to_any_depth(local: Any) -> None:
    for depth in range(100, 1100, 10):
        body = b'{"text":' + b"[" * depth + b"]" * depth + b"}"
        assert local.post("/api/v1/jobs/echo", content=body, headers=JSON).status_code == 422
        body = body.replace(b"text", b"body").replace(b"}", b',"kind":"case"}')
        made = local.post("/api/v1/documents", content=body, headers=JSON)
        assert made.status_code in (201, 422)
        if made.status_code == 201:
            assert local.get(f"/api/v1/documents/{made.json()['id']}").status_code == 200


def test_any_text_is_kept_as_it_is(local: Any) -> None:
    body = b'{"kind":"case","body":"\\ud800\\u0000<script>\\ud83d\\ude00"}'
    made = local.post("/api/v1/documents", content=body, headers=JSON)
    assert made.status_code == 201
    read = local.get(f"/api/v1/documents/{made.json()['id']}")
    assert json.loads(read.content)["body"] == "\ud800\0<script>\U0001f600"


async def _ask(scope: Scope, messages: list[Message | None]) -> list[Message]:
    """Send messages to a body limit of 0.1 s around an app that reads all; None: nothing comes."""
    sent: list[Message] = []

    async def receive() -> Message:
        message = messages.pop(0)
        if message is None:
            await asyncio.sleep(60)
            raise AssertionError
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    await BodyLimit(app, Limits(silence_seconds=0.1))(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/api/v1/documents", "/api/v1/uploads"])
def test_a_body_that_stops_coming_is_given_up(path: str) -> None:
    from starlette.exceptions import HTTPException

    scope = {"type": "http", "path": path, "headers": []}
    part = {"type": "http.request", "body": b"x", "more_body": True}
    with pytest.raises(HTTPException) as caught:
        run_alone(_ask(scope, [part, None]))
    assert caught.value.status_code == 408


def test_a_body_drop_by_drop_is_given_up() -> None:
    from starlette.exceptions import HTTPException

    async def drip() -> None:
        async def receive() -> Message:
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def app(_: Scope, receive: Receive, send: Send) -> None:
            while True:
                await receive()

        async def send(_: Message) -> None:
            raise AssertionError

        scope = {"type": "http", "path": "/api/v1/documents", "headers": []}
        await BodyLimit(app, Limits(silence_seconds=0.1))(scope, receive, send)

    with pytest.raises(HTTPException) as caught:
        run_alone(asyncio.wait_for(drip(), 5))
    assert caught.value.status_code == 408


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("5", 202),
        ("5.0", 202),
        ("5e0", 202),
        ("5.5", 422),
        ("true", 422),
        ('"5"', 422),
        ("1e400", 422),
    ],
)
def test_whole_numbers_are_those_of_json(local: Any, written: str, status: int) -> None:
    body = f'{{"steps": {written}, "accident": "", "seconds": 1}}'
    answer = local.post("/api/v1/jobs/steps", content=body, headers=JSON)
    assert answer.status_code == status
    if status == 202:
        assert local.get(f"/api/v1/jobs/{answer.json()['id']}/request").json()["steps"] == 5
