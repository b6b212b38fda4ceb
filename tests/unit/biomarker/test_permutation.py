"""Permutation of labels: the units, the statistics by another route, and the error rates."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.biomarker.association import associate
from statera.biomarker.design import Factor, build_design, type_three
from statera.biomarker.permutation import (
    PermutationOptions,
    permute_association,
    stream_association_permutations,
)
from statera.biomarker.permutation_design import (
    ExchangeDesign,
    draw_orders,
    exchange_of_column,
    plan_terms,
)
from statera.biomarker.permutation_statistics import fit_null_model, label_free_statistics
from statera.errors import InputError

Floats = NDArray[np.float64]


def trial(subjects: int = 12, visits: int = 3) -> tuple[NDArray[np.intp], dict[str, Factor]]:
    """Return subjects and columns of a trial of two arms in four sites."""
    subject = np.repeat(np.arange(subjects), visits)
    return subject, {
        "arm": Factor.of([("active", "placebo")[s % 2] for s in subject]),
        "visit": Factor.of([f"w{v}" for v in range(visits)] * subjects),
        "site": Factor.of([f"site {s // 4}" for s in subject]),
    }


def simulated(m: int, subject: NDArray[np.intp], seed: int, missing: float = 0.0) -> Floats:
    random = np.random.default_rng(seed)
    values = random.normal(size=(m, subject.max() + 1))[:, subject]
    values = values + random.normal(size=values.shape)
    return np.where(random.random(values.shape) < missing, np.nan, values)


def test_each_term_exchanges_the_column_that_leaves_the_others_in_place() -> None:
    subject, columns = trial()
    plan = plan_terms("arm * visit * site", columns, subject)
    assert plan[("arm",)] == "arm"
    assert plan[("visit",)] == "visit"
    assert plan[("arm", "visit")] == "arm"
    assert plan[("visit", "site")] == "site"
    assert plan[("arm", "site")] == ""


@pytest.mark.parametrize("column", ["arm", "visit"])
@pytest.mark.parametrize("blocked", [False, True])
def test_labels_move_between_their_units_only(column: str, blocked: bool) -> None:
    subject, columns = trial()
    site = np.array(columns["site"].labels)
    exchange = exchange_of_column(column, columns, subject, site.tolist() if blocked else None)
    orders = draw_orders(exchange, np.random.default_rng(3), 200)
    labels = np.array(columns[column].labels)
    for order in orders:
        drawn = labels[order]
        if column == "arm":  # one label a subject, as many of each as before
            assert all(len(set(drawn[subject == s])) == 1 for s in range(12))
            for place in set(site) if blocked else ("",):
                own = site == place if blocked else np.ones(36, dtype=bool)
                assert sorted(drawn[own]) == sorted(labels[own])
        else:  # every subject keeps its own visits
            assert (subject[order] == subject).all()
            assert all(sorted(drawn[subject == s]) == ["w0", "w1", "w2"] for s in range(12))
    assert len({tuple(labels[o]) for o in orders}) > 50
    again = np.random.default_rng(3)
    parts = [draw_orders(exchange, again, k) for k in (1, 150, 49)]
    np.testing.assert_array_equal(np.concatenate(parts), orders)


def test_arrangements_are_counted() -> None:
    subject, columns = trial()
    count = {
        (c, b): math.exp(
            exchange_of_column(
                c, columns, subject, columns["site"].labels if b else None
            ).log_arrangements
        )
        for c in ("arm", "visit")
        for b in (False, True)
    }
    assert count["arm", False] == pytest.approx(math.comb(12, 6))
    assert count["arm", True] == pytest.approx(math.comb(4, 2) ** 3)
    assert count["visit", False] == pytest.approx(6.0**12)
    with pytest.raises(InputError, match="all the same"):
        exchange_of_column("site", columns, subject, columns["site"].labels)
    with pytest.raises(InputError, match="two blocks"):
        exchange_of_column("arm", columns, subject, columns["visit"].labels)


def dense_statistic(
    y: Floats, x: Floats, fixed: Floats, rows: Floats, subject: NDArray[np.intp], share: float
) -> float:
    """Return Wald's statistic by dense generalised least squares, over a variance from `fixed`."""
    keep = np.isfinite(y)
    y, x, fixed, subject = y[keep], x[keep], fixed[keep], subject[keep]
    v = np.where(subject[:, None] == subject, share, 0.0) + (1.0 - share) * np.eye(y.size)
    inverse = np.linalg.inv(v)

    def solved(design: Floats) -> tuple[Floats, Floats]:
        spread = np.linalg.inv(design.T @ inverse @ design)
        return spread @ design.T @ inverse @ y, spread

    beta, spread = solved(x)
    residual = y - fixed @ solved(fixed)[0]
    scale = residual @ inverse @ residual / (y.size - fixed.shape[1])
    e = rows @ beta
    return float(e @ np.linalg.solve(rows @ spread @ rows.T, e) / rows.shape[0] / scale)


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("column", ["arm", "visit"])
def test_statistics_are_those_of_generalised_least_squares(column: str, missing: float) -> None:
    subject, columns = trial()
    columns["dose"] = np.random.default_rng(9).normal(size=36)  # type: ignore[assignment]
    values = simulated(5, subject, 4, missing)
    formula = "arm * visit + dose"
    exchange = exchange_of_column(column, columns, subject)
    design = ExchangeDesign.of(formula, columns, column, True)
    model = fit_null_model(values, design.fixed, subject)
    orders = draw_orders(exchange, np.random.default_rng(1), 4)
    sizes = tuple(size for _, size in design.terms)
    found = label_free_statistics(model, design.moved(orders), sizes)
    # the correlation that the model took: the one weight beside the diagonal tells it
    for b, order in enumerate(orders):
        labels = Factor.of(np.array(columns[column].labels)[order].tolist())
        other = {**columns, column: labels}
        full = build_design(formula, other)
        rows = type_three(formula, other, full)
        for k, (term, _) in enumerate(design.terms):
            for i in range(5):
                share = _share(model.weights[model.key[i]], model.pairs, subject, values[i])
                expected = dense_statistic(
                    values[i], full.matrix, design.fixed, rows[":".join(term)], subject, share
                )
                assert found[k][b, i] == pytest.approx(expected, rel=1e-9)


