"""How the values of a patient's page were computed."""

from __future__ import annotations

from statera.report.document import Method

__all__ = ["METHODS"]

METHODS: tuple[Method, ...] = (
    Method(
        "posterior",
        "What the samples change",
        "Random effects are drawn from a mixture of the model's distribution and a heavy-tailed "
        "one around the most likely values, and weighed by their posterior density (importance "
        "sampling); where too few draws count, by Markov chains. Bands and intervals hold 90 %, "
        "over individuals and without the error of measurement. Estimates of the model's own "
        "parameters are taken as known.",
    ),
    Method(
        "candidates",
        "Candidates",
        "Every dose that the tablets make, at every interval, is given to all draws until steady "
        "state. The probability is the weighted share of draws that meet all targets; its error is "
        "that of the finite number of draws.",
    ),
    Method(
        "sampling",
        "What a further sample is worth",
        "Samples that may come at a time are drawn from what is expected; each is answered as if "
        "it had come, and the standard deviations that then remain are averaged.",
    ),
    Method(
        "model-weight",
        "Weight of a model",
        "The probability of the samples under the model, random effects integrated out, over its "
        "sum for all models; or by the most likely random effects alone, as asked.",
    ),
)
