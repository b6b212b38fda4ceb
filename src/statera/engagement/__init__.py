"""Target engagement: from concentration to inhibition, bounds kept as bounds."""

from statera.engagement.basis import RULES, Basis, BasisRule, concentration_basis
from statera.engagement.inhibition import InhibitionBand, inhibition, inhibition_at
from statera.engagement.potency import Potency, Skipped, from_fact, potencies_from_facts
from statera.engagement.potency_csv import read_potency_csv
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
from statera.engagement.summary import (
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
    "EngagementSummary",
    "InhibitionBand",
    "KinaseInhibition",
    "PairAssumption",
    "PopulationSummary",
    "Potency",
    "ReceptorInhibition",
    "ReceptorKinases",
    "Skipped",
    "assumption",
    "concentration_basis",
    "expected_inhibition",
    "from_fact",
    "hours_text",
    "inhibition",
    "inhibition_at",
    "kinase_inhibition",
    "parse_kinases",
    "percent_text",
    "potencies_from_facts",
    "read_potency_csv",
    "summarise",
    "summarise_population",
]
