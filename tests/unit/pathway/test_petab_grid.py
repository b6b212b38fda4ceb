from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.pathway.petab_case import read
from tests.unit.pathway.scipy_engine import ScipyEngine

from statera.errors import UsageError
from statera.pathway.objective import Objective
from statera.pathway.petab_grid import with_time_grid


def test_curves_pass_through_the_simulated_rows(tmp_path: Path) -> None:
    problem = read(tmp_path)
    o = Objective(problem, engine=ScipyEngine())
    grid = Objective(with_time_grid(problem, 6), engine=ScipyEngine())
    table, curves = o.simulations(o.nominal), grid.simulations(o.nominal)
    keys = ["observableId", "simulationConditionId", "time"]
    both = table.join(curves, on=keys, suffix="_curve").filter(
        (pl.col("noise") == pl.col("noise_curve")) & (pl.col("observableId") != "share")
    )  # rows of 'share' differ in their placeholders at one time
    assert set(both["time"]) >= {1.0, 5.0, math.inf}
    np.testing.assert_allclose(both["simulation"], both["simulation_curve"], rtol=1e-7)
    low = curves.filter((pl.col("observableId") == "bound") & (pl.col("noise") == 0.2))
    assert low["time"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_curve_of_one_point_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no curve"):
        with_time_grid(read(tmp_path), 1)
