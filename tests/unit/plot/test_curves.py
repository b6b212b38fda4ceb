"""Profiles, exposure and engagement."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.plot.engagement import EngagementPanel, InhibitionCurve, draw_engagement
from statera.plot.exposure import (
    ExposureCurve,
    ExposureOptions,
    PublishedPoint,
    Stage,
    draw_exposure,
)
from statera.plot.profiles import (
    Level,
    ProfileCurve,
    ProfileOptions,
    ProfilePanel,
    draw_profiles,
)

T = np.linspace(0.0, 24.0, 25)
C = 40.0 * np.exp(-T / 8.0)

Checked = Callable[[str], Any]


def _profiles(names: dict[str, str], *, extrapolated: bool = False, **options: Any) -> str:
    curves = tuple(
        ProfileCurve(f"{dose} mg", T, dose * C, 0.5 * dose * C, 2 * dose * C, extrapolated)
        for dose in (1, 2)
    )
    panels = [ProfilePanel("Single dose", curves), ProfilePanel("Steady state", curves)]
    return draw_profiles(panels, ProfileOptions(**options), **names)


@pytest.mark.parametrize("overlay", [False, True])
def test_profiles(checked: Checked, names: dict[str, str], overlay: bool) -> None:
    svg = _profiles(names, overlay=overlay, second_factor=2.7, levels=(Level(5.0, "level"),))
    checked(svg)
    assert svg == _profiles(
        names, overlay=overlay, second_factor=2.7, levels=(Level(5.0, "level"),)
    )


def test_extrapolated_curves_are_dashed_and_hatched(names: dict[str, str]) -> None:
    inside, outside = _profiles(names), _profiles(names, extrapolated=True)
    assert "<pattern" not in inside
    assert "<pattern" in outside
    assert outside.count("stroke-dasharray") > inside.count("stroke-dasharray")


def test_profiles_name_what_is_wrong(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="at least one curve"):
        draw_profiles([ProfilePanel("p", ())], **names)
    with pytest.raises(ValueError, match="1 mg, median: expected 25 values, got 24"):
        draw_profiles([ProfilePanel("p", (ProfileCurve("1 mg", T, C[:-1]),))], **names)
    with pytest.raises(ValueError, match="needs both edges"):
        draw_profiles([ProfilePanel("p", (ProfileCurve("1 mg", T, C, low=C),))], **names)


def test_exposure_changes_style_exactly_at_the_edge_of_the_domain(
    checked: Checked, names: dict[str, str]
) -> None:
    x = np.array([20.0, 50.0, 80.0, 120.0])
    y = np.array([900.0, 600.0, 450.0, 300.0])
    options = ExposureOptions(domain=(54.0, None), stages=(Stage(15, 60, "moderate"),))
    curve = ExposureCurve("4 mg", x, y, 0.5 * y, 2 * y)
    svg = draw_exposure([curve], [PublishedPoint(93, 420, "p", 300, 500)], options, **names)
    checked(svg)
    lines = re.findall(r'<path d="([^"]+)"[^>]*style="fill:none;[^"]*stroke:#0072b2[^"]*"', svg)
    dashed = re.findall(
        r'<path d="([^"]+)"[^>]*style="fill:none;stroke-dasharray[^"]*stroke:#0072b2', svg
    )
    solid = [line for line in lines if line not in dashed and line.count(" L ") >= 2]
    assert len(dashed) == 1
    # The dashed stretch ends on the point at which the solid one starts.
    end = dashed[0].split(" L ")[-1].split()
    start = solid[0].removeprefix("M ").split(" L ")[0].split()
    assert end == start


def test_exposure_inside_its_domain_is_not_shaded(names: dict[str, str]) -> None:
    curve = ExposureCurve("4 mg", [60.0, 90.0], [600.0, 400.0])
    svg = draw_exposure([curve], options=ExposureOptions(domain=(54.0, None)), **names)
    assert "#eef0f2" not in svg
    assert "stroke-dasharray" not in svg


def test_exposure_names_what_is_wrong(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="at least one curve"):
        draw_exposure([], **names)
    with pytest.raises(ValueError, match="must ascend"):
        draw_exposure([ExposureCurve("c", [2.0, 1.0], [1.0, 1.0])], **names)


def test_a_bound_is_a_region_and_never_a_line(checked: Checked, names: dict[str, str]) -> None:
    line = re.compile(r"fill:none;[^\"]*stroke:#0072b2")
    point = InhibitionCurve("4 mg", T, 2 * C)
    svg = draw_engagement([EngagementPanel("IL-6", (point,), "IC50 40 nM")], **names)
    checked(svg)
    assert line.search(svg)
    for bound in ("at least", "at most"):
        curve = InhibitionCurve("4 mg", T, 2 * C, bound)  # type: ignore[arg-type]
        svg = draw_engagement([EngagementPanel("IL-6", (curve,))], **names)
        checked(svg)
        assert not line.search(svg)
        assert "<pattern" in svg


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_any_number_of_panels(checked: Checked, names: dict[str, str], count: int) -> None:
    curve = InhibitionCurve("4 mg", T, C, low=0.5 * C, high=2 * C)
    checked(draw_engagement([EngagementPanel(f"P{i}", (curve,)) for i in range(count)], **names))


def test_engagement_names_what_is_wrong(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="at least one curve"):
        draw_engagement([], **names)
    curve = InhibitionCurve("4 mg", T, C, "at least", low=C, high=C)
    with pytest.raises(ValueError, match="a bound has no band"):
        draw_engagement([EngagementPanel("p", (curve,))], **names)
    curve = InhibitionCurve("4 mg", T, C, "at least", inner_low=C, inner_high=C)
    with pytest.raises(ValueError, match="a bound has no band"):
        draw_engagement([EngagementPanel("p", (curve,))], **names)
    curve = InhibitionCurve("4 mg", T, C, inner_low=C)
    with pytest.raises(ValueError, match="needs both edges"):
        draw_engagement([EngagementPanel("p", (curve,))], **names)


def test_what_an_uncertain_potency_leaves_open_is_two_broken_lines(
    checked: Checked, names: dict[str, str]
) -> None:
    broken = re.compile(r"stroke-dasharray:[^\"]*stroke:#0072b2|stroke:#0072b2[^\"]*dasharray")
    sure = InhibitionCurve("4 mg", T, C, low=0.5 * C, high=2 * C)
    svg = draw_engagement([EngagementPanel("IL-6", (sure,))], **names)
    assert not broken.search(svg)
    unsure = InhibitionCurve(
        "4 mg", T, C, low=0.5 * C, high=2 * C, inner_low=0.8 * C, inner_high=1.2 * C
    )
    svg = draw_engagement([EngagementPanel("IL-6", (unsure,))], **names)
    checked(svg)
    assert len(broken.findall(svg)) == 2
