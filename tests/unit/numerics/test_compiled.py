"""Where machine code is kept, and that a change of any compiled source moves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numba import config, float64

from statera.numerics import compiled as module
from statera.numerics.compiled import cache_directory, compiled


@pytest.fixture
def fresh() -> Iterator[None]:
    for function in (module.cache_directory, module.kernel_key):
        function.cache_clear()
    yield
    for function in (module.cache_directory, module.kernel_key):
        function.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_directory_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATERA_CACHE_DIR", str(tmp_path / "chosen"))
    assert cache_directory() == tmp_path / "chosen"
    assert (tmp_path / "chosen").is_dir()


@pytest.mark.usefixtures("fresh")
def test_directory_that_cannot_be_used_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STATERA_CACHE_DIR", str(tmp_path / "file"))
    found = cache_directory()
    assert found.is_dir()
    assert found != tmp_path / "file"
    found.rmdir()


def test_kernels_move_when_a_compiled_source_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    package = tmp_path / "package"
    (package / "numerics").mkdir(parents=True)
    source = package / "numerics" / "a.py"
    monkeypatch.setattr(module, "_PACKAGE", package)
    source.write_text("compiled = 1")
    first = module.kernel_key()
    module.kernel_key.cache_clear()
    source.write_text("compiled = 2")
    assert module.kernel_key() != first


def test_a_package_that_stands_apart_moves_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    for folder in ("numerics", "cytometry"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("compiled = 1")
    monkeypatch.setattr(module, "_PACKAGE", tmp_path)
    first, apart = module.kernel_key(), module.kernel_key("cytometry")
    module.kernel_key.cache_clear()
    (tmp_path / "cytometry" / "a.py").write_text("compiled = 2")
    assert module.kernel_key() == first
    assert module.kernel_key("cytometry") != apart


def test_kernels_lie_under_the_key_of_their_package() -> None:
    from statera.cytometry.polygon_kernel import inside_polygon
    from statera.numerics.expm import expm

    for function, package in ((inside_polygon, "cytometry"), (expm, "")):
        kept = Path(function._cache.cache_path).resolve()
        assert f"kernels-{module.kernel_key(package)}" in kept.parts


def test_decorator_leaves_the_configuration_as_it_was() -> None:
    before = config.CACHE_DIR

    @compiled
    def half(x: float) -> float:
        return x / 2

    @compiled(float64(float64))
    def inverse(x: float) -> float:
        return 1 / x

    assert before == config.CACHE_DIR
    assert half(3.0) == 1.5
    assert inverse(0.0) == np.inf
