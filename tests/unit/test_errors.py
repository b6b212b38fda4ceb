from __future__ import annotations

import pytest

from statera.errors import (
    DomainError,
    InputError,
    NumericalError,
    Place,
    StateraError,
    UnknownNameError,
    UsageError,
)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("model.toml"), "model.toml"),
        (Place("model.toml", 3), "model.toml:3"),
        (Place("model.toml", 3, 7), "model.toml:3:7"),
        # A column without a line says nothing.
        (Place("model.toml", column=7), "model.toml"),
    ],
)
def test_a_place_prints_as_file_line_column(place: Place, text: str) -> None:
    assert str(place) == text


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (StateraError, 1),
        (UsageError, 2),
        (InputError, 3),
        (UnknownNameError, 3),
        (NumericalError, 4),
        (DomainError, 5),
    ],
)
def test_every_kind_of_error_has_its_exit_code(kind: type[StateraError], code: int) -> None:
    assert kind.exit_code == code
    assert issubclass(kind, StateraError)


def test_an_error_says_what_where_and_what_next() -> None:
    error = InputError("CL is negative", where=Place("a.toml", 4), hint="Give CL above zero.")
    assert str(error) == "a.toml:4: CL is negative\n  Give CL above zero."


def test_an_error_without_place_or_hint_is_one_line() -> None:
    assert str(InputError("CL is negative")) == "CL is negative"


def test_an_unknown_name_offers_the_nearest_whatever_the_case() -> None:
    error = UnknownNameError("drug", "Baricitnib", ["baricitinib", "tofacitinib", "warfarin"])
    assert error.nearest[0] == "baricitinib"
    assert "warfarin" not in error.nearest
    assert "baricitinib" in error.hint
    assert error.what == "no drug is called 'Baricitnib'"


def test_an_unknown_name_like_none_lists_what_is_known() -> None:
    error = UnknownNameError("drug", "zzzz", ["baricitinib", "tofacitinib"])
    assert error.nearest == ()
    assert error.hint == "Known: baricitinib, tofacitinib."


def test_a_long_list_of_known_names_is_cut_and_says_so() -> None:
    error = UnknownNameError("drug", "@@@@", [f"name{i:02d}" for i in range(20)])
    assert "name11, ..." in error.hint
    assert "name12" not in error.hint


def test_where_nothing_is_known_the_hint_says_so() -> None:
    assert UnknownNameError("drug", "x", []).hint == "No drug is known here."
