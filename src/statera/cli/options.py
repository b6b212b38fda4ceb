"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["JsonFlag", "OutPath", "QuietFlag", "Seed", "Workers"]

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, also on errors.")
]
QuietFlag = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no remarks; warnings and errors only."),
]
OutPath = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write.")
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, help="Seed of the random streams: the same seed, the same subjects."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Threads to use; all processors unless given."),
]