def _share(weights: Floats, pairs: tuple[NDArray[np.intp], ...], subject: NDArray[np.intp],
           y: Floats) -> float:  # fmt: skip
    """Return the correlation from V^-1 of one whole subject of three samples."""
    whole = next(s for s in range(12) if np.isfinite(y[subject == s]).all())
    own = (subject[pairs[0]] == whole) & (pairs[0] != pairs[1])
    c = -weights[own][0]  # ratio/(1 + 3 ratio)
    ratio = c / (1.0 - 3.0 * c)
    return float(ratio / (1.0 + ratio))


def test_refitted_statistics_are_those_of_the_mixed_model() -> None:
    subject, columns = trial()
    values = simulated(4, subject, 6, 0.05)
    options = PermutationOptions(3, "refit")
    found = permute_association(values, columns, "arm * visit", subject.tolist(), options)
    table = associate(values, list("abcd"), columns, "arm * visit", subject.tolist())
    for j, term in enumerate(found.terms):
        expected = [row.statistic for row in table.rows[j::3]]
        np.testing.assert_allclose(term.statistic, expected, rtol=1e-8)
    assert found.terms[0].exchange == "arm over 12 subjects"


def test_the_p_value_approaches_that_of_all_arrangements() -> None:
    subject, columns = trial(8, 2)
    values = simulated(3, subject, 8) + np.outer([0.0, 0.8, 1.6], np.array(columns["arm"].labels)
                                                  == "active")  # fmt: skip
    options = PermutationOptions(3000, seed=2)
    found = permute_association(values, columns, "arm + visit", subject.tolist(), options)
    design = ExchangeDesign.of("arm + visit", columns, "arm", True)
    model = fit_null_model(values, design.fixed, subject)
    first = np.arange(0, 16, 2)
    orders = []
    for active in itertools.combinations(range(8), 4):  # subject 0 is active, subject 1 placebo
        label = np.ones(8, dtype=int)
        label[list(active)] = 0
        orders.append(first[label][subject])
    every = label_free_statistics(model, design.moved(np.array(orders)), (1,))[0]
    exact = (every >= found.terms[0].statistic * (1 - 1e-10)).mean(axis=0)
    for i in range(3):
        spread = math.sqrt(exact[i] * (1.0 - exact[i]) / 3000)
        assert found.terms[0].p_value[i] == pytest.approx(exact[i], abs=4 * spread + 1 / 3000)
    assert "only 70 arrangements of arm differ" in found.notes[0]


