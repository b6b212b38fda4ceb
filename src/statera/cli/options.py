"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from statera.errors import concerning

__all__ = ["JsonFlag", "QuietFlag", "Seed", "Workers", "concerning"]

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, also on errors.")
]
QuietFlag = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no remarks; warnings and errors only."),
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
