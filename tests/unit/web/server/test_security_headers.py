"""Headers of every answer, of failures too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .serving import serving

ANSWERS = (
    ("GET", "/", {}, None),
    ("GET", "/healthz", {}, None),
    ("GET", "/openapi.json", {}, None),
    ("GET", "/metrics", {}, None),
    ("GET", "/api/v1/session", {}, None),
    ("GET", "/api/v1/nothing", {}, None),
    ("PATCH", "/api/v1/session", {}, None),
    ("GET", "/api/v1/session", {"Host": "evil.example"}, None),
    ("POST", "/api/v1/documents", {"X-CSRF-Token": ""}, b"{}"),
    ("POST", "/api/v1/documents", {}, b"{"),
    ("POST", "/api/v1/documents", {}, b"x" * 2_000_001),
)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One server for all tests here: they leave nothing that another would see."""
    with serving(tmp_path_factory.mktemp("data")) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "headers", "body"), ANSWERS)
def test_every_answer_has_them(
    local: Any, method: str, path: str, headers: dict[str, str], body: bytes | None
) -> None:
    found = local.request(method, path, headers=headers, content=body).headers
    policy = dict(part.split(" ", 1) for part in found["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe-eval" not in str(policy)
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "no-referrer"
    assert found["cross-origin-opener-policy"] == "same-origin"
    assert found["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in found["permissions-policy"]
    assert len(found["x-request-id"]) == 16
    assert "server" not in found
    assert "strict-transport-security" not in found  # it would shut out http on localhost
    if path.startswith("/api/"):
        assert found["cache-control"] == "no-store"


def test_ids_of_requests_differ(local: Any) -> None:
    ids = {local.get("/healthz").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
