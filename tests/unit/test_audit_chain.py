"""A chain of entries shows what was changed in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import pytest

from statera.audit_chain import AuditProblem, next_place, now, problems, sealed


@dataclass(frozen=True)
class Entry:
    number: int
    word: str
    previous: str
    hash: str = ""


def chain(*words: str) -> list[Entry]:
    trail: list[Entry] = []
    for word in words:
        number, previous = next_place(trail[-1] if trail else None)
        trail.append(sealed(Entry(number, word, previous)))
    return trail


def test_the_hash_is_of_all_other_fields_as_sorted_json() -> None:
    [entry] = chain("ä")
    empty = "sha256:" + hashlib.sha256(b"").hexdigest()
    written = f'{{"number": 1, "previous": "{empty}", "word": "ä"}}'.encode()
    assert entry == Entry(1, "ä", empty, "sha256:" + hashlib.sha256(written).hexdigest())


def test_an_untouched_trail_has_no_problem() -> None:
    assert list(problems(chain(*"abcd"))) == []
    assert list(problems([])) == []


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_changed_entry_shows(place: int) -> None:
    trail = chain(*"abcd")
    trail[place] = replace(trail[place], word="x")
    sentence = "the entry was changed after it was written"
    assert list(problems(trail)) == [AuditProblem(place + 1, sentence)]


def test_a_changed_entry_that_was_sealed_again_shows_at_the_next() -> None:
    trail = chain(*"abcd")
    trail[1] = sealed(replace(trail[1], word="x"))
    sentence = "the entry does not follow the one before it"
    assert list(problems(trail)) == [AuditProblem(3, sentence)]


def test_holes_and_beginnings_cut_off_show() -> None:
    trail = chain(*"abcde")
    assert list(problems([*trail[:1], *trail[3:]])) == [
        AuditProblem(4, "entries 2 to 3 are missing")
    ]
    assert list(problems(trail[2:])) == [AuditProblem(3, "entries 1 to 2 are missing")]


def test_entries_that_changed_places_show() -> None:
    trail = chain(*"abc")
    assert {p.number for p in problems([trail[1], trail[0], trail[2]])} >= {1, 2}


def test_times_are_utc_to_the_microsecond() -> None:
    assert len(now()) == len("2026-01-02T03:04:05.000006+00:00")
    assert now().endswith("+00:00")
