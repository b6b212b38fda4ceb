"""Bodies taken at their word: ``false`` is no number, and ``"1"`` is none either."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError, WrapValidator

from statera.web.task import Request

__all__ = ["strict_body"]


def strict_body(model: type[Request]) -> Any:
    """Return the type of a route's body: `model`, validated as strict JSON.

    The framework hands over what it has read from JSON and would turn one type into another where
    that looks possible; it is written again and read by the rules of JSON, in which lists may
    become tuples and whole numbers floats, and nothing else changes.
    """

    def check(value: Any, _: Any) -> Request:
        try:
            return model.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            places = [{**each, "loc": ("body", *each["loc"])} for each in found]
            raise RequestValidationError(places) from None
        except (TypeError, ValueError, RecursionError):  # nested too deep, or no JSON after all
            place = {"loc": ("body",), "msg": "the body cannot be read", "type": "json_invalid"}
            raise RequestValidationError([place]) from None

    return Annotated[model, WrapValidator(check)]
