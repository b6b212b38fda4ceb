"""Targets of inhibition with a fitted potency: units, binding, Hill, drawn IC50s and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from statera.engagement import Ic50Uncertainty, Potency
from statera.library import load_model
from statera.model import Model
from statera.tdm.advice import advise, check_targets
from statera.tdm.averaging import Member
from statera.tdm.forecast import Parts, forecast
from statera.tdm.map_estimate import map_estimate
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.posterior import PosteriorOptions, posterior
from statera.tdm.request import (
    CovariateValue,
    DoseTaken,
    Metric,
    Options,
    Patient,
    Question,
    Request,
    Sample,
    Target,
)
from statera.tdm.steady_profile import SimulatedInterval, UnitInterval, steady_interval
from statera.tdm.target_ic50 import Ic50Level, ic50_levels, potency_remarks, target_ic50
from statera.tdm.target_potency import Drawn, TargetPotency

from .drawn_models import GUT, ORAL, TWO, ZERO, model_of, saturable

KNOWN = Ic50Uncertainty(0.15, 0.35, donors=6)
FITTED = Potency(
    "Olumiant", 2000.0, "nM", stimulus="IL-6", readout="pSTAT3", cells="CD4", hill=1.3,
    hill_assumed=False, matrix="cell", uncertainty=KNOWN,
)  # fmt: skip
PATIENT = Patient("P", covariates=(CovariateValue("WT", 82.0),))
ETAS = np.random.default_rng(5).normal(0.0, [0.3, 0.2], (30, 2))
# baricitinib: 371.42 g/mol, half of it unbound; the model's output is in mg/L
TOTAL = 2000.0 * 371.42e-6 / 0.5


def target(potency: Potency = FITTED, drawn: Drawn = Drawn.PERSON, **more: Any) -> Target:
    return Target(Metric.INHIBITION, 0.3, potency=TargetPotency(potency, drawn), **more)


def bari(inputs: dict[str, Any] = ORAL, dynamics: dict[str, str] = GUT, **more: Any) -> Model:
    return model_of(inputs, dynamics, drug="baricitinib", **more)


def test_the_unbound_ic50_becomes_one_of_total_drug_in_the_unit_of_the_output() -> None:
    found = target_ic50(target(), bari())
    assert found.ic50 == pytest.approx(TOTAL, rel=1e-12)
    assert found.basis.rule.key == "cell_unbound"
    blood = target_ic50(target(replace(FITTED, matrix="whole_blood")), bari())
    assert blood.ic50 == pytest.approx(0.5 * TOTAL, rel=1e-12)
    assert target_ic50(target(replace(FITTED, drug="")), bari()) == found
    mass = target_ic50(target(replace(FITTED, matrix="whole_blood", unit="ng/mL")), bari())
    assert mass.ic50 == pytest.approx(2.0)
    assert target_ic50(target(), load_model("baricitinib/Decker_2024")).unit == "ng/mL"


@pytest.mark.parametrize(
    ("drawn", "known", "sd"),
    [
        (Drawn.PERSON, KNOWN, np.hypot(0.15, 0.35)), (Drawn.MEAN, KNOWN, 0.15),
        (Drawn.NONE, KNOWN, 0.0), (Drawn.PERSON, None, 0.0),
        (Drawn.PERSON, Ic50Uncertainty(0.15, donors=1), 0.15),
    ],
)  # fmt: skip
def test_what_is_drawn(drawn: Drawn, known: Ic50Uncertainty | None, sd: float) -> None:
    asked = target(replace(FITTED, uncertainty=known), drawn)
    level = ic50_levels((asked,), bari(), 4000, 1)[asked]
    assert level.hill == 1.3
    if sd == 0.0:
        assert level.ic50 == pytest.approx(TOTAL)
        return
    assert not isinstance(level.ic50, float)
    logs = np.log(level.ic50 / TOTAL)
    assert float(logs.std()) == pytest.approx(sd, rel=0.04)
    assert abs(float(logs.mean())) < 4.0 * sd / np.sqrt(4000)
    fewer = ic50_levels((asked,), bari(), 100, 1)[asked]
    np.testing.assert_array_equal(fewer.ic50, level.ic50[:100])
    other = ic50_levels((asked,), bari(), 100, 2)[asked]
    assert not np.array_equal(other.ic50, fewer.ic50)


@pytest.mark.parametrize("hill", [0.7, 1.0, 2.2, 5.0])
@pytest.mark.parametrize("kind", ["oral", "zero"])
def test_mean_inhibition_is_that_of_the_engine(kind: str, hill: float) -> None:
    """Draw by draw: each with its own IC50, against the engine with that IC50 alone."""
    model = bari() if kind == "oral" else bari(ZERO, TWO)
    asked = target(replace(FITTED, hill=hill))
    ic50 = 0.6 * np.exp(np.random.default_rng(2).normal(0.0, 0.6, 30))
    levels = {asked: Ic50Level(ic50, hill)}
    found = steady_interval(model, PATIENT, 0.0, 24.0, ETAS, (asked,), "C", "", levels)
    assert isinstance(found, UnitInterval)
    measured = found.measure(asked, 100.0)
    for k in range(0, 30, 6):
        exact = SimulatedInterval(
            model, 24.0, {"WT": 82.0}, ETAS[k : k + 1], "C", "", (asked,), {},
            {asked: Ic50Level(float(ic50[k]), hill)},
        )  # fmt: skip
        assert measured[k] == pytest.approx(exact.measure(asked, 100.0)[0], abs=2e-5)


def test_models_whose_doses_do_not_scale_have_drawn_ic50s_too() -> None:
    model, asked = saturable(), target()
    ic50 = 0.6 * np.exp(np.random.default_rng(2).normal(0.0, 0.6, 4))
    known = {"model": model, "interval": 24.0, "covariates": {}, "analyte": "C", "route": ""}
    etas = ETAS[:4, : len(model.random_effects)]
    drawn = SimulatedInterval(
        **known, etas=etas, targets=(asked,), cache={}, levels={asked: Ic50Level(ic50, 1.3)}
    ).measure(asked, 50.0)
    for k in range(4):
        alone = SimulatedInterval(
            **known, etas=etas[k : k + 1], targets=(asked,), cache={},
            levels={asked: Ic50Level(float(ic50[k]), 1.3)},
        )  # fmt: skip
        assert drawn[k] == pytest.approx(alone.measure(asked, 50.0)[0], abs=1e-4)


def member(model: Model) -> tuple[Member, Patient]:
    patient = Patient("P", (DoseTaken(0.0, 100.0),), (Sample(6.0, 1.3), Sample(20.0, 0.25)))
    problem = prepare_patient(model, patient)
    found = map_estimate(problem)
    return Member(problem, found, posterior(problem, found, PosteriorOptions(draws=4000))), patient


def test_without_hill_and_spread_it_is_the_threshold_to_the_last_bit() -> None:
    model = bari()
    one, patient = member(model)
    plain = target(replace(FITTED, hill=1.0, uncertainty=None))
    by_threshold = Target(Metric.INHIBITION, 0.3, threshold=target_ic50(plain, model).ic50)
    found = [
        advise([one], patient, Question(targets=(t,), strengths=(50.0, 100.0)), 24.0)
        for t in (plain, by_threshold)
    ]
    assert found[0].candidates == found[1].candidates


def test_the_spread_of_the_ic50_widens_the_answer_and_moves_probabilities_to_the_middle() -> None:
    model = bari()
    one, patient = member(model)
    question = Question(targets=(target(drawn=Drawn.NONE),), strengths=(50.0,), most_tablets=6)
    sure = advise([one], patient, question, 24.0)
    question = replace(question, targets=(target(),))
    unsure = advise([one], patient, question, 24.0)
    assert unsure == advise([one], patient, question, 24.0)
    by_dose = {c.candidate.amount: c for c in sure.candidates}
    for c in unsure.candidates:
        narrow, wide = by_dose[c.candidate.amount].expected[0], c.expected[0]
        assert wide.low < narrow.low < narrow.median < narrow.high < wide.high
        assert wide.median == pytest.approx(narrow.median, abs=0.02)
        p = by_dose[c.candidate.amount].probability
        if p > 0.9:
            assert c.probability < p
    assert max(c.probability for c in sure.candidates) > 0.9


def test_drawn_inhibition_has_the_quantiles_of_the_ic50() -> None:
    """Without random effects only the IC50 varies, and inhibition falls with it."""
    model, asked = bari(), target()
    n = 4000
    levels = ic50_levels((asked,), model, n, 1)
    none = np.zeros((n, 2))
    found = steady_interval(model, PATIENT, 0.0, 24.0, none, (asked,), "C", "", levels)
    drawn = found.measure(asked, 100.0)
    for p in (0.05, 0.5, 0.95):
        ic50 = TOTAL * np.exp(-ndtri(p) * np.hypot(0.15, 0.35))
        one = steady_interval(
            model, PATIENT, 0.0, 24.0, none[:1], (asked,), "C", "",
            {asked: Ic50Level(float(ic50), 1.3)},
        )  # fmt: skip
        assert np.quantile(drawn, p) == pytest.approx(one.measure(asked, 100.0)[0], abs=0.008)


@pytest.mark.parametrize(
    ("potency", "model", "said"),
    [
        (replace(FITTED, drug="tofacitinib"), {"drug": "baricitinib"}, "is that of tofacitinib"),
        (FITTED, {}, "does not say which drug"),
        (FITTED, {"drug": "nobodynib"}, "the library does not know 'nobodynib'"),
        (replace(FITTED, drug="tofacitinib"), {"drug": "tofacitinib"}, "unbound fraction of tof"),
        (
            replace(FITTED, drug="tofacitinib", matrix="whole_blood"),
            {"drug": "tofacitinib"},
            "does not know the molar mass of tofacitinib",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    potency: Potency, model: dict[str, str], said: str
) -> None:
    with pytest.raises(RequestError, match=said) as error:
        check_targets(model_of(ORAL, GUT, **model), (target(potency),))
    assert error.value.outcome is Outcome.POTENCY_NOT_USABLE
    assert error.value.where == "question.targets[0]"
    assert error.value.hint


def test_contradictory_targets_are_refused() -> None:
    potency = TargetPotency(FITTED)
    with pytest.raises(RequestError, match="says nothing of 'AUC24'"):
        check_targets(bari(), (Target(Metric.AUC24, 1.0, potency=potency),))
    with pytest.raises(RequestError, match="both a threshold and a potency"):
        check_targets(bari(), (target(threshold=1.0),))
    two = {
        "outputs": {
            "C": {"expression": "body/V", "unit": "mg/L"},
            "M": {"expression": "gut/V", "unit": "mg/L"},
        },
        "residual": {"C": {"proportional": 0.1}, "M": {"proportional": 0.1}},
    }
    with pytest.raises(RequestError, match="another output"):
        check_targets(bari(**two), (target(analyte="M"),))
    assert target_ic50(target(analyte="C"), bari(**two)).ic50 == pytest.approx(TOTAL)


def test_the_reader_is_told_what_was_used() -> None:
    (said,) = potency_remarks((Target(Metric.AUC24, 1.0), target()), (bari(), bari()))
    assert said.outcome is Outcome.POTENCY_USED
    assert said.where == "question.targets[1]"
    for part in (
        "IL-6, pSTAT3, CD4", "IC50 2e+03 nM (Hill 1.3, 6 donors) of unbound drug",
        "in plasma 1.49 mg/L of total drug", "unbound fraction of 0.5", "SD of ln IC50 0.38",
    ):  # fmt: skip
        assert part in said.sentence
    alone = replace(FITTED, uncertainty=Ic50Uncertainty(0.15, donors=1))
    (said,) = potency_remarks((target(alone),), (bari(),))
    assert "differences between people are not known" in said.sentence
    (said,) = potency_remarks((target(drawn=Drawn.MEAN),), (bari(),))
    assert "uncertainty of its mean" in said.sentence
    used, assumed = potency_remarks((target(replace(FITTED, matrix="unknown")),), (bari(),))
    assert "of total drug, in plasma 0.743" in used.sentence
    assert assumed.outcome is Outcome.POTENCY_BASIS_ASSUMED


def test_a_whole_forecast_names_the_potency_and_its_file() -> None:
    asked = Target(
        Metric.INHIBITION, 30.0, unit="%",
        potency=TargetPotency(FITTED, Drawn.PERSON, "potency.toml", "sha256:" + "0" * 64),
    )  # fmt: skip
    patient = Patient("P", (DoseTaken(0.0, 100.0),), (Sample(6.0, 1.3),))
    question = Question(time=24.0, targets=(asked,), strengths=(50.0,), sample_times=(2.0,))
    request = Request("r", ("m",), patient, question, Options(draws=2000))
    found = forecast(request, {"m": bari()}, parts=Parts(courses=False))
    assert found.manifest["inputs"]["potency.toml"] == "sha256:" + "0" * 64
    data = found.to_dict()
    shown = data["targets"][0]["potency"]
    assert shown["name"] == "IL-6, pSTAT3, CD4"
    assert (shown["value"], shown["hill"], shown["drawn"]) == (2000.0, 1.3, "person")
    assert data["sampling"] is not None
    assert Outcome.POTENCY_USED in found.outcomes
    plain = replace(asked, potency=None, threshold=TOTAL)
    other = forecast(
        replace(request, question=replace(question, targets=(plain,))), {"m": bari()},
        parts=Parts(courses=False),
    )  # fmt: skip
    assert "potency" not in other.to_dict()["targets"][0]
    assert list(other.manifest["inputs"]) == ["request"]
