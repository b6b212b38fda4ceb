"""A population through one regimen."""

from __future__ import annotations

from statera.data import parse_regimen
from statera.library import load_model
from statera.simulate import simulate
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.simulate import SimulateRequest
from statera.web.work import Work

__all__ = ["run"]

_PERCENTILES = (5.0, 50.0, 95.0)


def run(request: SimulateRequest, work: Work) -> Answer:
    """Simulate, and keep percentiles over subjects at each time."""
    model = load_model(request.model)
    regimen = parse_regimen(request.dose)
    found = simulate(
        model, regimen, n=request.n, covariates=dict(request.covariates), seed=request.seed
    )
    output = next(iter(found.outputs))
    bands = found.percentiles(output, _PERCENTILES)
    unit = found.units[output]
    names = [f"p{level:g}" for level in _PERCENTILES]
    columns = [Column("time", "h"), *(Column(name, unit) for name in names)]
    profile = Table(columns, [[t, *b] for t, b in zip(found.times, bands.T, strict=True)])
    return Answer(
        "statera.web.simulate/1",
        {"output": output, "unit": unit, "summary": found.summary(_PERCENTILES)},
        {"profile": profile},
        _copies(request),
        found.warnings,
        found.manifest,
    )


def _copies(request: SimulateRequest) -> Copies:
    held = "".join(f" --covariate {name}={value:g}" for name, value in request.covariates.items())
    command = (
        f'statera simulate {request.model} --dose "{request.dose}" --n {request.n}'
        f"{held} --seed {request.seed}"
    )
    python = (
        "import statera as st\n\n"
        f"model = st.load_model({request.model!r})\n"
        f"result = st.simulate(model, {request.dose!r}, n={request.n}, "
        f"covariates={request.covariates!r}, seed={request.seed})\n"
        "print(result.summary())\n"
    )
    return Copies(python, command)
