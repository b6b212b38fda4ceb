"""A regimen as text and as lines: each from the other."""

from __future__ import annotations

from statera.data import Dose, Regimen, parse_regimen, regimen_text
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.simulate import RegimenRequest
from statera.web.tasks.concerning import concerning
from statera.web.work import Work

__all__ = ["run"]


def run(request: RegimenRequest, work: Work) -> Answer:
    """Read the text, or write the lines."""
    if request.lines:
        doses = [
            Dose(x.start, x.amount, x.route, x.interval, x.number - 1, x.duration, x.steady_state)
            for x in request.lines
        ]
        text = regimen_text(sorted(doses, key=lambda d: d.time))
    else:
        text = request.text
    with concerning("text"):
        regimen = parse_regimen(text)
    rows = [
        [d.amount, d.interval, d.additional + 1, d.time, d.duration, d.route, d.steady_state]
        for d in regimen.doses
    ]
    names = ("amount", "interval", "number", "start", "duration", "route", "steady_state")
    units = ("mg", "h", "", "h", "h", "", "")
    result = {
        "text": text,
        "lines": [dict(zip(names, row, strict=True)) for row in rows],
        "doses": sum(d.additional + 1 for d in regimen.doses),
        "end": regimen.end,
        "last_interval": _last(regimen),
    }
    table = Table([Column(n, u) for n, u in zip(names, units, strict=True)], rows)
    python = f"import statera as st\n\nregimen = st.parse_regimen({text!r})\nprint(regimen.doses)\n"
    return Answer(
        "statera.web.simulate-regimen/1",
        result,
        {"lines": table},
        Copies(python, why="a regimen alone is no result: 'statera simulate --dose' takes it"),
    )


def _last(regimen: Regimen) -> list[float]:
    return [regimen.last.last_time, regimen.end]
