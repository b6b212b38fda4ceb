"""Signing in by OpenID Connect, and everything that must not sign anybody in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from statera.web.server.audit import AuditEntry, entries
from statera.web.server.failure import Failure
from statera.web.server.open_id import OpenIdProvider, Person, _person
from statera.web.server.routes_open_id import BACK
from statera.web.server.settings import OpenIdSettings

from .serving import renew_csrf, serving
from .small_provider import (
    CLIENT,
    ISSUER,
    SmallProvider,
    another_key,
    elliptic_key,
)

ADDRESS = "https://statera.example"
SETTINGS = OpenIdSettings(ISSUER, CLIENT, "secret")


@pytest.fixture(scope="module")
def key() -> Any:
    return another_key()  # takes a while to find


@pytest.fixture
def provider(key: Any) -> SmallProvider:
    return SmallProvider(key)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("data")
    with serving(folder, ADDRESS, open_id=SETTINGS, public_url=ADDRESS) as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
def client(running: Any, provider: SmallProvider) -> Any:
    """A browser that was never here, of a server that never asked this provider."""
    running.cookies.clear()
    renew_csrf(running)
    state = running.app.state
    state.attempts._levels.clear()
    state.provider = OpenIdProvider(SETTINGS, ADDRESS + BACK, provider.client)
    running.earlier = len(tuple(entries(state.engine)))
    return running


def trail(client: Any) -> list[AuditEntry]:
    """What this test has left in the audit trail."""
    return list(entries(client.app.state.engine))[client.earlier :]


def come_back(client: Any, **query: str) -> Any:
    return client.get(BACK, params=query)


def sign_in(client: Any, provider: SmallProvider, page: str = "/") -> Any:
    begun = client.get("/api/v1/session/oidc", params={"return": page})
    assert begun.status_code == 303, begun.text
    code, state = provider.let_in(begun.headers["location"])
    answer = come_back(client, code=code, state=state)
    renew_csrf(client)
    return answer


def refused(client: Any, answer: Any, words: str) -> None:
    """Check that nobody was signed in, and that a page says why."""
    assert answer.status_code in (403, 502), answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert "__Host-statera_session" not in answer.headers.get("set-cookie", "")
    assert client.get("/api/v1/session").json()["signed_in"] is False
    assert client.get("/api/v1/uploads").status_code == 401


def test_a_person_signs_in_and_out(client: Any, provider: SmallProvider) -> None:
    assert client.get("/api/v1/session").json()["modes"] == ["oidc"]
    answer = sign_in(client, provider, "/simulate?dose=4+mg")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/simulate?dose=4+mg"
    cookies = answer.headers.get_list("set-cookie")
    [session] = [c for c in cookies if c.startswith("__Host-statera_session=")]
    assert all(word in session for word in ("HttpOnly", "Secure", "SameSite=strict"))
    assert any(c.startswith('statera_sign_in="";') for c in cookies)
    assert client.get("/api/v1/session").json()["user"] == "Anna Example"
    assert client.get("/api/v1/uploads").json() == []
    made = client.post("/api/v1/documents", json={"kind": "case", "body": 1})
    assert made.status_code == 201
    assert client.delete("/api/v1/session").status_code == 204
    assert client.get("/api/v1/uploads").status_code == 401
    done = trail(client)
    assert [e.action for e in done] == ["sign-in", "save document", "sign-out"]
    assert done[0].user.startswith("oidc:")


def test_people_are_told_apart_by_subject(client: Any, provider: SmallProvider) -> None:
    sign_in(client, provider)
    key = client.post("/api/v1/documents", json={"kind": "case", "body": 1}).json()["id"]
    provider.claims = {"sub": "person-2"}  # of the same name and e-mail
    sign_in(client, provider)
    assert client.get(f"/api/v1/documents/{key}").status_code == 404
    provider.claims = {"name": "Anna Other", "email": "new@clinic.example"}
    sign_in(client, provider)
    assert client.get(f"/api/v1/documents/{key}").status_code == 200


LIES: list[tuple[dict[str, Any], str]] = [
    ({"nonce": "another"}, "nonce"),
    ({"nonce": None}, "nonce"),
    ({"aud": "another-client"}, "aud"),
    ({"aud": None}, "aud"),
    ({"aud": [CLIENT, "another"]}, "several clients"),
    ({"azp": "another"}, "another client"),
    ({"iss": "https://evil.example"}, "iss"),
    ({"iss": f"{ISSUER}/"}, "iss"),
    ({"exp": 1_000_000_000}, "exp"),
    ({"exp": None}, "exp"),
    ({"exp": "soon"}, "exp"),
    ({"iat": 4_000_000_000}, "iat"),
    ({"nbf": 4_000_000_000}, "nbf"),
    ({"sub": None}, "sub"),
    ({"sub": ""}, "sub"),
    ({"sub": "x" * 300}, "sub"),
]


@pytest.mark.parametrize(("claims", "words"), LIES, ids=lambda value: str(value)[:40])
def test_tokens_that_do_not_hold(
    client: Any, provider: SmallProvider, claims: dict[str, Any], words: str
) -> None:
    provider.claims = claims
    refused(client, sign_in(client, provider), words)
    [entry] = trail(client)
    assert entry.action == "failed sign-in"


def test_halves_of_characters_name_nobody() -> None:
    with pytest.raises(Failure, match="403"):
        _person({"sub": "\ud800"})
    claims = {
        "sub": "a",
        "email": "\ud800@clinic.example",
        "email_verified": True,
        "name": "\ud800",
    }
    assert _person(claims) == Person("a", "", "user")


def test_a_token_without_signature(client: Any, provider: SmallProvider) -> None:
    provider.signing = "none"
    refused(client, sign_in(client, provider), "signature")


def test_a_token_signed_by_another_key(client: Any, provider: SmallProvider) -> None:
    provider.signed_by = another_key()
    refused(client, sign_in(client, provider), "signature")


def test_a_token_signed_with_the_public_key_as_a_secret(
    client: Any, provider: SmallProvider
) -> None:
    provider.signing = "HS256"
    refused(client, sign_in(client, provider), "signature")


def test_a_new_key_of_the_provider_is_fetched(client: Any, provider: SmallProvider) -> None:
    sign_in(client, provider)
    assert provider.asked["/keys"] == 1
    provider.keys.append(elliptic_key("second"))
    provider.signing = "ES256"
    client.app.state.provider._keys_at -= 60  # a minute passes
    assert sign_in(client, provider).headers["location"] == "/"
    assert provider.asked["/keys"] == 2


def test_unknown_keys_do_not_make_it_ask_again_and_again(
    client: Any, provider: SmallProvider
) -> None:
    provider.signed_by = another_key("unknown")
    for _ in range(4):
        refused(client, sign_in(client, provider), "signature")
    assert provider.asked["/keys"] == 1


def test_a_state_that_was_not_given(client: Any, provider: SmallProvider) -> None:
    begun = client.get("/api/v1/session/oidc")
    code, _ = provider.let_in(begun.headers["location"])
    for state in ("", "another", "\xe9"):
        refused(client, come_back(client, code=code, state=state), "begun elsewhere")
        client.get("/api/v1/session/oidc")
    assert "/token" not in provider.asked


def test_an_answer_for_another_browser(client: Any, provider: SmallProvider) -> None:
    begun = client.get("/api/v1/session/oidc")
    code, state = provider.let_in(begun.headers["location"])
    client.cookies.clear()
    refused(client, come_back(client, code=code, state=state), "not begun in this browser")
    forged = {"Cookie": f"statera_sign_in={b'{}'.hex()}.{'0' * 64}"}
    answer = client.get(BACK, params={"code": code, "state": state}, headers=forged)
    refused(client, answer, "not begun in this browser")


def test_a_code_is_good_once(client: Any, provider: SmallProvider) -> None:
    begun = client.get("/api/v1/session/oidc")
    code, state = provider.let_in(begun.headers["location"])
    cookie = {"Cookie": f"statera_sign_in={client.cookies['statera_sign_in']}"}
    query = {"code": code, "state": state}
    assert client.get(BACK, params=query, headers=cookie).status_code == 303
    client.delete("/api/v1/session", headers={"X-CSRF-Token": ""})
    client.cookies.clear()
    answer = client.get(BACK, params=query, headers=cookie)
    refused(client, answer, "it answered with status 400")


def test_a_sign_in_that_took_too_long(
    client: Any, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = client.get("/api/v1/session/oidc")
    code, state = provider.let_in(begun.headers["location"])
    cookie = {"Cookie": f"statera_sign_in={client.cookies['statera_sign_in']}"}
    later = time.time() + 3600
    monkeypatch.setattr("statera.web.server.routes_open_id.time.time", lambda: later)
    answer = client.get(BACK, params={"code": code, "state": state}, headers=cookie)
    refused(client, answer, "too long")


def test_what_the_provider_refused_is_shown_as_text(client: Any, provider: SmallProvider) -> None:
    begun = client.get("/api/v1/session/oidc")
    _, state = provider.let_in(begun.headers["location"])
    answer = come_back(client, error="<script>alert(1)</script>", state=state)
    refused(client, answer, "did not let you sign in")
    assert "<script>" not in answer.text


ELSEWHERE = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "",
    "/api/v1/session", "/\tevil", "/x\r\nSet-Cookie: a=b",
]  # fmt: skip


@pytest.mark.parametrize("page", ELSEWHERE)
def test_it_leads_back_to_own_pages_only(client: Any, provider: SmallProvider, page: str) -> None:
    assert sign_in(client, provider, page).headers["location"] == "/"


DESCRIPTIONS: list[dict[str, Any]] = [
    {"issuer": "https://evil.example"},
    {"token_endpoint": "http://id.example/token"},
    {"jwks_uri": "file:///etc/passwd"},
    {"authorization_endpoint": None},
]


@pytest.mark.parametrize("described", DESCRIPTIONS, ids=str)
def test_providers_that_describe_themselves_badly(
    client: Any, provider: SmallProvider, described: dict[str, Any]
) -> None:
    provider.described = described
    answer = client.get("/api/v1/session/oidc")
    assert answer.status_code == 502
    assert answer.json()["error"]["kind"] == "provider"
    page = client.get("/api/v1/session/oidc", headers={"Accept": "text/html,*/*;q=0.8"})
    refused(client, page, "provider of the sign-in cannot be used")


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/keys", httpx2.Response(200, json={"keys": []})),
        ("/keys", httpx2.Response(200, json={"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})),
        ("/keys", httpx2.Response(200, json={"keys": [{"kty": "RSA", "n": "x"}]})),
        ("/keys", httpx2.Response(500)),
        ("/token", httpx2.Response(200, text="<html>")),
        ("/token", httpx2.Response(200, json={"access_token": "x"})),
        ("/token", httpx2.Response(302, headers={"Location": "https://evil.example"})),
    ],
)
def test_providers_that_answer_badly(
    client: Any, provider: SmallProvider, path: str, response: httpx2.Response
) -> None:
    provider.broken = {path: response}
    refused(client, sign_in(client, provider), "provider of the sign-in cannot be used")


@pytest.mark.parametrize(
    ("allowed", "claims", "enters"),
    [
        ({"domains": ("clinic.example",)}, {}, True),
        ({"domains": ("Clinic.Example",)}, {}, True),
        ({"domains": ("clinic.example",)}, {"email": "a@evilclinic.example"}, False),
        ({"domains": ("clinic.example",)}, {"email": "a@clinic.example@evil.example"}, False),
        ({"domains": ("clinic.example",)}, {"email_verified": False}, False),
        ({"domains": ("clinic.example",)}, {"email_verified": None}, False),
        ({"domains": ("clinic.example",)}, {"email": None}, False),
        ({"subjects": ("person-1",)}, {"email": None}, True),
        ({"subjects": ("anna@clinic.example",)}, {}, True),
        ({"subjects": ("anna@clinic.example",)}, {"email_verified": False}, False),
        ({"subjects": ("person-2",), "domains": ("other.example",)}, {}, False),
    ],
)
def test_who_may_sign_in(
    client: Any, provider: SmallProvider, allowed: Any, claims: Any, enters: bool
) -> None:
    client.app.state.provider._settings = replace(SETTINGS, **allowed)
    provider.claims = claims
    answer = sign_in(client, provider)
    if enters:
        assert client.get("/api/v1/session").json()["signed_in"] is True
    else:
        refused(client, answer, "may not sign in")


def test_attempts_are_slowed_down(client: Any, provider: SmallProvider) -> None:
    statuses = [client.get("/api/v1/session/oidc").status_code for _ in range(11)]
    assert statuses == [303] * 10 + [429]
    assert come_back(client, code="x", state="y").status_code == 429


def test_a_session_ends_where_this_sign_in_is_switched_off(
    tmp_path: Path, client: Any, provider: SmallProvider
) -> None:
    from .serving import write_tokens

    sign_in(client, provider)
    cookie = {"Cookie": f"__Host-statera_session={client.cookies['__Host-statera_session']}"}
    tokens = write_tokens(tmp_path / "tokens", {"ben": "b"})
    folder = client.app.state.settings.folder
    with serving(folder, ADDRESS, token_file=tokens, public_url=ADDRESS) as other:
        assert other.get("/api/v1/uploads", headers=cookie).status_code == 401
