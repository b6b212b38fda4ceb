"""Opening SBML: from a path or a text to a checked document, each problem with line and column."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.parsers import expat

from statera.errors import InputError, Place, UsageError

__all__ = ["LARGEST", "SbmlFile", "kind_of", "open_sbml", "sbml_library"]

LARGEST = 50_000_000
"""Largest size of a file that is read, bytes."""

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")
_DEEPEST = 300  # nesting of elements: formulas deeper than this do not occur
_KINDS = {
    "LocalParameter": "local parameter",
    "FunctionDefinition": "function definition",
    "UnitDefinition": "unit definition",
    "InitialAssignment": "initial assignment",
    "AssignmentRule": "assignment rule",
    "RateRule": "rate rule",
    "AlgebraicRule": "algebraic rule",
    "SpeciesReference": "species reference",
    "ModifierSpeciesReference": "modifier",
    "StoichiometryMath": "stoichiometry",
    "KineticLaw": "kinetic law",
    "EventAssignment": "event assignment",
}


@lru_cache(maxsize=1)
def sbml_library() -> Any:
    """Return the module libsbml.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        with warnings.catch_warnings():
            # its generated wrapper types have no module, which Python 3.12 and later complain of
            warnings.simplefilter("ignore", DeprecationWarning)
            import libsbml  # noqa: PLC0415  an extra
    except ImportError as error:
        raise UsageError(
            "reading SBML needs the package 'python-libsbml', which is not installed",
            hint='Install it by: pip install "statera[sbml]"',
        ) from error
    return libsbml


@dataclass(frozen=True)
class SbmlFile:
    """An opened SBML document.

    Attributes
    ----------
    name
        The file's name, or ``<text>``.
    document, model
        Objects of libsbml; the model lives as long as the document.
    root
        Attributes of the root element as they are written.
    """

    name: str
    document: Any
    model: Any
    root: Mapping[str, str]

    def place(self, element: Any) -> Place:
        """Return where an element stands."""
        return Place(self.name, element.getLine() or None)

    def refusal(self, element: Any, what: str, hint: str = "") -> InputError:
        """Return an error about an element, which it names by kind and id.

        Parameters
        ----------
        what
            The rest of a sentence that starts with the element.
        """
        return InputError(f"{kind_of(element)} {what}", where=self.place(element), hint=hint)


def kind_of(element: Any) -> str:
    """Return kind and id of an element, such as ``species 'STAT3'``."""
    kind = type(element).__name__
    text = _KINDS.get(kind, kind.lower())
    owner = element.getParentSBMLObject()
    if kind in {"KineticLaw", "Trigger", "Delay", "Priority"} and owner is not None:
        return f"the {text} of {kind_of(owner)}"
    if kind == "StoichiometryMath" and owner is not None:
        return f"the {text} of {kind_of(owner)}"
    if kind in {"SpeciesReference", "ModifierSpeciesReference"}:
        reaction = element.getAncestorOfType(sbml_library().SBML_REACTION)
        inside = f" in {kind_of(reaction)}" if reaction is not None else ""
        return f"{text} to '{element.getSpecies()}'{inside}"
    if kind in {"InitialAssignment", "AssignmentRule", "RateRule", "EventAssignment"}:
        name = element.getSymbol() if kind == "InitialAssignment" else element.getVariable()
        return f"{text} of '{name}'"
    name = element.getIdAttribute() or element.getName()
    return f"{text} '{name}'" if name else text


