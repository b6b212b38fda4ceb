"""Read a FHIR R4 bundle from JSON, with limits, and refuse what is not one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from statera.errors import InputError, Place
from statera.fhir.elements import printable

__all__ = ["MAXIMUM_BYTES", "MAXIMUM_ENTRIES", "Bundle", "Resource", "read_bundle"]

MAXIMUM_BYTES = 20_000_000
MAXIMUM_ENTRIES = 20_000

# A history holds old versions of a resource beside the new one, and a message or a response holds
# no record at all: none of them is the state of a patient.
_TYPES = ("collection", "searchset", "document", "batch", "transaction")


@dataclass(frozen=True)
class Resource:
    """One resource of a bundle.

    Attributes
    ----------
    type, id
        Such as ``Observation`` and ``abc``; the id may be empty.
    label
        How it is named to a reader: ``Observation/abc``, or by its entry where it has no id.
    full_url
        Address given by the bundle; may be empty.
    data
        All elements.
    """

    type: str
    id: str
    label: str
    full_url: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read.

    Attributes
    ----------
    file
        Name for messages.
    id, type
    resources
        In the order of the bundle, each once.
    remarks
        What a reader must know of the bundle as a whole.
    """

    file: str
    id: str
    type: str
    resources: tuple[Resource, ...]
    remarks: tuple[str, ...] = ()

    def of_type(self, kind: str) -> tuple[Resource, ...]:
        """Return the resources of one type."""
        return tuple(r for r in self.resources if r.type == kind)

    def resolve(self, reference: str, within: Resource) -> Resource | None:
        """Return the resource that a reference names, or None where it is not in the bundle.

        Parameters
        ----------
        reference
            ``#id`` of a contained resource, ``Type/id``, or an address.
        within
            The resource that holds the reference.
        """
        if reference.startswith("#"):
            return _contained(reference[1:], within)
        for resource in self.resources:
            if reference and reference == resource.full_url:
                return resource
        if ":" in reference and not reference.startswith(("http://", "https://")):
            return None  # urn:uuid: and others are full addresses and nothing else
        parts = reference.split("/_history/", maxsplit=1)[0].split("/")
        if len(parts) < 2:
            return None
        kind, name = parts[-2], parts[-1]
        for resource in self.resources:
            if resource.type == kind and resource.id == name:
                return resource
        for resource in self.resources:
            if not resource.id and resource.full_url.endswith(f"/{kind}/{name}"):
                return resource
        return None


def read_bundle(source: str | Path | Mapping[str, Any]) -> Bundle:
    """Return the bundle in a JSON file, or in a dictionary laid out as the file is.

    Raises
    ------
    InputError
        If the file is too large, is not JSON, says a key twice, or is not a bundle of FHIR R4
        that holds the state of a patient.
    """
    if isinstance(source, Mapping):
        return _bundle(source, "bundle")
    path = Path(source)
    try:
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            raise InputError(
                f"the file has {size / 1e6:.1f} MB, and at most {MAXIMUM_BYTES / 1e6:.0f} are read",
                where=Place(str(path)),
                hint="Leave out resources that are not of this patient or not needed.",
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror or error}",
            where=Place(str(path)),
            hint="Check the name of the file.",
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            "the file is not text in UTF-8",
            where=Place(str(path)),
            hint="FHIR in JSON is UTF-8.",
        ) from error
    return _bundle(_parse(text, str(path)), str(path))


