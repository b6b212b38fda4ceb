"""A provider of OpenID Connect, small and able to lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://id.example"
CLIENT = "statera"


class SmallProvider:
    """Answers like a provider; `claims` and `sign` say how it lies.

    Attributes
    ----------
    keys
        Private keys; the last one signs.
    claims
        Replace what an honest identity token would hold; None leaves a claim out.
    asked
        How often each address was asked.
    """

    def __init__(self, key: Any) -> None:
        self.keys: list[Any] = [key]
        self.claims: dict[str, Any] = {}
        self.described: dict[str, Any] = {}
        self.signing = "RS256"
        self.signed_by: Any = None
        self.asked: dict[str, int] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.broken: dict[str, httpx2.Response] = {}

    def client(self) -> httpx2.AsyncClient:
        """Return a client that reaches this provider and nothing else."""
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))

    def let_in(self, address: str) -> tuple[str, str]:
        """Do what a person does on the page of the provider; return the code and the state."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{ISSUER}/authorize?")
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return code, query["state"]

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked[path] = self.asked.get(path, 0) + 1
        if path in self.broken:
            return self.broken[path]
        if path == "/.well-known/openid-configuration":
            return httpx2.Response(200, json=self._description())
        if path == "/keys":
            public = [key.as_dict(private=False) for key in self.keys]
            return httpx2.Response(200, json={"keys": public})
        assert path == "/token"
        return self._token(parse_qs(request.content.decode()))

    def _description(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            **self.described,
        }

    def _token(self, form: dict[str, list[str]]) -> httpx2.Response:
        begun = self.codes.pop(form["code"][0], None)
        verifier = form["code_verifier"][0].encode()
        challenge = _base64(hashlib.sha256(verifier).digest())
        honest = (
            begun is not None
            and begun["code_challenge"] == challenge.decode()
            and begun["redirect_uri"] == form["redirect_uri"][0]
            and form["client_secret"] == ["secret"]
        )
        if not honest or begun is None:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + 300,
            "nonce": begun["nonce"], "name": "Anna Example", "email": "anna@clinic.example",
            "email_verified": True, **self.claims,
        }  # fmt: skip
        kept = {key: value for key, value in claims.items() if value is not None}
        return httpx2.Response(200, json={"id_token": self._signed(kept)})

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.signing in ("none", "HS256"):
            head = {"alg": self.signing, "kid": self.keys[-1].kid}
            parts = b".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
            secret = self.keys[-1].as_pem(private=False)  # known to everybody
            seal = (
                hmac.new(secret, parts, hashlib.sha256).digest() if self.signing != "none" else b""
            )
            return (parts + b"." + _base64(seal)).decode()
        key = self.signed_by or self.keys[-1]
        return jwt.encode(
            {"alg": self.signing, "kid": key.kid or self.keys[-1].kid}, claims, key,
            algorithms=[self.signing],
        )  # fmt: skip


def another_key(kid: str = "first") -> RSAKey:
    """Return a key of somebody else, by default under the name of the provider's own."""
    return RSAKey.generate_key(2048, {"kid": kid}, private=True)


def elliptic_key(kid: str) -> ECKey:
    """Return a key on a curve."""
    return ECKey.generate_key("P-256", {"kid": kid}, private=True)


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
