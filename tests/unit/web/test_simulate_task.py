"""The task of the screen for simulations."""

from __future__ import annotations

import json

from statera.web.requests.simulate import SimulateRequest
from statera.web.tasks.simulate import run

from .fake_work import FakeWork


def test_bands_come_with_a_table() -> None:
    request = SimulateRequest(model="baricitinib/Decker_2024", dose="4 mg q24h x3", n=20)
    answer = json.loads(run(request, FakeWork()).to_json())
    profile = answer["tables"]["profile"]
    assert [c["name"] for c in profile["columns"]] == ["time", "p5", "p50", "p95"]
    assert all(row[1] <= row[2] <= row[3] for row in profile["rows"])
