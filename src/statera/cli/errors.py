"""From an exception to three lines on standard error and an exit code.

=====  =====================================================
code   meaning
=====  =====================================================
0      done
1      a bug in Statera
2      the command line is wrong
3      a file or value given by the user is wrong
4      a computation could not be completed
5      outside the range where a model or label may be used
130    interrupted
141    whoever read the output stopped reading
=====  =====================================================
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import typer

from statera.cli.envelope import Envelope, Failure
from statera.cli.terminal import is_lively
from statera.errors import StateraError
from statera.manifest import manifest

__all__ = ["guarded"]

_BUG, _USAGE, _NUMERICAL, _INTERRUPTED, _NO_READER = 1, 2, 4, 130, 141
_PACKAGE = Path(__file__).resolve().parents[1]


def guarded(action: Callable[[], object], *, command: str, as_json: bool) -> int:
    """Run `action` and return the exit code; no exception leaves.

    Parameters
    ----------
    action
        What to do.
    command
        Name of the command with its parents, such as ``statera library show``.
    as_json
        Print errors as the envelope on standard output too.
    """
    try:
        code = _attempt(action, command, as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return _NO_READER
    return code


def _attempt(action: Callable[[], object], command: str, as_json: bool) -> int:
    try:
        action()
    except typer.Exit as request:
        return request.exit_code
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, typer.Abort):
        failure = Failure("interrupted", command, "Run the command again.", _INTERRUPTED)
    except StateraError as error:
        failure = _from_statera(error, command)
    except typer.TyperException as error:
        failure = _from_usage(error, command)
    except MemoryError:
        hint = "Ask for less: fewer subjects, a shorter time or a coarser grid."
        failure = Failure("there is not enough memory", command, hint, _NUMERICAL)
    except Exception as error:
        failure = _from_bug(error, command)
        if _is_debugging():
            traceback.print_exc()
    else:
        return 0
    _report(failure, command, as_json)
    return failure.exit_code


def _from_statera(error: StateraError, command: str) -> Failure:
    where = str(error.where) if error.where is not None else command
    return Failure(error.what, where, error.hint or _see_help(command), error.exit_code)


def _from_usage(error: typer.TyperException, command: str) -> Failure:
    return Failure(error.format_message(), command, _see_help(command), _USAGE)


def _from_bug(error: Exception, command: str) -> Failure:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "Report it with the command you ran."
    if not _is_debugging():
        hint += " STATERA_DEBUG=1 shows where it came from."
    return Failure(
        f"this is a bug in Statera: {text}", _place(error.__traceback__) or command, hint, _BUG
    )


def _place(trace: TracebackType | None) -> str:
    """Return the last place in this package, without the folders above it."""
    for frame, line in reversed(list(traceback.walk_tb(trace))):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_PACKAGE):
            return f"{file.relative_to(_PACKAGE.parent).as_posix()}:{line}"
    return ""


def _report(failure: Failure, command: str, as_json: bool) -> None:
    """Print three lines on standard error, and the envelope where it was asked for."""
    word = "error:"
    if is_lively(sys.stderr):
        word = typer.style(word, fg=typer.colors.RED, bold=True)
    for head, text in ((word, failure.what), ("where:", failure.where), (" next:", failure.hint)):
        typer.echo(f"{head} {_one_line(text)}", err=True)
    if as_json:
        schema = f"{command.replace(' ', '.')}/1"
        envelope = Envelope(schema, None, (), _manifest(), failure)
        typer.echo(envelope.to_json(), nl=False)


def _manifest() -> dict[str, object]:
    try:
        return manifest()
    except StateraError:  # the manifest itself may be what failed
        return {}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _see_help(command: str) -> str:
    return f"See '{command} --help'."


def _is_debugging() -> bool:
    return os.environ.get("STATERA_DEBUG", "") not in ("", "0")


def _discard_output() -> None:
    """Keep the interpreter from complaining, at its end, that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
