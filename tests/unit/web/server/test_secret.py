"""The secret of a server."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from statera.web.server.secret import open_secret, signature


def test_servers_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        with ThreadPoolExecutor(8) as threads:
            found = set(threads.map(open_secret, [folder] * 8))
        assert len(found) == 1
        assert [path.name for path in folder.iterdir()] == ["secret"]


def test_it_is_kept_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first = open_secret(tmp_path)
    assert open_secret(tmp_path) == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_half_a_secret_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"half")
    assert len(open_secret(tmp_path)) == 32


def test_a_signature_is_for_one_purpose(tmp_path: Path) -> None:
    secret = open_secret(tmp_path)
    assert signature(secret, "csrf", "anna") != signature(secret, "sign-in", "anna")
