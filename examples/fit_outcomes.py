"""Fit counts, ordered grades and repeated times to an event: outcomes with their own likelihood.

The data are simulated here; time is in weeks. A likelihood is written in the model as the logarithm
of the probability (or density) of one observation DV; Laplace with exact second derivatives fits.
"""

import numpy as np

from statera.data import read_data
from statera.estimate import VpcOptions, fit, vpc
from statera.estimate.covariance import covariance
from statera.model import build_model

SUBJECTS = 80
WEEKS = np.array([0.0, 2.0, 4.0, 8.0, 12.0])
rng = np.random.default_rng(7)


def outcome(name, parameters, individual, loglik, covariates=()):
    """Return a model of an outcome that no drug moves: a state that stays is all its dynamics."""
    return build_model(
        {
            "id": f"example/{name.lower()}",
            "units": {"time": "week", "amount": "mg"},
            "parameters": {key: {"value": value} for key, value in parameters.items()},
            "random_effects": {"eta": {"variance": 0.3}},
            "covariates": {key: {"unit": "", "reference": 1} for key in covariates},
            "individual": individual,
            "dynamics": {"base": "0"},
            "initial": {"base": "1"},
            "inputs": {"none": [{"kind": "bolus", "into": "base"}]},
            "outputs": {"BASE": {"expression": "base", "unit": ""}},
            "likelihood": {name: {"expression": loglik}},
        }
    )


def fitted(title, model, rows, truth, extra=()):
    """Fit, and print estimates beside what the data were simulated with."""
    names = ("ID", "TIME", "DV", *extra)
    columns = {name: [row[k] for row in rows] for k, name in enumerate(names)}
    columns |= {"EVID": [0] * len(rows), "AMT": [0.0] * len(rows)}
    result = fit(model, read_data(columns, time_unit="week"), method="laplace")
    errors = covariance(result)
    print(f"\n{title}: {result.status}, objective {result.ofv:.2f}")
    found = zip(errors.names, errors.estimates, errors.standard_errors, strict=True)
    for name, value, error in found:
        print(f"  {name:12s} {value:7.3f} (SE {error:.3f}), simulated with {truth[name]:g}")
    assert result.converged
    return result


# Counts, such as flares between visits: Poisson, with a rate that falls over the weeks.
model = outcome(
    "FLARES",
    {"lRATE": 0.5, "FALL": 0.05},
    {"RATE": "exp(lRATE + eta)"},
    "DV*(log(RATE) - FALL*t) - RATE*exp(-FALL*t) - lgamma(DV + 1)",
)
rows = []
for subject in range(SUBJECTS):
    rate = np.exp(1.0 + 0.5 * rng.normal())
    rows += [(subject + 1, t, float(rng.poisson(rate * np.exp(-0.08 * t)))) for t in WEEKS]
fitted("Counts", model, rows, {"lRATE": 1.0, "FALL": 0.08, "omega(eta)": 0.25})

# Ordered grades 0, 1 and 2 by proportional odds: LOGIT is that of a grade of at least 1, and STEP
# keeps the logit of grade 2 below it.
one, two = "expit(LOGIT - FALL*t)", "expit(LOGIT - STEP - FALL*t)"
model = outcome(
    "GRADE",
    {"A": 0.0, "STEP": 1.0, "FALL": 0.05},
    {"LOGIT": "A + eta"},
    f"where(DV < 0.5, log(1 - {one}), where(DV < 1.5, log({one} - {two}), log({two})))",
)
rows = []
for subject in range(SUBJECTS):
    level = 0.8 + 0.8 * rng.normal()
    for t in WEEKS:
        chance = 1.0 / (1.0 + np.exp(-(level - 0.15 * t - np.array([0.0, 1.6]))))
        rows.append((subject + 1, t, float((rng.random() < chance).sum())))
truth = {"A": 0.8, "STEP": 1.6, "FALL": 0.15, "omega(eta)": 0.64}
result = fitted("Ordered grades", model, rows, truth)
print(vpc(result, VpcOptions(n=200)).to_polars().head())  # shares of each grade over time

# Repeated times to an event, up to the end of the study: DV is 1 at an event and 0 at the end. GAP,
# a column of the data, is the time since the last event; the hazard since then is Weibull.
model = outcome(
    "FLARE",
    {"lSCALE": 1.0, "SHAPE": 1.0},
    {"SCALE": "exp(lSCALE + eta)"},
    "DV*log(SHAPE/SCALE*(GAP/SCALE)^(SHAPE - 1)) - (GAP/SCALE)^SHAPE",
    covariates=["GAP"],
)
rows = []
for subject in range(SUBJECTS):
    scale, now = np.exp(1.5 + 0.4 * rng.normal()), 0.0
    while now < 26.0:
        gap = scale * rng.weibull(1.4)
        event = now + gap < 26.0
        gap = gap if event else 26.0 - now
        now += gap
        rows.append((subject + 1, now, float(event), gap))
        if not event:
            break
truth = {"lSCALE": 1.5, "SHAPE": 1.4, "omega(eta)": 0.16}
fitted("Times to event", model, rows, truth, extra=("GAP",))