@pytest.mark.parametrize("missing", [0.0, 0.05])
def test_the_family_wise_error_rate_is_held(missing: float) -> None:
    subject, columns = trial(14, 2)
    wrong = np.zeros(3)
    alone = np.zeros(3)
    runs = 60 if missing else 160
    for run in range(runs):
        # a shared part makes proteins depend on each other; errors have heavy tails
        random = np.random.default_rng(1000 + run)
        shared = random.normal(size=14)[subject] + random.normal(size=28)
        values = simulated(20, subject, run, missing) + shared + random.standard_t(3, (20, 28))
        options = PermutationOptions(99, seed=run, batch=99)
        found = permute_association(values, columns, "arm * visit", subject.tolist(), options)
        for k, term in enumerate(found.terms):
            wrong[k] += bool((term.adjusted_p <= 0.05).any())
            alone[k] += term.p_value[0] <= 0.05
            assert (term.adjusted_p >= term.p_value - 1e-15).all()
    # three binomial standard errors
    assert (wrong / runs <= 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / runs)).all(), wrong / runs
    assert wrong.sum() > 0
    assert (np.abs(alone / runs - 0.05) <= 3.0 * math.sqrt(0.05 * 0.95 / runs)).all(), alone


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_large_effect_of_one_term_is_not_taken_for_another(missing: float) -> None:
    subject, columns = trial(16, 3)
    active = np.array(columns["arm"].labels) == "active"
    late = np.array(columns["visit"].labels) == "w2"
    real = {0: 5.0 * active, 2: 5.0 * (active - 0.5) * (late - 1.0 / 3.0)}
    for other, effect in real.items():
        small = []
        for run in range(25):
            values = simulated(20, subject, run, missing) + effect
            options = PermutationOptions(99, seed=run, batch=99)
            found = permute_association(values, columns, "arm * visit", subject.tolist(), options)
            assert (found.terms[other].p_value <= 0.03).mean() > 0.5
            small.append((found.terms[2 - other].p_value <= 0.05).mean())
        # 500 proteins; those of one run share its labels, so their mean is what varies
        spread = float(np.std(small, ddof=1)) / math.sqrt(len(small))
        assert np.mean(small) <= 0.05 + 3.0 * spread


def test_an_effect_is_found_and_its_neighbours_are_not() -> None:
    subject, columns = trial(20, 3)
    values = simulated(60, subject, 5, 0.02)
    late = (np.array(columns["arm"].labels) == "active") & (
        np.array(columns["visit"].labels) == "w2"
    )
    values[7] += 3.0 * late
    found = permute_association(
        values, columns, "arm * visit", subject.tolist(), PermutationOptions(400)
    )
    interaction = found.terms[2]
    assert interaction.adjusted_p[7] == pytest.approx(1 / 401)
    assert (np.delete(interaction.adjusted_p, 7) > 0.05).all()


def test_the_stream_gives_partial_results_and_a_cancelled_run_its_number() -> None:
    subject, columns = trial()
    values = simulated(6, subject, 2)
    values[5] = 1.0
    options = PermutationOptions(100, batch=32)
    told = list(stream_association_permutations(values, columns, "arm", subject.tolist(), options))
    assert [t.permutations for t in told] == [32, 64, 96, 100]
    assert told[-1].complete
    assert not told[0].complete
    assert told[0].status[5] != "ok"
    assert np.isnan(told[0].terms[0].adjusted_p[5])
    seen: list[int] = []
    found = permute_association(
        values, columns, "arm", subject.tolist(), options,
        progress=lambda r: seen.append(r.permutations), cancelled=lambda: len(seen) == 2,
    )  # fmt: skip
    assert found.permutations == 64
    assert not found.complete
    np.testing.assert_array_equal(found.terms[0].adjusted_p, told[1].terms[0].adjusted_p)
    # the size of batches changes no result
    whole = permute_association(
        values, columns, "arm", subject.tolist(), PermutationOptions(100, batch=7)
    )
    np.testing.assert_allclose(whole.terms[0].p_value, told[-1].terms[0].p_value, rtol=1e-12)


def test_independent_samples_are_exchanged_themselves_and_refusals_say_why() -> None:
    _, columns = trial()
    values = np.random.default_rng(1).normal(size=(3, 36))
    found = permute_association(values, columns, "arm * site", None, PermutationOptions(20))
    assert found.terms[0].exchange == "arm over 36 samples"
    assert found.terms[2].exchange.startswith("not permuted: it has no one column")
    assert np.isnan(found.terms[2].p_value).all()
    with pytest.raises(InputError, match="differ in length"):
        permute_association(values, columns, "arm", ["a"], PermutationOptions(20))
    with pytest.raises(InputError, match="no term"):
        permute_association(values, columns, "0 + arm:site", None, PermutationOptions(20))
