"""Courses of published JAK-STAT pathways against outside solvers.

Boehm: states and sensitivities of two solvers at 1e-12 (``engine/ref_boehm.npz``). Yamada, Adlung,
Sobotta: trajectories of two simulators at 1e-10 (``pathway/*.csv``), to 1e-6 of each state's peak.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tests.unit.pathway.networks import network

from statera.pathway.compiled_network import CompiledNetwork, compile_network
from statera.pathway.initial_states import initial_states
from statera.pathway.sbml_read import read_sbml
from statera.pathway.solve import PathwayOptions, Seeds, solve

pytestmark = pytest.mark.reference

TIGHT = PathwayOptions(rtol=1e-10, atol=1e-13)
FILES = {
    "BIOMD0000000093": "yamada2003-jak-stat-pathway__BIOMD0000000093.xml",
    "BIOMD0000001077": "signaling-sbml-adlung2021-cell-to-cell-variability-in-jak2-stat-biomd0__"
    "BIOMD0000001077.xml",
    "MODEL2307050001": "signaling-sbml-sobotta2017-il-6-induced-jak1-stat3-signaling-model2307__"
    "MODEL2307050001.xml",
}


def _published(reference: Path, name: str) -> CompiledNetwork:
    path = reference / "pathway" / FILES[name]
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}")
    return compile_network(read_sbml(path))


def test_boehm(reference: Path) -> None:
    path = reference / "engine" / "ref_boehm.npz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}")
    wanted: Any = np.load(path, allow_pickle=False)
    values = {str(k): float(v) for k, v in zip(wanted["pn"], wanted["p"], strict=True)}
    stimulus = "k_phos*1.25e-7*exp(-Epo_degradation_BaF3*t)"
    aa, ab, bb = (f"{stimulus}*{pair}" for pair in ("A*A", "A*B", "B*B"))
    out, into = 0.45 / 1.4, 1.4 / 0.45
    small = network(
        {
            "A": f"-2*{aa} - {ab} + {out}*(2*k_exp_homo*nAA + k_exp_hetero*nAB)",
            "B": f"-2*{bb} - {ab} + {out}*(2*k_exp_homo*nBB + k_exp_hetero*nAB)",
            "AB": f"{ab} - k_imp_hetero*AB",
            "AA": f"{aa} - k_imp_homo*AA",
            "BB": f"{bb} - k_imp_homo*BB",
            "nAA": f"{into}*k_imp_homo*AA - k_exp_homo*nAA",
            "nAB": f"{into}*k_imp_hetero*AB - k_exp_hetero*nAB",
            "nBB": f"{into}*k_imp_homo*BB - k_exp_homo*nBB",
        },
        values,
        {"A": "207.6*0.693", "B": "207.6 - 207.6*0.693"}
        | dict.fromkeys(["AB", "AA", "BB", "nAA", "nAB", "nBB"], "0"),
    )
    boehm = compile_network(small)
    seeds = np.diag(boehm.values)[None]  # by logarithms
    start, slopes = initial_states(boehm, boehm.values[None], seeds)
    found = solve(
        boehm, boehm.values[None], start, [wanted["ts"]], seeds=Seeds(seeds, slopes), options=TIGHT
    )
    assert found.ok
    assert found.slopes is not None
    y, s = wanted["y"], wanted["s"]
    assert (np.abs(found.states[0] - y).max(axis=0) <= 1e-8 * np.abs(y).max(axis=0)).all()
    assert (np.abs(found.slopes[0] - s).max(axis=0) <= 1e-7 * np.abs(s).max(axis=0)).all()


@pytest.mark.parametrize("simulator", ["copasi", "roadrunner"])
@pytest.mark.parametrize("name", FILES)
def test_trajectories(reference: Path, name: str, simulator: str) -> None:
    published = _published(reference, name)
    with (reference / "pathway" / f"{name}_{simulator}.csv").open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    columns = {h.strip("[]"): i for i, h in enumerate(head)}
    table = np.array(rows, dtype=float)
    times = table[:, columns.get("time", columns.get("Time", 0))]
    start, _ = initial_states(published, published.values[None])
    found = solve(published, published.values[None], start, [times], options=TIGHT)
    assert found.ok
    compared = 0
    for k, state in enumerate(published.states):
        if state in columns:
            y = table[:, columns[state]]
            np.testing.assert_allclose(
                found.states[0][:, k], y, atol=1e-6 * np.abs(y).max(), rtol=0, err_msg=state
            )
            compared += 1
    assert compared == len(published.states)


def _until(name: str) -> np.ndarray:
    # no switch of time lies between two of these (the inputs of Sobotta change at 480)
    return np.array([0.0, 1.0, 10.0, 60.0, 100.0 if name == "BIOMD0000000093" else 400.0])


@pytest.mark.parametrize("name", FILES)
def test_sensitivities_against_a_second_solver(reference: Path, name: str) -> None:
    """Differences of runs by LSODA of scipy, for three parameters of each network.

    They are those that move the end of the courses most.
    """
    published = _published(reference, name)
    n_p, n = len(published.parameters), len(published.states)
    values, times = published.values, _until(name)
    seeds = np.diag(np.where(values != 0.0, values, 1.0))[None]
    start, slopes = initial_states(published, values[None], seeds)
    found = solve(
        published, values[None], start, [times], seeds=Seeds(seeds, slopes),
        options=PathwayOptions(rtol=1e-9, atol=1e-12),
    )  # fmt: skip
    assert found.ok
    assert found.slopes is not None
    by = found.slopes[0]
    peaks = np.abs(found.states[0]).max(axis=0)
    weight = np.abs(by[-1]) / np.where(peaks > 0, peaks, np.inf)[:, None]
    chosen = [int(j) for j in np.argsort(-weight.max(axis=0))[:3]]
    for j in chosen:
        h = 1e-4
        runs = []
        for sign in (1.0, -1.0):
            moved = values + sign * h * seeds[0, :, j]
            begin, _ = initial_states(published, moved[None])
            runs.append(_by_scipy(published, moved, begin[0], times))
        differences = (runs[0] - runs[1]) / (2 * h)
        # runs that are right to 1e-9 of a state's peak have differences right to 1e-5 of it
        allowed = 1e-4 * np.abs(differences).max(axis=0) + 1e-5 * peaks
        assert (np.abs(by[:, :, j] - differences).max(axis=0) <= allowed).all(), (
            published.parameters[j]
        )
    assert by.shape == (times.size, n, n_p)


def _by_scipy(
    published: CompiledNetwork, values: np.ndarray, start: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Solve by LSODA, from one switch of time to the next, with the flags of each stretch."""
    n_p = values.size
    given = np.zeros(n_p + published.flags)
    given[:n_p] = values
    rates, roots = published.functions[0], published.functions[6]
    quantity = np.zeros(published.flags)

    def slope(t: float, x: np.ndarray) -> np.ndarray:
        out = np.empty(x.size)
        rates(t, np.ascontiguousarray(x), 0, given, out, 0)
        return out

    rows, x = [], start
    for a, b in zip([0.0, *times[:-1]], times, strict=True):
        if b > a:
            roots(0.5 * (a + b), x, 0, given, quantity, 0)
            given[n_p:] = quantity > 0
            run = solve_ivp(slope, (a, b), x, method="LSODA", rtol=1e-11, atol=1e-13)
            assert run.success
            x = run.y[:, -1]
        rows.append(x)
    return np.array(rows)
