"""The server as one object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from statera._version import __version__
from statera.web.server import routes_health, routes_session
from statera.web.server.authentication import Authentication
from statera.web.server.computing import add_computing, computing
from statera.web.server.database import open_database
from statera.web.server.failure import (
    Failure,
    answer_failure,
    answer_refusal,
    answer_validation,
)
from statera.web.server.origin_check import OriginCheck
from statera.web.server.secret import open_secret
from statera.web.server.security_headers import SecurityHeaders
from statera.web.server.settings import Settings, check_settings
from statera.web.server.static_files import StaticFiles, static_routes

__all__ = ["create_app"]


def create_app(settings: Settings) -> FastAPI:
    """Make the server; workers start with it and stop with it.

    Raises
    ------
    UsageError
        If the settings are unsafe or cannot work.
    """
    check_settings(settings)
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = open_database(settings.database, settings.folder)
        try:
            async with computing(app, settings):
                yield
        finally:
            app.state.engine.dispose()

    app = FastAPI(
        title="Statera", version=__version__, lifespan=life, docs_url=None, redoc_url=None
    )
    app.state.settings = settings
    readiness: dict[str, Callable[[], bool]] = {}
    app.state.readiness = readiness  # what /readyz asks besides the database, by name
    app.add_exception_handler(Failure, answer_failure)
    app.add_exception_handler(HTTPException, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_validation)
    add_computing(app, settings)
    for router in (routes_health.router, routes_session.router):
        app.include_router(router)
    app.include_router(static_routes(StaticFiles()))  # last: it takes every address
    # the last one added sees a request first
    app.add_middleware(Authentication, settings=settings, secret=open_secret(settings.folder))
    app.add_middleware(OriginCheck, settings=settings)
    app.add_middleware(SecurityHeaders, public_url=settings.public_url)
    return app
