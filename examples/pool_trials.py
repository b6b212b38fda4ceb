"""Pool simulated trials of a rare event by several methods, and say how certain the result is.

The counts are drawn here: true odds ratio 0.6, spread between trials 0.2 on the log scale.
"""

import numpy as np

from statera.evidence.certainty import Design, Domain, Grading, judgement_of
from statera.evidence.diagnostics import DiagnosticsAsked, diagnose
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.findings_formats import findings_text
from statera.evidence.pairwise_result import PairwiseOptions
from statera.evidence.print_diagnostics import print_diagnostics
from statera.evidence.print_methods import print_synthesis
from statera.evidence.read_certainty import OutcomeJudgement
from statera.evidence.summary_of_findings import finding
from statera.evidence.synthesis import SynthesisMethod, SynthesisOptions, synthesise

rng = np.random.default_rng(4)
trials = 10
drug, placebo = rng.integers(80, 400, trials), rng.integers(80, 400, trials)
odds = rng.uniform(0.01, 0.05, trials)
ratio = np.exp(rng.normal(np.log(0.6), 0.2, trials))
events = rng.binomial(drug, ratio * odds / (1 + ratio * odds))
others = rng.binomial(placebo, odds / (1 + odds))

effects = effect_sizes(
    "OR",
    names=[f"trial {i + 1}" for i in range(trials)],
    events_1=events,
    total_1=drug,
    events_2=others,
    total_2=placebo,
)

# The methods answer slightly different questions: with empty cells it matters which one.
for method in ("inverse", "mh", "peto", "cm.el", "bayes"):
    options = SynthesisOptions(SynthesisMethod(method), PairwiseOptions(test="hartung-knapp"))
    pooled = synthesise(effects, options).pooled
    middle, low, high = pooled.natural
    print(f"{pooled.method:<42} {middle:.2f} ({low:.2f} to {high:.2f})")

exact = synthesise(effects, SynthesisOptions(SynthesisMethod.CONDITIONAL_EXACT))
print()
print(print_synthesis(exact))
print(print_diagnostics(diagnose(exact, DiagnosticsAsked(leave_one_out=True))))

# Certainty is judged by people. Here a judgement of a simulation, to show the arithmetic.
grading = Grading(
    "event",
    Design.RANDOMISED,
    (
        judgement_of(Domain.RISK_OF_BIAS, "not serious"),
        judgement_of(Domain.INCONSISTENCY, "not serious"),
        judgement_of(Domain.INDIRECTNESS, "serious", "trials that were drawn from random numbers"),
        judgement_of(Domain.IMPRECISION, "not serious"),
        judgement_of(Domain.PUBLICATION_BIAS, "undetected"),
    ),
)
print(grading.sum_text)
print(findings_text([finding("event", exact.pooled, OutcomeJudgement(grading))]))
