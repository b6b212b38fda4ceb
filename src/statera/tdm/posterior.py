"""The posterior of one patient's random effects, by importance sampling, else by Markov chains.

Draws come from a mixture of the prior and a t with 5 degrees of freedom at every mode of the
posterior (`statera.tdm.mixture`); either alone collapses in known cases: the prior where the
samples say much, the t where they leave a curved ridge. Their weights, in logarithms, are

    ln w = -1/2 (-2 ln p(samples | eta)) + ln N(eta; 0, Omega) - ln q(eta)

with q the density of the whole mixture, and their mean is the evidence p(samples). Where few draws
carry the weight in a trial, t that follow its weighted draws join the mixture
(`statera.tdm.refit`); where that does not help either, Markov chains take over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.inner import inverse_of
from statera.numerics.streams import stream
from statera.tdm.draw_likelihood import DrawLikelihood
from statera.tdm.map_estimate import MapEstimate
from statera.tdm.markov import ChainOptions, Target, run_chains
from statera.tdm.mixture import Mixture, Part
from statera.tdm.outcome import Outcome, Remark, RequestError
from statera.tdm.patient_problem import PatientProblem
from statera.tdm.refit import refit
from statera.tdm.weighted import Summary, effective_size, summaries, systematic

__all__ = ["Posterior", "PosteriorOptions", "posterior", "prior_draws"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEFT_OUT = 1e-4
_LEAST, _LEAST_SHARE = 400.0, 0.2
_KEPT = 0.3
"""Factor on the shares of the modes where parts that follow the draws stand beside them."""


@dataclass(frozen=True)
class PosteriorOptions:
    """How the posterior is drawn.

    Attributes
    ----------
    draws
    seed
        Of all random streams.
    prior_share
        Share of draws from the prior.
    degrees
        Degrees of freedom of the t at each mode.
    pilot, rounds, wanted
        Draws of a trial (at most `draws`), largest number of trials, and effective share of a
        trial's draws at which the mixture is good enough.
    again
        Effective share of all draws below which they are drawn once more, from a mixture that
        follows them.
    least
        Effective number of draws below which Markov chains take over; None for 400, or a fifth
        of the draws where that is less.
    chains
        Of those chains.
    """

    draws: int = 20_000
    seed: int = 1
    prior_share: float = 0.3
    degrees: float = 5.0
    pilot: int = 4096
    rounds: int = 3
    wanted: float = 0.5
    again: float = 0.35
    least: float | None = None
    chains: ChainOptions = field(default_factory=ChainOptions)


@dataclass(frozen=True)
class Posterior:
    """Weighted draws of the random effects of one patient under one model.

    Attributes
    ----------
    model_id
    eta_names, eta_occasions
        What each column of `etas` is, as in `PatientProblem`.
    etas : (n_draws, n_etas) float64
    weights : (n_draws,) float64
        They sum to 1.
    parameters : (n_draws,) float64 by name
        Individual parameters at the last record.
    ess
        Effective number of draws, ``1 / sum w^2``; for chains by the spread of their means.
    method
        ``prior`` (there are no samples), ``importance``, or ``chains``.
    prior_share
        Share of draws from the prior.
    log_evidence, log_evidence_se
        ln p(samples), by the mean weight, and its Monte-Carlo error.
    log_evidence_laplace
        The same by a normal approximation at the best mode; NaN where there is none.
    remarks
    """

    model_id: str
    eta_names: tuple[str, ...]
    eta_occasions: tuple[int, ...]
    etas: Floats
    weights: Floats
    parameters: Mapping[str, Floats]
    ess: float
    method: str
    prior_share: float
    log_evidence: float
    log_evidence_se: float
    log_evidence_laplace: float
    seed: int
    remarks: tuple[Remark, ...]

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return int(self.weights.size)

    @property
    def mean(self) -> Floats:
        """Means of the random effects, (n_etas,)."""
        return np.asarray((self.weights[:, None] * self.etas).sum(axis=0))

    @property
    def sd(self) -> Floats:
        """Standard deviations of the random effects, (n_etas,)."""
        away = self.etas - self.mean
        return np.asarray(np.sqrt((self.weights[:, None] * away * away).sum(axis=0)))

    def summary(self) -> dict[str, Summary]:
        """Return summaries of random effects and of individual parameters."""
        columns = {label: self.etas[:, k] for k, label in enumerate(self.labels)}
        return summaries({**columns, **self.parameters}, self.weights)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns of `etas`; those of an occasion with its number from 1."""
        return tuple(
            name if number < 0 else f"{name}[{number + 1}]"
            for name, number in zip(self.eta_names, self.eta_occasions, strict=True)
        )

    def resampled(self, count: int, purpose: str = "resampling") -> Ints:
        """Return indices of draws that have equal weight."""
        return systematic(self.weights, count, stream(self.seed, purpose))

    def heavy(self, left_out: float = _LEFT_OUT) -> Ints:
        """Return indices of the draws that carry all but a share `left_out` of the weight."""
        order = np.argsort(self.weights, kind="stable")
        light = np.cumsum(self.weights[order]) <= left_out
        return np.sort(order[~light]).astype(np.int64)


