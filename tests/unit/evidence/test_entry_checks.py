"""Each slip is found with the study it concerns, and a clean table gives nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import effects_of
from statera.evidence.entry_checks import FindingKind, Severity, entry_checks


def kinds(**columns: Any) -> dict[FindingKind, list[tuple[str, ...]]]:
    measure = columns.pop("measure", "HR")
    found: dict[FindingKind, list[tuple[str, ...]]] = {}
    for finding in entry_checks(effect_sizes(measure, **columns)):
        assert finding.sentence.endswith(".")
        found.setdefault(finding.kind, []).append(finding.studies)
    return found


def test_a_clean_table_gives_nothing() -> None:
    assert kinds(names=["one", "two"], estimate=[1.2, 0.9], low=[0.8, 0.6], high=[1.8, 1.35]) == {}


def test_intervals_that_are_no_normal_theory_intervals() -> None:
    studies = effect_sizes(
        "HR", names=["percentile", "rounded"], estimate=[1.72, 1.1], low=[0.74, 0.7],
        high=[3.01, 1.6],
    )  # fmt: skip
    odd, rounded = entry_checks(studies)
    assert (odd.kind, odd.studies) == (FindingKind.ASYMMETRIC_INTERVAL, ("percentile",))
    assert odd.severity is Severity.WARNING
    assert rounded.severity is Severity.NOTE
    assert "rounding" in rounded.sentence


def test_comparisons_printed_the_other_way_round() -> None:
    found = kinds(
        names=["turned", "right"], estimate=[0.55, 1.8], low=[0.39, 1.3], high=[0.77, 2.5],
        events_1=[90, 90], total_1=[1000, 1000], events_2=[50, 50], total_2=[1000, 1001],
    )  # fmt: skip
    assert found == {FindingKind.INVERTED_RATIO: [("turned",)]}
    directions = kinds(
        estimate=[1.1, 1.2, 0.8], low=[0.8, 0.9, 0.6], high=[1.5, 1.6, 1.067],
        carried={"numerator": ["JAKi", "JAKi", "TNFi"]},
    )  # fmt: skip
    assert directions == {FindingKind.MIXED_DIRECTION: [("study 3",)]}


def test_rates_per_another_number_of_person_years() -> None:
    by_counts = effect_sizes(
        "IRLN", events=[10, 20, 30], time=[1000.0, 2000.0, 3500.0],
        carried={"rate": [1.0, 1.0, 8.57]},
    )  # fmt: skip
    (finding,) = entry_checks(by_counts)
    assert finding.kind is FindingKind.RATE_UNIT
    assert finding.studies == ("study 3",)
    assert "per 1,000 person-years" in finding.sentence
    among = effect_sizes("IRLN", events=[10, 22, 30], time=[1000.0, 2000.0, 35.0])
    assert [f.studies for f in entry_checks(among)] == [("study 3",)]


def test_weighted_counts_and_empty_cells() -> None:
    found = kinds(
        measure="OR", names=list("abc"), events_1=[3.4, 0, 0], total_1=[50, 50, 50],
        events_2=[2, 4, 0], total_2=[50, 51, 52],
    )  # fmt: skip
    assert found == {
        FindingKind.WEIGHTED_COUNT: [("a",)],
        FindingKind.ZERO_CELL: [("b",)],
        FindingKind.DOUBLE_ZERO: [("c",)],
    }


def test_people_who_may_be_counted_twice() -> None:
    found = kinds(
        names=["Sweden ARTIS 2022", "ARTIS (second)", "other", "third"],
        cluster=["", "", "claims", "claims"],
        estimate=[1.2, 1.3, 1.4, 1.5], se=[0.1, 0.2, 0.3, 0.4],
    )  # fmt: skip
    assert found == {
        FindingKind.OVERLAP: [("other", "third"), ("Sweden ARTIS 2022", "ARTIS (second)")]
    }
    arms = kinds(
        measure="OR", names=["dose 1", "dose 2", "else"], events_1=[5, 9, 4],
        total_1=[60, 61, 50], events_2=[7, 7, 7], total_2=[66, 66, 60],
    )  # fmt: skip
    assert arms == {FindingKind.SHARED_CONTROL: [("dose 1", "dose 2")]}
    named = kinds(
        estimate=[1.2, 1.3], se=[0.1, 0.2], cluster=["T1", "T1"], carried={"control": ["PBO"] * 2}
    )
    assert set(named) == {FindingKind.OVERLAP, FindingKind.SHARED_CONTROL}


def test_studies_that_stand_twice() -> None:
    found = kinds(
        names=["Kim 2020", "kim, 2020", "Lee"], estimate=[1.1, 1.2, 1.1], se=[0.1, 0.2, 0.1]
    )
    assert found == {FindingKind.DUPLICATE: [("Kim 2020", "kim, 2020"), ("Kim 2020", "Lee")]}


def test_intervals_narrower_than_their_events() -> None:
    found = kinds(
        estimate=[1.2], low=[1.1], high=[1.309], events_1=[12], total_1=[100], events_2=[10],
        total_2=[100],
    )  # fmt: skip
    assert found == {FindingKind.TOO_NARROW: [("study 1",)]}


def test_measures_that_differ_and_rows_without_effect() -> None:
    found = kinds(
        names=["a", "b"], estimate=[1.1, None], low=[1.0, None], high=[1.21, None],
        carried={"measure": ["HR", "IRR"]},
    )  # fmt: skip
    assert found == {FindingKind.NO_EFFECT: [("b",)], FindingKind.MIXED_MEASURES: [("a", "b")]}


def test_nothing_is_asked_of_plain_effects() -> None:
    assert entry_checks(effects_of(np.array([0.1, 0.2]), np.array([0.1, 0.2]))) == ()
