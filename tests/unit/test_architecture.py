"""House rules that no linter holds."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "statera"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 600
LONGEST_FUNCTION = 60
# The loop over events and steps of a compiled solver stays in one function: what it would hand
# from one to the next is two dozen arrays and scalars.
LONGEST_KERNEL = 140  # compiled loops, and the modes of many systems, kept in one piece


def name(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def root_imports(module: ast.Module) -> list[int]:
    """Lines that import the package root or a name from it."""
    lines = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import) and any(a.name == "statera" for a in node.names):
            lines.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "statera":
            lines.append(node.lineno)
    return lines


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its signature and docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_the_package_is_found() -> None:
    assert {"errors.py", "units.py", "cli/main.py"} <= {name(file) for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_file_is_too_long(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_function_is_too_long(file: Path) -> None:
    functions = [
        node
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    compiled_loop = file.stem.endswith("_kernel") or file.stem == "modal"
    limit = LONGEST_KERNEL if compiled_loop else LONGEST_FUNCTION
    too_long = {f.name: body_length(f) for f in functions if body_length(f) > limit}
    assert too_long == {}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nothing_inside_imports_the_package_root(file: Path) -> None:
    assert root_imports(tree(file)) == []


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_relative_imports(file: Path) -> None:
    levels = [n.level for n in ast.walk(tree(file)) if isinstance(n, ast.ImportFrom)]
    assert not any(levels)


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nothing_is_evaluated_or_unpickled(file: Path) -> None:
    module = tree(file)
    called = {
        n.func.id
        for n in ast.walk(module)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    imported = {a.name for n in ast.walk(module) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module or "" for n in ast.walk(module) if isinstance(n, ast.ImportFrom)}
    assert not called & {"eval", "exec"}
    assert not imported & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("import statera", [1]),
        ("import statera as st", [1]),
        ("\nfrom statera import units", [2]),
        ("import statera.units\nfrom statera.units import convert", []),
    ],
)
def test_root_imports_are_seen(text: str, lines: list[int]) -> None:
    assert root_imports(ast.parse(text)) == lines
