"""Certainty in the terms of GRADE: its arithmetic, what does not add up, and how it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from statera.errors import InputError
from statera.evidence.certainty import (
    Certainty,
    Design,
    Domain,
    Grading,
    Judgement,
    certainty_of,
    check_upgrade,
    judgement_of,
)
from statera.evidence.read_certainty import judgement_of_columns, read_certainty
from statera.evidence.read_table import parse_table

DOWN = [d for d in Domain if not d.raises]


def judged(*levels: int, design: Design = Design.RANDOMISED, **more: object) -> Grading:
    """A grading with so many levels taken off per domain, each with a reason."""
    judgements = tuple(
        Judgement(d, "said", n, "a reason") for d, n in zip(DOWN, levels, strict=True)
    )
    extra = more.pop("raised", ())
    return Grading("bleeding", design, judgements + tuple(extra), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("levels", "design", "expected"),
    [
        ((0, 0, 0, 0, 0), Design.RANDOMISED, Certainty.HIGH),
        ((1, 0, 0, 0, 0), Design.RANDOMISED, Certainty.MODERATE),
        ((1, 0, 0, 1, 0), Design.RANDOMISED, Certainty.LOW),
        ((2, 1, 0, 1, 0), Design.RANDOMISED, Certainty.VERY_LOW),
        ((2, 2, 2, 2, 1), Design.RANDOMISED, Certainty.VERY_LOW),  # never below the lowest
        ((0, 0, 0, 0, 0), Design.OBSERVATIONAL, Certainty.LOW),
        ((0, 0, 0, 1, 0), Design.OBSERVATIONAL, Certainty.VERY_LOW),
    ],
)
def test_levels_add_up_from_the_start_of_the_design(
    levels: tuple[int, ...], design: Design, expected: Certainty
) -> None:
    found = judged(*levels, design=design)
    assert found.computed is expected
    assert found.level is expected
    assert found.problems == ()


def test_observational_evidence_may_gain_and_never_beyond_high() -> None:
    gain = Judgement(Domain.LARGE_EFFECT, "very large", 2, "ratio of 8")
    more = Judgement(Domain.DOSE_RESPONSE, "present", 1, "by dose")
    found = judged(0, 0, 0, 0, 0, design=Design.OBSERVATIONAL, raised=(gain,))
    assert found.computed is Certainty.HIGH
    both = judged(0, 0, 0, 0, 0, design=Design.OBSERVATIONAL, raised=(gain, more))
    assert both.computed is Certainty.HIGH
    assert both.sum_text == "low + 2 (large effect) + 1 (dose-response) = high"
    started = judged(1, 0, 0, 0, 0, design=Design.OBSERVATIONAL, given_start=Certainty.HIGH)
    assert started.computed is Certainty.MODERATE


@pytest.mark.parametrize(
    ("grading", "words"),
    [
        (judged(1, 0, 0, 0, 0, stated=Certainty.HIGH), "stated as high, but high - 1"),
        (Grading("b", None, (), Certainty.LOW), "cannot be checked: not judged is risk of bias"),
        (
            Grading("b", Design.RANDOMISED, (Judgement(DOWN[0], "serious", 1, "r"),)),
            "is not rated: not judged is inconsistency",
        ),
        (Grading("b", None, (Judgement(DOWN[0], "serious", 1, "r"),)), "has no start"),
        (
            Grading("b", Design.RANDOMISED, (Judgement(DOWN[0], "serious", 1),)),
            "without a reason: give one",
        ),
        (
            judged(0, 0, 0, 0, 0, raised=(Judgement(Domain.LARGE_EFFECT, "large", 1, "r"),)),
            "only observational evidence is",
        ),
        (
            judged(
                1, 0, 0, 0, 0, design=Design.OBSERVATIONAL,
                raised=(Judgement(Domain.LARGE_EFFECT, "large", 1, "r"),),
            ),
            "where no concern remains",
        ),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_said(grading: Grading, words: str) -> None:
    assert any(words in sentence for sentence in grading.problems), grading.problems


def test_the_stated_level_is_kept_and_none_is_invented() -> None:
    assert judged(1, 0, 0, 0, 0, stated=Certainty.HIGH).level is Certainty.HIGH
    assert Grading("b", Design.RANDOMISED, ()).level is None
    assert Grading().problems == ()


def test_a_large_effect_is_held_against_the_pooled_ratio() -> None:
    large = judged(
        0, 0, 0, 0, 0, design=Design.OBSERVATIONAL,
        raised=(Judgement(Domain.LARGE_EFFECT, "large", 1, "r"),),
    )  # fmt: skip
    assert check_upgrade(large, (2.5, 2.1, 3.0), is_ratio=True) == ()
    assert check_upgrade(large, (0.4, 0.3, 0.5), is_ratio=True) == ()
    assert "not beyond 2 or 0.5" in check_upgrade(large, (1.6, 1.1, 2.4), is_ratio=True)[0]
    assert check_upgrade(large, (1.6, 1.1, 2.4), is_ratio=False) == ()


def test_symbols_and_words_go_together() -> None:
    assert [c.text for c in Certainty] == [
        "⊕⊕⊕⊕ high", "⊕⊕⊕◯ moderate", "⊕⊕◯◯ low", "⊕◯◯◯ very low",
    ]  # fmt: skip
    for level in Certainty:
        assert certainty_of(str(level).upper()) is level
        assert certainty_of(level.symbols) is level
    assert certainty_of("very_low") is Certainty.VERY_LOW
    with pytest.raises(InputError, match="no level of certainty"):
        certainty_of("quite good")
    with pytest.raises(InputError, match="no judgement of imprecision"):
        judgement_of(Domain.IMPRECISION, "dubious")


def write(folder: Path, text: str) -> Path:
    path = folder / "grade.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_has_judgements_by_outcome(tmp_path: Path) -> None:
    path = write(tmp_path, """
