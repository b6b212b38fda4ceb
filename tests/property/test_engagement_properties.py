"""Invariants of inhibition, its summaries and the words for them."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from statera.engagement.basis import concentration_basis
from statera.engagement.inhibition import inhibition, inhibition_at
from statera.engagement.potency import Potency
from statera.engagement.receptor import ASSUMPTIONS, expected_inhibition, parse_kinases
from statera.engagement.stated import MATRICES
from statera.engagement.summary import summarise, summarise_population
from statera.engagement.wording import percent_text
from statera.numerics.interval import Interval
from statera.sources.fact import Relation

concentrations = st.floats(0.0, 1e6, allow_subnormal=False)
ic50s = st.floats(1e-3, 1e5)
hills = st.floats(0.3, 5.0)
shares = st.floats(1e-6, 1.0)
BOUNDS = (Relation.LESS, Relation.AT_MOST, Relation.GREATER, Relation.AT_LEAST)
SLACK = 1e-12


@st.composite
def profiles(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(2, 12))
    steps = draw(st.lists(st.floats(0.01, 5.0), min_size=n - 1, max_size=n - 1))
    # Nothing, or an amount that a molecule count could have; see _NOTHING in the module.
    level = st.just(0.0) | st.floats(1e-12, 1e4)
    values = draw(st.lists(level, min_size=n, max_size=n))
    return np.concatenate([[0.0], np.cumsum(steps)]), np.array(values)


def admissible(relation: Relation, stated: float, share: float) -> float:
    """Return an IC50 that the bound admits."""
    if relation in (Relation.LESS, Relation.AT_MOST):
        return stated * share
    return stated / share


@given(concentrations, concentrations, ic50s, hills, st.sampled_from(Relation))
def test_inhibition_rises_with_concentration(
    first: float, second: float, ic50: float, hill: float, relation: Relation
) -> None:
    ends = {"low": ic50, "high": 2 * ic50} if relation is Relation.RANGE else {}
    value = None if ends else ic50
    band = inhibition(
        sorted((first, second)), Potency("x", value, "nM", relation, hill=hill, **ends)
    )
    assert band.low[0] <= band.low[1]
    assert band.high[0] <= band.high[1]
    assert np.all(band.low <= band.high)
    assert np.all((band.low >= 0.0) & (band.high <= 1.0))


@given(concentrations, ic50s, hills, st.sampled_from(BOUNDS), shares)
def test_a_bound_contains_every_admissible_point(
    concentration: float, stated: float, hill: float, relation: Relation, share: float
) -> None:
    bound = inhibition_at(concentration, Potency("x", stated, "nM", relation, hill=hill))
    ic50 = admissible(relation, stated, share)
    assume(ic50 <= 1e9)
    point = inhibition_at(concentration, Potency("x", ic50, "nM", hill=hill))
    assert bound.low - SLACK <= point.low <= bound.high + SLACK


@given(profiles(), ic50s, hills, st.sampled_from(BOUNDS), shares)
def test_a_bounded_summary_contains_every_admissible_summary(
    profile: tuple[np.ndarray, np.ndarray],
    stated: float,
    hill: float,
    relation: Relation,
    share: float,
) -> None:
    times, values = profile
    ic50 = admissible(relation, stated, share)
    assume(ic50 <= 1e9)
    bound = summarise(times, values, Potency("x", stated, "nM", relation, hill=hill))
    point = summarise(times, values, Potency("x", ic50, "nM", hill=hill))
    for name in ("average", "maximum", "minimum", "hours_above_ic50"):
        outer, inner = getattr(bound, name), getattr(point, name)
        assert outer.low - 1e-6 <= inner.low <= outer.high + 1e-6


@given(profiles(), ic50s, hills)
def test_average_lies_between_the_extremes(
    profile: tuple[np.ndarray, np.ndarray], ic50: float, hill: float
) -> None:
    times, values = profile
    got = summarise(times, values, Potency("x", ic50, "nM", hill=hill))
    assert got.minimum.low - 1e-6 <= got.average.low <= got.maximum.low + 1e-6
    assert 0.0 <= got.hours_above_ic50.low <= 24.0


@given(profiles(), ic50s, hills, st.floats(1e-2, 1e2))
def test_summaries_do_not_depend_on_the_unit_of_amount(
    profile: tuple[np.ndarray, np.ndarray], ic50: float, hill: float, factor: float
) -> None:
    times, values = profile
    assume(not np.any(np.isclose(values, ic50, rtol=1e-9)))
    one = summarise(times, values, Potency("x", ic50, "nM", hill=hill))
    other = summarise(times, values * factor, Potency("x", ic50 * factor, "nM", hill=hill))
    assert abs(one.average.low - other.average.low) < 1e-7
    assert abs(one.hours_above_ic50.low - other.hours_above_ic50.low) < 1e-6


@given(profiles(), ic50s, hills)
def test_a_further_sample_on_the_curve_changes_nothing(
    profile: tuple[np.ndarray, np.ndarray], ic50: float, hill: float
) -> None:
    times, values = profile
    # A fall to nothing is taken as straight, a shorter fall as logarithmic: they differ by design.
    assume(values[1] > 0.0 or values[0] == 0.0)
    middle = 0.5 * (times[0] + times[1])
    falling = 0.0 < values[1] < values[0]
    between = np.sqrt(values[0] * values[1]) if falling else 0.5 * (values[0] + values[1])
    potency = Potency("x", ic50, "nM", hill=hill)
    one = summarise(times, values, potency)
    more = summarise(np.insert(times, 1, middle), np.insert(values, 1, between), potency)
    assert abs(one.average.low - more.average.low) < 1e-5


@given(profiles(), ic50s, st.permutations(range(4)))
def test_order_of_subjects_does_not_matter(
    profile: tuple[np.ndarray, np.ndarray], ic50: float, order: list[int]
) -> None:
    times, values = profile
    many = np.stack([values * (i + 1) for i in range(4)])
    potency = Potency("x", ic50, "nM", Relation.LESS)
    one = summarise_population(times, many, potency)
    other = summarise_population(times, many[order], potency)
    assert np.array_equal(one.average.low[order], other.average.low)


@given(
    st.sampled_from(["JAK1;JAK2", "JAK1;JAK3", "JAK2", "JAK1;?", "JAK1;JAK2;TYK2"]),
    st.dictionaries(
        st.sampled_from(["JAK1", "JAK2", "JAK3", "TYK2"]),
        st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    ),
)
def test_assumptions_are_ordered_and_contain_their_points(
    kinases: str, drawn: dict[str, tuple[float, float, float]]
) -> None:
    pair = parse_kinases(kinases)
    wide = {k: Interval(min(v), max(v)) for k, v in drawn.items()}
    inside = {k: Interval.point(sorted(v)[1]) for k, v in drawn.items()}
    ends = {}
    for key, rule in ASSUMPTIONS.items():
        outer = expected_inhibition(pair, wide, rule).value
        inner = expected_inhibition(pair, inside, rule).value
        assert outer is not None
        assert inner is not None
        assert outer.low - SLACK <= inner.low <= inner.high <= outer.high + SLACK
        ends[key] = inner
    for end in ("low", "high"):
        least, limiting, independent = (
            getattr(ends[k], end) for k in ("least_inhibited", "limiting_kinase", "independent")
        )
        assert least <= limiting <= independent + SLACK


@given(st.sampled_from(MATRICES), st.floats(0.01, 1.0))
def test_the_unbound_concentration_never_exceeds_the_total(matrix: str, fraction: float) -> None:
    potency = Potency("x", 1.0, "nM", matrix=matrix)  # type: ignore[arg-type]
    basis = concentration_basis(potency, fraction)
    assert 0.0 < basis.factor <= 1.0
    assert (basis.kind == "total") is (basis.factor == 1.0) or fraction == 1.0


@given(st.floats(0.0, 1.0), st.sampled_from(BOUNDS))
def test_words_for_a_bound_are_true(end: float, relation: Relation) -> None:
    lower = relation in (Relation.LESS, Relation.AT_MOST)
    interval = Interval(end, 1.0) if lower else Interval(0.0, end)
    words = percent_text(interval, relation)
    if words.startswith("at least"):
        assert float(words.split()[2]) <= 100.0 * end + 1e-6
    elif words.startswith("at most"):
        assert float(words.split()[2]) >= 100.0 * end - 1e-6
    else:
        assert words in ("not determined by the bound", "0 %")
