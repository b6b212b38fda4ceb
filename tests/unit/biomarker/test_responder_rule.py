"""Rules of response: what is read, what is refused, what subjects they give."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from statera.biomarker.responder_guards import batch_guard, coupling_guard, rule_guards
from statera.biomarker.responder_rule import (
    ResponderRule,
    frozen_rule,
    parse_conditions,
    read_rule,
    rule_text,
)
from statera.biomarker.responders import apply_rule, best_split
from statera.errors import InputError, UnknownNameError, UsageError

VISITS = {
    "subject": ["a", "a", "b", "b", "c", "c", "d", "d"],
    "week": [0, 24, "0", "24.0", 0, 24, 0, 24],
    "score": ["20", "1", "10", "1.1", "30", "", "5", "0.3"],
    "acr90": ["", "yes", "", "1", "", "0", "", "no"],
}


@pytest.mark.parametrize(
    "text",
    [
        "score <= 1 @ 24",
        "change(score, 0, 24) <= -10",
        "percent(score, 0, 24) < -50",
        "acr90 = 1 @ 24 and score <= 1 @ 24",
        "acr90 = 1 @ 24 or score <= 1 @ 24",
        "lowest 25 % of adjusted(score, 0, 24)",
        "higher cluster of change(score, 0, 24)",
        "highest 10 % of score at 24",
    ],
)
def test_a_rule_is_read_and_written_alike(text: str) -> None:
    given = text.replace("score at 24", "score @ 24")
    conditions, combine = parse_conditions(given)
    rule = ResponderRule("r", conditions, combine, visit="week")
    assert rule_text(rule) == text
    assert read_rule(given, visit="week").conditions == conditions


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("score is low", "not understood"),
        ("score <= 1 @ 24 and a = 1 @ 24 or b = 1 @ 24", "mixes"),
        ("change(score, 0) <= 1", "an earlier and a later visit"),
        ("lowest 0 % of score @ 24", "between 0 and 100"),
        ("top 10 % of score", "not understood"),
        ("__import__('os') <= 1 @ 2", "names no column"),
        ("score <= 1.2.3 @ 24", "not a number"),
        ("", "not understood"),
        ("score <= 1", "does not say at which visit"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_rule(text, visit="week")


def test_a_change_needs_a_column_of_visits() -> None:
    with pytest.raises(UsageError, match="no column of visits is named"):
        read_rule("change(score, 0, 24) <= -10")


def test_both_sides_of_the_cut_and_the_missing_policies() -> None:
    rule = read_rule("score <= 1 @ 24", visit="week")
    found = apply_rule(VISITS, rule)
    assert found.subjects == ("a", "b", "c", "d")
    assert found.response[[0, 1, 3]].tolist() == [1.0, 0.0, 1.0]
    assert np.isnan(found.response[2])
    assert found.status[2] == "missing: score at 24 (left out)"
    assert "1 subjects without a decided outcome (exclude" in found.notes[-1]
    counted = apply_rule(
        VISITS, read_rule("score <= 1 @ 24", visit="week", missing="non-responder")
    )
    assert counted.response.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert "counted as non-responder" in counted.status[2]
    with pytest.raises(InputError, match="outcome of 1 subjects cannot be decided: c"):
        apply_rule(VISITS, read_rule("score <= 1 @ 24", visit="week", missing="refuse"))
    with pytest.raises(UsageError, match="no policy"):
        read_rule("score <= 1 @ 24", visit="week", missing="guess")


def test_one_condition_that_fails_decides_whatever_is_missing() -> None:
    both = apply_rule(VISITS, read_rule("acr90 = 1 @ 24 and score <= 1 @ 24", visit="week"))
    assert both.response.tolist() == [1.0, 0.0, 0.0, 0.0]  # c fails acr90, its score is missing
    any_ = apply_rule(VISITS, read_rule("acr90 = 1 @ 24 or score <= 1 @ 24", visit="week"))
    assert any_.response[[0, 1, 3]].tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(any_.response[2])


def test_changes() -> None:
    change = apply_rule(VISITS, read_rule("change(score, 0, 24) <= -8.9", visit="week"))
    assert change.response[[0, 1, 3]].tolist() == [1.0, 1.0, 0.0]  # b falls by 8.9
    percent = apply_rule(VISITS, read_rule("percent(score, 0, 24) <= -94", visit="week"))
    assert percent.response[[0, 1, 3]].tolist() == [1.0, 0.0, 1.0]  # d falls by exactly 94 %


def long_table(before: np.ndarray, after: np.ndarray) -> dict[str, list[object]]:
    n = before.size
    return {
        "subject": [*range(n), *range(n)], "week": [0] * n + [24] * n,
        "score": [*before.tolist(), *after.tolist()],
    }  # fmt: skip


def test_adjusted_change_is_free_of_the_baseline() -> None:
    random = np.random.default_rng(1)
    before = random.normal(20, 5, 90)
    after = 0.4 * before + random.normal(0, 3, 90)
    found = apply_rule(
        long_table(before, after), read_rule("lowest 20 % of adjusted(score, 0, 24)", visit="week")
    )
    assert abs(np.corrcoef(before, found.continuous)[0, 1]) < 1e-12
    assert found.response.sum() == 18
    assert "taken from these subjects" in found.notes[-1]
    best = np.sort(found.continuous)[:18]
    assert found.applied[0].cut == pytest.approx(best[-1])


def test_the_split_is_the_best_of_all() -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        x = np.round(random.normal(size=9), 1)
        x[:4] += 2.0
        ordered = np.sort(x)
        within = {}
        for cut in range(1, 9):
            if ordered[cut] > ordered[cut - 1]:
                low, high = ordered[:cut], ordered[cut:]
                within[cut] = low.var() * low.size + high.var() * high.size
        best = min(within.values())
        middle = best_split(x)
        low, high = x[x <= middle], x[x > middle]
        assert low.var() * low.size + high.var() * high.size == pytest.approx(best)
    with pytest.raises(InputError, match="two different values"):
        best_split(np.array([1.0, 1.0, np.nan]))


def test_a_rule_from_a_file_and_from_its_record(tmp_path: Path) -> None:
    path = tmp_path / "rule.toml"
    path.write_text(
        'name = "deep"\nconditions = ["lowest 50 % of change(score, 0, 24)"]\nvisit = "week"\n'
        'gate = "jia_acr30"\n[contains]\nscore = "ESR"\n',
        encoding="utf-8",
    )
    rule = read_rule(path, missing="non-responder")
    assert (rule.name, rule.gate, rule.contains) == ("deep", ("jia_acr30",), {"score": ("ESR",)})
    assert rule.missing == "non-responder"
    found = apply_rule(VISITS, rule)
    record = {**rule.as_dict(), "cuts": [a.cut for a in found.applied]}
    again = frozen_rule(record)
    assert rule_text(again) == "change(score, 0, 24) <= -8.9"
    assert apply_rule(VISITS, again).response.tolist() == found.response.tolist()
    path.write_text("conditions = ['score <= 1']\nthreshold = 3\n", encoding="utf-8")
    with pytest.raises(InputError, match="no field threshold"):
        read_rule(path)
    path.write_text("visit = 'week'\n", encoding="utf-8")
    with pytest.raises(InputError, match="no conditions"):
        read_rule(path)
    for text in ("conditions = 3\n", "conditions = 'a = 1'\ncontains = 'ESR'\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="is not a t"):
            read_rule(path)
    path.write_text("conditions = [", encoding="utf-8")
    with pytest.raises(InputError, match="no TOML"):
        read_rule(path)


def test_an_index_is_computed_first() -> None:
    components = ["phg", "pag", "active", "limited", "chaq", "esr"]
    table: dict[str, list[object]] = {"subject": ["a", "a", "b", "b"], "week": [0, 24, 0, 24]}
    for name in components:
        table[name] = [10, 0.5, 10, 9] if name != "chaq" else [2, 0.1, 2, 1.8]
    table["active"], table["limited"] = [10, 0, 10, 9], [10, 1, 10, 9]
    rule = read_rule("jia_acr90 = 1 @ 24", visit="week", index="jia-acr")
    found = apply_rule(table, rule)
    assert found.response.tolist() == [1.0, 0.0]
    score = read_rule("jadas <= 5 @ 24", visit="week", index="jadas27-esr",
                      columns={"ajc": "active"})  # fmt: skip
    assert apply_rule(table, score).response.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"week": [0, 0, 0, 24, 0, 24, 0, 24]}, "subject a has two rows at visit 0"),
        ({"subject": ["", "a", "b", "b", "c", "c", "d", "d"]}, "row 1 of the outcomes names no"),
        ({"score": ["x"] * 8}, "not a number"),
    ],
)
def test_tables_that_cannot_be_used(change: dict[str, list[object]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        apply_rule({**VISITS, **change}, read_rule("score <= 1 @ 24", visit="week"))


def test_names_that_are_absent() -> None:
    for text, where in (("other <= 1 @ 24", "column"), ("score <= 1 @ 52", "visit")):
        with pytest.raises(UnknownNameError, match=where):
            apply_rule(VISITS, read_rule(text, visit="week"))
    with pytest.raises(InputError, match="two rows"):
        apply_rule(VISITS, read_rule("score <= 1"))


def test_data_frames_are_taken_as_they_are() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"subject": ["a", "b"], "score": [1.0, None]})
    found = apply_rule(frame, read_rule("score <= 1", missing="non-responder"))
    assert found.response.tolist() == [1.0, 0.0]
    with pytest.raises(UnknownNameError, match="option of an index"):
        apply_rule(VISITS, read_rule("jadas <= 1 @ 24", visit="week", index="jadas27-esr",
                                     index_options={"course": "poly", "joints": 10}))  # fmt: skip


def trial(n: int = 120) -> dict[str, list[object]]:
    random = np.random.default_rng(4)
    true = random.normal(20, 2, n)
    table = long_table(true + random.normal(0, 4, n), true - 5 + random.normal(0, 4, n))
    table["esr"] = [*random.uniform(5, 60, n).tolist(), *random.uniform(5, 20, n).tolist()]
    return table


def names(found: object) -> dict[str, tuple[str, str]]:
    return {g.name: (g.level, g.finding) for g in found}  # type: ignore[attr-defined]


def test_guards_are_reported_by_name() -> None:
    rule = read_rule(
        "change(score, 0, 24) <= -5", visit="week", gate=("score",), contains={"score": ("ESR",)}
    )
    found = apply_rule(trial(), rule)
    guards = names(rule_guards(found))
    assert guards["regression to the mean"][0] == "warning"
    assert "responders start at" in guards["regression to the mean"][1]
    assert guards["gate"][0] == "warning"
    assert "of 120 subjects lie within 0.25 SD" in guards["dichotomising"][1]
    adjusted = apply_rule(trial(), read_rule("lowest 20 % of adjusted(score, 0, 24)", visit="week"))
    free = names(rule_guards(adjusted))
    assert free["regression to the mean"] == (
        "note", "adjusted(score, 0, 24) is free of its baseline by construction.",
    )  # fmt: skip
    missing = trial()
    missing["score"][120:140] = [""] * 20
    assert names(rule_guards(apply_rule(missing, rule)))["missing outcomes"][0] == "warning"


def test_a_gate_of_the_same_family_is_seen() -> None:
    table = {"subject": ["a", "b"], "jia_acr90": [1, 0], "jia_acr30": [1, 1]}
    found = apply_rule(table, read_rule("jia_acr90 = 1", gate=("jia_acr30",)))
    assert names(rule_guards(found))["gate"][0] == "warning"
    other = apply_rule(table, read_rule("jia_acr90 = 1", gate=("das28",)))
    assert names(rule_guards(other))["gate"][0] == "note"


def test_coupling_by_name_and_by_correlation() -> None:
    table = trial()
    rule = read_rule("change(score, 0, 24) <= -5", visit="week", contains={"score": ("ESR",)})
    found = apply_rule(table, rule)
    random = np.random.default_rng(5)
    esr = np.array(table["esr"][:120], dtype=float)
    values = np.column_stack([esr + random.normal(0, 5, 120), random.normal(size=(120, 2))])
    guards = names(coupling_guard(found, ("X", "Y", "IL6"), values, found.subjects))
    assert guards["coupling"][0] == "warning"
    assert "IL6" in guards["coupling"][1]
    assert "X (rho 0.9" in guards["coupling"][1]
    assert "Y" not in guards["coupling"][1]
    quiet = names(coupling_guard(found, ("A", "B"), values[:, 1:], found.subjects))
    assert quiet["coupling"][0] == "note"
    other = apply_rule(table, read_rule("change(score, 0, 24) <= -5", visit="week"))
    assert coupling_guard(other, ("X",), values[:, :1], other.subjects) == ()


def test_clusters_that_are_none_and_clusters_that_are() -> None:
    random = np.random.default_rng(6)
    before = random.normal(20, 1, 100)
    rule = read_rule("lower cluster of change(score, 0, 24)", visit="week")
    one = apply_rule(long_table(before, before - 5 + random.normal(0, 1, 100)), rule)
    assert names(rule_guards(one))["clusters"][0] == "warning"
    fall = np.where(np.arange(100) < 30, 15.0, 3.0)
    two = apply_rule(long_table(before, before - fall + random.normal(0, 1, 100)), rule)
    assert names(rule_guards(two))["clusters"][0] == "note"
    assert two.response.sum() == 30


def test_batches_that_go_with_the_response() -> None:
    people = {f"s{i}": i < 20 for i in range(40)}
    same = {s: "A" if y else "B" for s, y in people.items()}
    assert names(batch_guard(same, people))["batch"][0] == "warning"
    mixed = {s: "AB"[i % 2] for i, s in enumerate(people)}
    assert names(batch_guard(mixed, people))["batch"][0] == "note"
    assert batch_guard(dict.fromkeys(people, "A"), people) == ()


def test_shares_are_those_asked_for() -> None:
    values = np.arange(40.0)
    table = {"subject": list(range(40)), "score": values.tolist()}
    for share, side in itertools.product((5, 10, 25), ("lowest", "highest")):
        found = apply_rule(table, read_rule(f"{side} {share} % of score"))
        assert found.response.sum() == 40 * share / 100
        assert found.response[0 if side == "lowest" else -1] == 1.0
