"""Bodies taken at their word: ``false`` is no number, and ``"1"`` is none either."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError, WrapValidator

from statera.web.task import Request

__all__ = ["strict_body"]

_NO_INTEGER = ("int_type", "int_from_float")
_EXACT = 2**53


def strict_body(model: type[Request]) -> Any:
    """Return the type of a route's body: `model`, validated as strict JSON.

    The framework hands over what it has read from JSON and would turn one type into another where
    that looks possible; it is written again and read by the rules of JSON, in which lists may
    become tuples, whole numbers floats and floats like ``1.0`` whole numbers, and nothing else
    changes.
    """

    def read(value: Any) -> Request:
        try:
            return model.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            if not any(each["type"] in _NO_INTEGER for each in error.errors(include_input=False)):
                raise
        return model.model_validate_json(json.dumps(_whole(value)), strict=True)

    def check(value: Any, _: Any) -> Request:
        try:
            return read(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            places = [{**each, "loc": ("body", *each["loc"])} for each in found]
            raise RequestValidationError(places) from None
        except (TypeError, ValueError, RecursionError):  # nested too deep, or no JSON after all
            place = {"loc": ("body",), "msg": "the body cannot be read", "type": "json_invalid"}
            raise RequestValidationError([place]) from None

    return Annotated[model, WrapValidator(check)]


def _whole(value: Any) -> Any:
    """Return JSON with whole numbers where floats have no fraction: ``1.0`` is an integer there."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return value
