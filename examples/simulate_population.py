"""Simulate baricitinib in a population with mild renal impairment, and read its exposure."""

import statera as st

model = st.load_model("baricitinib/Decker_2024")
result = st.simulate(model, "4 mg q24h ss", n=500, covariates={"eGFR": 75}, seed=1)

print(result.solver)
for name in ("Cmax", "tmax", "AUC", "Ctrough"):
    row = result.summary()[f"CP.0.{name}"]
    print(f"{name:8s} {row['p50']:8.3g} ({row['p5']:.3g} to {row['p95']:.3g}) {row['unit']}")

# Outside the range that the model's data cover, the result says so.
severe = st.simulate(model, "2 mg q24h ss", n=500, covariates={"eGFR": 22}, seed=1)
print(severe.warnings[0])
