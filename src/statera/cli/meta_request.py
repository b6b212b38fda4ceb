"""What ``statera meta pairwise`` was asked for, read from its options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from statera.cli.output import check_target
from statera.errors import InputError, UsageError

if TYPE_CHECKING:
    from statera.evidence.bayesian import TauPrior
    from statera.evidence.synthesis import SynthesisOptions

__all__ = ["FIGURES", "FINDINGS", "TEXTS", "Asked", "Figures", "check_request", "options_of",
           "read_conditions", "unused_options"]  # fmt: skip

FIGURES = (".svg", ".pdf")
TEXTS = (".txt", ".json")
FINDINGS = (".txt", ".csv", ".json", ".html")
MULTIVARIATE = "multivariate"
Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True)
class Figures:
    """Where drawings go; None for those not asked for.

    Attributes
    ----------
    forest, funnel, baujat, influence, cumulative, leave_one_out, overview
    arms, favours
        Names of the arms, and whom either side favours.
    """

    forest: Path | None = None
    funnel: Path | None = None
    baujat: Path | None = None
    influence: Path | None = None
    cumulative: Path | None = None
    leave_one_out: Path | None = None
    overview: Path | None = None
    arms: tuple[str, str] = ("Arm 1", "Arm 2")
    favours: tuple[str, str] = ("", "")

    @property
    def paths(self) -> dict[str, Path]:
        """Those asked for, by option."""
        every = {
            "--forest": self.forest, "--funnel": self.funnel, "--baujat": self.baujat,
            "--influence-plot": self.influence, "--cumulative-forest": self.cumulative,
            "--leave-one-out-forest": self.leave_one_out, "--overview": self.overview,
        }  # fmt: skip
        return {option: path for option, path in every.items() if path is not None}


@dataclass(frozen=True)
class Asked:
    """Everything but the figures.

    Attributes
    ----------
    data
        Table of studies.
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
    certainty
        File of judgements.
    add_to
        Which studies get 1/2 in their cells.
    """

    data: Path
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
    certainty: Path | None = None
    add_to: str = "only zero"

    @property
    def is_joint(self) -> bool:
        """True where outcomes are pooled together."""
        return self.method.strip().lower() == MULTIVARIATE


def check_request(asked: Asked, figures: Figures, out: Path | None, findings: Path | None) -> None:
    """Refuse what cannot be done, before anything is computed.

    Raises
    ------
    InputError
        If a file could not be written.
    UsageError
        If options exclude each other.
    """
    wanted = [(option, path, FIGURES) for option, path in figures.paths.items()]
    for option, path, suffixes in (
        *wanted, *(("--out", p, TEXTS) for p in (out,) if p is not None),
        *(("--findings", p, FINDINGS) for p in (findings,) if p is not None),
    ):  # fmt: skip
        try:
            check_target(path, suffixes)
        except InputError as error:
            error.where = option
            raise
    if asked.by is not None and asked.moderators:
        raise UsageError(
            "--by and --moderator exclude each other",
            where="--by",
            hint="Give the subgroups as a moderator, or leave the moderator out.",
        )
    if asked.moderators and figures.paths:
        raise UsageError(
            "a regression on moderators has no one mean to draw",
            where=", ".join(figures.paths),
            hint="Leave --moderator out, or use --by for subgroups.",
        )
    if asked.moderators and asked.method.strip().lower() not in ("inverse", "iv"):
        raise UsageError(
            f"moderators are for inverse variances, not for the method '{asked.method}'",
            where="--moderator",
            hint="Leave --method out.",
        )
    if asked.is_joint:
        _check_joint(asked, figures)


def _check_joint(asked: Asked, figures: Figures) -> None:
    if asked.correlation is None:
        raise UsageError(
            "outcomes pooled together need the correlation of their errors within studies",
            where="--correlation",
            hint="Papers rarely print it: give a plausible one, and look at others too.",
        )
    made = {"--forest", "--overview"}
    others = [option for option in figures.paths if option not in made]
    if asked.by is not None or others:
        raise UsageError(
            "there are no subgroups and no such figures of outcomes pooled together",
            where=", ".join(others) or "--by",
            hint="Pool each outcome for itself: leave --method out.",
        )


def unused_options(asked: Asked) -> tuple[str, ...]:
    """Return a sentence for each option that the method asked for does not use."""
    method = asked.method.strip().lower()
    plain = Asked(asked.data)
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


def read_conditions(where: list[str] | None) -> tuple[tuple[str, str], ...]:
    """Return columns and values from texts like COLUMN=VALUE.

    Raises
    ------
    UsageError
        If a text is no condition.
    """
    found: dict[str, str] = {}
    for text in where or []:
        column, sign, value = text.partition("=")
        if not sign or not column.strip():
            raise UsageError(
                f"'{text}' is no condition", where="--where", hint="Write COLUMN=VALUE."
            )
        found[column.strip()] = value.strip()
    return tuple(found.items())


def options_of(asked: Asked) -> SynthesisOptions:
    """Return the options of the synthesis.

    Raises
    ------
    UsageError, InputError
        If a name is not known.
    """
    from statera.evidence.bayesian import IntervalKind  # late: only when run
    from statera.evidence.cluster_robust import RobustKind
    from statera.evidence.pairwise_result import PairwiseOptions
    from statera.evidence.synthesis import SynthesisMethod, SynthesisOptions, method_of

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
    from statera.evidence.bayesian import TauPrior, TauPriorFamily  # late: only when run

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
