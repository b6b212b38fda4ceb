"""The server as one object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from statera._version import __version__
from statera.errors import InputError
from statera.web.server import (
    routes_documents,
    routes_health,
    routes_metrics,
    routes_open_id,
    routes_session,
    routes_uploads,
)
from statera.web.server.audit import AuditTrail
from statera.web.server.authentication import Authentication
from statera.web.server.body_limit import BodyLimit
from statera.web.server.computing import add_computing, computing
from statera.web.server.database import open_database
from statera.web.server.described import describe_exactly, described_failures
from statera.web.server.document_store import DocumentStore
from statera.web.server.failure import (
    Failure,
    answer_failure,
    answer_refusal,
    answer_validation,
)
from statera.web.server.media_type import MediaType
from statera.web.server.metrics import Metrics
from statera.web.server.open_id import OpenIdProvider
from statera.web.server.origin_check import OriginCheck
from statera.web.server.rate_limit import RateLimit, sign_in_buckets
from statera.web.server.request_log import RequestLog
from statera.web.server.secret import open_secret
from statera.web.server.security_headers import SecurityHeaders
from statera.web.server.session_store import SessionStore
from statera.web.server.settings import Settings, check_settings
from statera.web.server.static_files import StaticFiles, static_routes
from statera.web.server.token_file import TokenFile
from statera.web.server.upload_store import UploadStore

__all__ = ["create_app"]

_ROUTERS = (
    routes_health.router,
    routes_metrics.router,
    routes_session.router,
    routes_open_id.router,
    routes_uploads.router,
    routes_documents.router,
)


def create_app(settings: Settings) -> FastAPI:
    """Make the server; workers start with it and stop with it.

    Raises
    ------
    UsageError
        If the settings are unsafe or cannot work.
    InputError
        If the data folder or the file of tokens cannot be used.
    """
    check_settings(settings)
    try:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputError(
            f"cannot make the folder '{settings.folder}': {error.strerror}",
            where="--data",
            hint="Name a folder that you may write to.",
        ) from error

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        state = app.state
        state.engine = open_database(settings.database, settings.folder)
        state.audit = AuditTrail(state.engine)
        state.sessions = SessionStore(state.engine, settings)
        state.uploads = UploadStore(state.engine, settings.folder, settings.limits)
        state.documents = DocumentStore(state.engine, settings.limits)
        try:
            async with computing(app, settings):
                yield
        finally:
            state.engine.dispose()

    app = FastAPI(
        title="Statera",
        version=__version__,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        responses=described_failures(401, 403, 408, 413, 415, 421, 429),
    )
    describe_exactly(app)
    _give_state(app, settings)
    app.add_exception_handler(Failure, answer_failure)
    app.add_exception_handler(HTTPException, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_validation)
    add_computing(app, settings)
    for router in _ROUTERS:
        app.include_router(router)
    app.include_router(static_routes(StaticFiles()))  # last: it takes every address
    _add_layers(app, settings)
    return app


def _give_state(app: FastAPI, settings: Settings) -> None:
    """Put where routes find it what needs no database."""
    readiness: dict[str, Callable[[], bool]] = {}
    app.state.settings = settings
    app.state.readiness = readiness  # what /readyz asks besides the database, by name
    app.state.secret = open_secret(settings.folder)
    app.state.metrics = Metrics()
    app.state.tokens = TokenFile(settings.token_file) if settings.token_file else None
    app.state.provider = None
    if settings.open_id is not None:
        back = settings.public_url.rstrip("/") + routes_open_id.BACK
        app.state.provider = OpenIdProvider(settings.open_id, back)
    app.state.attempts = sign_in_buckets(settings.limits)


def _add_layers(app: FastAPI, settings: Settings) -> None:
    """Put the middleware around the routes; the last one added sees a request first."""
    app.add_middleware(MediaType)
    app.add_middleware(RateLimit, limits=settings.limits)
    app.add_middleware(
        Authentication,
        settings=settings,
        secret=app.state.secret,
        tokens=app.state.tokens,
        attempts=app.state.attempts,
    )
    app.add_middleware(BodyLimit, limits=settings.limits)
    app.add_middleware(OriginCheck, settings=settings)
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    app.add_middleware(SecurityHeaders, public_url=settings.public_url)
