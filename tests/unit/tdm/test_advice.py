"""The search over doses: probabilities, order, and honest answers where nothing fits."""

from __future__ import annotations

import numpy as np
import pytest

from statera.tdm.advice import Advice, advise, check_targets
from statera.tdm.averaging import Member, average
from statera.tdm.candidates import make_candidates
from statera.tdm.map_estimate import map_estimate
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.posterior import PosteriorOptions, posterior
from statera.tdm.request import DoseTaken, Grade, Metric, Patient, Question, Sample, Target

from .drawn_models import GUT, ORAL, drawn, model_of, one_effect, saturable, with_occasions

PATIENT = Patient("P", (DoseTaken(0.0, 100.0),), (Sample(6.0, 1.3), Sample(20.0, 0.25)))
AUC = Target(Metric.AUC24, 15.0, 25.0)


def _advice(model, patient: Patient, question: Question) -> tuple[Advice, Member]:
    problem = prepare_patient(model, patient)
    found = map_estimate(problem)
    members = average([Member(problem, found, posterior(problem, found))])
    return advise(members, patient, question, 24.0), members[0]


def test_probability_is_that_of_the_draws() -> None:
    """AUC over 24 h is dose / CL for this model."""
    question = Question(targets=(AUC,), strengths=(50.0, 100.0), intervals=(12.0, 24.0))
    advice, member = _advice(one_effect(), PATIENT, question)
    post = member.posterior
    for scored in advice.candidates:
        daily = scored.candidate.daily
        area = daily / post.parameters["CL"]
        inside = (area >= 15.0) & (area <= 25.0)
        assert scored.probability == pytest.approx(post.weights[inside].sum(), abs=2e-4)
        mean = float((post.weights * area).sum())
        assert scored.expected[0].mean == pytest.approx(mean, rel=1e-3)
        assert scored.expected[0].low < scored.expected[0].median < scored.expected[0].high
        assert 0.0 <= scored.error < 0.01


def test_all_targets_count_together() -> None:
    trough = Target(Metric.CTROUGH, low=0.3)
    question = Question(targets=(AUC, trough), strengths=(50.0,), intervals=(12.0, 24.0))
    advice, _ = _advice(model_of(ORAL, GUT), PATIENT, question)
    for scored in advice.candidates:
        single = [e.probability for e in scored.expected]
        assert max(0.0, sum(single) - 1.0) - 1e-9 <= scored.probability <= min(single) + 1e-9


def test_the_label_maximum_is_kept() -> None:
    question = Question(
        targets=(Target(Metric.AUC24, low=18.0),), strengths=(50.0,), intervals=(24.0,),
        maximum_daily=100.0,
    )  # fmt: skip
    advice, _ = _advice(one_effect(), PATIENT, question)
    above = {c.candidate.amount: c.candidate.above_label_maximum for c in advice.candidates}
    assert above == {50.0: False, 100.0: False, 150.0: True, 200.0: True}
    assert not any(c.reaches for c in advice.candidates if c.candidate.above_label_maximum)
    assert [c.candidate.above_label_maximum for c in advice.candidates] == [False] * 2 + [True] * 2
    assert [c.rank for c in advice.candidates] == [1, 2, 3, 4]


def test_a_dose_in_longer_intervals_still_counts_in_a_day() -> None:
    found = make_candidates(
        Question(strengths=(100.0,), most_tablets=1, intervals=(48.0,), maximum_daily=60.0)
    )
    assert found[0].daily == 50.0
    assert found[0].above_label_maximum


def test_no_candidate_is_an_answer() -> None:
    question = Question(targets=(Target(Metric.AUC24, low=500.0),), strengths=(50.0,))
    advice, _ = _advice(one_effect(), PATIENT, question)
    assert advice.chosen is None
    assert advice.best is advice.candidates[0]
    assert Outcome.NO_CANDIDATE_REACHES_TARGET in [r.outcome for r in advice.remarks]
    assert advice.sentence.startswith("no dose that can be given reaches the targets")


def test_without_strengths_there_is_nothing_to_search() -> None:
    advice, _ = _advice(one_effect(), PATIENT, Question(targets=(AUC,)))
    assert advice.candidates == ()
    assert Outcome.NO_CANDIDATE in [r.outcome for r in advice.remarks]


def test_grades_are_named() -> None:
    question = Question(targets=(AUC,), strengths=(50.0,))
    advice, _ = _advice(one_effect(), PATIENT, question)
    assert advice.remarks[0].outcome is Outcome.NO_VALIDATED_TARGET
    validated = Target(Metric.AUC24, 15.0, 25.0, grade=Grade.VALIDATED)
    advice, _ = _advice(one_effect(), PATIENT, Question(targets=(validated,), strengths=(50.0,)))
    assert Outcome.NO_VALIDATED_TARGET not in [r.outcome for r in advice.remarks]


