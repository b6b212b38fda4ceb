"""What cannot be estimated is named, and a comparison goes on."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.response.data import simulated

from statera.errors import InputError, UnknownNameError
from statera.response.binary import Binary
from statera.response.compare import compare_forms, permutation_test
from statera.response.cox import Cox
from statera.response.fit import FitOptions, fit_response
from statera.response.hazards import HAZARDS, Hazard
from statera.response.ordinal import Ordinal
from statera.response.outcomes import Outcome
from statera.response.predict import hazard_ratio, predict
from statera.response.profile import profile_deviance, profile_interval
from statera.response.time_to_event import TimeToEvent

S = simulated()
N = S.exposure.size
PEOPLE = np.arange(N)
X = S.exposure


def logistic(effect: np.ndarray, seed: int = 0) -> Binary:
    return Binary.of(np.random.default_rng(seed).random(N) < 1.0 / (1.0 + np.exp(-effect)))


def test_a_straight_line_leaves_ec50_without_an_upper_end() -> None:
    outcome = logistic(-2.0 + 0.3 * X)
    fit = fit_response(outcome, X, options=FitOptions("emax"))
    line = fit_response(outcome, X, options=FitOptions("linear"))
    assert fit.status == "EC50 not identified: far above the exposures"
    assert fit.held == ("ln EC50",)
    assert fit.log_likelihood == pytest.approx(line.log_likelihood, abs=0.01)
    low, high = profile_interval(fit, "ln EC50")
    assert np.isinf(high)
    assert np.isfinite(low)
    assert profile_deviance(fit, "ln EC50", np.array([low]))[0] == pytest.approx(3.841459, abs=1e-4)
    assert np.isnan(fit.standard_errors[fit.parameters.index("ln EC50")])
    x = np.array([0.0, 3.0, 8.0])
    assert predict(fit, x).estimate == pytest.approx(predict(line, x).estimate, abs=0.01)


def test_an_effect_that_is_full_at_once_leaves_ec50_without_a_lower_end() -> None:
    outcome = logistic(np.where(X > 0, 1.0, -1.5))
    fit = fit_response(outcome, X, options=FitOptions("emax"))
    assert fit.status == "EC50 not identified: far below the exposures"
    low, high = profile_interval(fit, "ln EC50")
    assert np.isinf(low)
    assert np.isfinite(high)


def test_complete_separation_is_named_and_firth_answers() -> None:
    outcome = Binary.of(X > 2.0)
    for form in ("linear", "emax"):
        fit = fit_response(outcome, X, options=FitOptions(form))
        assert fit.status == "separated: exposure"
        assert "Firth" in fit.notes[-1]
        assert not fit.usable
        with pytest.raises(InputError, match="no curve"):
            predict(fit, X)
        with pytest.raises(InputError, match="no profile"):
            profile_interval(fit, "slope" if form == "linear" else "Emax")
    fit = fit_response(outcome, X, options=FitOptions("linear", firth=True))
    assert fit.status == "ok"
    low, high = profile_interval(fit, "slope")
    assert 0.0 < low < fit.estimate("slope") < high


def test_a_covariate_group_without_answers_is_named() -> None:
    rare = (np.arange(N) % 40 == 0).astype(float)
    response = S.response & (rare == 0)
    fit = fit_response(Binary.of(response), X, {"rare": rare, "age": S.age}, FitOptions("linear"))
    assert fit.status == "separated: rare"


def test_separated_grades_and_hazards_are_named() -> None:
    treated = (X > 0).astype(float)
    grade = np.where(X > 0, 1 + (S.age > 0), (S.age > 2.5)).astype(np.int64)
    grade[X == 0] = 0
    ordinal = Ordinal(grade, tuple("abc"), PEOPLE)
    assert fit_response(ordinal, treated, options=FitOptions("linear")).status == (
        "separated: exposure"
    )
    event = S.event & (X > 0)
    right = np.where(event, S.time, np.inf)
    hazards = [Hazard("weibull"), Hazard("piecewise", (0.5,)), Hazard("log-logistic-odds")]
    outcomes: list[Outcome | Cox] = [
        *(TimeToEvent(np.zeros(N), S.time, right, PEOPLE, h) for h in hazards),
        Cox(np.zeros(N), S.time, event, PEOPLE),
        Cox(np.where(PEOPLE % 2 == 0, 0.0, 0.01), S.time + 0.02, event, PEOPLE),
    ]
    for outcome in outcomes:
        fit = fit_response(outcome, treated, options=FitOptions("linear"))
        assert fit.status == "no finite estimate: exposure"


def test_what_is_not_separated_is_not_called_so() -> None:
    outcomes: list[Outcome | Cox] = [
        Binary.of(S.response), Ordinal(S.grade, tuple("abcd"), PEOPLE),
        TimeToEvent(np.zeros(N), S.time, S.right, PEOPLE, Hazard("piecewise", (0.5, 1.0))),
        Cox(np.zeros(N), S.time, S.event, PEOPLE),
    ]  # fmt: skip
    for outcome in outcomes:
        assert fit_response(outcome, X, {"age": S.age}, FitOptions("linear")).status == "ok"


def test_few_events_are_said() -> None:
    rare = np.zeros(N, dtype=bool)
    rare[np.argsort(X)[-60::12]] = True
    fit = fit_response(Binary.of(rare), X, {"age": S.age}, FitOptions("linear"))
    assert fit.notes[0].startswith("Few events: 5 for 2 coefficients")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"response": np.zeros(N, dtype=bool)}, "same answer"),
        ({"exposure": np.full(N, 3.0)}, "1 distinct exposures"),
        ({"exposure": np.where(X > 0, 4.0, 0.0)}, "2 distinct exposures"),
        ({"exposure": -X}, "negative"),
        ({"exposure": np.where(X > 5, np.nan, X)}, "not a number"),
        ({"exposure": X[:-1]}, "exposures for"),
        ({"covariates": {"twice": 2.0 * S.age, "age": S.age}}, "'age' is made up by"),
        ({"covariates": {"one": np.ones(N)}}, "'one' is made up by intercept"),
        ({"covariates": {"none": np.zeros(N)}}, "'none' is 0 in every row"),
        ({"covariates": {"gap": np.where(S.age > 1, np.nan, S.age)}}, "gap is not one finite"),
        ({"form": "cubic"}, "no form of the effect is called 'cubic'"),
        ({"firth": True}, "Firth's penalty is built for"),
    ],
)
def test_refusals(change: dict[str, object], words: str) -> None:
    given = {"response": S.response, "exposure": X, "covariates": {}, "form": "emax",
             "firth": False, **change}  # fmt: skip
    options = FitOptions(str(given["form"]), firth=bool(given["firth"]))
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        fit_response(
            Binary.of(given["response"]),  # type: ignore[arg-type]
            given["exposure"],  # type: ignore[arg-type]
            given["covariates"],  # type: ignore[arg-type]
            options,
        )


def test_grades_are_positions_and_all_occur() -> None:
    with pytest.raises(InputError, match="whole numbers from 0 to 2"):
        Ordinal(np.array([0, 3]), tuple("abc"), np.arange(2))
    with pytest.raises(InputError, match="no row has the grade 'b'"):
        fit_response(Ordinal(2 * S.response.astype(np.int64), tuple("abc"), PEOPLE), X)


def test_cox_takes_no_draws_and_gives_no_chance() -> None:
    cox = Cox(np.zeros(N), S.time, S.event, PEOPLE)
    with pytest.raises(InputError, match="no product over rows"):
        fit_response(cox, np.column_stack([X, X]))
    fit = fit_response(cox, X, options=FitOptions("linear"))
    with pytest.raises(InputError, match="hazard ratios only"):
        predict(fit, X)
    with pytest.raises(UnknownNameError):
        profile_interval(fit, "EC50")
    ratio = hazard_ratio(fit, np.array([0.0, 2.0]))
    assert ratio.estimate == pytest.approx([1.0, np.exp(2.0 * fit.estimate("slope"))])
    assert ratio.low[0] == ratio.high[0] == 1.0


def test_a_comparison_keeps_the_row_of_a_form_that_cannot_be_fitted() -> None:
    two = np.where(X > 0, 4.0, 0.0)
    found = compare_forms(Binary.of(S.response), two)
    rows = {row.form: row for row in found.rows}
    assert rows["emax"].fit is None
    assert "2 distinct exposures" in rows["emax"].status
    assert np.isnan(rows["emax"].aic)
    assert rows["linear"].status == "ok"
    assert sum(row.weight for row in found.rows if row.form != "emax") == pytest.approx(1.0)
    # with two exposures a line and the logarithm are the same model
    assert rows["log"].log_likelihood == pytest.approx(rows["linear"].log_likelihood)
    assert [t.larger for t in found.tests] == ["linear", "log"]


def test_tests_of_nested_forms() -> None:
    found = compare_forms(
        Binary.of(S.response), X, forms=("none", "linear", "emax", "sigmoid-emax")
    )
    tests = {(t.simple, t.larger): t for t in found.tests}
    assert np.isnan(tests["none", "emax"].p_value)
    assert "not regular" in tests["none", "emax"].basis
    line = tests["linear", "emax"]
    from scipy.stats import chi2

    assert line.p_value == pytest.approx(0.5 * chi2.sf(line.statistic, 1))
    assert found.best is not None
    assert found.best.form == "emax"


def test_under_a_straight_line_the_statistic_of_emax_is_zero_half_the_time() -> None:
    statistics = []
    for seed in range(40):
        found = compare_forms(logistic(-1.5 + 0.25 * X, seed), X, forms=("linear", "emax"))
        statistics.append(found.tests[0].statistic)
    assert 0.25 < np.mean(np.array(statistics) < 0.01) < 0.75


def test_a_search_that_stops_early_gives_no_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statera.response.maximise._STEPS", 1)
    found = compare_forms(Binary.of(S.response), X, forms=("linear",))
    assert found.rows[0].status == "did not converge"
    assert np.isnan(found.rows[0].aic)
    assert found.best is None
    assert found.rows[0].fit is not None
    assert not found.rows[0].fit.usable


@pytest.mark.parametrize("kind", ["binary", "ordinal", "cox", *HAZARDS])
def test_small_samples_of_any_scale_end_in_a_status(kind: str) -> None:
    """Random data, exposures and times over many orders of magnitude: no error, no warning."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(6, 30))
        size, span = 10.0 ** rng.uniform(-4, 5), 10.0 ** rng.uniform(-3, 4)
        x = size * np.where(rng.random(n) < 0.3, 0.0, rng.lognormal(0.0, rng.uniform(0.1, 2.0), n))
        eta = rng.choice([0.0, 2.0, 8.0]) * x / (size + x) - 1.0
        wait, leave = span * rng.exponential(np.exp(-eta)), span * rng.uniform(0.2, 3.0, n)
        time, event = np.minimum(wait, leave) + 1e-6 * span, wait <= leave
        event[:2] = True, False
        right = np.where(event, time + span * 0.3 * (seed % 2), np.inf)
        outcome: Outcome | Cox
        if kind == "binary":
            outcome = Binary.of(event)
        elif kind == "ordinal":
            outcome = Ordinal(np.arange(n) % 3, tuple("abc"), np.arange(n))
        elif kind == "cox":
            outcome = Cox(np.zeros(n), time, event, np.arange(n))
        else:
            cuts = (0.3 * span,) if kind == "piecewise" else ()
            hazard = Hazard(kind, cuts)  # type: ignore[arg-type]
            outcome = TimeToEvent(np.zeros(n), time, right, np.arange(n), hazard)
        found = compare_forms(outcome, x, {"age": rng.normal(50.0, 10.0, n)})
        for row in found.rows:
            assert row.fit is not None
            assert row.status == "ok" or row.fit.notes or row.status == "not identified"
            if row.fit.usable and not row.fit.problem.form.is_linear:
                low, high = profile_interval(row.fit, "ln EC50")
                assert low <= row.fit.estimate("ln EC50") <= high


def test_permutations_tell_an_effect_from_none() -> None:
    few = np.arange(120)
    statistic, p = permutation_test(Binary.of(S.response[few]), X[few], permutations=19, seed=3)
    assert p == pytest.approx(1.0 / 20.0)
    assert statistic > 5.0
    _, p = permutation_test(
        Binary.of(np.random.default_rng(2).random(120) < 0.4), X[few], permutations=19, seed=3
    )
    assert p > 0.05
