from __future__ import annotations

import pytest

from statera.library.locate import locate

TEXT = '''\
# top
schema = "a/1"  # [not.a.header]
"quoted key" = 'x'

[identity]
name = "[[fact]]"
text = """
[[fact]]
id = "inside a string"
"""
list = [
  1, # ]
  "]",
]

[[fact]]
id = "one"
  unit = "h"
limits = [{ a = 1, unit = "h" }]

[fact.extra]
deep.key = 1

[[fact]]
id = "two"
unit = "L"
'''


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("schema",), (2, 1)),
        (("quoted key",), (3, 1)),
        (("identity",), (5, 1)),
        (("identity", "name"), (6, 1)),
        (("identity", "list"), (11, 1)),
        (("fact", 0), (16, 1)),
        (("fact", 0, "unit"), (18, 3)),
        (("fact", 0, "limits", 0, "unit"), (19, 1)),
        (("fact", 0, "extra", "deep", "key"), (22, 1)),
        (("fact", 1), (24, 1)),
        (("fact", 1, "unit"), (26, 1)),
    ],
)
def test_finds_keys_headers_and_elements(path: tuple[str | int, ...], expected: tuple[int, int]):
    assert locate(TEXT, path) == expected


def test_an_absent_key_is_placed_at_its_table():
    assert locate(TEXT, ("fact", 1, "source")) == (24, 1)


def test_nothing_of_the_path_is_there():
    assert locate(TEXT, ("other", 3)) == (1, 1)
    assert locate("", ("schema",)) == (1, 1)


def test_every_key_of_the_shipped_facts_is_found_where_it_stands():
    from statera.library.paths import data_root, files_in
    from statera.library.read import read_document

    for file in files_in(data_root(), "facts"):
        document = read_document(file)
        lines = document.text.splitlines()
        for i, fact in enumerate(document.data.get("fact", [])):
            for key, value in fact.items():
                line, column = locate(document.text, ("fact", i, key))
                assert column == 1
                assert lines[line - 1].startswith(f"{key} = ")
                if isinstance(value, str) and '"' not in value:
                    assert value in lines[line - 1]
