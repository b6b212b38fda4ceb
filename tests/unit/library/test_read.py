from __future__ import annotations

from pathlib import Path

import pytest

from statera.errors import InputError, Place
from statera.library.facts import read_facts
from statera.library.labels import read_labels
from statera.library.read import Document, read_document
from statera.library.references import read_references

FACTS = """\
schema = "statera.facts/1"
drug = "testinib"

[identity]
name = "testinib"
kind = "small molecule"

[[fact]]
id = "pk-half-life"
section = "pharmacokinetics"
parameter = "Half-life"
value = 12.5
unit = "h"
source = "A"
grade = "B"
"""

LABEL = """\
schema = "statera.label/1"
drug = "testinib"
region = "eu"

[[rule]]
id = "standard"
indication = "RA"
kind = "standard"
condition = "standard"
action = "use"
dose_mg = 4
source = "A"
grade = "B"
"""


def write(tmp_path: Path, text: str, name: str = "testinib.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def fails_at(error: InputError, line: int, column: int = 1) -> bool:
    return isinstance(error.where, Place) and (error.where.line, error.where.column) == (
        line,
        column,
    )


def test_a_good_file_reads(tmp_path: Path):
    file = read_facts(write(tmp_path, FACTS))
    assert file.identity.kind == "small molecule"
    assert file.facts[0].number == 12.5


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("value = 12.5", "valeu = 12.5", 8, "'value' is missing in 'pk-half-life'"),
        ('unit = "h"', "unit = 3", 13, "'unit' is a number"),
        ('unit = "h"', 'unit = "h"\nuint = "h"', 14, "'uint' is not a known key"),
        ('grade = "B"', 'grade = "Z"', 15, "'grade' is 'Z'"),
        ('source = "A"\n', "", 8, "'source' is missing"),
        ('id = "pk-half-life"', 'id = ""', 9, "'id' is missing"),
        ("value = 12.5", "value = true", 12, "'value' is true or false"),
        ("value = 12.5", "value = 1\nlow = nan", 13, "'low' is not finite"),
        ("value = 12.5", 'relation = "range"\nlow = 1', 12, "a range needs both ends"),
        ('section = "pharmacokinetics"', 'section = "pk"', 10, "'section' is 'pk'"),
        ('kind = "small molecule"', 'kind = "x"\nmolar_mass = -1', 7, "'molar_mass' is -1.0"),
        ('drug = "testinib"', 'drug = "testinib"\nextra = 1', 3, "'extra' is not a known key"),
        ("[identity]", "[identify]", 1, "the table [identity] is missing"),
        ("[[fact]]", "[fact]", 8, "'fact' is a table"),
        ('schema = "statera.facts/1"', 'schema = "statera.facts/9"', 1, "statera.facts/9"),
    ],
)
def test_a_wrong_key_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, says: str
):
    path = write(tmp_path, FACTS.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_facts(path)
    assert says in caught.value.what
    assert fails_at(caught.value, line), caught.value.where
    assert caught.value.hint.startswith("Expected")
    assert str(caught.value).startswith(f"{path}:{line}:1: ")


def test_an_unknown_key_names_the_nearest(tmp_path: Path):
    path = write(tmp_path, FACTS.replace("unit =", "uni =", 1))
    with pytest.raises(InputError, match="'uni' is not a known key") as caught:
        read_facts(path)
    assert "unit" in caught.value.hint


def test_keys_of_another_section_are_refused(tmp_path: Path):
    path = write(tmp_path, FACTS + 'trial = "RA-BEAM"\n')
    with pytest.raises(InputError, match="'trial' is not a known key") as caught:
        read_facts(path)
    assert fails_at(caught.value, 16)


def test_a_syntax_error_has_line_and_column(tmp_path: Path):
    path = write(tmp_path, FACTS.replace('unit = "h"', "unit h"))
    with pytest.raises(InputError, match="not valid TOML") as caught:
        read_facts(path)
    assert fails_at(caught.value, 13, 6)


def test_a_file_that_ends_too_early(tmp_path: Path):
    path = write(tmp_path, 'schema = "statera.facts/1"\nlist = [1,')
    with pytest.raises(InputError, match="before the end of the file") as caught:
        read_document(path)
    assert fails_at(caught.value, 2, 11)


def test_a_key_that_stands_twice(tmp_path: Path):
    path = write(tmp_path, FACTS + 'grade = "A"\n')
    with pytest.raises(InputError, match="not valid TOML"):
        read_facts(path)


def test_a_file_that_is_not_text(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_bytes(b'schema = "\xff\xfe"')
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 10\)"):
        read_document(path)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="cannot read the file") as caught:
        read_document(tmp_path / "absent.toml")
    assert "absent.toml" in str(caught.value.where)


