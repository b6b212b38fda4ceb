"""Warfarin and prothrombin activity by a turnover model, as in an example of nlmixr2."""

from __future__ import annotations

from typing import Any

TURNOVER: dict[str, Any] = {
    "id": "warfarin_pkpd",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {
        name: {"value": value}
        for name, value in {
            "lKTR": 0.0, "lKA": 0.0, "lCL": -2.3, "lV": 2.3, "lgEMAX": 1.386, "lEC50": -0.693,
            "lKOUT": -3.0, "lE0": 4.605, "prop": 0.1, "add": 0.1, "add_pca": 10.0,
        }.items()
    },
    "random_effects": {
        f"eta_{name}": {"variance": value}
        for name, value in {
            "KTR": 1.0, "KA": 1.0, "CL": 2.0, "V": 1.0, "EMAX": 0.5, "EC50": 0.5, "KOUT": 0.5,
            "E0": 0.5,
        }.items()
    },
    "individual": {
        **{n: f"exp(l{n} + eta_{n})" for n in ("KTR", "KA", "CL", "V", "EC50", "KOUT", "E0")},
        "EMAX": "expit(lgEMAX + eta_EMAX)",
    },
    "dynamics": {
        "transit": "-KTR*transit",
        "gut": "KTR*transit - KA*gut",
        "central": "KA*gut - CL/V*central",
        "effect": "E0*KOUT*(1 - EMAX*(central/V)/(EC50 + central/V)) - KOUT*effect",
    },
    "initial": {"effect": "E0"},
    "inputs": {"oral": [{"kind": "bolus", "into": "transit"}]},
    "outputs": {
        "cp": {"expression": "central/V", "unit": "mg/L"},
        "pca": {"expression": "effect", "unit": ""},
    },
    "residual": {
        "cp": {"additive": "add", "proportional": "prop"},
        "pca": {"additive": "add_pca"},
    },
}  # fmt: skip
