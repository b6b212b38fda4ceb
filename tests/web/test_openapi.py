"""Schemathesis over the description of the interface: nothing is answered that it does not say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from tests.unit.web.server.serving import write_tokens

from statera.web.catalogue import CATALOGUE

from .small_server import SmallServer

TOKEN = "token-of-anna"
PLENTY = {
    "requests_per_minute": 10_000_000, "sign_ins_per_minute": 10_000_000,
    "documents": 1_000_000, "uploads": 1_000_000, "jobs": 1_000_000,
}  # fmt: skip
# A version that is not the document's is described by its form and refused by its value.
CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 429]
"""
# Requests of these tasks have rules over several keys at once ("a text or a table"), which a
# schema does not say: what fits the schema may be refused.
RULED = """
[[operations]]
include-path = "/api/v1/jobs/{name}"
checks.positive_data_acceptance.enabled = false
"""
CHEAP = (
    "drug-overview", "evidence-check", "evidence-pairwise", "evidence-sample", "fit-data",
    "fit-model", "patient-options", "patient-read",
    "plate-gates", "plate-inspect", "simulate-models", "simulate-regimen",
)  # fmt: skip


def examine(server: SmallServer, folder: Path, *options: str) -> str:
    """Run all checks with a fixed seed, and return what they found."""
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    ruled = [RULED.format(name=name) for name in CATALOGUE if has_own_rules(name)]
    (folder / "schemathesis.toml").write_text(CONFIG + "".join(ruled))
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli",
            "--config-file", str(folder / "schemathesis.toml"),
            "run", f"{server.address}/openapi.json",
            "--header", f"Authorization: Bearer {TOKEN}",
            "--seed", "1", "--generation-deterministic", "--no-color", "--continue-on-failure",
            "--request-timeout", "60", *options,
        ],
        capture_output=True, text=True, check=False, timeout=240, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    return done.stdout


def has_own_rules(task: str) -> bool:
    """Return True where some model in a request is checked by code beside its schema."""

    def models(kind: Any) -> Iterator[type[BaseModel]]:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind
            for field in kind.model_fields.values():
                yield from models(field.annotation)
        for part in get_args(kind):
            yield from models(part)

    return any(
        model.__pydantic_decorators__.model_validators
        or model.__pydantic_decorators__.field_validators
        for model in models(CATALOGUE[task].request)
    )


def count_of_tested(output: str) -> int:
    found = re.search(r"Tested: +([0-9]+)", output)
    assert found, output
    return int(found[1])


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SmallServer]:
    tokens = write_tokens(tmp_path / "tokens", {"anna": TOKEN, "ben": "token-of-ben"})
    running = SmallServer(tmp_path / "data", limits=PLENTY, token_file=str(tokens), **request.param)
    yield running
    log = (tmp_path / "data" / "log").read_text()
    assert running.end() == 0
    assert '"bug"' not in log


@pytest.mark.parametrize("server", [{"workers": 1}], indirect=True)
def test_the_interface_does_what_its_description_says(server: SmallServer, tmp_path: Path) -> None:
    # the tasks of this server are wrong on purpose; those of the program come below
    output = examine(
        server, tmp_path, "--exclude-path-regex", "/tasks/|/readyz|/jobs/[a-z]", "-n", "8",
        "--checks", "all", "--phases", "coverage,fuzzing,stateful", "--max-time", "15",
    )  # fmt: skip
    assert count_of_tested(output) >= 10


@pytest.mark.parametrize(
    "server",
    [{"catalogue": "statera.web.catalogue:CATALOGUE", "workers": 0, "job_workers": 0}],
    indirect=True,
)
def test_requests_of_every_task_are_read_as_described(server: SmallServer, tmp_path: Path) -> None:
    # as jobs that nobody runs: what fits the description is taken, what does not is refused
    output = examine(
        server, tmp_path, "--include-path-regex", "/jobs", "-n", "2", "--max-time", "15",
        "--phases", "coverage,fuzzing",  # all checks: naming them would outdo the file
    )  # fmt: skip
    assert count_of_tested(output) >= 10


def test_few_tasks_have_rules_that_no_schema_says() -> None:
    ruled = {name for name in CATALOGUE if has_own_rules(name)}
    assert ruled == {
        "evidence-check", "evidence-pairwise", "fit", "pathway", "simulate", "simulate-regimen",
    }  # fmt: skip


@pytest.mark.parametrize(
    "server", [{"catalogue": "statera.web.catalogue:CATALOGUE", "workers": 1}], indirect=True
)
def test_cheap_tasks_answer_as_described(server: SmallServer, tmp_path: Path) -> None:
    # computed: a request that can be read may ask for what no model gives, and is refused in words
    assert server.ask("POST", "/api/v1/tasks/patient-options", {}, TOKEN, 300).status == 200
    output = examine(
        server, tmp_path, "--include-path-regex", f"/tasks/({'|'.join(CHEAP)})$", "-n", "5",
        "--max-time", "15", "--checks", "all", "--exclude-checks", "positive_data_acceptance",
        "--phases", "coverage,fuzzing",
    )  # fmt: skip
    assert count_of_tested(output) >= 10
