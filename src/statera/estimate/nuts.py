"""Full Bayes: the joint posterior of parameters and random effects by the no-U-turn sampler.

The sampler is that of nutpie (extra ``bayes``), given our log-density and its exact gradient
(Hoffman and Gelman 2014, jmlr.org/papers/v15/hoffman14a.html). Results are ArviZ data.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.log_density import LogDensity, PriorOptions
from statera.estimate.problem import Problem

__all__ = ["NutsOptions", "Posterior", "sample_posterior"]

Floats = NDArray[np.float64]

_LOWEST_ESS = 100.0
_HIGHEST_RHAT = 1.05


@dataclass(frozen=True)
class NutsOptions:
    """How the posterior is sampled.

    Attributes
    ----------
    draws, tune, chains
        Draws kept, draws to adapt, chains.
    seed
        The same seed gives the same draws.
    priors
        Of what the model gives none for.
    """

    draws: int = 1000
    tune: int = 500
    chains: int = 4
    seed: int = 1
    priors: PriorOptions = field(default_factory=PriorOptions)


@dataclass(frozen=True)
class Posterior:
    """Draws of the posterior.

    Attributes
    ----------
    data
        ``arviz.InferenceData``: variables named as the parameters, ``omega`` (effects squared) and
        ``eta`` (subjects by effects).
    summary
        For each fixed effect and free entry of Omega: mean, sd, 5 % and 95 % quantiles, bulk ESS
        and R-hat.
    divergences
        Steps that the integrator lost.
    status
        ``converged`` or ``not converged``.
    warnings
        What a reader must know.
    """

    data: Any
    summary: Mapping[str, Mapping[str, float]]
    divergences: int
    status: str
    warnings: tuple[str, ...]


class _ImpossibleError(RuntimeError):
    """The density is zero here: the sampler steps back."""

    is_recoverable = True


def sample_posterior(
    problem: Problem, options: NutsOptions | None = None, start: Floats | None = None
) -> Posterior:
    """Sample the joint posterior of fixed effects, Omega and random effects.

    Parameters
    ----------
    problem
        From `statera.estimate.make_problem`, with interaction.
    start : (n_free,) float64, optional
        Free numbers around which chains begin, such as ``FitResult.free``; by default the
        initial values.

    Raises
    ------
    UsageError
        If the extra ``bayes`` is not installed.
    """
    options = options or NutsOptions()
    nutpie, arviz = _libraries()
    density = LogDensity(problem, options.priors)
    centre = np.zeros(density.size)
    centre[: problem.n_free] = problem.start if start is None else start

    def make_density() -> Callable[[Floats], tuple[float, Floats]]:
        def evaluate(x: Floats) -> tuple[float, Floats]:
            value, gradient = density(np.asarray(x))
            if not np.isfinite(value):
                raise _ImpossibleError("the density is zero")
            return value, gradient

        return evaluate

    def begin(seed: int) -> Floats:
        rng = np.random.default_rng(seed)
        return centre + 0.1 * rng.normal(size=centre.size)

    compiled = nutpie.compiled_pyfunc.from_pyfunc(
        density.size,
        make_density,
        lambda _first, _second, _chain: lambda x: {"x": np.array(x)},
        [np.dtype("float64")],
        [(density.size,)],
        ["x"],
        make_initial_point_fn=begin,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = nutpie.sample(
            compiled,
            draws=options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=1,
            seed=options.seed,
            save_warmup=False,
            progress_bar=False,
        )
    return _summarised(problem, _named(problem, density, raw, arviz), arviz)


def _libraries() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import arviz  # noqa: PLC0415  an extra, and slow to load
            import nutpie  # noqa: PLC0415
            import nutpie.compiled_pyfunc  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "sampling a posterior needs nutpie and arviz, which are not installed",
            hint="Install the extra: pip install 'statera[bayes]'.",
        ) from None
    return nutpie, arviz


def _named(problem: Problem, density: LogDensity, raw: Any, arviz: Any) -> Any:
    """Return the draws by the names of the model."""
    x = np.asarray(raw.posterior["x"])
    flat = x.reshape(-1, x.shape[2])
    n = len(problem.model.random_effects)
    thetas = np.empty((flat.shape[0], len(problem.model.parameters)))
    omegas, etas = np.empty((flat.shape[0], n, n)), np.empty((flat.shape[0], *density.shape))
    for k, point in enumerate(flat):
        thetas[k], omegas[k], etas[k], _ = density.split(point)
    posterior = {
        name: thetas[:, i].reshape(x.shape[:2]) for i, name in enumerate(problem.model.parameters)
    }
    posterior["omega"] = omegas.reshape(*x.shape[:2], n, n)
    posterior["eta"] = etas.reshape(*x.shape[:2], *density.shape)
    stats = {name: np.asarray(raw.sample_stats[name]) for name in ("diverging", "logp", "n_steps")}
    return arviz.from_dict(posterior=posterior, sample_stats=stats)


def _summarised(problem: Problem, data: Any, arviz: Any) -> Posterior:
    effects = list(problem.model.random_effects)
    draws: dict[str, Floats] = {}
    for i in problem.theta.free:
        name = list(problem.model.parameters)[i]
        draws[name] = np.asarray(data.posterior[name])
    omega = np.asarray(data.posterior["omega"])
    for i, j in problem.omega.entries():
        label = f"omega({effects[i]})" if i == j else f"omega({effects[i]},{effects[j]})"
        draws[label] = omega[:, :, i, j]
    summary: dict[str, dict[str, float]] = {}
    for name, values in draws.items():
        low, high = np.quantile(values, [0.05, 0.95])
        summary[name] = {
            "mean": float(values.mean()),
            "sd": float(values.std(ddof=1)),
            "q5": float(low),
            "q95": float(high),
            "ess": float(arviz.ess(values)),
            "rhat": float(arviz.rhat(values)) if values.shape[0] > 1 else float("nan"),
        }
    lost = int(np.asarray(data.sample_stats["diverging"]).sum())
    remarks = []
    poor = [n for n, s in summary.items() if s["ess"] < _LOWEST_ESS or s["rhat"] > _HIGHEST_RHAT]
    if poor:
        remarks.append(
            f"{', '.join(poor)}: the chains do not agree or are too short (ESS below "
            f"{_LOWEST_ESS:g} or R-hat above {_HIGHEST_RHAT:g}); take more draws"
        )
    if lost:
        remarks.append(
            f"{lost} steps diverged: parts of the posterior may be missed; tighter priors help"
        )
    return Posterior(data, summary, lost, "not converged" if poor else "converged", tuple(remarks))