[[outcome]]
name = "bleeding"
label = "Major bleeding"
design = "observational"
certainty = "very low"
comparator_rate = 1.2
comparator_source = "a register"
risk_of_bias = { concern = "very serious", reason = "confounding by indication" }
inconsistency = "not serious"
indirectness = "not serious"
imprecision = "not serious"
publication_bias = "undetected"
""")  # fmt: skip
    (found,) = read_certainty(path)
    assert found.label == "Major bleeding"
    assert (found.comparator_rate, found.comparator_risk) == (1.2, None)
    assert found.grading.computed is Certainty.VERY_LOW
    assert found.grading.footnotes == (
        "lowered by 2 levels for risk of bias: confounding by indication",
    )
    assert found.grading.problems == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = ", "no TOML"),
        ("[outcome]\nname='a'", "no outcomes"),
        ("[[outcome]]\nname='a'\ncolour='red'", "'colour' is not known"),
        ("[[outcome]]\nname='a'\n[[outcome]]\nname='A'", "stands twice"),
        ("[[outcome]]\nname='a'\ndesign='survey'", "no design"),
        ("[[outcome]]\nname='a'\nimprecision={reason='x'}", "has no concern"),
        ("[[outcome]]\nname='a'\nimprecision={concern='serious', page=3}", "'page' is not known"),
        ("[[outcome]]\nname='a'\ncomparator_risk=12", "is no share"),
        ("[[outcome]]\nname='a'\ncomparator_risk='few'", "not a number above 0"),
        ("[[outcome]]\nname='a'\ncertainty='fine'", "no level of certainty"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_certainty(write(tmp_path, text))


def test_columns_say_the_same_in_all_rows_or_are_not_used() -> None:
    head = "study,estimate,low,high,certainty,grade_design,grade_imprecision,"
    head += "grade_imprecision_reason\n"
    same = parse_table(
        head + "A,1,0.5,2,low,randomised,serious,few events\nB,1,0.5,2,low,randomised,serious,\n"
    )
    grading, problems = judgement_of_columns(same, "x")
    assert problems == ()
    assert grading.stated is Certainty.LOW
    judgement = grading.judgement(Domain.IMPRECISION)
    assert judgement is not None
    assert (judgement.levels, judgement.reason) == (1, "few events")
    other = parse_table(head + "A,1,0.5,2,low,,,\nB,1,0.5,2,high,,,\n")
    grading, problems = judgement_of_columns(other)
    assert grading.is_empty
    assert "says high and low" in problems[0]
