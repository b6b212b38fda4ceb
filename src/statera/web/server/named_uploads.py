"""Which uploads a request names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from statera.web.task import UploadId

__all__ = ["named_uploads"]

_MARK = get_args(UploadId)[1]
_SEQUENCES = (list, tuple, set, frozenset, Sequence)
_UNIONS = (Union, UnionType)


def named_uploads(request: BaseModel) -> list[str]:
    """Return the ids of uploads in fields of type :data:`UploadId`, at any depth, each once."""
    return list(dict.fromkeys(_in_model(request)))


def _in_model(model: BaseModel) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if any(mark is _MARK for mark in field.metadata) and isinstance(value, str):
            yield value
        else:
            yield from _in_value(field.annotation, value)


def _in_value(annotation: Any, value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from _in_model(value)
        return
    if get_origin(annotation) is Annotated:
        kind, *marks = get_args(annotation)
        if any(mark is _MARK for mark in marks):
            if isinstance(value, str):
                yield value
            return
        annotation = kind
    inner = get_args(annotation)
    if isinstance(value, Mapping) and len(inner) == 2:
        for key, item in value.items():
            yield from _in_value(inner[0], key)
            yield from _in_value(inner[1], item)
    elif isinstance(value, tuple) and len(inner) == len(value) and Ellipsis not in inner:
        for kind, item in zip(inner, value, strict=True):
            yield from _in_value(kind, item)
    elif isinstance(value, list | tuple | set | frozenset) and get_origin(annotation) in _SEQUENCES:
        for item in value:
            yield from _in_value(inner[0], item)
    elif get_origin(annotation) in _UNIONS:
        for kind in inner:
            yield from _in_value(kind, value)
