"""Requests that a page of another site makes a browser send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .serving import bearer, serving, sign_in, write_tokens

NEW = {"kind": "case", "body": 1}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One server for all tests here: they leave nothing that another would see."""
    with serving(tmp_path_factory.mktemp("data")) as client:
        yield client


@pytest.mark.parametrize("host", ["localhost", "localhost:8321", "127.0.0.1:80", "[::1]:8321"])
def test_names_of_this_machine_are_answered(local: Any, host: str) -> None:
    assert local.get("/api/v1/session", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8321",
        "localhost.evil.example",
        "192.168.1.5",
        "",
        "[",
        "x:y:z",
    ],
)
def test_other_names_may_lead_here_and_are_refused(local: Any, host: str) -> None:
    for path in ("/api/v1/session", "/", "/openapi.json"):
        answer = local.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert "csrf" not in answer.json()


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Via"]
)
def test_a_proxy_needs_sign_in(local: Any, name: str) -> None:
    answer = local.get("/api/v1/session", headers={name: "10.0.0.1"})
    assert answer.status_code == 403
    assert "--token-file" in answer.json()["error"]["hint"]


def test_probes_of_health_may_call_it_anything(local: Any) -> None:
    assert local.get("/healthz", headers={"Host": "10.1.2.3:8321"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_change_nothing(
    local: Any, guarded: Any, headers: dict[str, str]
) -> None:
    before = local.get("/api/v1/documents").json()
    assert local.post("/api/v1/documents", json=NEW, headers=headers).status_code == 403
    assert local.get("/api/v1/documents").json() == before
    forced = guarded.post("/api/v1/session", json={"token": "token-of-anna"}, headers=headers)
    assert forced.status_code == 403


def test_own_pages_change_things(local: Any) -> None:
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert local.post("/api/v1/documents", json=NEW, headers=headers).status_code == 201


@pytest.mark.parametrize("token", ["", "0" * 64, "\xe9"])
def test_unsafe_methods_repeat_the_token_of_the_session(
    local: Any, guarded: Any, token: str
) -> None:
    sign_in(guarded, "token-of-anna")
    for client in (local, guarded):
        answer = client.post(
            "/api/v1/documents", json=NEW, headers={"X-CSRF-Token": token.encode("latin-1")}
        )
        assert answer.status_code == 403
        assert answer.json()["error"]["kind"] == "csrf"
        assert client.post("/api/v1/documents", json=NEW).status_code == 201


def test_the_token_of_one_session_is_no_use_in_another(guarded: Any) -> None:
    sign_in(guarded, "token-of-anna")
    annas = guarded.headers["X-CSRF-Token"]
    guarded.cookies.clear()
    sign_in(guarded, "token-of-ben")
    answer = guarded.post("/api/v1/documents", json=NEW, headers={"X-CSRF-Token": annas})
    assert answer.status_code == 403


def test_programs_need_no_such_token(guarded: Any) -> None:
    guarded.headers.pop("X-CSRF-Token")
    headers = bearer("token-of-ben")
    assert guarded.post("/api/v1/documents", json=NEW, headers=headers).status_code == 201


def test_a_public_name_is_the_only_one(tmp_path: Path) -> None:
    tokens = write_tokens(tmp_path / "tokens", {"anna": "t"})
    address = "https://statera.example"
    with serving(tmp_path / "d", address, token_file=tokens, public_url=address) as client:
        assert client.get("/api/v1/session", headers={"Host": "other.example"}).status_code == 421
        assert client.get("/api/v1/session", headers={"Host": "127.0.0.1:8321"}).status_code == 200
        # a proxy may pass the request on under another name, and the page has the public one
        passed = {"Host": "127.0.0.1:8321", "Origin": address}
        signed = client.post("/api/v1/session", json={"token": "t"}, headers=passed)
        assert signed.status_code == 204


def test_no_page_of_another_site_may_read(local: Any) -> None:
    answer = local.options(
        "/api/v1/documents",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert not any(name.startswith("access-control-") for name in answer.headers)
