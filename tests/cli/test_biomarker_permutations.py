"""``statera biomarker associate`` with permutations, contrasts, changes and other methods."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app
from statera.cli.stopping import asked_to_stop


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["biomarker", "associate", *map(str, arguments)])


def result(*arguments: object) -> dict[str, Any]:
    found = invoke(*arguments, "--json")
    assert found.exit_code == 0, found.output
    return dict(json.loads(found.stdout))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write a wide table of 24 subjects at three visits; A0 rises under treatment."""
    folder = tmp_path_factory.mktemp("associate")
    random = np.random.default_rng(5)
    analytes = [f"A{k}" for k in range(12)]
    lines = [",".join(["Sample", "id", "arm", "week", "site", *analytes])]
    limits = ["0.05"] * 12
    limits[10], limits[11] = "1", "900"
    lines.append(",".join(["LLOQ", "", "", "", "", *limits]))
    people = ["id,auc"]
    for person in range(24):
        arm = "active" if person % 2 else "placebo"
        auc = random.lognormal() if arm == "active" else 0.0
        people.append(f"{person},{auc:.4f}")
        level = random.normal(size=12)
        for week in (0, 4, 12):
            values = np.exp2(level + random.normal(scale=0.4, size=12))
            values[0] *= 2.0 ** (0.25 * week * (arm == "active"))
            cells = [f"{v:.5f}" for v in values]
            cells[9] = "3"
            if week == 4:
                cells[10] = "OOR <"
            name = f"s{person}w{week}"
            lines.append(
                ",".join([name, str(person), arm, str(week), f"site {person // 12}", *cells])
            )
    one, two = folder / "plex.csv", folder / "people.csv"
    one.write_text("\n".join(lines) + "\n", encoding="utf-8")
    two.write_text("\n".join(people) + "\n", encoding="utf-8")
    return one, two


COMMON = ("--subject", "id", "--factor", "arm=placebo,active", "--factor", "week=0,4,12")


