"""What a task told is read again, whatever broke it off."""

from __future__ import annotations

from pathlib import Path

from statera.web import journal


def numbers(folder: Path, after: int = 0) -> list[int]:
    return [event["number"] for event in journal.read_after(folder, after)]


def test_numbers_go_on_from_one_attempt_to_the_next(tmp_path: Path) -> None:
    assert (journal.begin(tmp_path), numbers(tmp_path)) == (0, [])
    for _ in range(3):
        last = journal.begin(tmp_path)
        for number in (last + 1, last + 2):
            journal.append(tmp_path, {"number": number, "message": "\u2028"})
    assert numbers(tmp_path) == [1, 2, 3, 4, 5, 6]
    assert numbers(tmp_path, 4) == [5, 6]


def test_lines_that_were_cut_off_are_left_out(tmp_path: Path) -> None:
    for number in (1, 2):
        journal.append(tmp_path, {"number": number})
    file = tmp_path / "told.jsonl"
    file.write_text(file.read_text() + '{"number": 3, "mess')
    assert numbers(tmp_path) == [1, 2]
    assert journal.begin(tmp_path) == 2
    journal.append(tmp_path, {"number": 3})
    assert numbers(tmp_path) == [1, 2, 3]


def test_an_interrupt_in_the_middle_of_a_line_costs_that_line(tmp_path: Path) -> None:
    file = tmp_path / "told.jsonl"
    file.write_text('{"number": 1, "mess{"number": 2}\n')
    journal.append(tmp_path, {"number": 3})
    assert numbers(tmp_path) == [3]


def test_an_empty_journal_begins_at_nothing(tmp_path: Path) -> None:
    (tmp_path / "told.jsonl").touch()
    assert journal.begin(tmp_path) == 0
