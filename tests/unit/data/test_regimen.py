"""Regimens as people write them."""

from __future__ import annotations

import math

import pytest

from statera.data import Dose, Regimen, parse_regimen, regimen_text
from statera.errors import InputError


@pytest.mark.parametrize(
    ("text", "amount", "interval", "number"),
    [
        ("4 mg", 4, 0, 1),
        ("4mg", 4, 0, 1),
        ("4000 ug", 4, 0, 1),
        ("4000 µg", 4, 0, 1),
        ("0.004 g", 4, 0, 1),
        (".5 mg q24h x2", 0.5, 24, 2),
        ("4 mg q24h x14", 4, 24, 14),
        ("4 mg q24h x 14", 4, 24, 14),
        ("4 mg Q24H X14", 4, 24, 14),
        ("4 mg q 24 h x14", 4, 24, 14),
        ("4 mg q1d x14", 4, 24, 14),
        ("4 mg q1440min x3", 4, 24, 3),
        ("4 mg once daily for 14 days", 4, 24, 14),
        ("4 mg daily for 2 weeks", 4, 24, 14),
        ("4 mg qd x3", 4, 24, 3),
        ("4 mg od x3", 4, 24, 3),
        ("2 mg bid for 1 day", 2, 12, 2),
        ("2 mg twice  daily x4", 2, 12, 4),
        ("2 mg tid x4", 2, 8, 4),
        ("2 mg three times daily x4", 2, 8, 4),
        ("2 mg qid x4", 2, 6, 4),
        ("80 mg weekly x4", 80, 168, 4),
        ("4 mg q24h for 25 h", 4, 24, 2),
        ("4 mg q24h for 24 h", 4, 24, 1),
    ],
)
def test_spellings(text: str, amount: float, interval: float, number: int) -> None:
    regimen = parse_regimen(text)
    (dose,) = regimen.doses
    assert dose.amount == pytest.approx(amount, rel=1e-14)
    assert dose.interval == pytest.approx(interval, rel=1e-14)
    assert dose.additional == number - 1
    assert not dose.steady_state
    assert regimen.text == text


def test_infusion_route_and_steady_state() -> None:
    (dose,) = parse_regimen("100 mg over 90 min via central q12h ss").doses
    assert dose == Dose(0, 100, "central", 12, 0, 1.5, True)
    (dose,) = parse_regimen("100 mg q12h x3 at steady state").doses
    assert dose.steady_state
    assert dose.additional == 2


def test_parts_follow_each_other() -> None:
    loading, rest = parse_regimen("8 mg q24h x2 then 4 mg q12h x3").doses
    assert (loading.time, loading.last_time) == (0, 24)
    assert (rest.time, rest.last_time) == (48, 72)
    regimen = parse_regimen("8 mg q24h; 4 mg q12h x3")
    assert [d.time for d in regimen.doses] == [0, 24]
    assert regimen.end == 24 + 36
    assert parse_regimen("4 mg").end == 24


@pytest.mark.parametrize(
    "text",
    [
        "", "4", "mg", "four mg", "-4 mg", "0 mg", "4 mg q0h x3", "4 mg q24h x0", "4 mg x3",
        "4 mg for 3 days", "4 mg ss", "4 mg q24 x3", "4 mg q24h x100001", "4 L q24h", "4 mg/kg qd",
        "4 nmol", "4 mg over 0 h", "4 mg over 1 mg", "4 mg then", "then 4 mg", "4 mg then 4 mg",
        "4 mg q24h x3 x4", "nan mg", "inf mg", "4 mg q24h for 0 days", "4 mg q-24h x3",
        "4 mg via 3 x2", "1e3 mg", "4 mg every day", "4 mg q24h x2.5",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_regimen(text)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "dose",
    [
        {"time": -1.0, "amount": 4.0},
        {"time": 0.0, "amount": math.nan},
        {"time": math.inf, "amount": 4.0},
        {"time": 0.0, "amount": 4.0, "interval": -24.0},
        {"time": 0.0, "amount": 4.0, "additional": -1},
        {"time": 0.0, "amount": 4.0, "additional": 2},
        {"time": 0.0, "amount": 4.0, "steady_state": True},
        {"time": 0.0, "amount": 4.0, "duration": -1.0},
    ],
)
def test_doses_built_in_python_are_checked(dose: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Dose(**dose)  # type: ignore[arg-type]


def test_regimens_built_in_python_are_checked() -> None:
    with pytest.raises(InputError, match="at least one"):
        Regimen(())
    with pytest.raises(InputError, match="order of time"):
        Regimen((Dose(24.0, 4.0), Dose(0.0, 4.0)))


def test_parts_may_say_when_they_begin() -> None:
    later, first = parse_regimen("4 mg q12h x3 at 2 days; 8 mg at 0 h").doses[::-1]
    assert (first.time, first.amount) == (0, 8)
    assert (later.time, later.last_time) == (48, 72)
    rest = parse_regimen("8 mg at 6 h; 4 mg q24h x2 at 30 h then 2 mg").doses
    assert [d.time for d in rest] == [6, 30, 78]
    assert parse_regimen("4 mg q24h at steady state at 24 h").doses[0].steady_state
    with pytest.raises(InputError, match="has no interval"):
        parse_regimen("8 mg at 3 h then 4 mg")


@pytest.mark.parametrize(
    "text",
    [
        "4 mg q24h x14",
        "8 mg q24h x2; 4 mg q12h x3",
        "100 mg over 1.5 h via central q12h ss",
        "8 mg; 4 mg q24h x3 at 36.5 h; 2 mg",
        "0.00001 mg q6h x2 at 0.1 h",
    ],
)
def test_what_is_written_is_read_again(text: str) -> None:
    doses = parse_regimen(text).doses
    assert regimen_text(doses) == text
    assert parse_regimen(regimen_text(doses)).doses == doses


def test_a_decimal_comma_is_named() -> None:
    with pytest.raises(InputError, match="cannot read the dose") as caught:
        parse_regimen("4,5 mg q24h x7")
    assert caught.value.hint.startswith("Write decimals with a point. ")
    with pytest.raises(InputError, match="cannot read the dose") as caught:
        parse_regimen("four")
    assert "point" not in caught.value.hint
