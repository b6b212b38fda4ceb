"""Full Bayes: the joint posterior of parameters and random effects by the no-U-turn sampler.

The sampler is that of nutpie (extra ``bayes``), given our log-density and its exact gradient
(Hoffman and Gelman 2014, jmlr.org/papers/v15/hoffman14a.html). Results are ArviZ data.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.log_density import LogDensity, PriorOptions
from statera.estimate.mixture import refuse_mixture
from statera.estimate.posterior import Posterior, summarised
from statera.estimate.posterior_coordinates import (
    Coordinates,
    density_at,
    posterior_coordinates,
)
from statera.estimate.problem import Problem

__all__ = ["NutsOptions", "Posterior", "require_sampler", "sample_posterior"]

Floats = NDArray[np.float64]

_FEWEST = 20  # draws of a chain that was stopped, below which it is left out


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
    target_accept
        Acceptance that steps aim at: nearer to 1, smaller steps and fewer divergences.
    jitter
        Spread of the starts of the chains about the centre; 1 is about that of the posterior.
    centred
        Whether random effects are sampled as they are (True) or over their standard deviations
        (False), see `statera.estimate.log_density`; None chooses by what the data say of each.
    """

    draws: int = 1000
    tune: int = 500
    chains: int = 4
    seed: int = 1
    priors: PriorOptions = field(default_factory=PriorOptions)
    target_accept: float = 0.9
    jitter: float = 1.0
    centred: bool | None = None

    def __post_init__(self) -> None:
        for name in ("draws", "tune", "chains"):
            if getattr(self, name) < 1:
                raise UsageError(f"the number of {name} must be at least 1", where=name)
        if not 0.0 < self.target_accept < 1.0:
            raise UsageError("the acceptance aimed at lies between 0 and 1", where="target_accept")


class _ImpossibleError(RuntimeError):
    """The density is zero here: the sampler steps back."""

    is_recoverable = True


def sample_posterior(
    problem: Problem,
    options: NutsOptions | None = None,
    start: Floats | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Posterior:
    """Sample the joint posterior of fixed effects, Omega and random effects.

    Parameters
    ----------
    problem
        From `statera.estimate.make_problem`, with interaction.
    start : (n_free,) float64, optional
        Free numbers around which chains begin, such as ``FitResult.free``; by default the
        initial values. Priors stay where they are.
    progress
        Called several times a second with the draws done and their number, those to adapt
        included; KeyboardInterrupt in it, or by Ctrl-C, ends the run with the draws so far.

    Raises
    ------
    UsageError
        If the extra ``bayes`` is not installed, or the run was stopped before there was a draw.
    """
    options = options or NutsOptions()
    nutpie, arviz = require_sampler()
    refuse_mixture(problem, "full Bayes")
    started = time.process_time()
    begins = problem.start if start is None else start
    density = density_at(problem, options.priors, begins, centred=options.centred)
    coordinates = posterior_coordinates(density, begins)
    done = [0]
    compiled = _compiled(nutpie, density, coordinates, options.jitter, done)
    total = options.chains * (options.draws + options.tune)

    def tell() -> None:
        if progress is not None:
            progress(done[0], total)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = nutpie.sample(
            compiled,
            draws=options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=1,  # chains share the buffers of the model
            seed=options.seed,
            target_accept=options.target_accept,
            save_warmup=False,
            progress_bar=False,
            blocking=False,
        )
        raw, stopped = _awaited(sampler, tell)
    x, stats = _whole(raw, stopped=stopped)
    data = _named(problem, density, x, stats, arviz)
    seconds = time.process_time() - started
    return summarised(problem, data, options.priors, seconds=seconds, stopped=stopped)


def _compiled(
    nutpie: Any, density: LogDensity, coordinates: Coordinates, jitter: float, done: list[int]
) -> Any:
    """Return the density as the sampler takes it; `done` counts the draws."""

    def make_density() -> Callable[[Floats], tuple[float, Floats]]:
        def evaluate(x: Floats) -> tuple[float, Floats]:
            value, gradient = density(coordinates.point(np.asarray(x)))
            if not np.isfinite(value):
                raise _ImpossibleError("the density is zero")
            return value, coordinates.pull(gradient)

        return evaluate

    def make_record(*_: Any) -> Callable[[Floats], dict[str, Floats]]:
        def record(x: Floats) -> dict[str, Floats]:
            done[0] += 1
            return {"x": coordinates.point(np.asarray(x))}

        return record

    def begin(seed: int) -> Floats:
        rng = np.random.default_rng(seed)
        return jitter * rng.normal(size=density.size)

    return nutpie.compiled_pyfunc.from_pyfunc(
        density.size,
        make_density,
        make_record,
        [np.dtype("float64")],
        [(density.size,)],
        ["x"],
        make_initial_point_fn=begin,
    )


def require_sampler() -> tuple[Any, Any]:
    """Return the sampler and ArviZ.

    Raises
    ------
    UsageError
        If they are not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import arviz  # noqa: PLC0415  an extra, and slow to load
            import nutpie  # noqa: PLC0415
            import nutpie.compiled_pyfunc  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "sampling a posterior needs nutpie and arviz, which are not installed",
            where="method",
            hint="Install the extra: pip install 'statera[bayes]'.",
        ) from None
    return nutpie, arviz


def _awaited(sampler: Any, tell: Callable[[], None]) -> tuple[Any, bool]:
    """Wait for the sampler; return what it drew, and whether it was stopped."""
    while True:
        try:
            found = sampler.wait(timeout=0.2)
            tell()
        except TimeoutError:
            try:
                tell()
            except KeyboardInterrupt:
                return sampler.abort(), True
        except KeyboardInterrupt:
            return sampler.abort(), True
        else:
            return found, False


def _whole(raw: Any, *, stopped: bool) -> tuple[Floats, dict[str, Any]]:
    """Return draws (chains, draws, size) and statistics without the gaps of a run stopped."""
    names = ("diverging", "logp", "n_steps", "maxdepth_reached")
    if not hasattr(raw, "posterior"):
        raise _nothing()
    x = np.asarray(raw.posterior["x"])
    stats = {name: np.asarray(raw.sample_stats[name]) for name in names}
    if not stopped:
        return x, stats
    counts = np.isfinite(x).all(axis=2).sum(axis=1)
    kept = np.flatnonzero(counts >= max(_FEWEST, int(counts.max(initial=0)) // 2))
    if not kept.size:
        raise _nothing()
    length = int(counts[kept].min())
    return x[kept, :length], {name: values[kept, :length] for name, values in stats.items()}


def _nothing() -> UsageError:
    return UsageError(
        "sampling was stopped before there were draws to report",
        where="method",
        hint="Let it run longer, or ask for fewer draws.",
    )


def _named(problem: Problem, density: LogDensity, x: Floats, stats: Any, arviz: Any) -> Any:
    """Return the draws by the names of the model."""
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
    effects = list(problem.model.random_effects)
    ids = list(problem.individuals.prepared.events.subject_ids)
    return arviz.from_dict(
        posterior=posterior,
        sample_stats=stats,
        coords={"effect": effects, "effect_2": effects, "subject": ids},
        dims={"omega": ["effect", "effect_2"], "eta": ["subject", "column"]},
    )
