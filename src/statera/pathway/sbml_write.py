"""Writing a network as SBML level 3 version 2."""

from __future__ import annotations

from pathlib import Path

from statera.errors import InputError
from statera.pathway.network import Network
from statera.pathway.sbml_draft import Draft
from statera.pathway.sbml_same import check_same

__all__ = ["sbml_text", "write_sbml"]


def write_sbml(network: Network, path: str | Path) -> None:
    """Write a network as SBML level 3 version 2.

    What is written is read again and compared before the file is made.

    Raises
    ------
    UsageError
        If libsbml, the extra ``sbml``, is not installed.
    InputError
        If the network holds what SBML has not, or its reactions do not explain the rate of a
        species that takes part in them; or the file cannot be written.
    """
    text = sbml_text(network)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"the file cannot be written: {reason}", where=str(path)) from error


def sbml_text(network: Network) -> str:
    """Return a network as SBML level 3 version 2; errors as `write_sbml`."""
    text = Draft(network).text()
    check_same(network, text)
    return text