def test_permutations_and_contrasts_are_in_the_result(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    page, table = tmp_path / "report.html", tmp_path / "table.csv"
    told = result(
        files[0], "--formula", "arm * week", *COMMON, "--permutations", "199",
        "--permute-within", "site", "--pairwise", "week | arm",
        "--contrast", "late = [arm=active, week=12] - [arm=placebo, week=12]",
        "--out", page, "--out", table,
    )  # fmt: skip
    found = told["result"]
    done = found["permutation"]
    assert (done["permutations"], done["complete"], done["statistic"]) == (199, True, "null-model")
    assert [t["exchanged"] for t in done["terms"]] == [
        "arm over 24 subjects within site",
        "week over the samples of each subject within site",
        "arm over 24 subjects within site",
    ]
    rows = {(r["analyte"], r["term"]): r for r in found["rows"]}
    effect = rows["A0", "arm:week"]
    assert effect["p_permutation"] == effect["p_family_wise"] == pytest.approx(1 / 200)
    assert min(rows[f"A{k}", "arm:week"]["p_family_wise"] for k in range(1, 9)) > 0.05
    assert rows["A9", "week"]["status"] == "constant"
    assert rows["A9", "week"]["p_permutation"] is None
    assert rows["A11", "week"]["status"] == "all below LOD"
    assert rows["A10", "week"]["share_below_lod"] > 0.3
    assert found["lod_policy"]["name"] == "keep"
    assert found["format"] == "wide table (Luminex, MSD)"
    pairs = [c for c in found["contrasts"] if c["analyte"] == "A0" and c["term"] == "week | arm"]
    assert [c["contrast"] for c in pairs][-1] == "active 12 - active 4"
    late = next(c for c in found["contrasts"] if (c["analyte"], c["contrast"]) == ("A0", "late"))
    assert late["estimate"] == pytest.approx(3.0, abs=1.2)
    assert told["manifest"]["permutations"] == 199
    with table.open(encoding="utf-8") as stream:
        written = list(csv.DictReader(stream))
    assert len(written) == len(found["rows"]) + len(found["contrasts"])
    text = page.read_text(encoding="utf-8")
    for words in ("Permutation of labels", "Contrasts of levels", "Values over week of A0",
                  "Tukey, 3 means", "keep: use values below the limit"):  # fmt: skip
        assert words in text, words


def test_the_seed_decides_and_other_text_is_a_table(files: tuple[Path, Path]) -> None:
    options = (files[0], "--formula", "arm", *COMMON, "--permutations", 50)
    first, again, other = (
        [r["p_permutation"] for r in result(*options, "--seed", seed)["result"]["rows"]]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other
    shown = invoke(*options)
    assert "p_family_wise" in shown.stdout
    assert "permutations: 50 of 50" in shown.stderr
    assert invoke(*options, "--quiet").stderr.count("permutations:") == 0


def test_ctrl_c_gives_what_was_done(files: tuple[Path, Path]) -> None:
    command = [
        sys.executable, "-m", "statera", "biomarker", "associate", str(files[0]), "--formula",
        "arm * week", *COMMON, "--permutations", "3000000", "--json",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("permutations:"), line
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "stopping after these permutations" in errors
    told = json.loads(out)
    done = told["result"]["permutation"]
    assert 0 < done["permutations"] < 3_000_000
    assert not done["complete"]
    assert any(
        f"stopped after {done['permutations']} of 3000000" in text for text in told["warnings"]
    )


def test_a_wish_to_stop_is_taken_once() -> None:
    with asked_to_stop("stopping") as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_change_exposure_and_censored_methods(files: tuple[Path, Path]) -> None:
    change = ("--change", "week=0,12", "--subject", "id", "--factor", "arm=placebo,active")
    for method in ("ancova", "linear", "mann-whitney", "welch", "limma"):
        told = result(files[0], "--formula", "arm", *change, "--method", method)["result"]
        row = told["rows"][0]
        assert row["estimate"] == pytest.approx(3.0, abs=0.6), method
        assert row["low"] < row["estimate"] < row["high"]
        assert row["adjusted_p"] < 0.001
    told = result(files[0], "--subjects", files[1], "--formula", "auc", *change,
                  "--method", "spearman")["result"]  # fmt: skip
    assert told["rows"][0]["estimate"] > 0.5
    assert told["meaning"] == ["auc: correlation with auc."]
    told = result(files[0], "--subjects", files[1], "--formula", "auc", *change,
                  "--method", "linear", "--permutations", "99")["result"]  # fmt: skip
    assert told["permutation"]["terms"][0]["exchanged"] == "auc over 24 samples"
    told = result(files[0], "--formula", "week", "--factor", "week=0,12", "--method", "censored",
                  "--samples", _first_visits(files[0]))["result"]  # fmt: skip
    assert told["lod_policy"]["name"] == "censored"
    assert "left-censored" in " ".join(told["notes"])
    told = result(files[0], "--formula", "week", *COMMON[2:], "--method", "kruskal-wallis")
    assert told["result"]["rows"][0]["numerator_df"] == 2


def test_exposures_are_simulated_from_a_population_model(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    trial = tmp_path / "trial.csv"
    rows = [f"{p},{4 if p % 2 else 'placebo'},{50 + p}" for p in range(23)]
    trial.write_text("\n".join(["id,dose,weight", *rows, "23,,80"]) + "\n", encoding="utf-8")
    options = (
        files[0], "--subjects", trial, "--formula", "AUC24", "--subject", "id", "--change",
        "week=0,12", "--method", "linear", "--population", "baricitinib/Decker_2024",
    )  # fmt: skip
    told = result(*options, "--dose-column", "dose", "--population-covariate", "WT=weight")
    row = told["result"]["rows"][0]
    assert row["low"] > 0.0
    assert row["n"] == 23
    notes = " ".join(told["result"]["notes"])
    assert "AUC24 (ng*h/mL) is typical of the covariates, from baricitinib/Decker_2024." in notes
    assert "3 samples lack a value of AUC24 and were left out: s23w0, s23w4, s23w12." in notes
    assert told["manifest"]["population"] == "baricitinib/Decker_2024"
    for more, words in (
        ((), "needs the dose"),
        (("--dose-column", "dosis"), "dosis"),
        (("--dose-column", "dose", "--population-covariate", "WT=arm"), "is not a number"),
    ):
        found = invoke(*options, *more)
        assert found.exit_code in (2, 3)
        assert words in f"{found.output}{found.exception}"
    found = invoke(files[0], *COMMON, "--formula", "arm", "--dose-column", "dose")
    assert "belongs to a population model" in f"{found.output}{found.exception}"


def _first_visits(plex: Path) -> Path:
    """Write a table of samples at weeks 0 and 12, each of another subject."""
    names = [line.split(",")[0] for line in plex.read_text().splitlines()[2:]]
    kept = [n for n in names if (int(n[1 : n.index("w")]) % 2 and n.endswith("w12")) or
            (not int(n[1 : n.index("w")]) % 2 and n.endswith("w0"))]  # fmt: skip
    file = plex.parent / "visits.csv"
    rows = [f"{n},{n[n.index('w') + 1 :]}" for n in kept]
    file.write_text("\n".join(["sample,week", *rows]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--formula", "arm", "--method", "limma", "--permutations", "9"), "permuted for limma"),
        (("--formula", "arm", "--permute-within", "site"), "belong to permutations"),
        (("--formula", "arm", "--permutations", "9", "--permute-within", "week"), "two blocks"),
        (("--formula", "arm", "--permutations", "9", "--permute-statistic", "t"), "statistic"),
        (("--formula", "arm", "--change", "week"), "names no two visits"),
        (("--formula", "arm", "--change", "week=0,12"), "does not take changes"),
        (("--formula", "arm", "--pairwise", "site"), "site"),
        (("--formula", "arm", "--lod", "censored"), "method censored"),
        (("--formula", "arm", "--duplicates", "keep"), "keep"),
    ],
)  # fmt: skip
def test_refusals_say_why(files: tuple[Path, Path], options: tuple[str, ...], words: str) -> None:
    found = invoke(files[0], *COMMON, *options)
    assert found.exit_code in (2, 3)
    assert words in f"{found.output}{found.exception}"
