"""House rules that no linter holds."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "statera"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 600
LONGEST_FUNCTION = 60
# The loop over events and steps of a compiled solver stays in one function: what it would hand
# from one to the next is two dozen arrays and scalars.
LONGEST_KERNEL = 140  # compiled loops, and the modes of many systems, kept in one piece


def name(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


@pytest.fixture(scope="module")
def modules() -> dict[Path, list[ast.AST]]:
    """The nodes of each file of the package, read once for all rules."""
    return {file: list(nodes(file.read_text(encoding="utf-8"))) for file in FILES}


def nodes(text: str) -> Iterable[ast.AST]:
    return ast.walk(ast.parse(text))


def root_imports(module: Iterable[ast.AST]) -> list[int]:
    """Lines that import the package root or a name from it."""
    lines = []
    for node in module:
        if isinstance(node, ast.Import) and any(a.name == "statera" for a in node.names):
            lines.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "statera":
            lines.append(node.lineno)
    return lines


def unsafe_names(module: Iterable[ast.AST]) -> set[str]:
    """What is called or imported there and makes code or objects out of bytes."""
    found = list(module)
    called = {n.func.id for n in found if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    imported = {a.name for n in found if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module or "" for n in found if isinstance(n, ast.ImportFrom)}
    unsafe_modules = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
    return called & {"eval", "exec"} | imported & unsafe_modules


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


def test_no_file_is_too_long() -> None:
    lengths = {name(f): len(f.read_text(encoding="utf-8").splitlines()) for f in FILES}
    assert {file: length for file, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long(modules: dict[Path, list[ast.AST]]) -> None:
    too_long = {}
    for file, module in modules.items():
        compiled_loop = file.stem.endswith("_kernel") or file.stem == "modal"
        limit = LONGEST_KERNEL if compiled_loop else LONGEST_FUNCTION
        for node in module:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = body_length(node)
                if length > limit:
                    too_long[f"{name(file)}: {node.name}"] = length
    assert too_long == {}


def test_nothing_inside_imports_the_package_root(modules: dict[Path, list[ast.AST]]) -> None:
    found = {name(file): root_imports(module) for file, module in modules.items()}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_no_relative_imports(modules: dict[Path, list[ast.AST]]) -> None:
    relative = [
        f"{name(file)}, line {node.lineno}"
        for file, module in modules.items()
        for node in module
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_nothing_is_evaluated_or_unpickled(modules: dict[Path, list[ast.AST]]) -> None:
    found = {name(file): unsafe_names(module) for file, module in modules.items()}
    assert {file: names for file, names in found.items() if names} == {}


def test_files_that_are_tested_first_exist() -> None:
    names = (ROOT / "tests" / "longest_first.txt").read_text(encoding="utf-8").split()
    assert [name for name in names if not (ROOT / name).is_file()] == []
    assert len(names) == len(set(names))


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
    assert root_imports(nodes(text)) == lines


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("eval('1')", {"eval"}),
        ("import ast, pickle\nexec('1')", {"exec", "pickle"}),
        ("def f():\n    from shelve import open", {"shelve"}),
        ("model.eval()\nast.literal_eval('1')", set()),
    ],
)
def test_unsafe_names_are_seen(text: str, names: set[str]) -> None:
    assert unsafe_names(nodes(text)) == names