def prior_draws(problem: PatientProblem, options: PosteriorOptions | None = None) -> Posterior:
    """Return draws of the prior, as a posterior without samples."""
    options = options or PosteriorOptions()
    prior = problem.prior
    mixture = Mixture(prior, (), 1.0, options.degrees)
    inside = mixture.draw(stream(options.seed, "prior of a patient"), options.draws)
    etas = prior.full(inside)
    weights = np.full(options.draws, 1.0 / options.draws)
    return Posterior(
        problem.model.id, problem.eta_names, problem.eta_occasions, etas, weights,
        problem.parameters(etas), float(options.draws), "prior", 1.0, 0.0, 0.0, 0.0,
        options.seed, (),
    )  # fmt: skip


def posterior(
    problem: PatientProblem, found: MapEstimate, options: PosteriorOptions | None = None
) -> Posterior:
    """Return the posterior of a patient's random effects.

    Raises
    ------
    RequestError
        NO_LIKELY_SAMPLE where no draw can explain the samples at all.
    """
    options = options or PosteriorOptions()
    of, prior = problem.individuals, problem.prior
    if of.y.size == 0 or prior.live.size == 0:
        return prior_draws(problem, options)
    likelihood = DrawLikelihood(of, problem.theta)
    remarks: list[Remark] = []
    parts = _parts(problem, found)
    if not parts:
        remarks.append(
            Remark(
                Outcome.MODE_NOT_FOUND,
                "the posterior has no curvature at its mode: draws come from the prior, and then "
                "from their own weighted moments",
            )
        )
    source = stream(options.seed, "posterior of a patient")
    mixture = _tried(problem, parts, likelihood, source, options)
    run = _weigh(mixture, likelihood, source, options.draws)
    if run.ess < options.again * options.draws:  # a tail that the trials did not meet
        other = _weigh(_learnt(run, parts, options), likelihood, source, options.draws)
        run = other if other.ess > run.ess else run
    least = options.least
    if least is None:
        least = min(_LEAST, _LEAST_SHARE * options.draws)
    method, inside, weights, ess = "importance", run.draws, run.weights, run.ess
    if run.ess < least:
        target = Target(run.mixture, likelihood)
        inside, ess = run_chains(target, run.draws, run.weights, source, options.chains)
        method, weights = "chains", np.full(inside.shape[0], 1.0 / inside.shape[0])
        remarks.append(_few(run.ess, ess, options))
    etas = prior.full(inside)
    se = float(np.sqrt(max(0.0, 1.0 / run.ess - 1.0 / options.draws)))
    return Posterior(
        problem.model.id, problem.eta_names, problem.eta_occasions, etas, weights,
        problem.parameters(etas), ess, method, run.mixture.prior_share,
        run.log_mean - 0.5 * likelihood.constant, se,
        _laplace(problem, found, likelihood.constant), options.seed, tuple(remarks),
    )  # fmt: skip


@dataclass(frozen=True)
class _Run:
    """Draws of the effects that vary, with normalised weights."""

    mixture: Mixture
    draws: Floats
    weights: Floats
    ess: float
    log_mean: float


