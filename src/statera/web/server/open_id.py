"""Sign-in by OpenID Connect: what the provider says of itself and of whoever comes back from it.

Authorization code with PKCE (RFC 7636); identity tokens are checked as OpenID Connect Core 1.0,
section 3.1.3.7, asks: signature by a key of the provider, issuer, audience, times, nonce.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from statera.web.server.failure import Failure
from statera.web.server.settings import OpenIdSettings, is_loopback
from statera.web.server.who import User

__all__ = ["OpenIdProvider", "Person"]

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_LEEWAY_SECONDS = 60
_KEYS_SECONDS = 3600.0  # how long keys are believed
_KEYS_PAUSE = 30.0  # and how soon an unknown key may ask for them again
_LARGEST_ANSWER = 1_000_000


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for.

    Attributes
    ----------
    subject
        Their name at the provider, for good.
    email
        Empty unless the provider says that it is verified.
    name
        To be shown.
    """

    subject: str
    email: str
    name: str


class OpenIdProvider:
    """A provider.

    Parameters
    ----------
    settings
    back
        Where the provider leads back to.
    client
        Makes the client for requests to the provider; tests give their own.
    clock
        Unix time.
    """

    def __init__(
        self,
        settings: OpenIdSettings,
        back: str,
        client: Callable[[], httpx2.AsyncClient] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._back = back
        self._client = client or _new_client
        self._clock = clock
        self._lock = asyncio.Lock()
        self._described: dict[str, Any] = {}
        self._described_at = -_KEYS_SECONDS
        self._keys: KeySet | None = None
        self._keys_at = -_KEYS_SECONDS

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser goes to sign in.

        Raises
        ------
        Failure
            With status 502 where the provider does not answer as it should.
        """
        described = await self._description()
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._back,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = described["authorization_endpoint"]
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def person(self, code: str, nonce: str, verifier: str) -> Person:
        """Return who signed in, from the code that they brought back.

        Raises
        ------
        Failure
            With status 502 where the provider does not answer as it should, and 403 where its
            word cannot be believed.
        """
        described = await self._description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        if self._settings.client_secret:
            form["client_secret"] = self._settings.client_secret
        answer = await self._ask("POST", described["token_endpoint"], form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _unusable("it gave no identity token")
        return _person(await self._checked(token, nonce))

    def user(self, person: Person) -> User:
        """Return the user whom a person is here.

        Raises
        ------
        Failure
            With status 403 where they may not sign in.
        """
        allowed = self._settings
        domain = person.email.rpartition("@")[2].lower()
        named = person.subject in allowed.subjects or (
            person.email and person.email.lower() in {s.lower() for s in allowed.subjects}
        )
        of_domain = domain and domain in {d.lower() for d in allowed.domains}
        if (allowed.domains or allowed.subjects) and not (named or of_domain):
            raise Failure(
                403,
                "you may not sign in to this server",
                hint="Ask whoever runs it; the provider must also have verified your e-mail.",
            )
        key = hashlib.sha256(f"{allowed.issuer}\n{person.subject}".encode()).hexdigest()
        return User(f"oidc:{key[:40]}", person.name)

    async def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an identity token that can be believed."""
        keys = await self._signing_keys(fresh=False)
        try:
            found = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):  # a new key of the provider, or not its key at all
            keys = await self._signing_keys(fresh=True)
            try:
                found = jwt.decode(token, keys, algorithms=_ALGORITHMS)
            except (JoseError, ValueError) as error:
                raise _unbelieved("its signature is not of the provider") from error
        claims = found.claims
        essential = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            essential.validate(claims)
        except JoseError as error:
            raise _unbelieved(f"its '{getattr(error, 'claim', '')}' does not hold") from error
        audience = claims["aud"]
        party = claims.get("azp")
        if party is not None and party != self._settings.client_id:
            raise _unbelieved("it was made for another client")
        if isinstance(audience, list) and len(audience) > 1 and party is None:
            raise _unbelieved("it was made for several clients")
        return claims

    async def _description(self) -> dict[str, Any]:
        async with self._lock:
            if self._clock() - self._described_at < _KEYS_SECONDS:
                return self._described
            base = self._settings.issuer.rstrip("/")
            found = await self._ask("GET", f"{base}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.issuer:
                raise _unusable("it calls itself by another name than --oidc-issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                parts = urlsplit(str(found.get(name, "")))
                safe = parts.scheme == "https" or is_loopback(parts.hostname or "")
                if parts.scheme not in ("https", "http") or not parts.hostname or not safe:
                    raise _unusable(f"its {name} is not an address with https")
            self._described, self._described_at = found, self._clock()
            return found

    async def _signing_keys(self, *, fresh: bool) -> KeySet:
        described = await self._description()
        async with self._lock:
            age = self._clock() - self._keys_at
            if self._keys is None or age > _KEYS_SECONDS or (fresh and age > _KEYS_PAUSE):
                found = await self._ask("GET", described["jwks_uri"])
                self._keys, self._keys_at = _public_keys(found), self._clock()
            return self._keys

    async def _ask(
        self, method: str, address: str, form: dict[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            async with self._client() as client:
                answer = await client.request(method, address, data=form)
            readable = answer.status_code == 200 and len(answer.content) <= _LARGEST_ANSWER
            found = answer.json() if readable else None
        except (httpx2.HTTPError, ValueError) as error:
            raise _unusable("it does not answer as it should") from error
        if answer.status_code != 200 or not isinstance(found, dict):
            raise _unusable(f"it answered with status {answer.status_code}")
        return found


def _new_client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=10.0, follow_redirects=False)


def _public_keys(found: dict[str, Any]) -> KeySet:
    """Return the keys that can sign; symmetric ones are left out: a provider publishes none."""
    listed = found.get("keys")
    usable = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict)
        and key.get("kty") in ("RSA", "EC", "OKP")
        and key.get("use", "sig") == "sig"
    ]
    if not usable:
        raise _unusable("it publishes no keys")
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _unusable("its keys cannot be read") from error


def _person(claims: dict[str, Any]) -> Person:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not _is_unicode(subject):
        raise _unbelieved("its 'sub' does not hold")
    email = claims.get("email")
    verified = claims.get("email_verified") in (True, "true") and _is_unicode(str(email))
    email = email if isinstance(email, str) and verified and len(email) <= 254 else ""
    name = claims.get("name") or claims.get("preferred_username") or email or subject
    shown = "".join(c for c in str(name) if c.isprintable())[:100]
    return Person(subject, email, shown or "user")


def _is_unicode(text: str) -> bool:
    """Return False for halves of characters, which JSON can write and nothing can keep."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unusable(why: str) -> Failure:
    return Failure(
        502, f"the provider of the sign-in cannot be used: {why}", hint="Try again later."
    )


def _unbelieved(why: str) -> Failure:
    return Failure(
        403, f"the sign-in cannot be believed: {why}", hint="Begin again from the first page."
    )
