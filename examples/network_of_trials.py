"""Serious infections in a simulated network of trials: three methods side by side.

Run it in any folder: it writes network.svg and forest.svg there. The same from the command line,
with a table of arms (study, treatment, events, total):

    statera meta network arms.csv --method mantel-haenszel --reference placebo --better low \
        --figure network.svg --forest forest.svg
"""

from pathlib import Path

import numpy as np

from statera.evidence.network_arms import network_from_counts
from statera.evidence.network_data import studies_by_pair
from statera.evidence.network_design import decompose_designs
from statera.evidence.network_fit import NetworkOptions, network
from statera.evidence.network_glmm import glmm_network
from statera.evidence.network_mantel_haenszel import mantel_haenszel_network
from statera.evidence.network_rank import league_table, p_scores
from statera.evidence.network_rare import RareNetworkOptions
from statera.plot.network_forest import NetworkForestOptions, TreatmentRow, draw_network_forest
from statera.plot.network_graph import draw_network

# Simulated: log odds ratios against placebo, rare events, studies of two and of three arms.
EFFECTS = {"placebo": 0.0, "drug A": 0.3, "drug B": 0.1, "drug C": 0.5}
DESIGNS = (
    *[("placebo", "drug A")] * 4,
    *[("placebo", "drug B")] * 3,
    *[("drug A", "drug C")] * 2,
    *[("placebo", "drug A", "drug B")] * 2,
    ("placebo", "drug C"),
)

generator = np.random.default_rng(2026)
studies, treatments, events, patients = [], [], [], []
for number, design in enumerate(DESIGNS, start=1):
    base = generator.normal(-3.7, 0.3)
    for name in design:
        n = int(generator.integers(120, 420))
        odds = np.exp(base + EFFECTS[name])
        studies.append(f"trial {number}")
        treatments.append(name)
        events.append(float(generator.binomial(n, odds / (1 + odds))))
        patients.append(float(n))

data = network_from_counts(studies, treatments, events, patients)
weighted = network(data, NetworkOptions(reference="placebo"))
pooled = mantel_haenszel_network(studies, treatments, events, patients, reference="placebo")
options = RareNetworkOptions(reference="placebo")
mixed = glmm_network(studies, treatments, events, patients, options=options)

for note in dict.fromkeys((*weighted.notes, *pooled.notes, *mixed.notes)):
    print(note)
parts = decompose_designs(weighted)
print(f"between designs: Q {parts.between.q:.2f}, df {parts.between.df}, p {parts.between.p:.2f}")
for name, result in (
    ("inverse variance, 1/2 in empty cells", weighted),
    ("Mantel-Haenszel", pooled),
    ("binomial-normal", mixed),
):
    print(f"\n{name}")
    for row in league_table(result):
        if row.second == "placebo":
            ratio, low, high = np.exp([row.estimate, row.low, row.high])
            print(f"  {row.label}: {ratio:.2f} ({low:.2f} to {high:.2f})")

scores = dict(zip(mixed.treatments, p_scores(mixed, small_good=True), strict=True))
rows = []
for row in sorted(league_table(mixed), key=lambda row: -scores[row.first]):
    if row.second == "placebo":
        ratio, low, high = np.exp([row.estimate, row.low, row.high])
        predicted = float(np.exp(row.predict_low)), float(np.exp(row.predict_high))
        texts = (f"{scores[row.first]:.2f}",)
        rows.append(TreatmentRow(row.first, ratio, low, high, predicted, texts))
drawn = draw_network_forest(
    rows,
    NetworkForestOptions("placebo", True, "OR (95 % CI)", ("P-score",), ("", "more infections")),
    key="forest",
    title="Treatments against placebo",
    alt="Odds ratios of serious infection against placebo.",
)
Path("forest.svg").write_text(drawn, encoding="utf-8")
graph = draw_network("network", data.treatments, studies_by_pair(data), patients=data.patients)
Path("network.svg").write_text(graph, encoding="utf-8")
