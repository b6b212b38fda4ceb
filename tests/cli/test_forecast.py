"""``statera forecast``, and answering a kept request again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from statera.cli.main import app

VISIT = (Path(__file__).resolve().parents[2] / "examples" / "visit.toml").read_text(
    encoding="utf-8"
)


@pytest.fixture
def visit(tmp_path: Path) -> Path:
    """The request of the examples, with fewer draws."""
    path = tmp_path / "visit.toml"
    path.write_text(VISIT + "\n[options]\ndraws = 2000\n", encoding="utf-8")
    return path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_advice_candidates_and_parameters_are_printed(visit: Path) -> None:
    result = invoke("forecast", str(visit))
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "meets all targets with a probability of" in lines[0]
    assert lines[1].split("\t")[:3] == ["dose", "every", "P(target)"]
    rows = [line.split("\t") for line in lines]
    (clearance,) = [row for row in rows if row[0] == "CLR"]
    assert len(clearance) == 4
    assert "none of the targets is validated" in result.stderr


@pytest.mark.parametrize(
    ("name", "begins"), [("a.html", b"<!doctype html>"), ("a.pdf", b"%PDF-"), ("a.json", b"{")]
)
def test_pages_and_data_are_written(visit: Path, name: str, begins: bytes) -> None:
    out = visit.parent / name
    result = invoke("forecast", str(visit), "--out", str(out), "--quiet")
    assert result.exit_code == 0, result.stderr
    assert out.read_bytes().lower().startswith(begins.lower())


def test_what_is_kept_is_answered_again_to_the_last_bit(visit: Path) -> None:
    url = f"sqlite:///{visit.parent / 'clinic.db'}"
    kept = invoke("forecast", str(visit), "--store", url, "--actor", "tester")
    assert kept.exit_code == 0, kept.stderr
    key = kept.stderr.split("Kept as ")[1].split()[0]
    again = invoke("store", "rerun", key, "--store", url)
    assert again.exit_code == 0, again.stderr
    assert again.stdout == "identical\n"
    shown = json.loads(invoke("store", "show", key, "--store", url, "--json").stdout)["result"]
    assert shown["request"]["document"]["patient"] == {"id": "P1"}
    assert shown["results"][0]["document"]["schema"] == "statera.forecast/1"
    trail = invoke("store", "audit", "--store", url).stdout
    assert "tester\tstore result\tP1" in trail


def test_one_request_that_fails_does_not_stop_the_rest(visit: Path) -> None:
    bad = visit.parent / "bad.toml"
    bad.write_text(VISIT.replace("Decker_2024", "Nobody_1999"), encoding="utf-8")
    out = visit.parent / "pages"
    out.mkdir()
    result = invoke("forecast", str(visit), str(bad), "--out", str(out))
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()[1:]]
    assert [row[2] == "answered" for row in rows] == [True, False]
    assert "Nobody_1999" in rows[1][3]
    assert sorted(p.name for p in out.iterdir()) == ["visit.html"]
    alone = invoke("forecast", str(bad), str(bad))
    assert alone.exit_code == 3
    assert "none of 2 requests" in alone.stderr


def test_the_first_use_says_that_it_compiles(
    visit: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    invoke("forecast", str(visit))  # kernels come from their usual place, so that none is compiled
    mark = tmp_path / "cache"
    mark.mkdir()
    monkeypatch.setattr("statera.numerics.compiled.cache_directory", lambda: mark)
    first = invoke("forecast", str(visit))
    assert "First use: the solvers are compiled" in first.stderr
    again = invoke("forecast", str(visit))
    assert "First use" not in again.stderr
    assert len(list(mark.glob("forecast-*"))) == 1


def test_several_requests_need_a_folder(visit: Path) -> None:
    result = invoke("forecast", str(visit), str(visit), "--out", "one.html")
    assert result.exit_code == 2
    assert "is no folder" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('schema = "statera.request/1"', "", 3, "does not say what it is"),
        ("amount = 4", "amout = 4", 3, "'amount' is missing"),
        ("2026-03-07T09:30", "yesterday", 3, "'yesterday', which is not a date"),
        ("2026-03-07T09:30", "2027-03-07T09:30", 3, "after"),
    ],
)
def test_requests_that_cannot_be_answered(
    visit: Path, old: str, new: str, code: int, said: str
) -> None:
    visit.write_text(VISIT.replace(old, new), encoding="utf-8")
    result = invoke("forecast", str(visit))
    assert result.exit_code == code
    assert said in result.stderr
    assert "visit.toml" in result.stderr or "samples" in result.stderr


def test_the_highest_dose_may_come_from_the_label(visit: Path) -> None:
    person = visit.parent / "person.toml"
    person.write_text(
        'schema = "statera.label-patient/1"\nage = 50\nsex = "female"\nweight_kg = 68\n'
        'crcl = 45\nalc = "1.2 10^9/L"\nanc = "3.1 10^9/L"\nhb = "13 g/dL"\nhepatic = "none"\n'
        'risk = ["none"]\nmedicines = ["none"]\nphase = "start"\n',
        encoding="utf-8",
    )
    visit.write_text(visit.read_text(encoding="utf-8").replace("maximum_daily = 4\n", ""))
    label = ("--region", "EU", "--indication", "RA")
    result = invoke("forecast", str(visit), "--label-patient", str(person), *label, "--json")
    assert result.exit_code == 0, result.stderr
    assert "At most 2 mg once daily" in result.stderr
    candidates = json.loads(result.stdout)["result"]["advice"]["candidates"]
    # 3 mg every 48 h is 3 mg within one day
    for c in candidates:
        assert c["above_label_maximum"] == (max(c["amount"], c["daily"]) > 2.0)
    missing = invoke("forecast", str(visit), "--label-patient", str(person))
    assert missing.exit_code == 2
    assert "needs a patient, a region and an indication" in missing.stderr


POTENCY = """schema = "statera.potency/1"
name = "simulated"
[provenance]
statera = "test"
created = "2026-11-26"
settings = "sha256:{0}"
plate_map = "sha256:{0}"
[[potency]]
drug = "baricitinib"
stimulus = "IL-6"
readout = "pSTAT3"
cells = "CD4"
matrix = "cell"
value = 30.0
hill = 1.2
ln_se = 0.1
ln_sd_between = 0.3
donors = 6
""".format("0" * 64)

INHIBITION = """
[[question.targets]]
metric = "average_inhibition"
low = 10
unit = "%"
potency = { file = "results/potency.toml", stimulus = "IL-6", cells = "CD4" }
"""


@pytest.fixture
def plate(visit: Path) -> Path:
    """The request of the examples with a target of inhibition by a fitted potency beside it."""
    (visit.parent / "results").mkdir()
    (visit.parent / "results" / "potency.toml").write_text(POTENCY, encoding="utf-8")
    visit.write_text(f"{VISIT}\n{INHIBITION}\n[options]\ndraws = 2000\n", encoding="utf-8")
    return visit


def test_a_fitted_potency_is_used_said_and_hashed(plate: Path) -> None:
    result = invoke("forecast", str(plate), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    potency = found["result"]["targets"][1]["potency"]
    assert (potency["name"], potency["value"], potency["hill"]) == (
        "IL-6, pSTAT3, CD4", 30.0, 1.2
    )  # fmt: skip
    assert found["manifest"]["inputs"]["potency.toml"] == potency["content_hash"]
    said = " ".join(found["warnings"])
    assert "IC50 30 nM (Hill 1.2, 6 donors) of unbound drug" in said
    assert "22.3 ng/mL of total drug" in said
    out = plate.parent / "page.html"
    assert invoke("forecast", str(plate), "--out", str(out), "-q").exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert "average inhibition: IL-6, pSTAT3, CD4" in page
    assert "IC50 30 nM, Hill 1.2, potency.toml" in page


def test_a_kept_request_is_answered_again_without_the_file(plate: Path) -> None:
    url = f"sqlite:///{plate.parent / 'clinic.db'}"
    kept = invoke("forecast", str(plate), "--store", url, "--actor", "tester")
    assert kept.exit_code == 0, kept.stderr
    key = kept.stderr.split("Kept as ")[1].split()[0]
    (plate.parent / "results" / "potency.toml").unlink()
    again = invoke("store", "rerun", key, "--store", url)
    assert again.exit_code == 0, again.stderr
    assert again.stdout == "identical\n"


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("hill = 1.2", "hill = -1", "potency.toml:15:1", "'hill' is -1"),
        ('stimulus = "IL-6"', 'stimulus = "IL-2"', "visit.toml:", "no potency of the file"),
        ('drug = "baricitinib"', 'drug = "tofacitinib"', "question.targets[1]", "a model of bari"),
    ],
)
def test_potencies_that_cannot_be_used(
    plate: Path, old: str, new: str, where: str, said: str
) -> None:
    file = plate.parent / "results" / "potency.toml"
    file.write_text(POTENCY.replace(old, new), encoding="utf-8")
    result = invoke("forecast", str(plate))
    assert result.exit_code == 3
    assert where in result.stderr
    assert said in result.stderr
