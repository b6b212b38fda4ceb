"""Uploads named anywhere in a request."""

from __future__ import annotations

from statera.web.server.named_uploads import named_uploads

from .small_tasks import Files, Inner, Text

A, B, C = "a" * 32, "b" * 32, "c" * 32


def test_ids_are_found_at_any_depth_and_once() -> None:
    request = Files(
        first=A, rest=[B, A], inner=Inner(file=C, more={"x": "sample-plate"}), pair=(B, "d" * 32)
    )
    assert named_uploads(request) == [A, B, C, "sample-plate"]


def test_other_texts_are_not_ids() -> None:
    assert named_uploads(Text(text=A)) == []
    assert named_uploads(Files()) == []
