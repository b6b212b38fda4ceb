"""Simulate the sample data of the screen for fits.

One compartment, first-order absorption; clearance and volume rise with body weight. The drug does
not exist and the subjects are simulated. Run it to write the file anew:

    python scripts/make_fit_sample.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "src/statera/web/samples/oral-one-compartment.csv"
DOSES = (25.0, 50.0, 100.0)
SUBJECTS = 48
INTERVAL, DAYS = 24.0, 5
TIMES = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 23.5, 96.0, 97.0, 100.0, 108.0, 120.0)
KA, CL, V = 1.2, 4.0, 40.0
OMEGA = (0.45, 0.30, 0.20)  # SD of log KA, CL, V
PROPORTIONAL, ADDITIVE = 0.15, 0.02


def sample_text(seed: int = 9) -> str:
    """Return the data as a NONMEM table."""
    rng = np.random.default_rng(seed)
    rows = ["ID,TIME,AMT,ADDL,II,EVID,DV,DOSE,WT,AGE,SEX"]
    for number in range(1, SUBJECTS + 1):
        dose = DOSES[(number - 1) % len(DOSES)]
        sex = int(rng.random() < 0.5)
        weight = round(float(np.exp(rng.normal(np.log(78.0 - 12.0 * sex), 0.18))), 1)
        age = int(rng.integers(20, 72))
        ka, cl, v = np.array([KA, CL * (weight / 70.0) ** 0.75, V * weight / 70.0]) * np.exp(
            np.array(OMEGA) * rng.standard_normal(3)
        )
        covariates = f"{dose:g},{weight:g},{age},{sex}"
        rows.append(f"{number},0,{dose:g},{DAYS - 1},{INTERVAL:g},1,.,{covariates}")
        for time in TIMES:
            since = time - INTERVAL * np.arange(DAYS)
            since = since[since > 0.0]
            k = cl / v
            shape = np.exp(-k * since) - np.exp(-ka * since)
            level = float((dose * ka / (v * (ka - k)) * shape).sum())
            noise = np.hypot(ADDITIVE, PROPORTIONAL * level) * rng.standard_normal()
            value = max(level + noise, 0.001)
            rows.append(f"{number},{time:g},.,.,.,0,{value:.4g},{covariates}")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(sample_text(), encoding="utf-8")
    print(TARGET)
