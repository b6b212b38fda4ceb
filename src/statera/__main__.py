"""``python -m statera``: the same as the command ``statera``."""

from __future__ import annotations

from statera.cli.main import run

if __name__ == "__main__":
    run()
