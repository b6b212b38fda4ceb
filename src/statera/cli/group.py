"""The command group whose every run, in tests too, goes through the guard for errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from typer.core import TyperGroup

from statera.cli.errors import guarded

__all__ = ["GuardedGroup"]

_NAME = "statera"


class GuardedGroup(TyperGroup):
    """Reports errors as three lines and an exit code instead of a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command named by `args` and exit with its code.

        The other parameters are those of the method replaced; they are not used.
        """
        words = list(sys.argv[1:] if args is None else args)
        options = words[: words.index("--")] if "--" in words else words

        def action() -> None:
            with self.make_context(_NAME, list(words), **extra) as context:
                self.invoke(context)

        sys.exit(guarded(action, command=self._path(options), as_json="--json" in options))

    def _path(self, words: Sequence[str]) -> str:
        """Return the command that `words` name, as far as they name one."""
        path = [_NAME]
        group: TyperGroup = self
        for word in words:
            command = group.commands.get(word)
            if command is None:
                break
            path.append(word)
            if not isinstance(command, TyperGroup):
                break
            group = command
        return " ".join(path)
