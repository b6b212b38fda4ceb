"""What a pooled effect hangs on and whether small studies differ, all that was asked for at once.

Each part that cannot be made (too few studies, a method that it is not made for) is a sentence
among `problems`; the others are still made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from statera.errors import InputError, StateraError
from statera.evidence.bias import (
    FailSafe,
    FailSafeKind,
    RankTest,
    RegressionTest,
    TrimAndFill,
    fail_safe_number,
    rank_test,
    regression_test,
    trim_and_fill,
)
from statera.evidence.influence import Baujat, Influence, baujat, influence
from statera.evidence.pairwise_result import PairwiseResult
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.resampling import Bootstrap, Permutation, bootstrap, permutation_test
from statera.evidence.synthesis import Synthesis, each_left_out, first_ones

__all__ = ["Diagnostics", "DiagnosticsAsked", "PooledSteps", "diagnose"]

T = TypeVar("T")

#: Study left out or added, with the effect then, or why there is none.
PooledSteps = tuple[tuple[str, "PooledEffect | str"], ...]


@dataclass(frozen=True)
class DiagnosticsAsked:
    """What is asked for.

    Attributes
    ----------
    leave_one_out, influence, bias, cumulative
    order
        Values of all studies to add them by; the order of the table where None.
    bootstraps, permutations
        How many; 0 for none.
    seed
    """

    leave_one_out: bool = False
    influence: bool = False
    bias: bool = False
    cumulative: bool = False
    order: Sequence[float] | None = None
    bootstraps: int = 0
    permutations: int = 0
    seed: int = 1

    @property
    def anything(self) -> bool:
        """True where something is asked for."""
        return (
            self.leave_one_out or self.influence or self.bias or self.cumulative
            or self.bootstraps > 0 or self.permutations > 0
        )  # fmt: skip


@dataclass(frozen=True)
class Diagnostics:
    """What was found; None for what was not asked for or could not be made.

    Attributes
    ----------
    leave_one_out, cumulative
    influence, baujat
    regression, egger
        Mixed-effects regression on the standard error, and Egger's classical one.
    rank, trim_and_fill, fail_safe
    bootstrap, permutation
    problems
        What was asked for and could not be made, and why.
    """

    leave_one_out: PooledSteps | None = None
    cumulative: PooledSteps | None = None
    influence: Influence | None = None
    baujat: Baujat | None = None
    regression: RegressionTest | None = None
    egger: RegressionTest | None = None
    rank: RankTest | None = None
    trim_and_fill: TrimAndFill | None = None
    fail_safe: tuple[FailSafe, ...] = ()
    bootstrap: Bootstrap | None = None
    permutation: Permutation | None = None
    problems: tuple[tuple[str, str], ...] = ()


def diagnose(found: Synthesis, asked: DiagnosticsAsked) -> Diagnostics:
    """Make what is asked for.

    Parameters
    ----------
    found
        Of any method; influence, bias and resampling are made for inverse variances.
    asked
    """
    problems: list[tuple[str, str]] = []

    def attempt(name: str, wanted: bool, action: Callable[[], T]) -> T | None:
        if not wanted:
            return None
        try:
            return action()
        except StateraError as error:
            problems.append((name, f"{error.what}{f'; {error.hint}' if error.hint else ''}"))
            return None

    def result() -> PairwiseResult:
        if not isinstance(found.detail, PairwiseResult):
            raise InputError(
                f"this is made for inverse variances, not for the method '{found.options.method}'",
                where="method",
            )
        return found.detail

    used, options = found.pooled.effects, found.options.pairwise
    inverse = isinstance(found.detail, PairwiseResult)
    bias = asked.bias
    made = Diagnostics(
        attempt("leave-one-out", asked.leave_one_out, lambda: _several(found, each_left_out)),
        attempt("cumulative", asked.cumulative, lambda: first_ones(found, _order(found, asked))),
        attempt("influence", asked.influence, lambda: influence(result())),
        attempt("Baujat's plot", asked.influence and inverse, lambda: baujat(result())),
        attempt("regression test", bias, lambda: regression_test(result())),
        attempt("Egger's test", bias and inverse,
                lambda: regression_test(result(), classical=True)),
        attempt("rank test", bias and inverse, lambda: rank_test(result())),
        attempt("trim and fill", bias and inverse, lambda: trim_and_fill(result())),
        attempt("fail-safe numbers", bias and inverse,
                lambda: tuple(fail_safe_number(used, kind) for kind in FailSafeKind)) or (),
        attempt("bootstrap", asked.bootstraps > 0,
                lambda: bootstrap(result().effects, options, n=asked.bootstraps, seed=asked.seed)),
        attempt("permutation test", asked.permutations > 0,
                lambda: permutation_test(result().effects, options, n=asked.permutations,
                                         seed=asked.seed)),
    )  # fmt: skip
    return replace(made, problems=tuple(problems))


def _several(found: Synthesis, action: Callable[[Synthesis], PooledSteps]) -> PooledSteps:
    if found.pooled.k < 2:
        raise InputError("with one study there is nothing to leave out", where="effects")
    return action(found)


def _order(found: Synthesis, asked: DiagnosticsAsked) -> Sequence[float] | None:
    """Return the values of the studies used, out of those of all."""
    if asked.order is None:
        return None
    every = found.effects.names
    if len(asked.order) != len(every):
        raise InputError(
            f"{len(asked.order)} values to sort {len(every)} studies by", where="order"
        )
    # names may stand twice: go through both lists side by side
    left = iter(zip(every, asked.order, strict=True))
    values = []
    for name in found.pooled.effects.names:
        values.append(next(value for other, value in left if other == name))
    return values
