"""Files of a fit that stay beside its result."""

from __future__ import annotations

from statera.web.requests.fit import FitRequest
from statera.web.tasks.fit_inputs import LoadedModel, file_name
from statera.web.work import Upload, Work

__all__ = ["save_inputs"]


def save_inputs(request: FitRequest, loaded: LoadedModel, upload: Upload, work: Work) -> None:
    """Keep what the copied command needs and a user does not have: a template, sample data."""
    if not loaded.in_library:
        work.save(loaded.name, loaded.text.encode(), "text/plain")
    if request.data.startswith("sample-"):
        name = file_name(upload.name, "data.csv")
        work.save(name, upload.path.read_bytes(), "text/csv")
