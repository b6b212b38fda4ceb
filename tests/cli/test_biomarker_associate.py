"""``statera biomarker associate`` on simulated data with known effects."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["biomarker", "associate", *map(str, arguments)])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Write NPX of 24 subjects at two visits; in P0 treatment adds 3 at week 4."""
    random = np.random.default_rng(5)
    npx, samples = ["SampleID,OlinkID,Assay,LOD,NPX"], ["sample,subject,treatment,week"]
    for person in range(24):
        arm = "active" if person % 2 else "placebo"
        level = random.normal(size=40)
        for week in (0, 4):
            name = f"s{person}w{week}"
            samples.append(f"{name},{person},{arm},{week}")
            for k in range(40):
                value = level[k] + random.normal(scale=0.4)
                value += 3.0 * (k == 0 and arm == "active" and week == 4)
                value = 1.0 if k == 39 else value
                low = 99 if k == 38 else -9
                npx.append(f"{name},OID{k},P{k},{low},{value:.6f}")
    samples.append("ghost,99,active,0")
    one, two = tmp_path / "npx.csv", tmp_path / "samples.csv"
    one.write_text("\n".join(npx) + "\n", encoding="utf-8")
    two.write_text("\n".join(samples) + "\n", encoding="utf-8")
    return one, two


COMMON = ("--formula", "treatment * week", "--subject", "subject",
          "--factor", "treatment=placebo,active", "--factor", "week=0,4")  # fmt: skip


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger", "limma"])
def test_the_known_effect_is_found(files: tuple[Path, Path], method: str, tmp_path: Path) -> None:
    npx, samples = files
    out = tmp_path / "table.csv"
    found = invoke(npx, "--samples", samples, *COMMON, "--method", method, "--json", "--out", out)
    assert found.exit_code == 0, found.output
    result = json.loads(found.stdout)["result"]
    rows = {(r["name"], r["term"]): r for r in result["rows"]}
    effect = rows["P0", "treatment:week"]
    assert effect["low"] < 3.0 < effect["high"]
    assert effect["high"] - effect["low"] < 1.5
    assert effect["adjusted_p"] < 1e-6
    assert rows["P39", "week"]["status"] == "constant"
    assert rows["P38", "week"]["status"] == "all below LOD"
    assert rows["P38", "week"]["p_value"] is None
    assert "1 samples of the table have no measurement: ghost." in result["notes"]
    table = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert len(table) == len(result["rows"]) == 120


def test_paired_and_welch_take_the_first_level_as_baseline(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    npx, samples = files
    lines = samples.read_text().splitlines()
    active = tmp_path / "active.csv"
    active.write_text("\n".join([lines[0], *(x for x in lines if ",active," in x)]))
    late = tmp_path / "late.csv"
    late.write_text("\n".join([lines[0], *(x for x in lines if x.endswith(",4"))]))
    paired = invoke(npx, "--samples", active, "--formula", "week", "--factor", "week",
                    "--subject", "subject", "--method", "paired", "--json")  # fmt: skip
    welch = invoke(npx, "--samples", late, "--formula", "treatment", "--method", "welch",
                   "--factor", "treatment=placebo,active", "--json")  # fmt: skip
    for found in (paired, welch):
        row = json.loads(found.stdout)["result"]["rows"][0]
        assert row["low"] < 3.0 < row["high"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--formula", "arm", "--subject", "subject"), "arm"),
        (("--formula", "treatment"), "mixed models need subjects"),
        (("--formula", "treatment", "--subject", "subject", "--lod", "censored"), "censored"),
        (("--formula", "treatment", "--method", "anova"), "anova"),
        (("--formula", "treatment", "--method", "welch", "--subject", "subject"), "independent"),
        (("--formula", "week", "--method", "paired", "--subject", "subject"), "two levels"),
    ],
)
def test_refusals_say_why(files: tuple[Path, Path], options: tuple[str, ...], words: str) -> None:
    found = invoke(files[0], "--samples", files[1], *options)
    assert found.exit_code != 0
    assert words in f"{found.output}{found.exception}"


def test_a_sample_that_stands_twice_is_named_and_the_others_go_on(
    files: tuple[Path, Path],
) -> None:
    npx, samples = files
    lines = samples.read_text().splitlines()
    samples.write_text("\n".join([*lines, lines[1], "s1w4,1,placebo,4"]))
    refused = invoke(npx, "--samples", samples, *COMMON, "--duplicates", "refuse")
    assert refused.exit_code == 3
    assert "1 samples stand more than once: s1w4" in f"{refused.output}{refused.exception}"
    found = invoke(npx, "--samples", samples, *COMMON, "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    left = "1 samples stand more than once with different rows and were left out: s1w4."
    assert left in told["warnings"]
    assert told["result"]["rows"][0]["n"] == 47
    twice = npx.read_text().splitlines()
    npx.write_text("\n".join([*twice, twice[1]]) + "\n")
    told = json.loads(invoke(npx, "--samples", samples, *COMMON, "--json").stdout)
    assert "1 samples stand more than once and were left out: s0w0." in told["warnings"]


@pytest.mark.parametrize("lod", ["keep", "substitute:half"])
def test_an_analyte_below_its_limit_at_both_visits_has_no_change(
    files: tuple[Path, Path], lod: str
) -> None:
    npx, samples = files
    found = invoke(npx, "--samples", samples, "--formula", "treatment", "--subject", "subject",
                   "--change", "week=0,4", "--method", "linear", "--lod", lod,
                   "--json")  # fmt: skip
    rows = {r["name"]: r for r in json.loads(found.stdout)["result"]["rows"]}
    assert (rows["P38"]["status"], rows["P38"]["p_value"]) == ("all below LOD", None)
    assert rows["P4"]["status"] == "ok"


def test_a_group_of_one_member_is_said_on_its_row(files: tuple[Path, Path]) -> None:
    npx, samples = files
    lines = [x for x in npx.read_text().splitlines() if not (",OID3," in x and "w4" in x)]
    lines.append("s2w4,OID3,P3,-9,1.5")
    npx.write_text("\n".join(lines) + "\n")
    found = json.loads(invoke(npx, "--samples", samples, *COMMON[:4], "--formula", "week",
                              "--factor", "week", "--json").stdout)  # fmt: skip
    rows = {r["name"]: r for r in found["result"]["rows"]}
    assert rows["P3"]["status"] == "one value in week 4"
    assert rows["P3"]["p_value"] is not None
    assert rows["P4"]["status"] == "ok"


@pytest.mark.parametrize("method", ["mann-whitney", "kruskal-wallis"])
def test_rank_tests_say_a_lone_member_and_missing_limits(tmp_path: Path, method: str) -> None:
    long, samples = tmp_path / "long.csv", tmp_path / "samples.csv"
    long.write_text("sample,analyte,value\n" + "".join(f"S{i},A,{i + 1}\n" for i in range(6)))
    samples.write_text("sample,arm\n" + "".join(f"S{i},{'ab'[i == 3]}\n" for i in range(6)))
    found = invoke(long, "--samples", samples, "--formula", "arm", "--method", method, "--json")
    result = json.loads(found.stdout)["result"]
    assert result["rows"][0]["status"] == "one value in arm b"
    assert any(n.startswith("No limit of detection is given") for n in result["notes"])
