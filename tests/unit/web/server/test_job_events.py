"""Events on their way into the database."""

from __future__ import annotations

from statera.web.server.job_events import EventBuffer


def add(buffer: EventBuffer, message: str, **data: object) -> None:
    buffer.add({"number": 1, "time": 0.0, "fraction": None, "message": message, "data": data})


def test_first_last_and_iterations_stay() -> None:
    buffer = EventBuffer()
    for word in ("first", "second", "third"):
        add(buffer, word)
    for number in range(3):
        add(buffer, f"iteration {number}", iteration=number)
    add(buffer, "almost")
    add(buffer, "last")
    kept = [event.message for event in buffer.take()]
    assert kept == ["first", "iteration 0", "iteration 1", "iteration 2", "last"]
    assert buffer.take() == []


def test_data_are_bounded() -> None:
    buffer = EventBuffer()
    add(buffer, "large", drawing="x" * 70_000)
    [event] = buffer.take()
    assert (event.data, event.message[:7]) == ("{}", "large (")
    for number in range(1000):
        add(buffer, str(number), text="x" * 60_000)
    kept = buffer.take()
    assert len(kept) < 300
    assert kept[-1].message == "999"
