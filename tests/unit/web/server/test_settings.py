"""Settings that would be unsafe are refused before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from statera.errors import InputError, UsageError
from statera.web.server.app import create_app
from statera.web.server.database import open_database
from statera.web.server.secret import open_secret
from statera.web.server.settings import OpenIdSettings, Settings, check_settings, is_loopback
from statera.web.server.token_file import TokenFile, add_token, token_hash

PROVIDER = OpenIdSettings("https://id.example", "client")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "statera.example", ""])
def test_without_sign_in_it_stays_on_this_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError, match="without sign-in") as caught:
        create_app(Settings(folder=tmp_path, host=host))
    assert "--token-file" in caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "::1", "127.9.9.9"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    check_settings(Settings(folder=Path(), host=host))


@pytest.mark.parametrize("host", ["localhost.example", "1270.0.0.1", "example", "10.0.0.1", "::2"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"public_url": "https://x.example"}, "--public-url"),
        ({"open_id": PROVIDER}, "--public-url"),
        ({"open_id": PROVIDER, "public_url": "http://x.example"}, "--public-url"),
        ({"open_id": PROVIDER, "public_url": "https://x.example/app"}, "--public-url"),
        ({"open_id": PROVIDER, "public_url": "x.example"}, "--public-url"),
        (
            {
                "open_id": OpenIdSettings("http://id.example", "c"),
                "public_url": "https://x.example",
            },
            "--oidc-issuer",
        ),
        (
            {
                "open_id": OpenIdSettings("https://id.example", ""),
                "public_url": "https://x.example",
            },
            "--oidc-client",
        ),
    ],
)
def test_settings_that_do_not_go_together(options: Any, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_settings(Settings(folder=Path(), **options))
    assert caught.value.where == where
    assert caught.value.hint


def test_secrets_are_not_printed() -> None:
    settings = Settings(
        folder=Path(),
        database="postgresql://me:hunter2@host/db",
        open_id=OpenIdSettings("https://id.example", "c", "hunter2"),
    )
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("url", ["mysql://x", "nonsense", "sqlite+nothing:///x"])
def test_a_database_that_is_not_known(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_database(url, tmp_path)
    assert caught.value.where == "--database"


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_database("sqlite:////nowhere/at/all.sqlite", tmp_path)
    assert caught.value.where == "--database"
    with pytest.raises(InputError) as caught:
        open_database("postgresql://me:hunter2@127.0.0.1:1/x", tmp_path)
    assert "hunter2" not in str(caught.value)


def test_the_secret_stays_and_is_the_owners(tmp_path: Path) -> None:
    first = open_secret(tmp_path)
    assert len(first) == 32
    assert open_secret(tmp_path) == first
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    (tmp_path / "secret").write_bytes(b"half")
    assert len(open_secret(tmp_path)) == 32


def test_a_new_token_is_added_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "tokens"
    anna, _ = add_token(path, "anna")
    ben, line = add_token(path, "ben")
    text = path.read_text()
    assert anna not in text
    assert text.splitlines()[1] == line == f"ben:{token_hash(ben)}"
    assert path.stat().st_mode & 0o077 == 0
    tokens = TokenFile(path)
    assert tokens.user_of(anna) == ("anna", token_hash(anna))
    assert tokens.user_of(ben) == ("ben", token_hash(ben))
    assert tokens.user_of("") is None
    assert tokens.user_of(token_hash(ben)) is None  # the file itself opens nothing
    assert len({anna, ben, add_token(None, "anna")[0]}) == 3


@pytest.mark.parametrize("name", ["", "a:b", "a b", "x" * 65, "é", "a\n"])
def test_names_of_users_have_a_form(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a user"):
        add_token(None, name)


@pytest.mark.parametrize("text", ["anna", "anna:xyz", f"anna:{'A' * 64}", f"a b:{'0' * 64}"])
def test_lines_that_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"# comment\n\n{text}\n")
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        TokenFile(path)
    assert str(caught.value.where) == f"{path}:3"


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    add_token(path, "anna")
    path.chmod(0o666)
    with pytest.raises(InputError, match="others may write"):
        TokenFile(path)
    with pytest.raises(InputError, match="cannot read"):
        TokenFile(tmp_path / "none")


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        create_app(Settings(folder=tmp_path / "file" / "data"))
    assert caught.value.where == "--data"
