"""A bundle becomes a request; what is left out is listed with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.fhir.bundles import (
    BARICITINIB,
    LOINC,
    SUBJECT,
    UCUM,
    Resource,
    administration,
    bundle,
    level,
    observation,
    patient,
    quantity,
    statement,
    whole_record,
)

from statera.errors import InputError, UnknownNameError, UsageError
from statera.fhir.collected import ImportResult
from statera.fhir.import_request import import_bundle
from statera.fhir.read_bundle import read_bundle
from statera.fhir.times import read_zone
from statera.tdm.read_request import request_from

AT = "2026-03-07T10:00:00+01:00"
DOSE = administration("a1", "2026-03-07T08:00:00+01:00")
MODEL = ("baricitinib/Decker_2024",)


def imported(*resources: Resource, **options: Any) -> ImportResult:
    options.setdefault("models", MODEL)
    return import_bundle(read_bundle(bundle(patient(), *resources)), **options)


def reason(*resources: Resource, **options: Any) -> str:
    """Return why the last resource was left out; it must be the only one."""
    found = imported(DOSE, *resources, **options)
    assert [d.resource.split("/")[-1] for d in found.dropped] == [resources[-1]["id"]]
    return found.dropped[0].reason


def test_a_whole_record_becomes_a_request_that_is_read_as_it_was_meant() -> None:
    found = import_bundle(read_bundle(whole_record()), models=MODEL)
    request = request_from(found.request)
    assert request.models == MODEL
    assert request.patient.id == "p1"
    run, single = request.patient.doses
    assert (run.amount, run.interval, run.additional) == (4.0, 24.0, 5)
    assert single.time - run.time == pytest.approx(6 * 24.0 + 5 / 60)
    (sample,) = request.patient.samples
    assert (sample.value, sample.unit) == (55.0, "ng/mL")
    assert sample.time - single.time == pytest.approx(115 / 60)
    assert {c.name: c.value for c in request.patient.covariates} == {"WT": 70.0, "EGFR": 60.0}
    assert found.dropped == ()
    assert [p.resource for p in found.plans] == ["MedicationRequest/r1"]
    assert {v.name for v in found.laboratory} == {"height", "creatinine", "neutrophils"}


def test_every_resource_is_accounted_for() -> None:
    record = whole_record()
    found = import_bundle(read_bundle(record), models=MODEL)
    named = {entry["resource"]["resourceType"] + "/" + entry["resource"]["id"]
             for entry in record["entry"]}  # fmt: skip
    told = set(found.used) | {x.resource for x in (*found.dropped, *found.plans)}
    told |= {x.resource for x in found.comedication} | {v.resource for v in found.laboratory}
    assert named - told == {"Patient/p1"}


def test_a_prescription_is_never_intake() -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "completed",
        "medicationCodeableConcept": BARICITINIB,
        "subject": SUBJECT,
        "dosageInstruction": statement("x", AT)["dosage"],
    }
    dispense = {**order, "resourceType": "MedicationDispense", "id": "d1"}
    found = imported(order, dispense)
    assert found.request["doses"] == []
    assert [p.resource for p in found.plans] == ["MedicationRequest/r1", "MedicationDispense/d1"]
    assert "plan, not intake" in found.plans[0].reason


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "in-progress"}, "had not ended"),
        ({"status": "stopped"}, "stopped before its end"),
        ({"status": "entered-in-error"}, "in error"),
        ({"status": "unknown"}, "unknown"),
        ({"status": "given"}, "status is 'given'"),
        ({"dosage": {}}, "No dose"),
        ({"dosage": {"dose": quantity(1.0, "{tbl}")}}, "tablets without their strength"),
        ({"dosage": {"dose": {"value": 4, "unit": "mg"}}}, "no UCUM code"),
        ({"dosage": {"dose": quantity(-4.0, "mg")}}, "-4"),
        ({"dosage": {"dose": {**quantity(4.0, "mg"), "unit": "ug"}}}, "in words"),
        ({"dosage": {"dose": quantity(4.0, "mg", comparator="<")}}, "a bound"),
        (
            {"dosage": {"dose": quantity(4.0, "mg"), "route": {"text": "intravenous"}}},
            "oral doses",
        ),
        ({"effectiveDateTime": "2026-03-07"}, "day only"),
        ({"effectiveDateTime": "2026-03-07T08:00:00"}, "no time zone"),
        ({"effectiveDateTime": "2026-13-07T08:00:00Z"}, "no such time"),
        ({"effectiveDateTime": "yesterday"}, "not a time of FHIR"),
        ({"effectiveDateTime": None, "effectivePeriod": {}}, "is not a text"),
        ({"subject": {"reference": "Patient/p2"}}, "not in the bundle"),
        ({"subject": {}}, "whom it is about"),
        ({"modifierExtension": [{"url": "x"}]}, "may change its meaning"),
        (
            {"medicationCodeableConcept": {**BARICITINIB, "text": "tofacitinib 5 mg"}},
            "different drugs",
        ),
        ({"medicationCodeableConcept": {}}, "which medication"),
    ],
)
def test_administrations_that_are_no_dose(change: Resource, why: str) -> None:
    assert why in reason({**administration("a2", "2026-03-06T08:00:00+01:00"), **change})


def test_a_dose_not_done_is_kept_as_not_taken() -> None:
    found = imported(DOSE, administration("a2", "2026-03-08T08:00:00+01:00", status="not-done"))
    assert found.request["doses"][1]["taken"] is False
    assert "not taken" in found.used["MedicationAdministration/a2"]


def test_units_of_dose() -> None:
    found = imported(administration("a1", AT, dosage={"dose": quantity(4000.0, "ug")}))
    assert found.request["doses"][0]["amount"] == pytest.approx(4.0)


def test_oral_route_and_medication_by_reference() -> None:
    contained = {
        **administration("a1", AT),
        "contained": [{"resourceType": "Medication", "id": "m", "code": BARICITINIB}],
        "medicationReference": {"reference": "#m"},
        "dosage": {
            "dose": quantity(4.0, "mg"),
            "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]},
        },
    }
    del contained["medicationCodeableConcept"]
    apart = {**administration("a2", "2026-03-08T10:00:00+01:00")}
    del apart["medicationCodeableConcept"]
    apart["medicationReference"] = {"reference": "Medication/m2"}
    stock = {"resourceType": "Medication", "id": "m2", "code": {"text": "baricitinib 4 mg"}}
    assert len(imported(contained, apart, stock).request["doses"]) == 2


def dosage(repeat: Resource, **more: Any) -> list[Resource]:
    return [
        {
            "timing": {"repeat": repeat},
            "doseAndRate": [{"doseQuantity": quantity(2.0, "mg")}],
            **more,
        }
    ]


DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "intended"}, "plan, not intake"),
        ({"status": "stopped"}, "stopped"),
        ({"dosage": []}, "No dosage"),
        ({"dosage": dosage(DAILY, asNeededBoolean=True)}, "as needed"),
        ({"dosage": dosage({})}, "how often"),
        ({"dosage": dosage({**DAILY, "dayOfWeek": ["mon"]})}, "dayOfWeek"),
        ({"dosage": dosage({**DAILY, "periodUnit": "a"})}, "every 1 a"),
        ({"dosage": dosage({**DAILY, "timeOfDay": ["08:00:00", "20:00:00"]})}, "disagree"),
        ({"dosage": dosage({**DAILY, "timeOfDay": ["25:00:00"]})}, "not a time of day"),
        ({"effectivePeriod": {}}, "no period"),
        ({"effectivePeriod": {"start": "2026-02-01T08:00:00Z"}}, "until when"),
        (
            {"effectivePeriod": {"start": "2026-02-02T08:00:00Z", "end": "2026-02-01T08:00:00Z"}},
            "ends before it starts",
        ),
        ({"effectivePeriod": {"start": "2026-02", "end": "2026-03-01"}}, "month only"),
    ],
)
def test_statements_that_are_no_doses(change: Resource, why: str) -> None:
    base = statement("s1", "2026-02-01T08:00:00Z", "2026-02-05T08:00:00Z")
    assert why.lower() in reason({**base, **change}).lower()


def test_a_period_that_ends_on_a_day_includes_it() -> None:
    found = imported(statement("s1", "2026-03-01T08:00:00+01:00", "2026-03-05"))
    assert found.request["doses"][0]["additional"] == 4


def test_what_is_still_taken_was_taken_until_that_was_said() -> None:
    found = imported(
        statement(
            "s1",
            "2026-03-01T08:00:00+01:00",
            status="active",
            dateAsserted="2026-03-03T12:00:00+01:00",
        )
    )
    assert found.request["doses"][0]["additional"] == 2


def test_several_doses_a_day() -> None:
    twice = {"frequency": 2, "period": 1, "periodUnit": "d"}
    apart = imported(
        statement("s1", "2026-03-01T08:00:00Z", "2026-03-02T21:00:00Z", dosage=dosage(twice))
    )
    assert apart.request["doses"][0]["interval"] == 12.0
    assert any("12 h apart" in r for r in apart.remarks)
    clocks = dosage({**twice, "timeOfDay": ["08:00:00", "18:30:00"]})
    by_clock = imported(
        statement("s1", "2026-03-01", "2026-03-02", dosage=clocks), zone=read_zone("+01:00")
    )
    assert [(d["time"], d["interval"], d["additional"]) for d in by_clock.request["doses"]] == [
        ("2026-03-01T08:00:00+01:00", 24.0, 1),
        ("2026-03-01T18:30:00+01:00", 24.0, 1),
    ]


def test_a_change_of_clocks_within_a_run_is_remarked() -> None:
    clocks = dosage({**DAILY, "timeOfDay": ["08:00:00"]})
    berlin = read_zone("Europe/Berlin")
    over = imported(statement("s1", "2026-03-27", "2026-03-31", dosage=clocks), zone=berlin)
    assert over.request["doses"][0]["time"] == "2026-03-27T08:00:00+01:00"
    assert over.request["doses"][0]["additional"] == 4
    assert any("Clocks were changed" in r for r in over.remarks)
    within = imported(statement("s1", "2026-03-20", "2026-03-25", dosage=clocks), zone=berlin)
    assert not any("Clocks" in r for r in within.remarks)


def test_what_steers_a_terminal_is_not_kept() -> None:
    other = administration("a2", AT, medicationCodeableConcept={"text": "x\x1b[31m\ty"})
    found = imported(DOSE, other)
    assert "\x1b" not in found.comedication[0].reason
    assert found.comedication[0].reason.startswith("x [31m y")


@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    gaps=st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    amounts=st.lists(st.sampled_from([1.0, 2.0, 4.0]), min_size=9, max_size=9),
    offset=st.integers(-12, 14),
)
def test_what_was_recorded_comes_back_from_the_request(
    start: datetime, gaps: list[int], amounts: list[float], offset: int
) -> None:
    """Times of doses and samples survive the way through bundle and request, in any zone."""
    zone = timezone(timedelta(hours=offset))
    times = [start.replace(microsecond=0, tzinfo=zone)]
    for gap in gaps:
        times.append(times[-1] + timedelta(minutes=gap))
    pairs = list(zip(times, amounts, strict=False))
    doses = [
        administration(f"a{i}", at.astimezone(UTC).isoformat(), amount)
        for i, (at, amount) in enumerate(pairs)
    ]
    drawn = times[-1] + timedelta(hours=2)
    request = request_from(imported(*doses, level("c1", 12.5, drawn.isoformat())).request)
    found = [(d.time, d.amount) for d in request.patient.doses]
    expected = [((at - times[0]).total_seconds() / 3600, amount) for at, amount in pairs]
    assert [amount for _, amount in found] == [amount for _, amount in expected]
    assert [time for time, _ in found] == pytest.approx([time for time, _ in expected])
    assert request.patient.samples[0].time == pytest.approx(expected[-1][0] + 2.0)
    assert request.origin == times[0]


def test_counts_codes_and_events() -> None:
    counted = imported(
        statement("s1", "2026-03-01T08:00:00Z", dosage=dosage({**DAILY, "count": 3}))
    )
    assert counted.request["doses"][0]["additional"] == 2
    code = {"code": {"coding": [{"code": "QOD"}]}}
    by_code = imported(
        statement(
            "s1",
            "2026-03-01T08:00:00Z",
            "2026-03-05T08:00:00Z",
            dosage=[{"timing": code, "doseAndRate": [{"doseQuantity": quantity(4.0, "mg")}]}],
        )
    )
    assert by_code.request["doses"][0] | {"time": ""} == {
        "time": "", "amount": 4.0, "unit": "mg", "interval": 48.0, "additional": 2,
    }  # fmt: skip
    events = {"event": ["2026-03-01T08:00:00Z", "2026-03-01T20:00:00Z"]}
    by_event = imported(
        statement(
            "s1",
            "2026-03-01",
            dosage=[{"timing": events, "doseAndRate": [{"doseQuantity": quantity(4.0, "mg")}]}],
        )
    )
    assert len(by_event.request["doses"]) == 2


def test_the_same_intake_is_counted_once() -> None:
    run = statement("s1", "2026-03-01T08:00:00+01:00", "2026-03-10T08:00:00+01:00")
    found = imported(run, DOSE)
    assert len(found.request["doses"]) == 1
    assert "count doses twice" in found.dropped[0].reason
    second = statement("s2", "2026-03-09T08:00:00+01:00", "2026-03-12T08:00:00+01:00")
    overlapping = imported(run, second)
    assert [d.resource for d in overlapping.dropped] == ["MedicationStatement/s2"]
    missed = administration("a2", "2026-03-05T08:00:00+01:00", status="not-done")
    contradicted = imported(run, missed)
    assert any("was not taken" in r and "s1" in r for r in contradicted.remarks)


def test_another_drug_is_listed_as_such() -> None:
    other = administration("a2", AT, medicationCodeableConcept={"text": "probenecid 500 mg"})
    found = imported(DOSE, other)
    assert len(found.request["doses"]) == 1
    assert "probenecid" in found.comedication[0].reason


def test_below_the_limit_stays_censored() -> None:
    found = imported(
        DOSE, level("c1", 0.2, AT, valueQuantity=quantity(0.2, "ng/mL", comparator="<"))
    )
    row = found.request["samples"][0]
    assert (row["value"], row["lloq"]) == ("<0.2", 0.2)
    sample = request_from(found.request).patient.samples[0]
    assert (sample.censored, sample.value) == ("below", 0.2)
    above = level("c1", 200.0, AT, valueQuantity=quantity(200.0, "ng/mL", comparator=">"))
    assert imported(DOSE, above).request["samples"][0]["value"] == ">200.0"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "preliminary"}, "only a final value"),
        ({"effectiveDateTime": "2026-03-07"}, "day only"),
        ({"effectiveDateTime": "", "issued": AT}, "when it was issued"),
        ({"effectiveDateTime": ""}, "nothing says when"),
        ({"valueQuantity": quantity(0.0, "ng/mL")}, "comparator <"),
        ({"valueQuantity": quantity(55.0, "mg/kg")}, "not understood"),
        ({"valueQuantity": {"value": 55.0, "unit": "ng/mL"}}, "no UCUM code"),
        ({"valueQuantity": {**quantity(55.0, "ng/mL"), "unit": "ug/mL"}}, "in words"),
        ({"valueQuantity": quantity(55.0, "ng/mL", comparator="~")}, "comparator '~'"),
        ({"valueQuantity": {**quantity(55.0, "ng/mL"), "value": "55"}}, "not a number"),
        ({"valueQuantity": {**quantity(55.0, "ng/mL"), "value": True}}, "not a number"),
        ({"valueQuantity": {}}, "no value"),
        ({"dataAbsentReason": {"text": "haemolysed"}}, "haemolysed"),
        ({"code": {"text": "Baricitinib in whole blood"}}, "whole blood"),
        ({"code": {"text": "tofacitinib in plasma"}}, "about tofacitinib"),
        ({"valueQuantity": {}, "component": [{"code": {}}]}, "components"),
    ],
)
def test_samples_that_are_none(change: Resource, why: str) -> None:
    assert why.lower() in reason({**level("c1", 55.0, AT), **change}).lower()


def test_a_local_code_names_the_concentration() -> None:
    local = observation("c1", "x", 55.0, "ng/mL", AT)
    local["code"] = {"coding": [{"system": "urn:lab", "code": "BARI"}]}
    assert "no LOINC code" in reason(local)
    for codes in ({"BARI": ""}, {"BARI": "urn:lab"}):
        assert len(imported(DOSE, local, level_codes=codes).request["samples"]) == 1
    assert "no LOINC code" in reason(local, level_codes={"BARI": "urn:other"})


def test_moles_are_converted_with_the_molar_mass_of_the_library() -> None:
    found = imported(DOSE, level("c1", 100.0, AT, unit="nmol/L"))
    assert found.request["samples"][0]["value"] == pytest.approx(37.14, abs=0.01)
    assert any("molar mass" in r for r in found.remarks)


def test_a_period_of_sampling_is_uncertainty_of_time() -> None:
    period = {"start": "2026-03-07T10:00:00+01:00", "end": "2026-03-07T11:00:00+01:00"}
    sample = {**level("c1", 55.0, AT), "effectivePeriod": period}
    del sample["effectiveDateTime"]
    row = imported(DOSE, sample).request["samples"][0]
    assert row["time"] == "2026-03-07T10:30:00+01:00"
    assert row["time_sd"] == pytest.approx(1 / 12**0.5)


@pytest.mark.parametrize(
    ("code", "value", "unit", "why"),
    [
        ("2160-0", 93.0, "umol/L", "code and unit disagree"),
        ("14682-9", 1.05, "mg/dL", "code and unit disagree"),
        ("14682-9", 1.05, "umol/L", "1.05 mg/dL would be plausible"),
        ("2160-0", 93.0, "mg/dL", "93 umol/L would be plausible"),
        ("8302-2", 1.65, "cm", "metres"),
        ("29463-7", 70000.0, "kg", "grams"),
        ("770-8", 60.0, "%", "percentage of leukocytes"),
        ("1234-5", 1.0, "mg/L", "not among the codes"),
        ("98979-8", 60.0, "mL/min", "per 1.73 m2"),
        ("35591-7", 60.0, "mL/min/{1.73_m2}", "absolute"),
        ("50044-7", 0.0, "mL/min/{1.73_m2}", "it is 0"),
        ("70969-1", 60.0, "mL/min/{1.73_m2}", "another sex"),
    ],
)
def test_values_that_are_not_what_their_code_says(
    code: str, value: float, unit: str, why: str
) -> None:
    assert why.lower() in reason(observation("o1", code, value, unit, AT)).lower()


@pytest.mark.parametrize(
    ("code", "words", "agree"),
    [
        ("98979-8", "eGFR CKD-EPI 2021", True),
        ("98979-8", "CKD-EPI", True),
        ("98979-8", "eGFR", True),
        ("98979-8", "CKD-EPI 2009", False),
        ("98979-8", "MDRD", False),
        ("98979-8", "CKD-EPI 2021 creatinine and cystatin C", False),
        ("98980-6", "CKD-EPI 2021 creatinine-cystatin C", True),
        ("62238-1", "eGFR by CKD-EPI (2021)", False),
        ("62238-1", "ckd_epi 2009", True),
        ("50044-7", "eGFR CKD-EPI", False),
        ("50044-7", "GFR MDRD female", True),
        ("33914-3", "MDRD", True),
        ("50384-7", "bedside Schwartz", True),
        ("50384-7", "CKiD U25", False),
        ("50210-4", "CKD-EPI cystatin C 2012", True),
    ],
)
def test_code_and_equation_must_agree(code: str, words: str, agree: bool) -> None:
    estimate = observation("e1", code, 60.0, "mL/min/{1.73_m2}", AT, method={"text": words})
    if agree:
        assert imported(DOSE, estimate).request["covariates"][0]["name"] == "EGFR"
    else:
        assert "code and equation disagree" in reason(estimate).lower()


def test_codings_that_mean_different_things_are_refused() -> None:
    both = observation("o1", "2160-0", 1.05, "mg/dL", AT)
    both["code"]["coding"].append({"system": LOINC, "code": "33863-2"})
    assert "mean different things" in reason(both)


def test_an_estimate_that_its_equation_does_not_give_is_remarked() -> None:
    creatinine = observation("k1", "2160-0", 1.05, "mg/dL", AT)
    fits = observation("e1", "98979-8", 59.0, "mL/min/{1.73_m2}", AT)
    wrong = observation("e1", "98979-8", 85.0, "mL/min/{1.73_m2}", AT)
    assert not any("reports" in r for r in imported(DOSE, creatinine, fits).remarks)
    assert any("reports 85" in r and "gives 58" in r
               for r in imported(DOSE, creatinine, wrong).remarks)  # fmt: skip


def test_renal_function_is_computed_only_where_asked() -> None:
    creatinine = observation("k1", "2160-0", 1.05, "mg/dL", AT)
    assert imported(DOSE, creatinine).request["covariates"] == []
    found = imported(DOSE, creatinine, renal="ckd-epi-2021")
    assert found.request["covariates"][0]["value"] == pytest.approx(58.5, abs=0.2)
    assert any("bedside Schwartz" in r for r in found.remarks)  # what the model knows it by
    with pytest.raises(InputError, match="needs weight"):
        imported(DOSE, creatinine, renal="cockcroft-gault")
    with pytest.raises(InputError, match="no creatinine is in the bundle"):
        imported(DOSE, renal="ckd-epi-2021")
    with pytest.raises(UnknownNameError):
        imported(DOSE, creatinine, renal="ckd-epi")


def test_absolute_clearance_is_another_covariate() -> None:
    clearance = observation("e1", "35591-7", 66.0, "mL/min", AT)
    (value,) = imported(DOSE, clearance).laboratory
    assert (value.covariate, value.unit) == ("CRCL", "mL/min")


def test_old_covariates_and_days_without_a_zone() -> None:
    weight = observation("w1", "29463-7", 154.0, "[lb_av]", "2025-01-01")
    found = imported(DOSE, weight)
    row = found.request["covariates"][0]
    assert row["value"] == pytest.approx(69.85, abs=0.01)
    assert row["time"] == "2025-01-01T00:00:00+01:00"
    assert any("days older" in r for r in found.remarks)


def test_gender_that_no_equation_knows_is_not_guessed() -> None:
    record = bundle(patient(gender="other"), DOSE, observation("k", "2160-0", 1.0, "mg/dL", AT))
    found = import_bundle(read_bundle(record), models=MODEL)
    assert any("not known" in r for r in found.remarks)
    with pytest.raises(InputError, match="needs sex"):
        import_bundle(read_bundle(record), models=MODEL, renal="ckd-epi-2021")


def test_age_and_sex_where_a_model_uses_them() -> None:
    from statera.library.models import load_model, model_ids

    for covariate, value in (("AGE", 65.85), ("SEX", 1.0)):
        models = [m for m in model_ids() if covariate in load_model(m).covariates]
        if not models:
            continue
        drug = models[0].split("/")[0]
        dose = administration("a1", AT, medicationCodeableConcept={"text": drug})
        found = imported(dose, models=(models[0],))
        names = {c["name"]: c["value"] for c in found.request["covariates"]}
        assert names[covariate] == pytest.approx(value, abs=0.01)
        unknown = import_bundle(
            read_bundle(bundle(patient(birthDate="", gender="unknown"), dose)), models=(models[0],)
        )
        assert covariate not in {c["name"] for c in unknown.request["covariates"]}


def test_models_are_named_or_all_of_the_drug() -> None:
    found = import_bundle(read_bundle(bundle(patient(), DOSE)))
    assert len(found.request["models"]) > 1
    assert any("No model was named" in r for r in found.remarks)
    with pytest.raises(UsageError, match="no drug of the library"):
        import_bundle(read_bundle(bundle(patient())))
    two = administration("a2", AT, medicationCodeableConcept={"text": "tofacitinib"})
    with pytest.raises(UsageError, match="several drugs: baricitinib, tofacitinib"):
        import_bundle(read_bundle(bundle(patient(), DOSE, two)))
    chosen = import_bundle(read_bundle(bundle(patient(), DOSE, two)), drug="Olumiant")
    assert chosen.drug == "baricitinib"


def test_patients() -> None:
    other = {**patient(), "id": "p2"}
    with pytest.raises(InputError, match="no Patient"):
        import_bundle(read_bundle(bundle(DOSE)), models=MODEL)
    with pytest.raises(InputError, match="2 patients"):
        import_bundle(read_bundle(bundle(patient(), other, DOSE)), models=MODEL)
    found = import_bundle(read_bundle(bundle(patient(), other, DOSE)), models=MODEL, patient="p2")
    assert found.request["doses"] == []
    assert "another patient" in found.dropped[0].reason


def test_references_by_full_url() -> None:
    record = bundle(patient(), {**DOSE, "subject": {"reference": "urn:uuid:1"}})
    record["entry"][0]["fullUrl"] = "urn:uuid:1"
    found = import_bundle(read_bundle(record), models=MODEL)
    assert len(found.request["doses"]) == 1


def test_other_resources_are_named() -> None:
    found = imported(DOSE, {"resourceType": "Condition", "id": "x"})
    assert found.dropped[0].resource == "Condition/x"
    assert "not read" in found.dropped[0].reason


def test_the_order_of_a_bundle_does_not_matter() -> None:
    record = whole_record()
    turned = {**record, "entry": record["entry"][::-1]}
    one, other = (import_bundle(read_bundle(r), models=MODEL).request for r in (record, turned))
    assert one == other


def test_units_are_ucum() -> None:
    sample = level("c1", 55.0, AT)
    sample["valueQuantity"]["system"] = "urn:other"
    assert "UCUM" in reason(sample)
    assert sample["valueQuantity"]["system"] != UCUM
