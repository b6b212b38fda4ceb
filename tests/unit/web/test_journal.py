"""What a task told is read again, whatever broke it off."""

from __future__ import annotations

from pathlib import Path

from statera.web import journal


def test_lines_that_were_cut_off_are_left_out(tmp_path: Path) -> None:
    for number in (1, 2):
        journal.append(tmp_path, {"number": number, "message": "\u2028"}, first=number == 1)
    file = tmp_path / "told.jsonl"
    file.write_text(file.read_text()[:-5] + "\n" + '{"num', "utf-8")
    journal.append(tmp_path, {"number": 3}, first=False)  # on the same line as the half one
    journal.append(tmp_path, {"number": 4}, first=False)
    assert [event["number"] for event in journal.read_after(tmp_path, 0)] == [1, 4]
    assert [event["number"] for event in journal.read_after(tmp_path, 1)] == [4]


def test_an_attempt_begins_anew(tmp_path: Path) -> None:
    assert list(journal.read_after(tmp_path, 0)) == []
    journal.append(tmp_path, {"number": 1}, first=True)
    journal.append(tmp_path, {"number": 1, "again": True}, first=True)
    assert [event["again"] for event in journal.read_after(tmp_path, 0)] == [True]
