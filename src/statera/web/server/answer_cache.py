"""Answers that are kept, and equal questions that wait for one answer."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from statera.web.server.failure import Failure

__all__ = ["AnswerCache", "canonical_json", "question_key"]


def canonical_json(request: BaseModel) -> bytes:
    """Return a request as JSON that is the same for equal requests.

    Raises
    ------
    Failure
        If a text of it is not Unicode (JSON can write halves of characters).
    """
    try:
        fields: dict[str, Any] = request.model_dump(mode="json", by_alias=True)
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode()
    except (UnicodeEncodeError, PydanticSerializationError):
        raise Failure(422, "a text holds half a character", "the request") from None


def question_key(task: str, body: bytes) -> bytes:
    """Return what stands for a question: a hash of the task's name and the canonical request."""
    return hashlib.sha256(task.encode() + b"\0" + body).digest()


class AnswerCache:
    """The answers used last, within a number of bytes.

    Parameters
    ----------
    most_bytes
        Of all answers together; one larger than a quarter of it is not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def held_bytes(self) -> int:
        """Of all answers."""
        return self._held

    def get(self, key: bytes) -> bytes | None:
        """Return an answer, which counts as used."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: bytes, answer: bytes) -> None:
        """Keep an answer; what was used longest ago makes room."""
        if len(answer) > self._most // 4:
            return
        self._held += len(answer) - len(self._answers.pop(key, b""))
        self._answers[key] = answer
        while self._held > self._most:
            _, dropped = self._answers.popitem(last=False)
            self._held -= len(dropped)
