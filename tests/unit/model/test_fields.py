"""Fields of plain data: values and the errors that name the key."""

from __future__ import annotations

import pytest

from statera.model import fields
from statera.model.fields import SpecError


def test_values() -> None:
    row = {"a": 1, "b": "x", "c": ["p", "q"], "d": {"e": 2}}
    assert fields.number(row, "a", ()) == 1.0
    assert fields.number(row, "z", (), optional=True) is None
    assert fields.text(row, "b", ()) == "x"
    assert fields.text(row, "z", (), default="y") == "y"
    assert fields.texts(row, "c", ()) == ("p", "q")
    assert fields.texts(row, "z", ()) == ()
    assert fields.table(row, "d", ()) == {"e": 2}
    assert fields.table(row, "z", (), optional=True) == {}
    assert fields.choice(row, "b", (), ["x", "y"]) == "x"
    assert fields.unit({"u": "mL/min"}, "u", ()) == "mL/min"
    assert fields.unit({}, "u", ()) == ""


def test_errors_name_the_key_and_what_is_allowed() -> None:
    with pytest.raises(SpecError) as caught:
        fields.only({"colour": 1}, {"size", "age"}, ("top", 3))
    assert caught.value.path == ("top", 3, "colour")
    assert str(caught.value) == "top.3.colour: unknown key 'colour'\n  Allowed: age, size."
    for call in (
        lambda: fields.texts({"c": [1]}, "c", ()),
        lambda: fields.number({"c": float("inf")}, "c", ()),
        lambda: fields.unit({}, "c", (), dimension="h"),
        lambda: fields.choice({"c": "z"}, "c", (), ["x"]),
        lambda: fields.table({"c": 1}, "c", ()),
    ):
        with pytest.raises(SpecError) as caught:
            call()
        assert caught.value.path == ("c",)
