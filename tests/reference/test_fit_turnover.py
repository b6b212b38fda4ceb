"""A turnover model whose maximal effect has no finite logit, on published data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.reference.turnover_case import TURNOVER

from statera.data import read_data
from statera.estimate import fit
from statera.estimate.covariance import CovarianceOptions, covariance
from statera.estimate.status import Code
from statera.model import build_model

pytestmark = pytest.mark.reference


def test_the_logit_of_the_maximal_effect_runs_on(reference: Path) -> None:
    path = reference / "nlme" / "data" / "warfarin_pkpd.csv.gz"
    if not path.is_file():
        pytest.skip(f"no nlme/data/warfarin_pkpd.csv.gz in {reference}")
    data = read_data(path, dvid={"cp": 1, "pca": 2})
    result = fit(build_model(TURNOVER), data)
    assert result.status == "drift"
    assert [d.name for d in result.extra["runaways"]] == ["lgEMAX"]
    assert result.ofv == pytest.approx(1326.22, abs=0.05)
    assert len(result.iterations) < 40
    assert any("EMAX goes to 1" in w for w in result.warnings)
    # the rate constants of two absorption steps come out equal: S cannot tell them apart
    found = covariance(result, CovarianceOptions(matrix="S"))
    assert Code.SINGULAR_S in [n.code for n in found.notices]
    assert np.isnan(found.standard_errors).all()