def _parse(text: str, file: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = next(key for key, count in counts.items() if count > 1)
            raise InputError(
                f"an object says '{twice}' twice",
                where=Place(file),
                hint="Two values of one key contradict each other: correct the file.",
            )
        return found

    def constant(word: str) -> NoReturn:
        raise InputError(
            f"the file holds {word}, which JSON does not have",
            where=Place(file),
            hint="Leave out values that are not known.",
        )

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except json.JSONDecodeError as error:
        hint = "Correct the syntax at this place."
        if text.lstrip("\ufeff \n\r\t").startswith("<"):
            hint = "This looks like XML: export the bundle as JSON."
        raise InputError(
            f"this is not valid JSON: {error.msg}",
            where=Place(file, error.lineno, error.colno),
            hint=hint,
        ) from error
    except (RecursionError, ValueError) as error:
        deep = isinstance(error, RecursionError)
        raise InputError(
            "the file is nested too deeply" if deep else "the file holds a number without end",
            where=Place(file),
            hint="This is not a bundle that a record system writes.",
        ) from error


def _bundle(data: Any, file: str) -> Bundle:
    def wrong(what: str, hint: str, where: str = "") -> InputError:
        return InputError(what, where=f"{file}: {where}" if where else Place(file), hint=hint)

    if not isinstance(data, Mapping) or data.get("resourceType") != "Bundle":
        kind = data.get("resourceType") if isinstance(data, Mapping) else None
        raise wrong(
            f"this is {f'a {kind}' if isinstance(kind, str) else 'no FHIR resource'}, "
            "and a Bundle is expected",
            'Wrap the resources: {"resourceType": "Bundle", "type": "collection", "entry": [...]}.',
        )
    kind = data.get("type")
    if kind not in _TYPES:
        raise wrong(
            f"the bundle has the type '{kind}'",
            f"Give one of: {', '.join(_TYPES)}; others do not hold the state of a patient.",
            "Bundle.type",
        )
    entries = data.get("entry", [])
    if not isinstance(entries, list):
        raise wrong("'entry' is not a list", "Expected a list of objects.", "Bundle.entry")
    if len(entries) > MAXIMUM_ENTRIES:
        raise wrong(
            f"the bundle has {len(entries)} entries, and at most {MAXIMUM_ENTRIES} are read",
            "Leave out resources that are not needed.",
            "Bundle.entry",
        )
    resources = _resources(entries, wrong)
    name = data.get("id")
    return Bundle(
        file,
        name if isinstance(name, str) else "",
        str(kind),
        resources,
        _remarks(data),
    )


def _resources(entries: list[Any], wrong: Any) -> tuple[Resource, ...]:
    found: dict[tuple[str, str], Resource] = {}
    anonymous: list[Resource] = []
    for i, entry in enumerate(entries):
        where = f"Bundle.entry[{i}]"
        if not isinstance(entry, Mapping):
            raise wrong("this entry is not an object", "Expected an object.", where)
        data = entry.get("resource")
        if data is None:
            continue  # an entry may hold only a request or a search result without a resource
        kind = data.get("resourceType") if isinstance(data, Mapping) else None
        if not isinstance(kind, str) or not kind:
            raise wrong(
                "this resource does not say what it is",
                'Expected "resourceType": "Observation" or another type.',
                f"{where}.resource",
            )
        name, url = data.get("id", ""), entry.get("fullUrl", "")
        if not isinstance(name, str) or not isinstance(url, str):
            raise wrong("'id' or 'fullUrl' is not a text", "Expected texts.", where)
        label = printable(f"{kind}/{name}" if name else f"{kind} in entry {i}")
        resource = Resource(kind, name, label, url, data)
        key = (kind, name or url)
        if not key[1]:
            anonymous.append(resource)
            continue
        earlier = found.get(key)
        if earlier is not None and earlier.data != data:
            raise wrong(
                f"{label} stands twice with different content",
                "Keep the current version only.",
                f"{where}.resource",
            )
        found.setdefault(key, resource)
    return (*found.values(), *anonymous)


def _remarks(data: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    links = data.get("link", [])
    if isinstance(links, list) and any(
        isinstance(link, Mapping) and link.get("relation") == "next" for link in links
    ):
        found.append(
            "The bundle is one page of a search and says that there are more: doses or samples "
            "may be missing."
        )
    return tuple(found)


def _contained(name: str, within: Resource) -> Resource | None:
    inside: Iterable[Any] = within.data.get("contained", [])
    for data in inside if isinstance(inside, list) else ():
        if isinstance(data, Mapping) and data.get("id") == name:
            kind = data.get("resourceType")
            if isinstance(kind, str):
                return Resource(kind, name, f"{within.label}#{name}", "", data)
    return None
