"""The answer to a request, frozen, and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statera.tdm.advice import Advice
from statera.tdm.averaging import Member
from statera.tdm.outcome import Outcome, Remark
from statera.tdm.plausibility import SampleCheck, Unusual
from statera.tdm.predict import Courses
from statera.tdm.request import DoseTaken, Request
from statera.tdm.sampling_advice import SamplingAdvice

__all__ = ["SCHEMA", "Forecast"]

SCHEMA = "statera.forecast/1"


@dataclass(frozen=True)
class Forecast:
    """What the models and the samples of one patient say about a question.

    Attributes
    ----------
    request
    time
        When the question is asked, h: the first later dose may be given then.
    members
        Models, with the most likely random effects, the posterior and the weight of each.
    checks
        How likely each sample is before the fit, under the model that counts most.
    unusual
        Distance of the patient from the typical one under that model; None without samples.
    later
        The doses that the course assumes from `time` on: those advised, else the last regimen.
    later_basis
        Which of the two: ``advised``, ``best candidate``, ``as before`` or ``none``.
    courses
        Bands over time; None where the patient has no doses at all.
    advice
        Doses to reach the targets; None where no target is asked for.
    sampling
        What further samples are worth; None without targets, or where no dose follows.
    remarks
        What a reader must know, in the order in which it arose.
    manifest
        Versions, seed and content hashes; it holds the time of the run.
    """

    request: Request
    time: float
    members: tuple[Member, ...]
    checks: tuple[SampleCheck, ...]
    unusual: Unusual | None
    later: tuple[DoseTaken, ...]
    later_basis: str
    courses: Courses | None
    advice: Advice | None
    sampling: SamplingAdvice | None
    remarks: tuple[Remark, ...]
    manifest: Mapping[str, Any]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Named outcomes among the remarks, each once."""
        return tuple(dict.fromkeys(r.outcome for r in self.remarks))

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data, without the manifest.

        Equal requests give equal data to the last bit, on the same machine and versions. Numbers
        are rounded to nine significant digits; those that do not exist are None.
        """
        from statera.tdm.forecast_dict import forecast_dict  # noqa: PLC0415  only when written

        return forecast_dict(self)