def open_sbml(source: str | Path) -> SbmlFile:
    """Open SBML level 2 or 3.

    Parameters
    ----------
    source
        A path, or the text itself (a string with ``<`` in it).

    Raises
    ------
    UsageError
        If libsbml is not installed.
    InputError
        If the file is missing, too large, no well-formed XML, or no SBML of these levels.
    """
    libsbml = sbml_library()
    name, content = _content(source)
    root = _checked_root(name, content)
    try:
        text = content.decode(_encoding(content))
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError("the text is not in the encoding it declares", where=name) from error
    declared = _DECLARATION.match(text)
    document = libsbml.readSBMLFromString(
        '<?xml version="1.0" encoding="UTF-8"?>' + text[declared.end() if declared else 0 :]
    )
    _check_errors(libsbml, name, document)
    model = document.getModel()
    if model is None:
        raise InputError("the document holds no model", where=Place(name, document.getLine()))
    return SbmlFile(name, document, model, root)


def _content(source: str | Path) -> tuple[str, bytes]:
    if isinstance(source, str) and "<" in source:
        name, content = "<text>", source.encode()
        if len(content) > LARGEST:
            raise _too_large(name, len(content))
        return name, content
    path = Path(source)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise _too_large(str(path), size)
        return str(path), path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"the file cannot be read: {reason}", where=str(path)) from error


def _too_large(name: str, size: int) -> InputError:
    return InputError(
        f"the file has {size / 1e6:.0f} MB; at most {LARGEST / 1e6:.0f} MB are read", where=name
    )


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = content[:200].lower()
    if head.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml") and b"encoding" in head:
        declared = head.split(b"encoding", 1)[1].split(b"?>", 1)[0].strip(b" =\t\r\n")
        word = declared[1:].split(declared[:1], 1)[0].decode("ascii", "replace")
        return "utf-8-sig" if word in {"utf-8", "us-ascii", "ascii"} else word
    return "utf-8-sig"


def _checked_root(name: str, content: bytes) -> Mapping[str, str]:
    """Return the attributes of the root element, which must be SBML of level 2 or 3.

    Raises at the first place that is no well-formed XML; entities and deep nesting are refused.
    """
    depth = 0
    tag_of_root, place_of_root = "", Place(name)
    root: dict[str, str] = {}
    parser = expat.ParserCreate()

    def here() -> Place:
        return Place(name, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def opened(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, tag_of_root, place_of_root
        depth += 1
        if depth == 1:
            root.update(attributes)
            tag_of_root, place_of_root = tag, here()
        if depth > _DEEPEST:
            raise InputError(f"elements are nested deeper than {_DEEPEST}", where=here())

    def closed(_tag: str) -> None:
        nonlocal depth
        depth -= 1

    def entity(*_: Any) -> None:
        raise InputError("entity declarations are not read", where=here())

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise InputError(
            f"this is not well-formed XML: {expat.ErrorString(error.code)}",
            where=Place(name, error.lineno, error.offset + 1),
        ) from error
    except LookupError as error:
        raise InputError("the encoding that the file declares is not known", where=name) from error
    _check_root(tag_of_root, root, place_of_root)
    return root


def _check_root(tag: str, attributes: Mapping[str, str], place: Place) -> None:
    if tag.rpartition(":")[2] != "sbml":
        raise InputError(f"the root element is '{tag}': this is no SBML", where=place)
    level = attributes.get("level", "")
    if level not in {"2", "3"}:
        raise InputError(
            f"SBML level '{level}' is not read",
            where=place,
            hint="Levels 2 and 3 are; the model's own tool or libsbml converts between levels.",
        )


def _check_errors(libsbml: Any, name: str, document: Any) -> None:
    """Raise the first error that libsbml found while reading; its warnings are no obstacle."""
    for index in range(document.getNumErrors()):
        error = document.getError(index)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            raise InputError(
                _message(error),
                where=Place(name, error.getLine() or None, error.getColumn() or None),
            )


def _message(error: Any) -> str:
    """Return what is wrong, without the clause of the standard that libsbml puts before it."""
    lines = [line.strip() for line in error.getMessage().splitlines() if line.strip()]
    for index, line in enumerate(lines[:-1]):
        if line.startswith("Reference:"):
            lines = lines[index + 1 :]
            break
    return " ".join(lines) or str(error.getShortMessage())
