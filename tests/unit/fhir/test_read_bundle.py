"""What is not a bundle of FHIR R4, or too large, or contradicts itself, is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.fhir.bundles import administration, bundle, patient, whole_record

from statera.errors import InputError, StateraError
from statera.fhir import read_bundle as module
from statera.fhir.import_request import import_bundle
from statera.fhir.read_bundle import read_bundle
from statera.fhir.times import read_zone


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "bundle.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        ('{"resourceType": "Bundle",', "not valid JSON", "syntax"),
        ("<Bundle xmlns='http://hl7.org/fhir'/>", "not valid JSON", "XML"),
        ("[]", "no FHIR resource", "Wrap"),
        ('{"resourceType": "Patient"}', "this is a Patient", "Wrap"),
        ('{"resourceType": "Bundle", "type": "history"}', "type 'history'", "collection"),
        ('{"resourceType": "Bundle"}', "type 'None'", "collection"),
        ('{"resourceType": "Bundle", "type": "collection", "entry": {}}', "not a list", "list"),
        ('{"resourceType": "Bundle", "type": "collection", "entry": [1]}', "not an object", ""),
        (
            '{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {}}]}',
            "does not say what it is",
            "",
        ),
        ('{"resourceType": "Bundle", "type": "collection", "type": "batch"}', "twice", ""),
        ('{"resourceType": "Bundle", "type": "collection", "total": NaN}', "NaN", ""),
        (b"\xff\xfe\x00", "not text in UTF-8", ""),
        ("[" * 100_000, "nested too deeply", ""),
    ],
)
def test_malformed_files(tmp_path: Path, content: str | bytes, what: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        read_bundle(write(tmp_path, content))
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_absent_and_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_bundle(tmp_path / "none.json")
    path = write(tmp_path, json.dumps(whole_record()))
    assert len(read_bundle(path).resources) == 10
    monkeypatch.setattr(module, "MAXIMUM_ENTRIES", 9)
    with pytest.raises(InputError, match="10 entries, and at most 9"):
        read_bundle(path)
    monkeypatch.setattr(module, "MAXIMUM_BYTES", 1000)
    with pytest.raises(InputError, match="MB"):
        read_bundle(path)


def test_a_resource_twice() -> None:
    one = administration("a1", "2026-03-07T08:00:00Z")
    assert len(read_bundle(bundle(patient(), one, one)).resources) == 2
    with pytest.raises(InputError, match="stands twice with different content"):
        read_bundle(bundle(patient(), one, {**one, "status": "not-done"}))


def test_a_page_of_a_search_says_so() -> None:
    record = {**whole_record(), "type": "searchset", "link": [{"relation": "next", "url": "x"}]}
    found = import_bundle(read_bundle(record), models=("baricitinib/Decker_2024",))
    assert any("one page of a search" in r for r in found.remarks)


def test_resources_without_an_id_are_named_by_their_entry() -> None:
    dose = administration("", "2026-03-07T08:00:00Z")
    del dose["id"]
    found = read_bundle(bundle(patient(), dose))
    assert found.resources[1].label == "MedicationAdministration in entry 1"


def test_zones() -> None:
    assert read_zone("+01:00").utcoffset(None) is not None
    assert read_zone("UTC") is not None
    for name in ("+25:00", "Nowhere/Else", "1", "../etc/passwd"):
        with pytest.raises(InputError, match="not a time zone"):
            read_zone(name)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
def test_whatever_stands_in_an_element_is_a_reason_or_an_error_never_a_crash(data: Any) -> None:
    record = whole_record()
    entry = data.draw(st.sampled_from(record["entry"]))["resource"]
    keys = sorted(entry.keys() - {"resourceType", "id"})
    target, key = entry, data.draw(st.sampled_from(keys))
    while isinstance(target[key], dict) and target[key] and data.draw(st.booleans()):
        target = target[key]
        key = data.draw(st.sampled_from(sorted(target)))
    target[key] = data.draw(ANY)
    try:
        found = import_bundle(read_bundle(record), models=("baricitinib/Decker_2024",))
    except StateraError:
        return
    assert all(d.reason.endswith(".") for d in found.dropped)
