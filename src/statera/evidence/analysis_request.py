"""How a table of studies is to be analysed, by the names that commands and pages use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from statera.errors import UsageError
from statera.evidence.bayesian import IntervalKind, TauPrior, TauPriorFamily
from statera.evidence.cluster_robust import RobustKind
from statera.evidence.pairwise_result import PairwiseOptions
from statera.evidence.synthesis import SynthesisMethod, SynthesisOptions, method_of

__all__ = ["MULTIVARIATE", "Asked", "options_of", "unused_options"]

MULTIVARIATE = "multivariate"
Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True)
class Asked:
    """How a table of studies is to be analysed.

    Attributes
    ----------
    measure
        None: as the table names it.
    method
        Of pooling; ``multivariate`` pools outcomes together.
    tau2, ci, prediction, level
    by, common_tau2, moderators
    conditions
        Columns and values of the rows to use.
    outcome
        Column of the outcome; None: ``outcome`` where there is one.
    cluster, robust
        Column of the clusters, and the kind of robust error.
    prior, mu_prior, credible
        Of the Bayesian method.
    correlation, structure
        Of the multivariate one.
    leave_one_out, influence, bias, cumulative, order, permutations, bootstraps, seed
    add_to
        Which studies get 1/2 in their cells.
    """

    measure: str | None = None
    method: str = "inverse"
    tau2: str = "REML"
    ci: str = "wald"
    prediction: str = "as test"
    level: float = 0.95
    by: str | None = None
    common_tau2: bool = False
    moderators: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    outcome: str | None = None
    cluster: str | None = None
    robust: str | None = None
    prior: str = "half-normal 0.5"
    mu_prior: tuple[float, float] | None = None
    credible: str = "shortest"
    correlation: float | None = None
    structure: str = "UN"
    leave_one_out: bool = False
    influence: bool = False
    bias: bool = False
    cumulative: bool = False
    order: str | None = None
    permutations: int = 0
    bootstraps: int = 0
    seed: int = 1
    add_to: str = "only zero"

    @property
    def is_joint(self) -> bool:
        """True where outcomes are pooled together."""
        return self.method.strip().lower() == MULTIVARIATE


def unused_options(asked: Asked) -> tuple[str, ...]:
    """Return a sentence for each option that the method asked for does not use."""
    method = asked.method.strip().lower()
    plain = Asked()
    inverse, joint = method in ("inverse", "iv", "inverse-variance"), asked.is_joint
    nested = method in ("three-level", "multilevel")
    found = []
    if not inverse:
        found += [name for name, given, default in (
            ("--ci", asked.ci, plain.ci), ("--prediction", asked.prediction, plain.prediction),
        ) if given != default]  # fmt: skip
    served = asked.tau2.strip().lower() in ("reml", "ml", "ee", "fe", "ce", "common", "fixed")
    if not (served or inverse or joint or nested):
        found.append("--tau2")
    if method not in ("bayes", "bayesian"):
        found += [name for name, given, default in (
            ("--prior", asked.prior, plain.prior), ("--mu-prior", asked.mu_prior, None),
            ("--credible", asked.credible, plain.credible),
        ) if given != default]  # fmt: skip
    if not joint:
        found += [name for name, given, default in (
            ("--correlation", asked.correlation, None), ("--structure", asked.structure, "UN"),
        ) if given != default]  # fmt: skip
    sentences = [f"{name} is not used by the method '{asked.method}'." for name in found]
    if asked.common_tau2 and asked.by is None:
        sentences.append("--common-tau2 is not used without --by.")
    if asked.order is not None and not asked.cumulative:
        sentences.append("--order is not used without --cumulative.")
    return tuple(sentences)


def options_of(asked: Asked) -> SynthesisOptions:
    """Return the options of the synthesis.

    Raises
    ------
    UsageError, InputError
        If a name is not known.
    """
    method = SynthesisMethod.INVERSE_VARIANCE if asked.is_joint else method_of(asked.method)
    robust = _one_of(asked.robust.upper(), RobustKind, "--robust") if asked.robust else None
    if robust is None and asked.cluster and method is SynthesisMethod.INVERSE_VARIANCE:
        robust = RobustKind.CR2
    return SynthesisOptions(
        method,
        PairwiseOptions(
            tau2=asked.tau2, test=asked.ci, level=asked.level, prediction=asked.prediction
        ),
        _prior(asked.prior),
        asked.mu_prior,
        _one_of(asked.credible, IntervalKind, "--credible"),
        robust,
    )


def _one_of(name: str, kinds: type[Kind], option: str) -> Kind:
    try:
        return kinds(name)
    except ValueError:
        known = ", ".join(str(k) for k in kinds)
        raise UsageError(f"'{name}' is not known", where=option, hint=f"Known: {known}.") from None


def _prior(text: str) -> TauPrior:
    parts = text.split()
    families = {str(f).lower(): f for f in TauPriorFamily}
    numbers: list[float] = []
    for part in parts[1:]:
        try:
            numbers.append(float(part))
        except ValueError:
            break
    if (
        not parts
        or parts[0].lower() not in families
        or len(parts) - 1 != len(numbers)
        or len(numbers) not in (1, 2)
    ):
        raise UsageError(
            f"'{text}' is no prior of tau",
            where="--prior",
            hint=f"Write a family and a scale, such as 'half-normal 0.5'; known: "
            f"{', '.join(TauPriorFamily)}. half-t and lognormal take a shape as well.",
        )
    return TauPrior(families[parts[0].lower()], *numbers)
