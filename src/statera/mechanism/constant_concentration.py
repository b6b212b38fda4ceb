"""A pathway under concentrations that stay: cells in a dish, a drug without population model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.mechanism.kinase_potencies import KinasePotencies
from statera.mechanism.scenario import (
    CONCENTRATION,
    NO_DRUG,
    PathwayRun,
    Scenario,
    checked_parameters,
    compared,
)
from statera.pathway.compiled_network import compile_network
from statera.pathway.initial_states import initial_states
from statera.pathway.jak_inhibition import JakMarks, Rule, inhibit
from statera.pathway.network import Network
from statera.pathway.outputs import Outputs
from statera.pathway.solve import PathwayOptions, solve

__all__ = ["run_constant"]

Floats = NDArray[np.float64]


def run_constant(
    network: Network,
    marks: JakMarks,
    potencies: KinasePotencies,
    concentrations: Sequence[float],
    times: Floats,
    outputs: Sequence[str],
    *,
    parameters: Mapping[str, float] | None = None,
    unbound: float | None = None,
    rule: Rule = "limiting_kinase",
    options: PathwayOptions | None = None,
) -> PathwayRun:
    """Run a pathway without drug and under each concentration, which is there from the start.

    Parameters
    ----------
    network, marks
        The pathway, and what its kinases catalyse.
    potencies
        At the kinases.
    concentrations
        Total, nM; one scenario each.
    times : (n_times,) float64
        Rising, in the network's unit of time; the solution starts at the first.
    outputs
        States or assigned names.
    parameters
        Values in place of the network's own.
    unbound
        Fraction that is not bound, for potencies that are compared with unbound drug.
    rule
        How kinases of one reaction join.

    Raises
    ------
    InputError
        If a name is unknown or a concentration is not above 0.
    """
    if not concentrations or not all(math.isfinite(c) and c > 0.0 for c in concentrations):
        raise InputError("concentrations must be above 0 nM", where="concentrations")
    joint = inhibit(
        network, marks, potencies.values, concentration=CONCENTRATION, unbound=unbound, rule=rule
    )
    values = {**joint.parameters, **checked_parameters(joint, parameters or {})}
    compiled = compile_network(joint)
    each = [{**values, CONCENTRATION: c} for c in (0.0, *concentrations)]
    rows = np.array([[v[p] for p in compiled.parameters] for v in each])
    initial, _ = initial_states(compiled, rows)
    at = np.asarray(times, dtype=np.float64)
    solved = solve(compiled, rows, initial, [at] * len(each), options=options or PathwayOptions())
    reader = Outputs(joint, outputs)
    read = [reader(at, s, v) for s, v in zip(solved.states, each, strict=True)]
    scenarios = [Scenario(NO_DRUG, None), *(Scenario(f"{c:g} nM", None) for c in concentrations)]
    found = compared(
        scenarios, read, [np.full(at.size, v[CONCENTRATION]) for v in each], solved.message, at,
        tuple(dict.fromkeys(outputs)),
    )  # fmt: skip
    notes = (*joint.notes, *potencies.notes)
    return PathwayRun(
        at, joint.time_unit, joint, found, tuple(dict.fromkeys(notes)), potencies, unbound
    )
