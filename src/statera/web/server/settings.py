"""What an operator may set."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from statera.errors import UsageError

__all__ = ["Limits", "OpenIdSettings", "Settings", "check_settings", "is_loopback"]


@dataclass(frozen=True)
class Limits:
    """How much one user may ask for.

    Attributes
    ----------
    request_bytes
        Largest body of a request that is not an upload.
    upload_bytes
        Largest single upload.
    user_bytes
        Uploads of one user together.
    uploads
        How many uploads one user may have.
    documents
        How many documents one user may have.
    jobs
        Queued and running jobs of one user.
    kept_jobs
        Jobs of one user altogether.
    requests_per_minute
        Requests of one user, with bursts of a sixth of it.
    sign_ins_per_minute
        Attempts to sign in from one address, with bursts of half of it.
    silence_seconds
        How long a body may pause before the request is given up.
    head_seconds
        How long a connection may take to send the head of a request.
    """

    request_bytes: int = 2_000_000
    upload_bytes: int = 300_000_000
    user_bytes: int = 3_000_000_000
    uploads: int = 2_000
    documents: int = 2_000
    jobs: int = 20
    kept_jobs: int = 500
    requests_per_minute: int = 1_200
    sign_ins_per_minute: int = 20
    silence_seconds: float = 30.0
    head_seconds: float = 20.0


@dataclass(frozen=True)
class OpenIdSettings:
    """Sign-in by OpenID Connect.

    Attributes
    ----------
    issuer
        Address of the provider; its description is read from below it.
    client_id, client_secret
        As the provider gave them; the secret may be empty for a public client.
    domains
        E-mail domains that may sign in (the provider must say that the address is verified).
    subjects
        Subjects, or whole verified e-mail addresses, that may sign in. With neither domains nor
        subjects everybody whom the provider knows may.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    domains: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """How a server runs.

    Attributes
    ----------
    folder
        Where uploads, files of jobs and, by default, the database lie.
    database
        URL of SQLAlchemy; empty for SQLite in `folder`.
    host, port
        Where it listens. Without sign-in it must be a loopback address.
    workers
        Processes that answer requests at once.
    job_workers
        Processes that run jobs.
    job_days
        How long jobs that are over are kept; 0 until somebody deletes them.
    stop_seconds
        How long a job that is cancelled, or that the server's end interrupts, may take to keep
        what it has.
    token_file
        Lines ``name:sha256-of-token``; None for no sign-in by token.
    open_id
        None for no sign-in by OpenID Connect.
    public_url
        What a browser's address line shows, where a reverse proxy stands before the server.
    trusted_proxies
        Addresses or networks of reverse proxies, besides this machine, that tell who asks.
    session_seconds, idle_seconds
        How long a sign-in lasts, and how long without a request.
    limits
    catalogue, warm_up
        Where the tasks are listed, and what a worker does before its first request:
        ``"module:name"``. Tests put their own here.
    """

    folder: Path
    database: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 8321
    workers: int = 2
    job_workers: int = 1
    job_days: float = 0.0
    stop_seconds: float = 10.0
    token_file: Path | None = None
    open_id: OpenIdSettings | None = None
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    session_seconds: float = 12 * 3600.0
    idle_seconds: float = 2 * 3600.0
    limits: Limits = field(default_factory=Limits)
    catalogue: str = "statera.web.catalogue:CATALOGUE"
    warm_up: str = "statera.web.warm_up:warm_up"

    @property
    def modes(self) -> tuple[str, ...]:
        """How one signs in: ``none``, or ``token`` and ``oidc`` as they are set."""
        found = []
        if self.token_file is not None:
            found.append("token")
        if self.open_id is not None:
            found.append("oidc")
        return tuple(found) or ("none",)


def is_loopback(host: str) -> bool:
    """Return True for an address that only this machine reaches."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_settings(settings: Settings) -> None:
    """Refuse settings that would be unsafe or could not work.

    Raises
    ------
    UsageError
    """
    if settings.modes == ("none",) and not is_loopback(settings.host):
        raise UsageError(
            f"without sign-in the server listens on this machine only, not on '{settings.host}'",
            where="--host",
            hint="Give --token-file or --oidc-issuer, or leave --host out.",
        )
    if settings.modes == ("none",) and settings.public_url:
        raise UsageError(
            "a public address needs sign-in",
            where="--public-url",
            hint="Give --token-file or --oidc-issuer.",
        )
    if settings.public_url:
        _check_address(settings.public_url, "--public-url")
    if settings.open_id is not None:
        _check_address(settings.open_id.issuer, "--oidc-issuer")
        if not settings.open_id.client_id:
            raise UsageError(
                "sign-in by OpenID Connect needs the client's id",
                where="--oidc-client",
                hint="The provider shows it where this server is registered as a client.",
            )
        if not settings.public_url:
            raise UsageError(
                "sign-in by OpenID Connect needs the address that the provider leads back to",
                where="--public-url",
                hint="Give the address as a browser shows it: --public-url https://statera.example",
            )


def _check_address(address: str, option: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(
            f"'{address}' is not an address", where=option, hint="Write https://HOST[:PORT]."
        )
    if option == "--public-url" and parts.path.strip("/"):
        raise UsageError(
            f"'{address}' has a path, and the app has to stand at the root of its host",
            where=option,
            hint="Give it a host name of its own.",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UsageError(
            f"'{address}' would carry sign-ins unencrypted",
            where=option,
            hint="Use https, with a reverse proxy that holds the certificate.",
        )
