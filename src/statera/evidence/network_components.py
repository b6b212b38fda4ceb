"""Component networks: combinations of treatments as sums of their parts, with interactions.

A treatment called ``A+B`` has the effects of A and of B; an interaction adds what the two do more,
or less, together. Parts of a network that no study joins are joined where they share components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError, UnknownNameError
from statera.evidence.network_data import NetworkData, connected_parts
from statera.evidence.network_design import QPart
from statera.evidence.network_estimates import (
    NetworkEstimates,
    PairTable,
    check_effects,
    pairs_against_reference,
    place_of_reference,
)
from statera.evidence.network_fit import NetworkOptions, estimate_tau2, inconsistency_share
from statera.evidence.network_gls import Block, blocks_of, fit_blocks, pseudo_design

__all__ = [
    "ComponentEffects",
    "ComponentResult",
    "component_difference",
    "component_network",
    "possible_interactions",
]

Floats = NDArray[np.float64]
_SMALL = 1e-8


@dataclass(frozen=True)
class ComponentEffects:
    """Effects of components and interactions, one each, (c,), with covariance (c, c).

    NaN where the contrasts do not determine a component on its own; `cov` stays finite, since sums
    of such components may be determined.
    """

    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    cov: Floats


@dataclass(frozen=True)
class ComponentResult:
    """An additive model of a network, with interactions where asked for.

    Attributes
    ----------
    data, options
        What was fitted, and how.
    components
        Names; interactions as ``A*B``.
    matrix : (n, c) float64
        1 where a treatment has a component, rows in the order of `data.treatments`.
    reference
        The inactive treatment, or the first of the network.
    random, common
        Effects of components.
    tau2, i2
        Heterogeneity about the additive model.
    additive, standard, difference
        Q of this model; of the network of combinations without a model of components (each
        connected part by itself); and their difference, the test of additivity.
    rows : (rank, c) float64
        Orthonormal basis of the sums of components that the contrasts determine.
    raw : two of (c,) float64
        Shortest solutions with random and with common effects, from which determined sums follow.
    notes
        What a reader must know, as sentences.
    """

    data: NetworkData
    options: NetworkOptions
    components: tuple[str, ...]
    matrix: Floats
    reference: str
    random: ComponentEffects
    common: ComponentEffects
    tau2: float
    i2: float
    additive: QPart
    standard: QPart
    difference: QPart
    rows: Floats
    raw: tuple[Floats, Floats]
    notes: tuple[str, ...] = ()

    def combination(self, *components: str, effects: str = "random") -> tuple[float, float]:
        """Return the effect of components given together against none, and its error.

        Interactions of components that are all named count with them.

        Raises
        ------
        InputError
            For an unknown component, or a sum that the contrasts do not determine.
        """
        check_effects(effects)
        known = [name for name in self.components if "*" not in name]
        unknown = sorted(set(components) - set(known))
        if unknown:
            raise UnknownNameError("component", unknown[0], known)
        pick = np.array([float(set(n.split("*")) <= set(components)) for n in self.components])
        if not _determined(pick[None], self.rows)[0]:
            raise InputError(
                f"the studies do not determine the effect of {'+'.join(components)}",
                where="combination",
                hint="Only sums that studies compare, directly or not, have an estimate.",
            )
        place = 0 if effects == "random" else 1
        cov = (self.random if effects == "random" else self.common).cov
        return float(pick @ self.raw[place]), float(np.sqrt(pick @ cov @ pick))

    def estimates(self, effects: str = "random") -> NetworkEstimates:
        """Return the treatments of the network under the model; NaN where not determined."""
        check_effects(effects)
        place = 0 if effects == "random" else 1
        cov = (self.random if effects == "random" else self.common).cov
        names = self.data.treatments
        base = names.index(self.reference)
        contrast = np.delete(self.matrix - self.matrix[base], base, axis=0)
        pairs = pairs_against_reference(
            contrast @ self.raw[place], contrast @ cov @ contrast.T, base, self.options.level
        )
        every = (self.matrix[:, None, :] - self.matrix[None, :, :]).reshape(-1, len(self.matrix.T))
        known = _determined(every, self.rows).reshape(len(names), -1)
        shown = [np.where(known, x, np.nan) for x in (pairs.estimate, pairs.se, pairs.low,
                                                      pairs.high)]  # fmt: skip
        none = np.full_like(pairs.se, np.nan)
        return NetworkEstimates(
            names, self.reference, self.data.measure, self.data.log,
            PairTable(shown[0], shown[1], shown[2], shown[3], pairs.cov), none, none,
        )  # fmt: skip


def component_network(
    data: NetworkData,
    *,
    inactive: str | None = None,
    separator: str = "+",
    interactions: Sequence[Sequence[str]] = (),
    options: NetworkOptions | None = None,
) -> ComponentResult:
    """Fit effects of components that add up, also over parts of a network no study joins.

    Parameters
    ----------
    inactive
        Treatment without a component, such as placebo. Without one every name is a component, and
        only differences can be determined.
    separator
        Between the components of a name.
    interactions
        Components that together have an effect of their own, such as ``[("A", "B")]``.
    options
        Estimator of tau2 and level; `reference` is not used.

    Source: Ruecker, Petropoulou and Schwarzer 2020 (doi 10.1002/bimj.201800167).

    Raises
    ------
    InputError
        For an unknown inactive treatment or interaction.
    """
    options = options or NetworkOptions()
    if inactive is not None:
        place_of_reference(data.treatments, inactive)
    parts = _parts(data, inactive, separator)
    components, matrix = _matrix(parts, interactions)
    blocks = blocks_of(data)
    base = pseudo_design(blocks, matrix)
    rows = _row_space(base)
    reduced = pseudo_design(base, rows.T)
    df = sum(block.y.size for block in reduced) - rows.shape[0]
    common = fit_blocks(reduced, 0.0)
    tau2 = estimate_tau2(reduced, df, options.tau2)
    random = fit_blocks(reduced, tau2)
    known = _determined(np.eye(len(components)), rows)
    raw = rows.T @ random.beta, rows.T @ common.beta
    standard = _standard(data, blocks)
    notes = list(data.notes)
    if not known.all():
        lost = [name for name, ok in zip(components, known, strict=True) if not ok]
        notes.append(
            f"Not determined by the studies, other than in sums: {', '.join(lost)}."
            + ("" if inactive else " No inactive treatment was named.")
        )
    if len(connected_parts(data)) > 1:
        notes.append(
            "The network is in parts that no study joins: comparisons between them rest on the "
            "assumption that components act alike in all."
        )
    return ComponentResult(
        data, options, components, matrix, inactive or data.treatments[0],
        _effects(raw[0], rows.T @ random.cov @ rows, known, options.level),
        _effects(raw[1], rows.T @ common.cov @ rows, known, options.level),
        tau2, inconsistency_share(common.q, df, options.level)[0],
        _q("additive model", common.q, df), standard,
        _q("difference", common.q - standard.q, df - standard.df), rows, raw, tuple(notes),
    )  # fmt: skip


def component_difference(simpler: ComponentResult, larger: ComponentResult) -> QPart:
    """Return the test of what the larger model has more, such as interactions.

    Raises
    ------
    InputError
        Where the models are not of the same studies, or not one within the other.
    """
    same = simpler.data.studies == larger.data.studies
    if not same or not set(simpler.components) <= set(larger.components):
        raise InputError(
            "these models of components are not one within the other",
            where="test of interactions",
            hint="Fit both to the same studies, the second with interactions added.",
        )
    return _q(
        "interactions", simpler.additive.q - larger.additive.q,
        simpler.additive.df - larger.additive.df,
    )  # fmt: skip


def possible_interactions(
    data: NetworkData, *, inactive: str | None = None, separator: str = "+"
) -> tuple[tuple[str, str], ...]:
    """Return the pairs of components that some treatment of the network has together."""
    parts = _parts(data, inactive, separator)
    pairs = {pair for part in parts for pair in combinations(sorted(part), 2)}
    return tuple(sorted(pairs))


def _parts(data: NetworkData, inactive: str | None, separator: str) -> list[set[str]]:
    return [
        {part.strip() for part in name.split(separator)} - {inactive} if name != inactive else set()
        for name in data.treatments
    ]


def _matrix(
    parts: list[set[str]], interactions: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], Floats]:
    """Return names of components and interactions, and which treatment has which."""
    single = tuple(sorted(set().union(*parts)))
    names, sets = list(single), [{name} for name in single]
    for group in interactions:
        wanted = set(group)
        for name in group:
            if name not in single:
                raise UnknownNameError("component", name, single)
        if len(wanted) < 2 or not any(wanted <= part for part in parts):
            raise InputError(
                f"no treatment has the components {', '.join(group)} together",
                where="interactions",
                hint="Name two or more components that are given together.",
            )
        names.append("*".join(sorted(wanted)))
        sets.append(wanted)
    return tuple(names), np.array([[float(s <= part) for s in sets] for part in parts])


def _row_space(blocks: tuple[Block, ...]) -> Floats:
    """Return an orthonormal basis of what the contrasts determine, (rank, columns)."""
    whole = np.concatenate([block.design.reshape(-1, block.design.shape[2]) for block in blocks])
    _, sizes, rows = np.linalg.svd(whole, full_matrices=False)
    return np.asarray(rows[sizes > _SMALL * sizes.max(initial=1.0)])


def _determined(contrasts: Floats, rows: Floats) -> NDArray[np.bool_]:
    """Return which contrasts, (k, c), lie in the row space."""
    rest = contrasts - contrasts @ rows.T @ rows
    return np.asarray(np.abs(rest).max(axis=1, initial=0.0) < _SMALL)


def _standard(data: NetworkData, blocks: tuple[Block, ...]) -> QPart:
    """Return Q of the network without components, connected parts each by itself."""
    base = pseudo_design(blocks, np.eye(len(data.treatments)))
    rows = _row_space(base)
    fit = fit_blocks(pseudo_design(base, rows.T), 0.0)
    return _q("standard model", fit.q, sum(block.y.size for block in base) - rows.shape[0])


def _q(label: str, q: float, df: int) -> QPart:
    if df <= 0:
        return QPart(label, 0.0, df, None)
    return QPart(label, max(0.0, q), df, float(stats.chi2.sf(max(0.0, q), df)))


def _effects(
    estimate: Floats, cov: Floats, known: NDArray[np.bool_], level: float
) -> ComponentEffects:
    shown = np.where(known, estimate, np.nan)
    se = np.where(known, np.sqrt(np.maximum(np.diag(cov), 0.0)), np.nan)
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    return ComponentEffects(shown, se, shown - half, shown + half, cov)
