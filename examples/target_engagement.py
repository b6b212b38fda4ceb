"""From a dose to the inhibition of isolated JAK1 through the day, bounds kept as bounds."""

import statera as st
from statera.engagement import concentration_basis, percent_text, potencies_from_facts, summarise
from statera.units import molar_from_mass

drug = st.load_drug("baricitinib")
model = st.load_model("baricitinib/Decker_2024")
profile = st.simulate(model, "4 mg q24h ss", typical=True)
assert drug.identity.molar_mass is not None
nanomolar = molar_from_mass(1.0, drug.identity.molar_mass) * profile.outputs["CP"][0]

potencies, skipped = potencies_from_facts(drug.facts_in("potency"))
for potency in potencies:
    basis = concentration_basis(potency, 0.5)
    summary = summarise(profile.times, basis.apply(nanomolar), potency)
    average = percent_text(summary.average, summary.relation)
    print(f"{potency.name}: {average} on average, compared with {basis.kind} drug")
for item in skipped:
    print(f"not used: {item.reason}")