def test_close_probabilities_prefer_the_smaller_dose() -> None:
    wide = Target(Metric.AUC24, 0.001, 1e6)
    question = Question(targets=(wide,), strengths=(25.0, 50.0), intervals=(12.0, 24.0))
    advice, _ = _advice(one_effect(), PATIENT, question)
    assert advice.chosen is not None
    assert (advice.chosen.candidate.amount, advice.chosen.candidate.interval) == (25.0, 24.0)


def test_units_of_targets() -> None:
    question = Question(
        targets=(Target(Metric.AUC24, 15_000.0, 25_000.0, "ng*h/mL"),), strengths=(50.0, 100.0)
    )
    same = Question(targets=(AUC,), strengths=(50.0, 100.0))
    one, two = (_advice(one_effect(), PATIENT, q)[0] for q in (question, same))
    assert [c.probability for c in one.candidates] == [c.probability for c in two.candidates]


def test_saturable_kinetics_are_simulated_dose_by_dose() -> None:
    question = Question(targets=(AUC,), strengths=(60.0,), most_tablets=2)
    patient = Patient("P", (DoseTaken(0.0, 100.0),), (Sample(6.0, 1.3),))
    advice, _ = _advice(saturable(), patient, question)
    by_amount = {c.candidate.amount: c for c in advice.candidates}
    assert by_amount[120.0].expected[0].mean > 2.2 * by_amount[60.0].expected[0].mean
    assert advice.draws == 300


def test_a_new_occasion_is_wider() -> None:
    """The posterior of a known occasion does not narrow the next one."""
    many = tuple(Sample(t, 100.0 / 40 * np.exp(-t / 8)) for t in (1.0, 2.0, 4.0, 8.0, 12.0, 24.0))
    patient = Patient("P", (DoseTaken(0.0, 100.0),), many)
    question = Question(targets=(AUC,), strengths=(100.0,), most_tablets=1)
    advice, member = _advice(with_occasions(), patient, question)
    area = 100.0 / member.posterior.parameters["CL"]
    spread = advice.candidates[0].expected[0]
    assert np.log(spread.high / spread.low) > 3.0 * np.std(np.log(area))
    assert np.log(spread.high / spread.low) == pytest.approx(2 * 1.645 * 0.5, rel=0.25)


def test_splits_and_combinations() -> None:
    found = {
        c.amount: c
        for c in make_candidates(Question(strengths=(2.0, 4.0), split=2, most_tablets=2))
    }
    assert sorted(found) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]
    assert [str(p) for p in found[4.0].pieces] == ["1 x 4 mg"]
    assert [str(p) for p in found[2.0].pieces] == ["1 x 2 mg"]
    assert sorted(str(p) for p in found[5.0].pieces) == ["1 x 1/2 of 2 mg", "1 x 4 mg"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(Metric.AUC24), "neither a low nor a high end"),
        (Target(Metric.AUC24, 3.0, 2.0), "lies above its high end"),
        (Target(Metric.TIME_ABOVE, 3.0), "needs a concentration"),
        (Target(Metric.INHIBITION, 0.3), "needs an IC50"),
        (Target(Metric.AUC24, 3.0, analyte="M"), "no output 'M'"),
    ],
)
def test_targets_that_mean_nothing(target: Target, words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        check_targets(one_effect(), (target,))
    assert caught.value.outcome is Outcome.BAD_REQUEST


def test_the_draws_are_few_where_asked() -> None:
    problem, post = drawn(one_effect(), PATIENT, PosteriorOptions(draws=1000))
    members = average([Member(problem, None, post)])
    half = Target(Metric.AUC24, 20.1, 40.0)
    question = Question(targets=(half,), strengths=(100.0,), most_tablets=1)
    advice = advise(members, PATIENT, question, 24.0)
    assert advice.draws <= 1000
    assert advice.candidates[0].error > 0.005


def test_draws_without_a_steady_state_are_named() -> None:
    """Elimination is at most 12 mg/h for the typical patient: 200 mg every 12 h overtake it."""
    question = Question(targets=(AUC,), strengths=(200.0,), most_tablets=1, intervals=(12.0,))
    advice, _ = _advice(saturable(), Patient("P", (DoseTaken(0.0, 100.0),)), question)
    assert advice.candidates[0].no_steady_state > 0.5
    assert Outcome.NO_STEADY_STATE in [r.outcome for r in advice.remarks]
    assert advice.candidates[0].probability < 0.5
