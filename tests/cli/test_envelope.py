from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from statera.cli.envelope import Envelope, Failure
from statera.plain import plain
from statera.sources.fact import Relation


@dataclass(frozen=True)
class Point:
    x: float
    labels: tuple[str, ...]


class Colour(Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (np.bool_(True), True),
        (3, 3),
        (np.int64(3), 3),
        (0.5, 0.5),
        (np.float32(0.5), 0.5),
        (math.nan, None),
        (math.inf, None),
        (np.float64("nan"), None),
        ("µ", "µ"),
        (Relation.AT_MOST, "<="),
        (Colour.RED, 1),
        (np.array([[1.0, math.nan]]), [[1.0, None]]),
        (Point(1.0, ("a",)), {"x": 1.0, "labels": ["a"]}),
        (MappingProxyType({1: (2,)}), {"1": [2]}),
        ((x for x in (1, 2)), [1, 2]),
        (Path("folder/page.html"), "page.html"),
    ],
)
def test_values(value: object, expected: object) -> None:
    made = plain(value)
    assert made == expected
    assert type(made) is type(expected)


def test_what_has_no_counterpart_is_refused() -> None:
    with pytest.raises(TypeError, match="complex has no counterpart"):
        plain({"a": [1j]})


def test_a_class_is_not_taken_for_a_value() -> None:
    with pytest.raises(TypeError):
        plain(Point)


def test_the_envelope_of_a_success() -> None:
    envelope = Envelope("statera.x/1", {"a": math.nan}, ("careful",), {"seed": 1})
    text = envelope.to_json()
    assert json.loads(text) == {
        "schema": "statera.x/1",
        "ok": True,
        "result": {"a": None},
        "warnings": ["careful"],
        "manifest": {"seed": 1},
    }
    assert text.endswith("}\n")


def test_on_a_stream_all_is_ascii_and_in_a_file_it_is_not() -> None:
    envelope = Envelope("statera.x/1", "µ", (), {})
    assert envelope.to_json().isascii()
    assert "µ" in envelope.to_json(ascii_only=False)


def test_the_envelope_of_a_failure() -> None:
    failure = Failure("a", "b", "c", 4)
    made = json.loads(Envelope("statera.x/1", None, (), {}, failure).to_json())
    assert made["ok"] is False
    assert made["error"] == {"what": "a", "where": "b", "hint": "c", "exit_code": 4}
