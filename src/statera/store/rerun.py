"""Answer a stored request again, and say whether the answer is the same to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from statera.manifest import content_hash
from statera.store.store import Store, StoredResult, canonical

__all__ = ["Rerun", "rerun"]


@dataclass(frozen=True)
class Rerun:
    """An answer made anew beside the stored ones.

    Attributes
    ----------
    result
        The new answer.
    hash
        Of its canonical text.
    earlier
        Stored results of the request, oldest first.
    """

    result: Mapping[str, Any]
    hash: str
    earlier: tuple[StoredResult, ...]

    @property
    def identical(self) -> bool:
        """True where the last stored result is the same text."""
        return bool(self.earlier) and self.earlier[-1].hash == self.hash


def rerun(
    store: Store,
    key: str,
    answer: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    actor: str = "",
) -> Rerun:
    """Answer a stored request again; nothing stored is changed, and the trail says that it was.

    Parameters
    ----------
    key
        Hash of the request, or its first characters.
    answer
        From a request to its result, without the manifest.
    """
    request = store.request(key)
    earlier = store.results(request.hash)
    result = answer(request.document)
    digest = content_hash(canonical(result))
    store.record("run again", request.patient_id, digest, actor=actor)
    return Rerun(result, digest, earlier)
