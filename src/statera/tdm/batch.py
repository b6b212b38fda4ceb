"""Many requests: one row each with its outcome, and none stops the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from statera.errors import StateraError
from statera.model import Model
from statera.parallel import map_ordered
from statera.tdm.forecast import Parts, forecast
from statera.tdm.forecast_result import Forecast
from statera.tdm.outcome import RequestError
from statera.tdm.request import Request

__all__ = ["ANSWERED", "FAILED", "BatchRow", "forecast_many"]

ANSWERED, FAILED = "answered", "failed"
"""Outcome of a row whose request was answered, and of one that failed without a named outcome."""


@dataclass(frozen=True)
class BatchRow:
    """One request of a batch.

    Attributes
    ----------
    request_id, patient_id
    outcome
        ``answered``, the named outcome that kept the request from an answer, or ``failed``.
    sentence
        Why there is no answer; empty where there is one.
    forecast
        The answer; None where there is none.
    """

    request_id: str
    patient_id: str
    outcome: str
    sentence: str
    forecast: Forecast | None


def forecast_many(
    requests: Sequence[Request],
    models: Mapping[str, Model] | None = None,
    *,
    parts: Parts | None = None,
    workers: int = 1,
) -> list[BatchRow]:
    """Answer many requests, in their order.

    Parameters
    ----------
    models
        As in `statera.tdm.forecast.forecast`.
    parts
        What is computed.
    workers
        Threads; the answers do not depend on their number.
    """

    def answer(request: Request) -> BatchRow:
        name, patient = request.id, request.patient.id
        try:
            found = forecast(request, models, parts=parts)
        except RequestError as error:
            return BatchRow(name, patient, str(error.outcome), str(error), None)
        except StateraError as error:
            return BatchRow(name, patient, FAILED, str(error), None)
        except (ArithmeticError, ValueError) as error:  # LinAlgError is a ValueError
            sentence = f"the computation failed: {error}"
            return BatchRow(name, patient, FAILED, sentence, None)
        return BatchRow(name, patient, ANSWERED, "", found)

    return map_ordered(answer, requests, workers)
