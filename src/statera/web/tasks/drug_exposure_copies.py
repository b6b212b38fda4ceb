"""The same exposure by a command and by a program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from statera.data import Regimen
from statera.monograph.context import LONG_USE, Context, DoseOption
from statera.simulate import depends_on_time, implied_covariates
from statera.web.answer import Copies
from statera.web.requests.drug import DrugExposureRequest

__all__ = ["copies"]

_PROGRAM = """import numpy as np

import statera as st{load}

model = st.load_model({model!r})
options = {{"covariates": {covariates!r}, "seed": {seed}}}{window}
result = st.simulate(model, {dose!r}, n={n}, **options)
typical = st.simulate(model, {dose!r}, n=1, typical=True, **options)
output = {output!r}
p5, p50, p95 = result.percentiles(output, (5, 50, 95))
print("time", "typical", "p5", "p50", "p95")
for row in zip(result.times{shift}, typical.outputs[output][0], p5, p50, p95):
    print(*(f"{{value:.5g}}" for value in row))
for name in ("Cmax", "tmax", "AUC", "Cavg", "Ctrough"):
    print(name, typical.endpoint(name)[0], np.percentile(result.endpoint(name), (5, 50, 95)))
"""

_INHIBITION = """
# Inhibition of every receptor, from the enzyme potencies, under two assumptions.
from statera.engagement import (
    ASSUMPTIONS,
    kinase_course,
    parse_kinases,
    potencies_from_facts,
    receptor_course,
)
from statera.library import load_cytokines
from statera.units import molar_from_mass

drug = st.load_drug({drug!r})
potencies, _ = potencies_from_facts(drug.facts_in("potency"))
total = p50 * molar_from_mass(1.0, drug.identity.molar_mass)
kinases = kinase_course(total, [p for p in potencies if p.unit == "nM"], {unbound!r})
for cytokine in load_cytokines():
    if cytokine.jaks:
        names = [*cytokine.jaks] + ([] if cytokine.jaks_complete else ["?"])
        for rule in ("limiting_kinase", "independent"):
            pair = parse_kinases(";".join(names))
            course = receptor_course(pair, kinases, ASSUMPTIONS[rule], total)
            print(cytokine.name, rule, 100 * course.low, 100 * course.high)
"""


def copies(
    context: Context,
    dose: DoseOption,
    regimen: Regimen,
    covariates: dict[str, float],
    request: DrugExposureRequest,
) -> Copies:
    """Return the command for the concentrations, and the program for all of it."""
    model = context.model
    assert model is not None
    first = regimen.doses[0]
    held: dict[str, Any] = {**implied_covariates(model, first), **covariates}
    text, window, shift, load = regimen.text, "", "", ""
    if first.steady_state and depends_on_time(model):
        # Such a model has no steady state: the last interval of long use stands for it.
        text = f"{dose.amount:g} mg q{dose.interval:g}h x{LONG_USE}"
        start = replace(first, steady_state=False, additional=LONG_USE - 1).last_time
        window = (
            f"\nstart = {start:g}\n"
            f'options["windows"] = [(start, start + {dose.interval:g})]\n'
            f'options["times"] = start + default_times(st.parse_regimen("{regimen.text}"))'
        )
        shift = " - start"
        load = "\nfrom statera.simulate import default_times"
    python = _PROGRAM.format(
        model=model.id,
        covariates=held,
        seed=request.seed,
        window=window,
        load=load,
        dose=text,
        n=request.n,
        output=model.outputs[0].name,
        shift=shift,
    )
    if context.molar_mass is not None:
        python += _INHIBITION.format(drug=context.name, unbound=context.unbound_fraction)
    given = "".join(f" --covariate {name}={value:g}" for name, value in held.items())
    command = (
        f'statera simulate {model.id} --dose "{text}" --n {request.n}{given} '
        f"--seed {request.seed} --json"
    )
    why = (
        "The command gives the concentrations and their endpoints; inhibition at a free dose comes "
        "from the program."
    )
    if shift:
        why += f" The last of {LONG_USE} intervals is the one shown."
    return Copies(python, command, why)
