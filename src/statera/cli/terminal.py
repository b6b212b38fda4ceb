"""What a stream can show, and plain output to the two streams."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

import typer

__all__ = ["is_lively", "note", "print_table", "survive_any_encoding", "warn"]

_ANY_SPACE = str.maketrans({"\t": " ", "\n": " ", "\r": " "})


def is_lively(stream: TextIO) -> bool:
    """Return True where colour and moving progress are welcome on `stream`."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def survive_any_encoding() -> None:
    """Let a character that the terminal cannot show be replaced instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def note(text: str, *, quiet: bool = False) -> None:
    """Say something to the user on standard error, unless `quiet`."""
    if not quiet:
        typer.echo(text, err=True)


def warn(sentences: Iterable[str]) -> None:
    """Print warnings on standard error; ``--quiet`` does not hide them."""
    word = "warning:"
    if is_lively(sys.stderr):
        word = typer.style(word, fg=typer.colors.YELLOW, bold=True)
    for sentence in sentences:
        typer.echo(f"{word} {sentence}", err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on standard output.

    A terminal gets aligned columns; anything else gets a heading and one line a row, separated
    by tabs, so that no text is cut and other programs can read it.
    """
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            typer.echo("\t".join(cell.translate(_ANY_SPACE) for cell in row))
        return
    from rich import box  # not needed where output is piped
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # As Text, so that brackets in the data are not taken for markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
