"""What a worker does for the drug page before its first request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from statera.web.requests.drug import (
    DrugExposureRequest,
    DrugInhibitionRequest,
    DrugOverviewRequest,
)
from statera.web.tasks import drug_exposure, drug_inhibition, drug_overview
from statera.web.work import Upload

__all__ = ["NoWork", "warm_up"]

_DRUG = "baricitinib"


def warm_up() -> None:
    """Answer what the page asks first: that loads the library and its compiled code."""
    drug_overview.run(DrugOverviewRequest(drug=_DRUG), NoWork())
    drug_inhibition.run(DrugInhibitionRequest(drug=_DRUG), NoWork())
    drug_exposure.run(DrugExposureRequest(drug=_DRUG, covariates={}, n=20), NoWork())


class NoWork:
    """A process of which a task uses nothing."""

    folder = Path()
    attempt = 1

    def progress(self, fraction: float | None, message: str, **data: Any) -> None:
        """Tell nobody."""

    def upload(self, upload_id: str) -> Upload:
        """Hold no upload."""
        raise KeyError(upload_id)

    def save(self, name: str, content: bytes, media_type: str) -> None:
        """Keep nothing."""
