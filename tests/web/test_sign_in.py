"""Signing in by OpenID Connect, as a person does it: in a browser, at a provider, and back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.unit.web.server.small_provider import CLIENT, SmallProvider, another_key

from statera.web.server.secret import signature

from .running_server import free_port
from .small_server import SmallServer

httpx2 = pytest.importorskip("httpx2", reason="httpx2 is not installed")


class Provider(SmallProvider):
    """A provider with a page, on another site than the app: ``localhost``."""

    def __init__(self, key: Any, port: int) -> None:
        super().__init__(key)
        self.address = f"http://localhost:{port}"
        self.described = {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
        }
        self.be_honest()

    def be_honest(self) -> None:
        self.claims = {"iss": self.address}
        self.broken = {}

    def page(self, query: dict[str, str]) -> str:
        """Return the page on which a person says yes or no."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        back, state = query["redirect_uri"], query["state"]
        yes = escape(f"{back}?{urlencode({'code': code, 'state': state})}")
        no = escape(f"{back}?{urlencode({'error': 'access_denied', 'state': state})}")
        return f'<title>Provider</title><a href="{yes}">It is me</a> <a href="{no}">No</a>'


@contextmanager
def provider_at(port: int) -> Iterator[Provider]:
    """Run a provider in a thread."""
    provider = Provider(another_key(), port)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                status, kind, content = 200, "text/html", provider.page(query).encode()
            elif parts.path == "/favicon.ico":
                status, kind, content = 404, "text/plain", b""
            else:
                asked = httpx2.Request(self.command, provider.address + self.path, content=body)
                found = provider._answer(asked)
                status, kind, content = found.status_code, "application/json", found.content
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield provider
        finally:
            server.shutdown()


@dataclass
class Institution:
    """A provider and an app that trusts it."""

    provider: Provider
    server: SmallServer

    @property
    def address(self) -> str:
        return self.server.address


@contextmanager
def institution_in(folder: Path) -> Iterator[Institution]:
    port = free_port()
    with provider_at(free_port()) as provider:
        server = SmallServer(
            folder, workers=0, job_workers=0, port=port, public_url=f"http://127.0.0.1:{port}",
            open_id={
                "issuer": provider.address, "client_id": CLIENT, "client_secret": "secret",
                "domains": ["clinic.example"],
            },
            limits={"sign_ins_per_minute": 1000},
        )  # fmt: skip
        try:
            yield Institution(provider, server)
        finally:
            assert server.end() == 0
            assert '"bug"' not in (folder / "log").read_text()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    with institution_in(tmp_path_factory.mktemp("institution")) as institution:
        yield institution


@pytest.fixture
def institution(running: Institution) -> Institution:
    running.provider.be_honest()
    return running


@pytest.fixture
def person(browser: Any) -> Iterator[Any]:
    """A page of somebody who was never here."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.dialogs = []
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    yield page
    assert page.dialogs == []
    context.close()


def to_provider(person: Any, institution: Institution, path: str = "/") -> None:
    person.goto(institution.address + path)
    person.get_by_role("link", name="Sign in with your institution").click()
    person.get_by_role("link", name="It is me").wait_for()


def sign_in(person: Any, institution: Institution, path: str = "/") -> None:
    to_provider(person, institution, path)
    person.get_by_role("link", name="It is me").click()


def refused(person: Any, institution: Institution, words: str) -> None:
    """Check the page that says why, and the way back to signing in."""
    person.get_by_role("heading", name="Not signed in").wait_for()
    assert words in person.get_by_role("main").inner_text()
    assert '{"ok"' not in person.content()
    person.get_by_role("link", name="To the first page").click()
    person.get_by_role("link", name="Sign in with your institution").wait_for()
    assert person.url == institution.address + "/"


def test_a_person_signs_in_sees_their_name_and_signs_out(
    institution: Institution, person: Any
) -> None:
    sign_in(person, institution, "/jobs?x=1")
    person.get_by_text("Anna Example").wait_for()
    assert person.url == institution.address + "/jobs?x=1"
    person.get_by_text("No jobs yet").wait_for()
    [cookie] = [c for c in person.context.cookies() if c["name"].endswith("session")]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert [c for c in person.context.cookies() if c["name"] == "statera_sign_in"] == []
    person.reload()
    person.get_by_text("Anna Example").wait_for()
    person.get_by_role("button", name="Sign out").click()
    person.get_by_role("link", name="Sign in with your institution").wait_for()
    assert person.get_by_text("Anna Example").count() == 0
    person.reload()
    person.get_by_role("link", name="Sign in with your institution").wait_for()
    # the cookie that was stolen before is worth nothing
    person.context.add_cookies([cookie])
    person.reload()
    person.get_by_role("link", name="Sign in with your institution").wait_for()


def test_names_are_shown_as_text(institution: Institution, person: Any) -> None:
    institution.provider.claims["name"] = "<img src=x onerror=alert(1)>"
    sign_in(person, institution)
    person.get_by_text("<img src=x onerror=alert(1)>").wait_for()


def test_somebody_of_another_domain_is_told(institution: Institution, person: Any) -> None:
    institution.provider.claims["email"] = "eve@elsewhere.example"
    sign_in(person, institution)
    refused(person, institution, "You may not sign in to this server.")


def test_somebody_who_says_no_is_told(institution: Institution, person: Any) -> None:
    to_provider(person, institution)
    person.get_by_role("link", name="No", exact=True).click()
    refused(person, institution, "The provider did not let you sign in.")


def test_a_sign_in_that_took_too_long_is_told(institution: Institution, person: Any) -> None:
    to_provider(person, institution)
    [cookie] = [c for c in person.context.cookies() if c["name"] == "statera_sign_in"]
    begun = json.loads(bytes.fromhex(cookie["value"].partition(".")[0]))
    text = json.dumps(begun | {"until": time.time() - 1}).encode().hex()
    secret = (institution.server.folder / "secret").read_bytes()
    cookie["value"] = f"{text}.{signature(secret, 'sign-in', text)}"
    person.context.add_cookies([cookie])
    person.get_by_role("link", name="It is me").click()
    refused(person, institution, "The sign-in took too long.")


def test_a_sign_in_that_was_begun_elsewhere_is_told(institution: Institution, person: Any) -> None:
    to_provider(person, institution)
    person.context.clear_cookies()
    person.get_by_role("link", name="It is me").click()
    refused(person, institution, "The sign-in was not begun in this browser.")


def test_a_provider_that_breaks_in_the_middle_is_told(
    institution: Institution, person: Any
) -> None:
    institution.provider.broken = {"/token": httpx2.Response(503)}
    sign_in(person, institution)
    refused(person, institution, "it answered with status 503")


def test_a_provider_that_is_down_is_told_and_tried_again(tmp_path: Path, person: Any) -> None:
    with institution_in(tmp_path) as institution:
        description = "/.well-known/openid-configuration"
        institution.provider.broken = {description: httpx2.Response(503)}
        person.goto(institution.address)
        person.get_by_role("link", name="Sign in with your institution").click()
        refused(person, institution, "The provider of the sign-in cannot be used")
        institution.provider.broken = {}
        sign_in(person, institution)
        person.get_by_text("Anna Example").wait_for()
