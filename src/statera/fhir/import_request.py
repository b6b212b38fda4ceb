"""A FHIR bundle becomes a request; whatever is not used is listed with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from types import MappingProxyType

from statera.dosing.person import Sex
from statera.errors import InputError, UsageError
from statera.fhir.collected import Collected, ImportResult, NotUsed
from statera.fhir.count_once import count_once
from statera.fhir.doses import administered, stated
from statera.fhir.egfr_codes import EGFR_CODES
from statera.fhir.elements import UnusableError, codings, object_of, text_of
from statera.fhir.medication import Named, medication_of
from statera.fhir.observations import Concentration, read_observation
from statera.fhir.read_bundle import Bundle, Resource
from statera.fhir.renal_covariate import Person, computed, misfits
from statera.fhir.request_document import import_result
from statera.fhir.times import read_moment
from statera.library import load_drug
from statera.library.models import models_of

__all__ = ["import_bundle"]

_PLANS = {
    "MedicationRequest": "a prescription is a plan, not intake",
    "MedicationDispense": "what was handed out was not thereby taken",
}
_READ = ("Patient", "Medication", "Observation", "MedicationAdministration", "MedicationStatement")


def import_bundle(
    bundle: Bundle,
    *,
    models: tuple[str, ...] = (),
    drug: str = "",
    patient: str = "",
    level_codes: Mapping[str, str] = MappingProxyType({}),
    renal: str = "",
    race_coefficient: bool | None = None,
    zone: tzinfo | None = None,
) -> ImportResult:
    """Return a request made of a bundle, with everything that was left out of it.

    Parameters
    ----------
    models
        Models of the request; all of the drug in the library unless given, which is remarked.
    drug
        Name in the library; that of the models, or the one that the bundle is about.
    patient
        Id of the patient, where the bundle holds several.
    level_codes
        System by code of the concentrations of the drug; they are found by their words otherwise.
    renal
        Equation of `RENAL_EQUATIONS` by which renal function is computed from creatinine;
        without it reported estimates are used.
    race_coefficient
        For equations that have one.
    zone
        Zone of times that were given without one.

    Raises
    ------
    InputError
        If the bundle has no patient, several and none was named, or is about no drug or several.
    """
    person_resource = _patient(bundle, patient)
    found = Collected(remarks=list(bundle.remarks))
    person = _person(person_resource, found, race_coefficient)
    named = _medications(bundle, person_resource, found)
    chosen = _drug(drug, models, named)
    _take_medications(named, chosen, found, zone)
    _take_observations(bundle, person_resource, chosen, person, level_codes, found, zone)
    count_once(found)
    if renal:
        _compute_renal(found, person, renal)
    found.remarks += misfits(found.values, person, found.equations)
    if not models:
        models = models_of(chosen)
        if not models:
            raise InputError(
                f"the library has no model of {chosen}",
                where="--model",
                hint="Name a model file that ends in .toml.",
            )
        found.remarks.append(
            f"No model was named: the request holds all of {chosen}, which an answer weighs "
            f"against each other: {', '.join(models)}."
        )
    name = person_resource.id or "patient"
    return import_result(bundle.id or f"fhir-{name}", name, person, chosen, models, found, zone)


def _patient(bundle: Bundle, wanted: str) -> Resource:
    people = bundle.of_type("Patient")
    if wanted:
        people = tuple(p for p in people if p.id == wanted)
    if len(people) == 1:
        return people[0]
    known = ", ".join(p.id or p.label for p in bundle.of_type("Patient"))
    if not people:
        raise InputError(
            f"the bundle has no patient '{wanted}'" if wanted else "the bundle has no Patient",
            where=bundle.file,
            hint=f"Patients: {known}." if known else "A request is about one patient.",
        )
    raise InputError(
        f"the bundle has {len(people)} patients",
        where=bundle.file,
        hint=f"Name one with --patient: {known}.",
    )


def _person(resource: Resource, found: Collected, race_coefficient: bool | None) -> Person:
    """Return birth and sex; what is not known stays unknown."""
    birth, sex = None, None
    try:
        _check_meaning(resource)
        if text := text_of(resource.data, "birthDate"):
            moment = read_moment(text, "the date of birth")
            birth = moment.day
            if moment.precision != "day":
                found.remarks.append(
                    f"The birth is known to the {moment.precision} only: ages may be too high by "
                    f"up to one {moment.precision}."
                )
        gender = text_of(resource.data, "gender")
        if gender in (Sex.MALE.value, Sex.FEMALE.value):
            sex = Sex(gender)
        elif gender:
            found.remarks.append(
                f"The gender is '{gender}', for which no equation has a coefficient: sex is taken "
                "as not known."
            )
    except UnusableError as error:
        found.drop(resource, str(error))
    return Person(birth, sex, race_coefficient)


def _check_meaning(resource: Resource) -> None:
    """Check that a resource says nothing that changes its meaning.

    Raises
    ------
    UnusableError
        If it does: FHIR forbids to go on then.
    """
    for key in ("modifierExtension", "implicitRules"):
        if key in resource.data:
            raise UnusableError(
                f"it has '{key}', which may change its meaning and is not understood"
            )


def _check_subject(resource: Resource, bundle: Bundle, patient: Resource) -> None:
    """Check that a resource is of the patient.

    Raises
    ------
    UnusableError
        If not, or if something in it may change its meaning.
    """
    _check_meaning(resource)
    reference = text_of(object_of(resource.data, "subject"), "reference")
    if not reference:
        raise UnusableError("it does not say whom it is about")
    target = bundle.resolve(reference, resource)
    if target is None:
        raise UnusableError(f"it is about {reference}, who is not in the bundle")
    if target is not patient:
        raise UnusableError(f"it is about {target.label}, another patient")


def _medications(
    bundle: Bundle, patient: Resource, found: Collected
) -> list[tuple[Resource, Named]]:
    """Return the medication resources of the patient with what they are of."""
    named = []
    for resource in bundle.resources:
        if resource.type not in (*_PLANS, "MedicationAdministration", "MedicationStatement"):
            continue
        try:
            _check_subject(resource, bundle, patient)
            named.append((resource, medication_of(resource, bundle)))
        except UnusableError as error:
            found.drop(resource, str(error))
    return named


def _drug(wanted: str, models: tuple[str, ...], named: list[tuple[Resource, Named]]) -> str:
    """Return the drug that the request is of."""
    if wanted:
        return load_drug(wanted).name
    of_models = {m.split("/")[0] for m in models if not m.endswith(".toml")}
    if len(of_models) == 1:
        return load_drug(of_models.pop()).name
    of_bundle = {n.drug for _, n in named if n.drug}
    if len(of_bundle) == 1:
        return of_bundle.pop()
    said = (
        f"several drugs: {', '.join(sorted(of_bundle))}" if of_bundle else "no drug of the library"
    )
    raise UsageError(
        f"the bundle is about {said}",
        where="--drug",
        hint="Name the drug with --drug, or a model with --model.",
    )


def _take_medications(
    named: list[tuple[Resource, Named]],
    drug: str,
    found: Collected,
    zone: tzinfo | None,
) -> None:
    for resource, medication in named:
        if medication.drug != drug:
            status = resource.data.get("status", "no status")
            found.comedication.append(
                NotUsed(resource.label, f"{medication.words} ({resource.type}, {status}).")
            )
            continue
        if resource.type in _PLANS:
            reason = f"{medication.words}: {_PLANS[resource.type]}."
            found.plans.append(NotUsed(resource.label, reason))
            continue
        try:
            if resource.type == "MedicationAdministration":
                found.intakes.append(administered(resource, zone))
            else:
                found.intakes += stated(resource, zone)
        except UnusableError as error:
            found.drop(resource, str(error))


def _take_observations(
    bundle: Bundle,
    patient: Resource,
    drug: str,
    person: Person,
    level_codes: Mapping[str, str],
    found: Collected,
    zone: tzinfo | None,
) -> None:
    molar_mass = load_drug(drug).identity.molar_mass
    for resource in bundle.resources:
        if resource.type == "Observation":
            try:
                _check_subject(resource, bundle, patient)
                observed = read_observation(
                    resource,
                    drug=drug,
                    level_codes=level_codes,
                    molar_mass=molar_mass,
                    sex=person.sex,
                    zone=zone,
                )
            except UnusableError as error:
                found.drop(resource, str(error))
                continue
            if isinstance(observed, Concentration):
                found.levels.append(observed)
                found.remarks += [f"{resource.label}: {r}" for r in observed.remarks]
            else:
                found.values.append(observed)
                for coding in codings(object_of(resource.data, "code")):
                    if coding.code in EGFR_CODES:
                        found.equations[resource.label] = EGFR_CODES[coding.code].equation
        elif resource.type not in (*_READ, *_PLANS):
            found.drop(resource, f"resources of type {resource.type} are not read")
        elif resource.type == "Patient" and resource is not patient:
            found.drop(resource, "it is another patient")


def _compute_renal(found: Collected, person: Person, equation: str) -> None:
    """Replace reported estimates of renal function by computed ones."""
    try:
        made = computed(found.values, person, equation)
    except UnusableError as error:
        raise InputError(
            str(error), where="--renal", hint="Complete the bundle, or choose another equation."
        ) from error
    for value in [v for v in found.values if v.equation]:
        found.dropped.append(
            NotUsed(value.resource, f"Replaced by {made[0].equation}, computed as asked.")
        )
        found.values.remove(value)
    found.values += made