def test_a_directory_is_not_a_file(tmp_path: Path):
    with pytest.raises(InputError, match="cannot read the file"):
        read_document(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('kind = "standard"', 'kind = "standart"', 8, "'kind' is 'standart'"),
        ("dose_mg = 4", 'dose_mg = "4"', 11, "'dose_mg' is a text"),
        ("dose_mg = 4", "dose_gm = 4", 11, "'dose_gm' is not a known key"),
        ("dose_mg = 4", 'metric = "egfr"', 11, "'metric' is 'egfr'"),
        ("dose_mg = 4", "superseded = 1", 11, "'superseded' is a number"),
        ("dose_mg = 4", 'thresholds = [{ analyt = "ALC" }]', 11, "'analyte' is missing"),
    ],
)
def test_a_wrong_label_rule(tmp_path: Path, old: str, new: str, line: int, says: str):
    path = write(tmp_path, LABEL.replace(old, new, 1), "testinib_eu.toml")
    with pytest.raises(InputError) as caught:
        read_labels(path)
    assert says in caught.value.what
    assert fails_at(caught.value, line), caught.value.where


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[\n {]", 2, "not valid JSON"),
        ('{"id": "A"}', 1, "not a JSON array"),
        ('[\n{"type": "webpage"}]', None, "entry 1 has no id"),
        ('[\n{"id": "A", "type": "webpage"}]', 2, "'title' is missing"),
        ('[\n{"id": "A", "type": "webpage", "title": "T"}]', 2, "'custom' is missing"),
        (
            '[\n{"id": "A", "type": "webpage", "title": "T", "custom": {"grade": "Q"}}]',
            2,
            "'custom.grade' is not known",
        ),
        (
            '[\n{"id": "A", "type": "webpage", "title": "T", "issued": {"date-parts": []},'
            ' "custom": {"grade": "A"}}]',
            2,
            "'issued' is not a date",
        ),
        (
            '[\n{"id": "A", "type": "webpage", "title": "T", "custom": {"grade": "A"}},\n'
            '{"id": "A", "type": "webpage", "title": "T", "custom": {"grade": "A"}}]',
            2,
            "listed twice",
        ),
    ],
)
def test_wrong_references(tmp_path: Path, text: str, line: int | None, says: str):
    path = write(tmp_path, text, "references.json")
    with pytest.raises(InputError) as caught:
        read_references(path)
    assert says in caught.value.what
    assert isinstance(caught.value.where, Place)
    assert caught.value.where.line == line


def test_a_file_without_a_schema_is_told_which_it_needs(tmp_path: Path):
    path = tmp_path / "model.toml"
    path.write_text('id = "x"\n')
    with pytest.raises(InputError, match="'schema' is missing") as error:
        read_document(path, "statera.model/1")
    assert error.value.hint == 'Begin it with: schema = "statera.model/1"'
    assert str(error.value.where) == f"{path}:1:1"


def test_data_without_a_text_have_places_by_key() -> None:
    document = Document("visit", "", {"samples": [{"value": "x"}]})
    assert str(document.place("samples", 0, "value")) == "visit: samples[0].value"
    assert str(document.place()) == "visit"
