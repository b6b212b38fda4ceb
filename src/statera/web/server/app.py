"""The server as one object."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from statera._version import __version__
from statera.web.server.database import open_database
from statera.web.server.failure import (
    Failure,
    answer_failure,
    answer_refusal,
    answer_validation,
)
from statera.web.server.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings) -> FastAPI:
    """Make the server; workers start with it and stop with it."""
    settings.folder.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = open_database(settings.database, settings.folder)
        try:
            yield
        finally:
            app.state.engine.dispose()

    app = FastAPI(
        title="Statera", version=__version__, lifespan=life, docs_url=None, redoc_url=None
    )
    app.state.settings = settings
    app.add_exception_handler(Failure, answer_failure)
    app.add_exception_handler(HTTPException, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_validation)
    return app
