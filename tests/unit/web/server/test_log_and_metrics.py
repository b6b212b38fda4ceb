"""What is written of a request, and what is not."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from statera.web.server.document_store import DocumentStore
from statera.web.server.request_log import start_logging

from .serving import bearer, serving

SECRETS = ("Huber", "huber", "1957", "confidential", "?", "query")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in ("statera.web.requests", "statera.web.bugs"):
        logging.getLogger(name).propagate = True
        caplog.set_level(logging.INFO, logger=name)
    return caplog


def test_lines_hold_no_query_body_name_or_path(local: Any, lines: Any) -> None:
    local.get("/patient/Huber-1957?query=Huber")
    local.get("/api/v1/documents?kind=huber")
    local.post("/api/v1/documents", json={"kind": "case", "body": "confidential Huber"})
    local.post("/api/v1/uploads", content=b"Huber", headers={"X-File-Name": "Huber-1957.csv"})
    local.get("/api/v1/uploads/Huber-1957")
    local.get("/Huber-1957.css")
    local.request("HUBER", "/api/v1/session")
    written = [json.loads(r.message) for r in lines.records if r.name == "statera.web.requests"]
    assert len(written) == 7
    assert not any(secret in json.dumps(written) for secret in SECRETS)
    assert [line["route"] for line in written][1:5] == [
        "/api/v1/documents",
        "/api/v1/documents",
        "/api/v1/uploads",
        "/api/v1/uploads/{upload_id}",
    ]
    assert {line["user"] for line in written} == {"local"}
    assert all(line["ms"] >= 0 and len(line["id"]) == 16 for line in written)


def test_a_bug_is_told_by_its_place_without_what_was_sent(
    local: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("confidential Huber")

    monkeypatch.setattr(DocumentStore, "create", broken)
    answer = local.post("/api/v1/documents", json={"kind": "case", "body": "Huber"})
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert error["kind"] == "bug"
    assert answer.headers["x-request-id"] in error["where"]
    assert "content-security-policy" in answer.headers
    assert "Huber" not in answer.text
    assert "Huber" not in lines.text
    [bug] = [json.loads(r.message) for r in lines.records if r.name == "statera.web.bugs"]
    assert bug["bug"] == "ZeroDivisionError"
    assert any("routes_documents.py" in place for place in bug["places"])


def test_whatever_is_said_is_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("statera.web")
    before = (log.handlers[:], log.level, log.propagate)
    log.handlers.clear()
    try:
        start_logging()
        start_logging()
        logging.getLogger("statera.web.pool").warning("a worker\nended")
        logging.getLogger("statera.web.requests").info('{"status": 200}')
    finally:
        log.handlers[:], log.level, log.propagate = before
    first, second = capsys.readouterr().err.splitlines()
    said = json.loads(first)
    assert (said["level"], said["message"]) == ("warning", "a worker\nended")
    assert second == '{"status": 200}'


def test_figures_name_templates_only(local: Any) -> None:
    local.get("/api/v1/uploads/huber")
    local.get("/patient/huber-1957")
    local.request("HUBER", "/api/v1/session")
    text = local.get("/metrics").text
    assert (
        'statera_requests_total{method="GET",route="/api/v1/uploads/{upload_id}",status="422"} 1.0'
        in text
    )
    assert "process_resident_memory_bytes" in text
    assert "statera_request_seconds_bucket" in text
    assert "huber" not in text.lower()


def test_other_parts_add_figures(local: Any) -> None:
    local.app.state.metrics.add_gauge("statera_test", "A test.", lambda: {"queued": 3.0}, "status")
    assert 'statera_test{status="queued"} 3.0' in local.get("/metrics").text


def test_readiness_asks_each_part(local: Any) -> None:
    local.app.state.readiness.clear()
    assert local.get("/readyz").status_code == 200
    local.app.state.readiness["workers"] = lambda: False
    answer = local.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "parts": {"workers": False, "database": True}}


def test_a_database_that_is_gone_shows(tmp_path: Path, database: str) -> None:
    with serving(tmp_path, database=database) as client:
        client.app.state.readiness.clear()
        assert client.get("/readyz").status_code == 200


def test_users_have_a_limit_each(tmp_path: Path) -> None:
    from statera.web.server.settings import Limits

    from .serving import write_tokens

    tokens = write_tokens(tmp_path / "tokens", {"anna": "a", "ben": "b"})
    limits = Limits(requests_per_minute=12)
    with serving(tmp_path / "data", token_file=tokens, limits=limits) as client:
        statuses = [
            client.get("/api/v1/uploads", headers=bearer("a")).status_code for _ in range(3)
        ]
        assert statuses == [200, 200, 429]
        answer = client.get("/api/v1/uploads", headers=bearer("a"))
        assert answer.json()["error"]["kind"] == "too-many"
        assert 1 <= int(answer.headers["retry-after"]) <= 5
        assert client.get("/api/v1/uploads", headers=bearer("b")).status_code == 200
        assert client.get("/healthz").status_code == 200
