"""What is found in a bundle on the way to a request, and what became of it in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from statera.fhir.doses import Intake
from statera.fhir.observations import Concentration, Value
from statera.fhir.read_bundle import Resource

__all__ = ["Collected", "ImportResult", "NotUsed"]


@dataclass(frozen=True)
class NotUsed:
    """A resource that did not enter the request, or not as what it might be taken for.

    Attributes
    ----------
    resource
        Such as ``Observation/abc``.
    reason
        A sentence.
    """

    resource: str
    reason: str


@dataclass(frozen=True)
class ImportResult:
    """What became of a bundle.

    Attributes
    ----------
    request
        A request as `statera.tdm.read_request` reads it.
    drug
        Name in the library.
    used
        What each resource became, by its label.
    dropped
        Resources that were left out.
    plans
        Prescriptions and dispenses of the drug: never intake.
    comedication
        Other medications, in the words of the record.
    laboratory
        Values of the patient that no model of the request uses, for other questions.
    remarks
        What was assumed and what a reader must check.
    """

    request: Mapping[str, Any]
    drug: str
    used: Mapping[str, str]
    dropped: tuple[NotUsed, ...]
    plans: tuple[NotUsed, ...]
    comedication: tuple[NotUsed, ...]
    laboratory: tuple[Value, ...]
    remarks: tuple[str, ...] = ()


@dataclass
class Collected:
    """What is found on the way.

    Attributes
    ----------
    intakes, levels, values
        Doses, concentrations and other values of the patient.
    dropped, plans, comedication, remarks
        As in `ImportResult`.
    equations
        Id of the equation of a reported estimate, by the label of its resource.
    """

    intakes: list[Intake] = field(default_factory=list)
    levels: list[Concentration] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    dropped: list[NotUsed] = field(default_factory=list)
    plans: list[NotUsed] = field(default_factory=list)
    comedication: list[NotUsed] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    equations: dict[str, str] = field(default_factory=dict)

    def drop(self, resource: Resource, reason: str) -> None:
        """List a resource as left out."""
        self.dropped.append(NotUsed(resource.label, f"{reason[0].upper()}{reason[1:]}."))
