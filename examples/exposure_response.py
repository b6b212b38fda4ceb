"""From a population model and a trial to the response at doses nobody was given.

The trial is simulated here with a chosen effect (no experiment, no drug effect is claimed): 400
children on placebo, 1, 2 or 4 mg once daily; exposures by a published population model.
"""

from __future__ import annotations

import numpy as np

from statera.library import load_model
from statera.response.binary import Binary
from statera.response.compare import compare_forms
from statera.response.exposures import simulate_exposures, steady_state_regimens
from statera.response.fit import FitOptions, fit_response
from statera.response.predict import predict
from statera.response.predict_doses import predict_doses
from statera.response.profile import profile_interval

rng = np.random.default_rng(7)
model = load_model("baricitinib/Decker_2024")
dose = rng.choice([0.0, 1.0, 2.0, 4.0], 400)
patients = {"WT": rng.uniform(15.0, 80.0, 400), "EGFR": rng.uniform(70.0, 130.0, 400)}

# What the trial sees: the truth is one draw of each subject's random effects.
regimens = steady_state_regimens(dose)
truth = simulate_exposures(model, regimens, patients, metric="AUC24", draws=1, seed=11)
assert truth.draws is not None
auc = truth.draws[:, 0]
response = Binary.of(rng.random(400) < 1.0 / (1.0 + np.exp(1.6 - 3.0 * auc / (250.0 + auc))))

# What the analyst knows: dose and covariates. Exposures are drawn and integrated out.
known = simulate_exposures(model, regimens, patients, metric="AUC24", draws=60, seed=1)
assert known.draws is not None
for name, exposure in (("typical exposure", known.typical), ("integrated", known.draws)):
    fit = fit_response(response, exposure, options=FitOptions("emax"))
    low, high = np.exp(profile_interval(fit, "ln EC50"))
    print(
        f"{name:17s} {fit.status}: Emax {fit.estimate('Emax'):.2f} (simulated 3), "
        f"EC50 {np.exp(fit.estimate('ln EC50')):.0f} ({low:.0f} to {high:.0f}; simulated 250)"
    )

print("\nForms, likelihood integrated over the draws")
for row in compare_forms(response, known.draws).rows:
    print(f"  {row.form:7s} AIC {row.aic:7.1f}, weight {row.weight:.2f}, {row.status}")

curve = predict(fit, np.array([0.0, 100.0, 300.0, 800.0]))
print("\nChance of response by AUC over 24 h (ng·h/mL)")
for x, p, a, b in zip(curve.exposure, curve.estimate, curve.low, curve.high, strict=True):
    print(f"  {x:4.0f}: {p:.2f} ({a:.2f} to {b:.2f})")

print("\nAll of these children under one regimen")
for found in predict_doses(
    fit, model, ["placebo", "2 mg q12h ss", "8 mg q24h ss"], patients, metric="AUC24", draws=20
):
    p, a, b = found.chance
    print(
        f"  {found.regimen:13s} median AUC {found.exposure[0]:5.0f}: {p:.2f} ({a:.2f} to {b:.2f}), "
        f"{100 * found.beyond:.0f} % beyond the data"
    )
