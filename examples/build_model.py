"""Build a model in Python: one compartment with an indirect response, solved numerically."""

import numpy as np

import statera as st

model = st.build_model(
    {
        "id": "example/indirect_response",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {
            "TVCL": {"value": 10.0, "unit": "L/h"},
            "V": {"value": 100.0, "unit": "L"},
            "KA": {"value": 1.2, "unit": "1/h"},
            "KIN": {"value": 10.0, "unit": "1/h"},
            "KOUT": {"value": 0.1, "unit": "1/h"},
            "IC50": {"value": 20.0, "unit": "ng/mL"},
        },
        "random_effects": {"eta_CL": {"variance": 0.09}},
        "individual": {"CL": "TVCL*exp(eta_CL)"},
        "dynamics": {
            "d/dt(depot)": "-KA*depot",
            "d/dt(central)": "KA*depot - CL/V*central",
            "d/dt(response)": "KIN*(1 - CP/(IC50 + CP)) - KOUT*response".replace(
                "CP", "(central/V*1000)"
            ),
        },
        "initial": {"response": "KIN/KOUT"},
        "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
        "outputs": {
            "CP": {"expression": "central/V*1000", "unit": "ng/mL"},
            "RESPONSE": {"expression": "response", "unit": ""},
        },
    }
)

result = st.simulate(model, "4 mg q24h x7", n=100, times=np.arange(0.0, 169.0), seed=2)
print(result.solver)
low, middle, high = result.percentiles("RESPONSE")
for day in (1, 3, 7):
    hour = 24 * day
    print(f"day {day}: response {middle[hour]:.1f} ({low[hour]:.1f} to {high[hour]:.1f})")
