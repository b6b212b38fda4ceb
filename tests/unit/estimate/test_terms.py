"""Terms of single observations: derivatives against differences, values against definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from statera.estimate.terms import (
    ABOVE,
    BELOW,
    BETWEEN,
    GAUSS,
    LIKELIHOOD,
    POSITIVE,
    TRUNCATED,
    terms,
)

KINDS = (GAUSS, BELOW, ABOVE, TRUNCATED, BETWEEN, POSITIVE, LIKELIHOOD)


def one(f: float, v: float, kind: int, y: float = 1.3, limit: float = 0.8) -> dict[str, float]:
    columns = [np.array([x]) for x in (y, f, v)]
    found = terms(*columns, np.array([kind]), np.array([limit]), np.array([0.5]))
    return {name: float(getattr(found, name)[0]) for name in found.__dataclass_fields__}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("f", "v"), [(1.0, 0.2), (0.3, 0.05), (2.5, 1.7)])
def test_derivatives(f: float, v: float, kind: int) -> None:
    h = 1e-5
    here = one(f, v, kind)

    def by_f(name: str) -> float:
        return (one(f + h, v, kind)[name] - one(f - h, v, kind)[name]) / (2 * h)

    def by_v(name: str) -> float:
        return (one(f, v + h, kind)[name] - one(f, v - h, kind)[name]) / (2 * h)

    pairs = [
        ("f", by_f("value")), ("v", by_v("value")), ("ff", by_f("f")), ("fv", by_v("f")),
        ("vv", by_v("v")), ("curve_f_f", by_f("curve_f")), ("curve_f_v", by_v("curve_f")),
        ("curve_v_v", by_v("curve_v")),
    ]  # fmt: skip
    for name, wanted in pairs:
        assert here[name] == pytest.approx(wanted, rel=1e-6, abs=1e-7), name


def test_values_are_minus_two_log_likelihoods() -> None:
    y, limit, f, v = 1.3, 0.8, 1.0, 0.2
    sd = np.sqrt(v)
    gauss = -2 * norm.logpdf(y, f, sd) - np.log(2 * np.pi)
    assert one(f, v, GAUSS)["value"] == pytest.approx(gauss)
    assert one(f, v, BELOW)["value"] == pytest.approx(-2 * norm.logcdf(limit, f, sd))
    assert one(f, v, ABOVE)["value"] == pytest.approx(-2 * norm.logsf(limit, f, sd))
    truncated = gauss + 2 * norm.logsf(limit, f, sd)
    assert one(f, v, TRUNCATED)["value"] == pytest.approx(truncated)
    between = norm.cdf(limit, f, sd) - norm.cdf(0.5, f, sd)
    assert one(f, v, BETWEEN)["value"] == pytest.approx(-2 * np.log(between))
    positive = (norm.cdf(limit, f, sd) - norm.cdf(0, f, sd)) / norm.sf(0, f, sd)
    assert one(f, v, POSITIVE)["value"] == pytest.approx(-2 * np.log(positive))
    assert one(-0.7, v, LIKELIHOOD)["value"] == pytest.approx(1.4)


def test_a_value_far_below_its_limit_stays_finite() -> None:
    found = one(60.0, 0.01, BELOW)
    assert np.isfinite(list(found.values())).all()
    assert found["value"] == pytest.approx(-2 * norm.logcdf(-592.0), rel=1e-9)


def test_curvatures_of_quantified_values_are_expected_ones() -> None:
    found = one(1.0, 0.2, GAUSS)
    assert found["curve_f"] == pytest.approx(1 / 0.2)
    assert found["curve_v"] == pytest.approx(1 / (2 * 0.2**2))
