"""What is asked of a network of trials, and the fit of each connected part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from statera.errors import InputError, UsageError
from statera.evidence.network_certainty import PairJudgements, judgements_of_network_table
from statera.evidence.network_components import ComponentResult, component_network
from statera.evidence.network_counts import ArmCounts, parts_of_counts, studies_by_pair_of_counts
from statera.evidence.network_data import (
    NetworkData,
    connected_parts,
    part_of_network,
    studies_by_pair,
)
from statera.evidence.network_estimates import place_of_reference
from statera.evidence.network_fit import NetworkOptions, NetworkResult, network
from statera.evidence.network_glm import glm_network
from statera.evidence.network_glmm import glmm_network
from statera.evidence.network_hypergeometric import hypergeometric_network
from statera.evidence.network_mantel_haenszel import mantel_haenszel_network
from statera.evidence.network_methods import COUNTS, METHODS
from statera.evidence.network_rare import RareNetwork, RareNetworkOptions
from statera.evidence.network_table import counts_of_table, network_of_table
from statera.evidence.read_table import StudyTable

__all__ = ["FittedPart", "NetworkRequest", "check_ranks", "fit_parts", "whole_network"]


@dataclass(frozen=True)
class NetworkRequest:
    """What is asked for; named as the options of commands."""

    measure: str | None = None
    method: str = "inverse-variance"
    tau2: str = "REML"
    reference: str | None = None
    level: float = 0.95
    prediction: str = "V"
    components: bool = False
    inactive: str | None = None
    separator: str = "+"
    interactions: tuple[tuple[str, ...], ...] = ()
    each_part: bool = False
    ci: str = "z"
    nodes: int | None = None
    overdispersion: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UsageError(
                f"'{self.method}' is no method", where="--method", hint=", ".join(METHODS)
            )
        if self.components and self.method != "inverse-variance":
            raise UsageError(
                "components are fitted by inverse variance only",
                where="--components",
                hint="Leave --method out.",
            )
        if self.components and self.each_part:
            raise UsageError(
                "components join the parts of a network",
                where="--each-part",
                hint="Give --components or --each-part.",
            )
        if self.nodes is not None and not self.method.endswith("-normal"):
            raise UsageError(
                f"{self.method} has no quadrature", where="--nodes", hint="Leave --nodes out."
            )
        if self.overdispersion and not self.method.endswith("-firth"):
            raise UsageError(
                f"{self.method} has no dispersion",
                where="--overdispersion",
                hint="Use binomial-firth or poisson-firth; random effects otherwise.",
            )
        if (self.inactive or self.interactions) and not self.components:
            raise UsageError(
                "a treatment without components needs components",
                where="--inactive, --interaction",
                hint="Add --components.",
            )


@dataclass(frozen=True)
class FittedPart:
    """One connected part with its result.

    `pairs` counts studies by pair of treatments; `contrasts` is None for models of counts.
    """

    result: NetworkResult | RareNetwork | ComponentResult
    treatments: tuple[str, ...]
    studies: int
    pairs: Mapping[tuple[str, str], int]
    patients: Mapping[str, float]
    contrasts: NetworkData | None


def fit_parts(
    table: StudyTable, request: NetworkRequest
) -> tuple[tuple[FittedPart, ...], PairJudgements]:
    """Fit the network of a table, or each of its parts where that was asked for."""
    measure = _measure(table, request)
    if request.method in COUNTS:
        counts = counts_of_table(table, rates=COUNTS[request.method] == "IRR")
        return _parts_of_counts(counts, request), judgements_of_network_table(table)
    parts = _parts_of_contrasts(network_of_table(table, measure), request)
    return parts, judgements_of_network_table(table)


def _measure(table: StudyTable, request: NetworkRequest) -> str:
    """Return the measure: as given, that of the model, or the one that the table names."""
    fixed = COUNTS.get(request.method)
    if request.measure is not None:
        if fixed is not None and request.measure.upper() != fixed:
            raise UsageError(
                f"{request.method} models lead to {fixed}, not {request.measure}",
                where="--measure",
                hint=f"Leave --measure out, or give {fixed}.",
            )
        return request.measure
    if fixed is not None:
        return fixed
    named = {m.strip().upper() for m in table.measure if m.strip()}
    if len(named) != 1:
        raise UsageError(
            "the measure was not given, and the table names none or several",
            where="--measure",
            hint="Give OR, RR, RD, IRR, IRD, MD, SMD, ROM, HR, ...",
        )
    return next(iter(named))


def _parts_of_contrasts(data: NetworkData, request: NetworkRequest) -> tuple[FittedPart, ...]:
    parts = connected_parts(data)
    _check_reference(request.reference, data.treatments)
    if not request.each_part:
        if not request.components:
            _check_joined(parts)
        parts = (data.treatments,)
    fitted = []
    for names in parts:
        part = part_of_network(data, names) if len(parts) > 1 else data
        reference = request.reference if request.reference in names else None
        options = NetworkOptions(
            request.tau2, reference, request.level, request.prediction, request.ci
        )
        result: NetworkResult | ComponentResult
        if request.components:
            result = component_network(
                part, inactive=request.inactive, separator=request.separator,
                interactions=request.interactions, options=options,
            )  # fmt: skip
        else:
            result = network(part, options)
        fitted.append(
            FittedPart(
                result,
                part.treatments,
                len(part.studies),
                studies_by_pair(part),
                part.patients,
                part,
            )
        )
    return tuple(fitted)


def _parts_of_counts(counts: ArmCounts, request: NetworkRequest) -> tuple[FittedPart, ...]:
    _check_reference(request.reference, counts.treatments)
    parts = parts_of_counts(counts)
    if not request.each_part:
        _check_joined(tuple(part.treatments for part in parts))
    fitted = []
    for part in parts:
        patients: dict[str, float] = {}
        for t, size in zip(part.treatment.tolist(), part.size.tolist(), strict=True):
            patients[part.treatments[t]] = patients.get(part.treatments[t], 0.0) + size
        fitted.append(
            FittedPart(
                _fit_counts(part, request),
                part.treatments,
                len(part.studies),
                studies_by_pair_of_counts(part),
                {} if counts.rates else patients,
                None,
            )
        )
    return tuple(fitted)


def _check_reference(name: str | None, treatments: tuple[str, ...]) -> None:
    place_of_reference(treatments, name)


def _check_joined(parts: tuple[tuple[str, ...], ...]) -> None:
    if len(parts) > 1:
        named = "; ".join(", ".join(part) for part in parts)
        raise InputError(
            f"the network falls into {len(parts)} parts that no study joins: {named}",
            where="network",
            hint="Add --each-part to analyse each by itself, or --components if they share some.",
        )


def _fit_counts(counts: ArmCounts, request: NetworkRequest) -> NetworkResult | RareNetwork:
    reference = request.reference if request.reference in counts.treatments else None
    rows = (
        [counts.studies[s] for s in counts.study.tolist()],
        [counts.treatments[t] for t in counts.treatment.tolist()],
        counts.events,
        counts.size,
    )
    method = request.method
    options = RareNetworkOptions(reference, request.level, nodes=request.nodes)
    if method == "mantel-haenszel":
        return mantel_haenszel_network(*rows, reference=reference, level=request.level)
    if method == "hypergeometric":
        return hypergeometric_network(*rows, options=options)
    if method.endswith("normal"):
        return glmm_network(*rows, rates=counts.rates, options=options)
    options = RareNetworkOptions(
        reference, request.level, method.endswith("firth"), request.overdispersion
    )
    return glm_network(*rows, rates=counts.rates, options=options)


def check_ranks(better: str | None) -> None:
    """Refuse a direction that is neither low nor high."""
    if better not in (None, "low", "high"):
        raise UsageError(f"'{better}' is no direction", where="--better", hint="low or high.")


def whole_network(parts: tuple[FittedPart, ...], what: str) -> FittedPart:
    """Return the only part, for what can be of one network only."""
    if len(parts) != 1:
        raise InputError(
            f"{what} is of one connected network, and there are {len(parts)} parts",
            where="--each-part",
            hint="Choose the studies of one part by --where.",
        )
    return parts[0]
