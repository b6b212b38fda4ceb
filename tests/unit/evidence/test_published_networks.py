"""Published networks against what netmeta prints of them, to the digits printed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.unit.evidence.published_networks import DONG, DONG_FIRST_TEN, NETWORKS, SMOKING, WOODS

from statera.evidence.network_arms import network_from_counts
from statera.evidence.network_data import network_from_contrasts
from statera.evidence.network_design import decompose_designs
from statera.evidence.network_fit import NetworkOptions, network
from statera.evidence.network_glm import glm_network
from statera.evidence.network_glmm import glmm_network
from statera.evidence.network_hypergeometric import hypergeometric_network
from statera.evidence.network_mantel_haenszel import mantel_haenszel_network
from statera.evidence.network_rank import p_scores
from statera.evidence.network_rare import RareNetworkOptions


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_contrasts(name: str) -> None:
    printed = NETWORKS[name]
    result = network(network_from_contrasts(*printed.contrasts), NetworkOptions(tau2="DL"))
    assert result.data.treatments == printed.treatments
    assert result.tau2 == pytest.approx(printed.tau2, rel=1e-10, abs=1e-12)
    assert (result.i2, result.i2_low, result.i2_high) == pytest.approx(printed.i2, abs=1e-12)
    for ours, wanted in (
        (result.common.estimate, printed.common),
        (result.common.se, printed.common_se),
        (result.random.estimate, printed.random),
        (result.random.se, printed.random_se),
        (result.predict_low, printed.predict[0]),
        (result.predict_high, printed.predict[1]),
    ):
        assert_allclose(ours[0, 1:], wanted, atol=1e-11)
    parts = decompose_designs(result)
    for part, (q, df) in zip(
        (parts.total, parts.within, parts.between), printed.parts, strict=True
    ):
        assert (part.q, part.df) == pytest.approx((q, df), abs=1e-10)
    assert_allclose(p_scores(result, small_good=True), printed.scores, atol=1e-11)


def test_smoking_cessation() -> None:
    data = network_from_counts(*SMOKING)
    result = network(data, NetworkOptions(tau2="DL", reference="A"))
    assert len(data.studies) == 24
    assert result.tau2 == pytest.approx(0.5988752589247014, rel=1e-12)
    assert (result.q, result.df) == pytest.approx((202.6188712129786, 23), rel=1e-12)
    shares = [100 * x for x in (result.i2, result.i2_low, result.i2_high)]
    assert shares == pytest.approx([88.64863876582156, 84.40330785832583, 91.73841474215455])
    ratios = np.exp([result.random.estimate[1:, 0], result.random.low[1:, 0],
                     result.random.high[1:, 0]])  # fmt: skip
    wanted = [
        [1.5162462451235528, 2.0821604308684014, 2.465262291221884],
        [0.7369543416740084, 1.3557076457961539, 1.1003226747324766],
        [3.119599879999399, 3.1978812491892974, 5.523396276458824],
    ]
    assert_allclose(ratios, wanted, rtol=1e-11)
    limits = np.exp([result.predict_low[3, 0], result.predict_high[3, 0]])
    assert_allclose(limits, [0.4021575249717421, 15.112282593612074], rtol=1e-11)
    parts = decompose_designs(result)
    assert (parts.within.q, parts.within.df) == pytest.approx((187.39853419208535, 16))
    assert (parts.between.q, parts.between.df) == pytest.approx((15.220337020893254, 7))
    assert parts.between.p == pytest.approx(0.03327647245157123)
    scores = p_scores(result, small_good=False)
    assert (scores[0], scores[3]) == pytest.approx((0.04788718704931417, 0.8375827418402236))


def test_deaths_in_copd_of_three_studies() -> None:
    result = network(network_from_counts(*WOODS), NetworkOptions(tau2="DL"))
    assert result.data.treatments == ("Fluticasone", "Placebo", "SFC", "Salmeterol")
    order = [0, 1, 3, 2]  # netmeta sorts Salmeterol before SFC
    estimate, se = result.random.estimate[0, order], result.random.se[0, order]
    assert_allclose(estimate, [0, -0.59570732363167778, 0.26625793578192136, 0.65457490577370614],
                    atol=1e-12)  # fmt: skip
    assert_allclose(se, [0, 0.61852529796750688, 0.71036446546960674, 0.86920175532884636],
                    atol=1e-12)  # fmt: skip
    assert (result.q, result.df, result.tau2) == pytest.approx((0.56883702710603168, 2, 0.0))
    by_t = network(network_from_counts(*WOODS), NetworkOptions(tau2="DL", test="t"))
    assert_allclose(by_t.random.low[0, order], [0, -3.2570068853506706, -2.7901936706878994,
                                                -3.0852983994949787], atol=1e-11)  # fmt: skip
    assert_allclose(
        p_scores(by_t, small_good=True)[order],
        [0.47277939693284554, 0.15912697290954869, 0.61562798125206553, 0.75246564890554035],
        atol=1e-11,
    )
    parts = decompose_designs(result)
    assert (parts.within.q, parts.between.q) == pytest.approx(
        (0.56467249826597754, 0.004164528840054138), abs=1e-11
    )
    assert_allclose(
        p_scores(result, small_good=True)[order],
        [0.47061779325783221, 0.095394635132310959, 0.63769954560850095, 0.79628802600135595],
        atol=1e-11,
    )


def test_first_ten_studies_of_inhaled_medication() -> None:
    # netmetabin(method = "Inverse") prints 0.061869 and -0.408176 for placebo against each
    common = network(network_from_counts(*DONG_FIRST_TEN), NetworkOptions(tau2="DL")).common
    assert common.estimate[0, 1:] == pytest.approx([0.061869, -0.408176], abs=5e-7)


def test_deaths_on_inhaled_medication() -> None:
    # the paper prints 1.51 for the soft mist inhaler against placebo, the odds ratio of a Bayesian
    # binomial model with common effects and vague priors, on one trial more
    one = glm_network(*DONG)
    at = one.treatments.index
    ratio = np.exp(one.estimate[at("TIO-SMI"), at("Placebo")])
    assert ratio == pytest.approx(1.51, abs=0.005)
    assert len({note.split()[1] for note in one.notes}) == 3  # studies without any event
    mantel = mantel_haenszel_network(*DONG)
    assert mantel.notes[3] == "Design LABA-ICS:Placebo is left out: it has no finite odds ratio."
    assert (mantel.df, len(mantel.data.studies)) == (9, 10)
    mixed = glmm_network(*DONG)
    assert mixed.tau2 == 0.0
    penalised = glm_network(*DONG, options=RareNetworkOptions(penalised=True))
    assert penalised.studies == 41
    assert_allclose(penalised.estimate, one.estimate, atol=0.01)


@pytest.mark.parametrize("arms", [DONG, SMOKING, WOODS])
def test_methods_without_correction_are_close_to_each_other(arms: tuple[list[str], ...]) -> None:
    one = glm_network(*arms)
    given = hypergeometric_network(*arms)
    mantel = mantel_haenszel_network(*arms)
    assert one.treatments == mantel.data.treatments
    assert_allclose(given.estimate, one.estimate, atol=0.02)
    assert_allclose(mantel.common.estimate, one.estimate, atol=0.1 * np.nanmax(one.se) + 0.2)


def test_random_effects_of_smoking_cessation() -> None:
    # the exact likelihood, with less of tau2 than contrasts with a corrected cell give
    result = glmm_network(*SMOKING)
    moments = network(network_from_counts(*SMOKING), NetworkOptions(tau2="ML"))
    assert result.tau2 == pytest.approx(moments.tau2, rel=0.25)
    assert_allclose(result.estimate[1:, 0], moments.random.estimate[1:, 0], atol=0.2)
    assert result.df == 23
