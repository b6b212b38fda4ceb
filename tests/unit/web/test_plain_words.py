"""Mistakes in requests, in words for who filled in a form."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from statera.web.plain_words import plain_words


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    number: Annotated[int, Field(ge=0, le=2000)] = 0
    text: Annotated[str, Field(min_length=1, max_length=5)] = "a"
    kind: Literal["a", "b"] = "a"
    rows: Annotated[list[int], Field(max_length=2)] = []
    flag: bool = True


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"amount": 1e9}, "it has to be at most 1000000"),
        ({"amount": 0}, "it has to be above 0"),
        ({"amount": "four"}, "a number is needed"),
        ({"number": 1.5}, "a whole number is needed"),
        ({"number": -1}, "it has to be at least 0"),
        ({"text": ""}, "it may not be empty"),
        ({"text": "abcdefg"}, "it may have at most 5 characters"),
        ({"kind": "c"}, "it has to be 'a' or 'b'"),
        ({"rows": [1, 2, 3]}, "it may have at most 2 entries"),
        ({"rows": 1}, "a list is needed"),
        ({"flag": "perhaps"}, "yes or no (true or false) is needed"),
        ({"other": 1}, "there is no field of this name"),
    ],
)
def test_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate(given)
    (mistake,) = caught.value.errors()
    assert plain_words(mistake) == words


def test_other_mistakes_keep_their_words() -> None:
    mistake = {"type": "value_error", "msg": "Value error, the window ends before it begins"}
    assert plain_words(mistake) == "the window ends before it begins"
    assert plain_words({"type": "greater_than", "msg": "Too small"}) == "Too small"
