"""Signing in by access token: sessions, their end, and what stays closed without."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from statera.web.server.audit import entries, problems

from .serving import bearer, serving, sign_in, write_tokens

CLOSED = (
    ("GET", "/api/v1/uploads"),
    ("POST", "/api/v1/uploads"),
    ("GET", f"/api/v1/uploads/{'0' * 32}"),
    ("GET", "/api/v1/documents"),
    ("PUT", f"/api/v1/documents/{'0' * 32}"),
    ("POST", "/api/v1/tasks/echo"),
    ("GET", "/api/v1/nothing"),
    ("GET", "/api/v1/session/other"),
    ("GET", "/metrics"),
)


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_nothing_is_told_to_who_is_not_signed_in(guarded: Any, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Cookie": "statera_session=guess"}):
        answer = guarded.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["kind"] == "signed-out"


def test_health_and_the_way_in_are_open(guarded: Any) -> None:
    assert guarded.get("/healthz").json() == {"ok": True}
    assert guarded.get("/readyz").json()["parts"]["database"] is True
    session = guarded.get("/api/v1/session").json()
    assert session["signed_in"] is False
    assert session["user"] is None
    assert session["modes"] == ["token"]


def test_a_token_opens_a_session(guarded: Any) -> None:
    answer = sign_in(guarded, "token-of-anna")
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    session = guarded.get("/api/v1/session").json()
    assert (session["signed_in"], session["user"]) == (True, "anna")
    assert guarded.get("/api/v1/uploads").json() == []


def test_under_https_the_cookie_is_of_this_host_only(tmp_path: Path) -> None:
    tokens = write_tokens(tmp_path / "tokens", {"anna": "t"})
    address = "https://statera.example"
    with serving(tmp_path / "d", address, token_file=tokens, public_url=address) as client:
        answer = sign_in(client, "t")
        assert answer.headers["set-cookie"].startswith("__Host-statera_session=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert client.get("/api/v1/session").json()["signed_in"] is True


def test_a_wrong_token_opens_nothing_and_is_noted(guarded: Any) -> None:
    answer = sign_in(guarded, "guess")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert guarded.get("/api/v1/uploads", headers=bearer("guess")).status_code == 401
    trail = tuple(entries(guarded.app.state.engine))
    assert [e.action for e in trail] == ["failed sign-in", "failed sign-in"]
    assert not any("guess" in str(e) for e in trail)


def test_guessing_is_slowed_down(guarded: Any) -> None:
    statuses = [sign_in(guarded, f"guess {n}").status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    answer = guarded.post("/api/v1/session", json={"token": "token-of-anna"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert guarded.get("/api/v1/uploads", headers=bearer("token-of-anna")).status_code == 429


def test_signing_out_ends_the_session_itself(guarded: Any) -> None:
    sign_in(guarded, "token-of-anna")
    cookie = guarded.cookies["statera_session"]
    assert guarded.delete("/api/v1/session").status_code == 204
    stolen = {"Cookie": f"statera_session={cookie}"}
    assert guarded.get("/api/v1/uploads", headers=stolen).status_code == 401
    assert guarded.get("/api/v1/session").json()["signed_in"] is False


def test_a_session_ends_with_its_token(guarded: Any, tmp_path: Path) -> None:
    sign_in(guarded, "token-of-anna")
    assert guarded.get("/api/v1/uploads").status_code == 200
    write_tokens(tmp_path / "tokens", {"ben": "token-of-ben"})
    assert guarded.get("/api/v1/uploads").status_code == 401
    assert guarded.get("/api/v1/uploads", headers=bearer("token-of-anna")).status_code == 401
    assert guarded.get("/api/v1/uploads", headers=bearer("token-of-ben")).status_code == 200


def test_a_broken_file_of_tokens_lets_nobody_in(guarded: Any, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("anna token-of-anna\n")
    assert guarded.get("/api/v1/uploads", headers=bearer("token-of-anna")).status_code == 401


@pytest.mark.parametrize(
    ("options", "pause"), [({"session_seconds": 3.0}, 3.1), ({"idle_seconds": 2.0}, 2.2)]
)
def test_sessions_end_by_themselves(tmp_path: Path, options: Any, pause: float) -> None:
    tokens = write_tokens(tmp_path / "tokens", {"anna": "t"})
    with serving(tmp_path / "data", token_file=tokens, **options) as client:
        sign_in(client, "t")
        cookie = {"Cookie": f"statera_session={client.cookies['statera_session']}"}
        assert client.get("/api/v1/uploads", headers=cookie).status_code == 200
        time.sleep(pause)
        assert client.get("/api/v1/uploads", headers=cookie).status_code == 401


def test_sessions_outlive_the_server(tmp_path: Path, database: str) -> None:
    tokens = write_tokens(tmp_path / "tokens", {"anna": "t"})
    options = {"token_file": tokens, "database": database}
    with serving(tmp_path / "data", **options) as client:
        sign_in(client, "t")
        cookies, csrf = dict(client.cookies), client.headers["X-CSRF-Token"]
    with serving(tmp_path / "data", **options) as client:
        client.cookies.update(cookies)
        session = client.get("/api/v1/session").json()
        assert (session["user"], session["csrf"]) == ("anna", csrf)


def test_the_database_holds_no_cookie_and_no_token(guarded: Any, tmp_path: Path) -> None:
    sign_in(guarded, "token-of-anna")
    kept = b"".join(p.read_bytes() for p in (tmp_path / "data").glob("statera-web.sqlite*"))
    assert b"token:anna" in kept
    assert guarded.cookies["statera_session"].encode() not in kept
    assert b"token-of-anna" not in kept


def test_what_was_done_is_in_the_trail(guarded: Any) -> None:
    sign_in(guarded, "token-of-anna")
    guarded.delete("/api/v1/session")
    trail = tuple(entries(guarded.app.state.engine))
    assert [(e.user, e.action) for e in trail] == [
        ("token:anna", "sign-in"),
        ("token:anna", "sign-out"),
    ]
    assert not tuple(problems(iter(trail)))


def test_without_sign_in_there_is_no_signing_in(local: Any) -> None:
    session = local.get("/api/v1/session").json()
    assert (session["user"], session["modes"]) == ("local", ["none"])
    assert local.post("/api/v1/session", json={"token": "x"}).status_code == 409
