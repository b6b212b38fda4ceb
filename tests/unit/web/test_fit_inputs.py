"""Data and models of the screen 'fit': what is said of them, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from statera.errors import InputError, StateraError, UnknownNameError
from statera.web.requests.fit import FitDataRequest, FitModelRequest, FitRequest
from statera.web.tasks import fit_data, fit_model
from statera.web.tasks.fit_inputs import file_name

from .fake_work import FakeWork

SAMPLE = "sample-oral-one-compartment"
UPLOAD = "0" * 32
MODEL = "1" * 32
PROJECT = Path(__file__).parents[3]
SAMPLE_FILE = PROJECT / "src/statera/web/samples/oral-one-compartment.csv"

STREAM = """$PROBLEM one compartment
$INPUT ID TIME AMT DV
$DATA elsewhere.csv IGNORE=@
$SUBROUTINES ADVAN2 TRANS2
$PK
KA=THETA(1)
CL=THETA(2)*EXP(ETA(1))
V=THETA(3)
S2=V
$ERROR
Y=F*(1+EPS(1))
$THETA (0,1) (0,4) (0,40)
$OMEGA 0.1
$SIGMA 0.04
"""


@pytest.fixture
def work(tmp_path: Path) -> FakeWork:
    return FakeWork(tmp_path, {SAMPLE: SAMPLE_FILE})


@pytest.mark.parametrize("name", ["DV", "TIME"])
def test_a_missing_column_is_named_in_the_words_of_the_form(work: FakeWork, name: str) -> None:
    text = SAMPLE_FILE.read_text().replace(f",{name},", ",OTHER,", 1)
    file = work.folder / "mine.csv"
    file.write_text(text)
    work.uploads[UPLOAD] = file
    with pytest.raises(InputError) as error:
        checked(work, UPLOAD)
    assert "columns=" not in error.value.hint
    assert f"Columns called otherwise: {name}=ITS NAME" in error.value.hint


def checked(work: FakeWork, upload: str = SAMPLE, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        fit_data.run(FitDataRequest(data=upload, **more), work).to_json()
    )
    return answer


def uploaded(
    work: FakeWork, text: str | bytes, name: str = "data.csv", upload: str = UPLOAD
) -> str:
    place = work.folder / f"stored-{upload[:4]}"
    place.mkdir(exist_ok=True)
    path = place / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    work.uploads[upload] = path
    return upload


def test_the_sample_is_what_its_script_makes() -> None:
    spec = importlib.util.spec_from_file_location("make", PROJECT / "scripts/make_fit_sample.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert SAMPLE_FILE.read_text(encoding="utf-8") == made.sample_text()


def test_what_a_file_holds(work: FakeWork) -> None:
    answer = checked(work)
    result = answer["result"]
    assert result["usable"]
    assert (result["subjects"], result["doses"], result["records"]) == (48, 48, 624)
    assert result["observations"] == {"1": 576}
    assert result["covariates"] == ["DOSE", "WT", "AGE", "SEX"]
    assert result["columns"][:3] == ["ID", "TIME", "AMT"]
    rows = answer["tables"]["observations"]["rows"]
    assert len(rows) == 576
    assert rows[0] == ["1", 0.5, 0.3338, "1", "quantified", 3]


def test_times_are_shown_in_the_unit_given(work: FakeWork) -> None:
    answer = checked(work, reading={"time_unit": "day"})
    table = answer["tables"]["observations"]
    assert table["columns"][1] == {"name": "TIME", "unit": "day"}
    assert table["rows"][0][1] == 0.5


def test_censored_values_are_counted(work: FakeWork) -> None:
    answer = checked(work, reading={"lloq": 0.05})
    below = answer["result"]["below"]["1"]
    status = [row[4] for row in answer["tables"]["observations"]["rows"]]
    assert below == status.count("below limit") > 0


def test_problems_come_with_their_line_and_no_path(work: FakeWork) -> None:
    upload = uploaded(work, "ID,TIME,AMT,DV\n1,0,10,.\n1,x,.,1\n1,2,.,y\n")
    answer = checked(work, upload)
    result = answer["result"]
    assert not result["usable"]
    assert [p["line"] for p in result["problems"]] == [3, 4]
    assert answer["tables"] == {}
    assert str(work.folder) not in json.dumps(answer)


def test_a_broken_line_is_named_by_the_name_of_the_upload(work: FakeWork) -> None:
    upload = uploaded(work, "ID,TIME,AMT,DV\n1,0,10\n", "my study.csv")
    with pytest.raises(InputError) as error:
        checked(work, upload)
    assert str(error.value.where) == "my study.csv:2"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8b\x08\x00bomb", "compressed"),
        (b"FCS3.1\x00\x00", "not text"),
        (b"\xff\xfe\xfa", "UTF-8"),
    ],
)
def test_files_that_are_no_table_are_refused(content: bytes, said: str, work: FakeWork) -> None:
    with pytest.raises(InputError, match=said):
        checked(work, uploaded(work, content))


@pytest.mark.parametrize("name", ["oral-1", "oral-2", "iv-1", "iv-2"])
@pytest.mark.parametrize("unit", ["mg/L", "ng/mL"])
def test_templates_are_models(name: str, unit: str, work: FakeWork) -> None:
    request = FitModelRequest(model={"kind": "template", "name": name, "concentration": unit})  # type: ignore[arg-type]
    result = fit_model.run(request, work).result
    names = [p["name"] for p in result["parameters"]]
    assert ("TVKA" in names) is name.startswith("oral")
    assert ("TVQ" in names) is name.endswith("2")
    assert all(p["low"] == 0.0 and p["high"] is None for p in result["parameters"])
    assert result["outputs"][0]["unit"] == unit
    assert tomllib.loads(result["text"])["outputs"]["C"]["unit"] == unit


def test_a_control_stream_says_how_data_are_read(work: FakeWork) -> None:
    model = {"kind": "upload", "upload": uploaded(work, STREAM, "run 1.mod", MODEL)}
    result = fit_model.run(FitModelRequest(model=model), work).result  # type: ignore[arg-type]
    assert result["stream"]
    assert result["id"] == "user/run_1"
    assert [p["value"] for p in result["parameters"][:3]] == [1.0, 4.0, 40.0]
    data = uploaded(work, "C,T,D,CONC\n1,0,100,.\n1,1,.,2.1\n2,0,100,.\n2,1,.,1.9\n")
    answer = checked(work, data, model=model)
    assert answer["result"]["columns"] == ["ID", "TIME", "AMT", "DV"]
    assert answer["result"]["observations"] == {"1": 2}


def test_a_model_file_is_read_and_its_errors_have_a_line(work: FakeWork) -> None:
    text = (PROJECT / "examples/oral_one_compartment.toml").read_text(encoding="utf-8")
    model = {"kind": "upload", "upload": uploaded(work, text, "own.toml", MODEL)}
    result = fit_model.run(FitModelRequest(model=model), work).result  # type: ignore[arg-type]
    assert {p["name"]: p["shown_as"] for p in result["parameters"]}["lCL"] == "exp"
    uploaded(work, text.replace("[individual]", "[individual"), "own.toml", MODEL)
    with pytest.raises(StateraError) as error:
        fit_model.run(FitModelRequest(model=model), work)  # type: ignore[arg-type]
    assert str(error.value.where).startswith("own.toml:")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../own.toml", "/etc/hosts.mod", "nobody/X_2000"]
)
def test_only_names_of_the_library_are_taken_for_models(name: str, work: FakeWork) -> None:
    request = FitModelRequest(model={"kind": "library", "name": name})  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError):
        fit_model.run(request, work)


def test_a_library_model_can_be_fitted(work: FakeWork) -> None:
    request = FitModelRequest(model={"kind": "library", "name": "Baricitinib/decker_2024"})  # type: ignore[arg-type]
    result = fit_model.run(request, work).result
    assert result["name"] == "baricitinib/Decker_2024"
    assert result["text"].count("[parameters") >= 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../a b.csv", "a_b.csv"),
        ("C:\\x\\study.csv", "study.csv"),
        ("...", "data.csv"),
        ("-rf.csv", "rf.csv"),
        ("données.csv", "donn_es.csv"),
    ],
)
def test_names_of_files_are_harmless(name: str, kept: str) -> None:
    assert file_name(name, "data.csv") == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": "../../etc/passwd"},
        {"model": {"kind": "template", "name": "oral-3"}},
        {"model": {"kind": "path", "name": "x"}},
        {"method": "imp"},
        {"initial": {"CL": float("nan")}},
        {"replicates": 5},
        {"unknown": 1},
    ],
)
def test_requests_that_are_wrong(wrong: dict[str, Any]) -> None:
    given = {"data": SAMPLE, "model": {"kind": "template", "name": "oral-1"}} | wrong
    with pytest.raises(ValidationError):
        FitRequest(**given)
