"""Simulate a trial with markers at baseline and predict who responds at week 24.

Run: python examples/predict_responders.py FOLDER
It writes npx.csv (markers), samples.csv, visits.csv (JADAS27 and ESR) and rule.toml; then

    statera biomarker predict npx.csv --samples samples.csv --at week=0 --outcome visits.csv \
        --rule rule.toml --covariate age --batch plate --out page.html --save model.json
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

RULE = """name = "inactive at week 24"
conditions = ["jadas27 <= 1 @ 24"]
missing = "exclude"
subject = "subject"
visit = "week"
gate = ["jia_acr30"]

[contains]
jadas27 = ["ESR"]
"""


def write_trial(folder: Path, *, subjects: int = 140, markers: int = 60, seed: int = 8) -> None:
    """Write the four files; P0 to P2 carry the response, IL6 goes with ESR."""
    random = np.random.default_rng(seed)
    values = random.normal(5.0, 1.0, (subjects, markers))
    esr = np.exp(3.0 + 0.5 * (values[:, 3] - 5.0) + random.normal(0.0, 0.3, subjects))
    age = random.uniform(2.0, 17.0, subjects)
    chance = (values[:, 0] - 5.0) - 0.8 * (values[:, 1] - 5.0) + 0.7 * (values[:, 2] - 5.0)
    later = np.maximum(0.0, 3.0 - 2.5 * chance + random.normal(0.0, 2.0, subjects))
    plate = random.integers(0, 3, subjects)
    shifted = values + 0.4 * (plate - 1)[:, None]
    names = [f"P{j}" for j in range(markers)]
    names[3] = "IL6"
    npx, samples = ["SampleID,OlinkID,Assay,LOD,NPX"], ["sample,subject,week,plate,age"]
    visits = ["subject,week,jadas27,esr"]
    for i in range(subjects):
        for week in (0, 12):
            samples.append(f"s{i}w{week},{i},{week},{plate[i] + 1},{age[i]:.1f}")
        for j, name in enumerate(names):
            npx.append(f"s{i}w0,OID{j:03d},{name},3.2,{shifted[i, j]:.4f}")
        visits.append(f"{i},0,{random.uniform(12, 40):.1f},{esr[i]:.0f}")
        visits.append(f"{i},24,{'' if i % 23 == 0 else f'{later[i]:.1f}'},{esr[i] / 2:.0f}")
    texts = {"npx.csv": npx, "samples.csv": samples, "visits.csv": visits}
    for name, lines in texts.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "rule.toml").write_text(RULE, encoding="utf-8")


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    place.mkdir(parents=True, exist_ok=True)
    write_trial(place)
    print(f"written to {place}")
