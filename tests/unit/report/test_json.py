"""The document as plain data."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import PurePosixPath

import numpy as np
import pytest

from statera.report.document import Cell, Document
from statera.report.json import document_to_dict, plain


class _Colour(Enum):
    RED = "red"


def test_the_document_survives_a_strict_json_writer(document: Document) -> None:
    data = document_to_dict(document)
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_blocks_say_what_they_are_and_leave_out_drawings(document: Document) -> None:
    blocks = document_to_dict(document)["sections"][0]["blocks"]
    assert [block["kind"] for block in blocks] == ["paragraph", "table", "figure"]
    assert "svg" not in blocks[2]
    assert blocks[2]["data"] == {"x": [1.0, 2.0], "y": [3.0]}
    drawn = document_to_dict(document, drawings=True)["sections"][0]["blocks"][2]
    assert drawn["svg"].startswith("<svg")


def test_cells_keep_their_origin(document: Document) -> None:
    cell = document_to_dict(document)["sections"][0]["blocks"][0]["parts"][2]
    assert cell["text"] == "412"
    assert (cell["basis"], cell["method"], cell["value"]) == ("computed", "auc", 412.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (np.float64("nan"), None),
        (np.float64(1.5), 1.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1.0, np.nan]), [1.0, None]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ((1, (2, None)), [1, [2, None]]),
        ({2: {"b", "a"}}, {"2": ["a", "b"]}),
        (_Colour.RED, "red"),
        (PurePosixPath("a/b"), "a/b"),
        (True, True),
        (Cell("x").text, "x"),
    ],
)
def test_plain(value: object, expected: object) -> None:
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)
    json.dumps(result, allow_nan=False)
