"""Target engagement: from concentration to inhibition, bounds kept as bounds."""

from statera.engagement.basis import RULES, Basis, BasisRule, concentration_basis
from statera.engagement.ic50_distribution import (
    at_quantile,
    has_distribution,
    ic50_draws,
    inhibition_quantiles,
    mean_interval,
)
from statera.engagement.ic50_uncertainty import Ic50Uncertainty, Spread
from statera.engagement.inhibition import InhibitionBand, inhibition, inhibition_at
from statera.engagement.potency import Potency, Skipped, from_fact, potencies_from_facts
from statera.engagement.potency_csv import read_potency_csv
from statera.engagement.potency_record import (
    PotencyFile,
    PotencyProvenance,
    PotencyRecord,
    PotencyStatus,
    RefusedPotency,
)
from statera.engagement.potency_toml import potency_toml, read_potency_toml, write_potency_toml
from statera.engagement.read_potencies import GivenPotencies, read_potencies
from statera.engagement.receptor import (
    ASSUMPTIONS,
    KinaseInhibition,
    PairAssumption,
    ReceptorInhibition,
    ReceptorKinases,
    assumption,
    expected_inhibition,
    kinase_inhibition,
    parse_kinases,
)
from statera.engagement.receptor_course import kinase_course, receptor_course
from statera.engagement.summary import (
    Bounds,
    EngagementSummary,
    PopulationSummary,
    summarise,
    summarise_population,
)
from statera.engagement.wording import hours_text, percent_text

__all__ = [
    "ASSUMPTIONS",
    "RULES",
    "Basis",
    "BasisRule",
    "Bounds",
    "EngagementSummary",
    "GivenPotencies",
    "Ic50Uncertainty",
    "InhibitionBand",
    "KinaseInhibition",
    "PairAssumption",
    "PopulationSummary",
    "Potency",
    "PotencyFile",
    "PotencyProvenance",
    "PotencyRecord",
    "PotencyStatus",
    "ReceptorInhibition",
    "ReceptorKinases",
    "RefusedPotency",
    "Skipped",
    "Spread",
    "assumption",
    "at_quantile",
    "concentration_basis",
    "expected_inhibition",
    "from_fact",
    "has_distribution",
    "hours_text",
    "ic50_draws",
    "inhibition",
    "inhibition_at",
    "inhibition_quantiles",
    "kinase_course",
    "kinase_inhibition",
    "mean_interval",
    "parse_kinases",
    "percent_text",
    "potencies_from_facts",
    "potency_toml",
    "read_potencies",
    "read_potency_csv",
    "read_potency_toml",
    "receptor_course",
    "summarise",
    "summarise_population",
    "write_potency_toml",
]