def _tried(
    problem: PatientProblem,
    parts: list[Part],
    likelihood: DrawLikelihood,
    source: np.random.Generator,
    options: PosteriorOptions,
) -> Mixture:
    """Return the mixture that was best in trials."""
    prior = problem.prior
    tried = Mixture(prior, parts, options.prior_share, options.degrees)
    best, most = tried, -1.0
    count = min(options.pilot, options.draws)
    for _ in range(options.rounds):
        run = _weigh(tried, likelihood, source, count)
        if run.ess > most:
            best, most = tried, run.ess
        if run.ess >= options.wanted * count:
            break
        tried = _learnt(run, parts, options)
    return best


def _learnt(run: _Run, parts: Sequence[Part], options: PosteriorOptions) -> Mixture:
    """Return a mixture that also follows the weighted draws of a run."""
    prior = run.mixture.prior
    kept = [replace(p, share=_KEPT * p.share) for p in parts]
    more = [*kept, *refit(run.draws, run.weights, prior)]
    return Mixture(prior, more, options.prior_share, options.degrees)


def _weigh(
    mixture: Mixture, likelihood: DrawLikelihood, source: np.random.Generator, count: int
) -> _Run:
    draws = mixture.draw(source, count)
    log_prior = mixture.log_prior(draws)
    value = likelihood.minus_two_log(mixture.prior.full(draws))
    log_weight = log_prior - 0.5 * value - mixture.log_density(draws, log_prior)
    top = float(np.max(log_weight))
    if not np.isfinite(top):
        raise RequestError(
            Outcome.NO_LIKELY_SAMPLE,
            "no individual that the model knows can have these samples",
            where="samples",
            hint="Check units, times of doses and samples, and the route.",
        )
    raw = np.exp(log_weight - top)
    total = float(raw.sum())
    weights = raw / total
    return _Run(
        mixture, draws, weights, effective_size(weights), top + float(np.log(total / count))
    )


def _parts(problem: PatientProblem, found: MapEstimate) -> list[Part]:
    """Return a t at every mode, weighed by its normal approximation, but each at least a tenth."""
    live = problem.prior.live
    within = np.ix_(live, live)
    hessian = np.asarray(found.hessian)[within]
    parts: list[Part] = []
    logs: list[float] = []
    for mode in found.modes:
        half = hessian if np.array_equal(mode.etas, found.etas) else _expected(problem, mode.etas)
        if not np.isfinite(half).all() or np.linalg.eigvalsh(half)[0] <= 0.0:
            half = _expected(problem, mode.etas)
        if not np.isfinite(half).all() or np.linalg.eigvalsh(half)[0] <= 0.0:
            continue
        logs.append(-0.5 * (mode.objective + float(np.linalg.slogdet(half)[1])))
        parts.append(Part(1.0, np.asarray(mode.etas)[live], inverse_of(half)))
    if not parts:
        return []
    relative = np.exp(np.array(logs) - max(logs))
    shares = np.maximum(relative / relative.sum(), 0.1)
    return [Part(float(s), p.centre, p.scale) for s, p in zip(shares, parts, strict=True)]


def _expected(problem: PatientProblem, etas: Floats) -> Floats:
    """Return the expected curvature at a mode, of the effects that vary."""
    of, live = problem.individuals, problem.prior.live
    e = of.evaluate(problem.theta, np.asarray(etas)[None, :], by_parameters=False)
    half = of.expected(e, 0)[0] + problem.prior.precision
    return np.asarray(half[np.ix_(live, live)])


def _laplace(problem: PatientProblem, found: MapEstimate, constant: float) -> float:
    """Return ln p(samples) by ``-2 ln p = J + ln|Omega| + ln|H|`` (with n ln 2 pi in J)."""
    live = problem.prior.live
    half = np.asarray(found.hessian)[np.ix_(live, live)]
    if not np.isfinite(half).all() or np.linalg.eigvalsh(half)[0] <= 0.0:
        return float("nan")
    log_det = float(np.linalg.slogdet(half)[1])
    return -0.5 * (found.objective + constant + problem.prior.log_det + log_det)


def _few(before: float, after: float, options: PosteriorOptions) -> Remark:
    return Remark(
        Outcome.FEW_EFFECTIVE_DRAWS,
        f"importance sampling gave only {before:.0f} effective draws of {options.draws}: Markov "
        f"chains were run, with {after:.0f} effective draws",
    )
