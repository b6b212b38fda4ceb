"""From a fitted IC50 with its distribution to inhibition, through a potency file.

The numbers are simulated, not measured: six donors about a true IC50 of 60 nM.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from statera.engagement import (
    PotencyFile,
    PotencyProvenance,
    PotencyRecord,
    Spread,
    inhibition_quantiles,
    read_potency_toml,
    write_potency_toml,
)
from statera.manifest import content_hash

ln_ic50 = np.log(60.0) + 0.3 * np.random.default_rng(1).standard_normal(6)
sd = float(ln_ic50.std(ddof=1))
record = PotencyRecord(
    drug="baricitinib",
    stimulus="IL-6",
    readout="pSTAT3",
    cells="CD4",
    value=float(np.exp(ln_ic50.mean())),
    hill=1.1,
    matrix="cell",
    ln_se=sd / np.sqrt(6.0),
    ln_sd_between=sd,
    donors=6,
    note="simulated, not measured",
)
made = PotencyProvenance("example", "2026-11-26", content_hash("settings"), content_hash("map"))

with TemporaryDirectory() as folder:
    path = Path(folder) / "potency.toml"
    write_potency_toml(PotencyFile("simulated", (record,), (), made), path)
    (potency,) = (r.potency() for r in read_potency_toml(path).potencies)

print(f"IC50 of {potency.name}: {potency.value:.1f} nM")
for spread in Spread:
    low, high = inhibition_quantiles([30.0], potency, (0.05, 0.95), spread)[:, 0]
    print(f"at 30 nM unbound, 90 % ({spread}): {100 * low:.0f} to {100 * high:.0f} % inhibited")
