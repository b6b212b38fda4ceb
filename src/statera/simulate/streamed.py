"""A simulation in a folder of parquet files, read column by column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.errors import InputError
from statera.simulate.summaries import describe, unit_of_endpoint

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ENDPOINTS_FILE", "MANIFEST", "PROFILES_FILE", "StreamedSimulation"]

MANIFEST = "manifest.json"
ENDPOINTS_FILE = "endpoints-{:06d}.parquet"
PROFILES_FILE = "profiles-{:06d}.parquet"


class StreamedSimulation:
    """What `simulate_to_parquet` wrote.

    Parameters
    ----------
    path
        The folder.

    Raises
    ------
    InputError
        If the folder holds no finished simulation.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            manifest = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError("the folder holds no simulation", where=str(path)) from None
        if not manifest.get("complete"):
            raise InputError(
                "the simulation in this folder was not finished",
                where=str(path),
                hint="Run the same request again: it goes on where it stopped.",
            )
        self.manifest: dict[str, Any] = manifest

    @property
    def n_subjects(self) -> int:
        """Number of subjects, failed ones included."""
        return int(self.manifest["subjects"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences a reader must see, with the number of subjects that failed."""
        found = list(self.manifest["warnings"])
        failed = self.n_failures
        if failed:
            found.append(f"{failed} of {self.n_subjects} subjects could not be solved")
        return tuple(found)

    @property
    def n_failures(self) -> int:
        """Number of subjects that could not be solved."""
        import polars as pl  # noqa: PLC0415  heavy: only when a table is read

        table = self.endpoints().filter(pl.col("status") != "ok")
        return int(table.select(pl.col("subject").n_unique()).collect().item())

    def _scan(self, pattern: str) -> pl.LazyFrame:
        import polars as pl  # noqa: PLC0415  heavy: only when a table is read

        parts = -(-self.n_subjects // int(self.manifest["part"]))
        return pl.scan_parquet([self.path / pattern.format(i) for i in range(parts)])

    def endpoints(self) -> pl.LazyFrame:
        """Return the endpoints as `SimulationResult.endpoints` lays them out, not yet read."""
        return self._scan(ENDPOINTS_FILE)

    def profiles(self) -> pl.LazyFrame:
        """Return the profiles as `SimulationResult.to_polars` lays them out, not yet read.

        Raises
        ------
        InputError
            If no observation times were given.
        """
        if not self.manifest["profiles"]:
            raise InputError("only endpoints were written", hint="Give observation times.")
        return self._scan(PROFILES_FILE)

    def summary(self, levels: Sequence[float] = (5.0, 50.0, 95.0)) -> dict[str, Any]:
        """Return percentiles and geometric means, as `SimulationResult.summary` does.

        One column is held at a time: 8 bytes a subject.
        """
        import polars as pl  # noqa: PLC0415  heavy: only when a table is read

        table = self.endpoints()
        kept = {"subject", "output", "window_start", "window_end", "status"}
        names = [name for name in table.collect_schema().names() if name not in kept]
        found: dict[str, Any] = {}
        for output, unit in self.manifest["units"].items():
            for k, (start, end) in enumerate(self.manifest["windows"]):
                here = table.filter(
                    (pl.col("output") == output)
                    & (pl.col("window_start") == start)
                    & (pl.col("window_end") == end)
                    & (pl.col("status") == "ok")
                )
                for name in names:
                    column = here.select(pl.col(name)).collect(engine="streaming")[name]
                    if column.len() and column.null_count() == column.len():
                        continue  # asked of another output
                    found[f"{output}.{k}.{name}"] = {
                        "output": output,
                        "window_h": [start, end],
                        "endpoint": name,
                        "unit": unit_of_endpoint(name, unit),
                        **describe(name, column.to_numpy(), levels),
                    }
        return found
