"""Model files: reading, places of errors, and the same model built in Python."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from statera.errors import InputError, Place, UnknownNameError
from statera.library.models import library_model, load_model, model_ids, models_of, read_model
from statera.library.paths import data_root
from statera.model import build_model

TEXT = """\
schema = "statera.model/1"
id = "test/One_2000"

[units]
time = "h"
amount = "mg"

[covariates.WT]
unit = "kg"
reference = 70
hard = { min = 1 }

[parameters]
TVCL = { value = 5.0, unit = "L/h", status = "estimated" }
V = { value = 50, unit = "L" }

[random_effects]
eta = { cv = 30, conversion = "lognormal" }

[individual]
CL = "TVCL*(WT/70)^0.75*exp(eta)"

[dynamics]
"d/dt(central)" = "-CL/V*central"

[[inputs.iv]]
kind = "bolus"
into = "central"

[[inputs.iv]]
kind = "zero_order"
into = "central"
duration = "2"

[outputs.CP]
expression = "1000*central/V"
unit = "ng/mL"

[[expect]]
quantity = "CL"
value = 5
unit = "L/h"
tolerance = 0.01
basis = "by hand"
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str) -> Path:
        path = tmp_path / "model.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_file_and_python_give_the_same_model(write: Write) -> None:
    read, built = read_model(write(TEXT)), build_model(tomllib.loads(TEXT))
    for name in type(read).__dataclass_fields__:
        a, b = getattr(read, name), getattr(built, name)
        assert np.array_equal(a, b) if name == "omega" else a == b, name


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "what", "hint"),
    [
        ('value = 50,', 'value = "50",', 15, 1, "expected a number, found '50'", ""),
        ('unit = "L" }', 'unit = "litters" }', 15, 1, "'litters' is not a unit", "Such as mg"),
        ("reference = 70\n", "", 8, 1, "the key 'reference' is missing", "must be a number"),
        ("reference = 70", "reference = 0", 10, 1, "outside the hard range", ""),
        ("hard = {", "hadr = {", 11, 1, "unknown key 'hadr'", "Allowed: basis, hard"),
        ('"TVCL*(WT/70)', '"TVCL*(WTT/70)', 21, 1, "'WTT' is not defined; nearest: WT (column 7",
         ""),
        ("^0.75*exp(eta)", "^0.75*exp(eta", 21, 1, "not complete", ""),
        ('central)" = "-CL/V*central"', 'central)" = "-CL/V*x^2"', 24, 1, "(column 7", ""),
        ('into = "central"\nduration', 'into = "centre"\nduration', 32, 1, "not a state", ""),
        ('duration = "2"', 'lag = "2"', 30, 1, "either 'duration' or 'rate'", ""),
        ('kind = "zero_order"', 'kind = "zero"', 31, 1, "'zero' is not allowed", "zero_order"),
        ('cv = 30, conversion = "lognormal"', "cv = 30", 18, 1, "'conversion' is missing", ""),
        ('expression = "1000*central/V"', "expression = 3", 36, 1, "expected a text, found 3", ""),
        ("value = 5\n", "value = nan\n", 41, 1, "expected a finite number", ""),
        ('time = "h"', 'time = "kg"', 5, 1, "not a unit like 'h'", ""),
        ('schema = "statera.model/1"', 'schema = "statera.facts/1"', 1, 1, "schema", "model/1"),
    ],
)  # fmt: skip
def test_defects_have_a_place(
    write: Write, old: str, new: str, line: int, column: int, what: str, hint: str
) -> None:
    assert TEXT.count(old) >= 1
    path = write(TEXT.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert caught.value.where == Place(str(path), line, column)
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert str(caught.value).startswith(f"{path}:{line}:{column}: ")
    assert caught.value.exit_code == 3


def test_what_is_not_toml_has_a_place(write: Write) -> None:
    path = write(TEXT.replace('time = "h"', 'time = "h'))
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert isinstance(caught.value.where, Place)
    assert caught.value.where.line == 5


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load_model(str(tmp_path / "absent.toml"))
    (tmp_path / "latin.toml").write_bytes(b'id = "\xe9"')
    with pytest.raises(InputError, match="UTF-8"):
        load_model(str(tmp_path / "latin.toml"))
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(InputError):
        load_model(str(tmp_path / "empty.toml"))


def test_every_shipped_model_is_found_by_its_id() -> None:
    ids = model_ids()
    assert {"baricitinib/Decker_2024", "baricitinib/Decker_2026"} <= set(ids)
    for key in ids:
        assert load_model(key).id == key
    assert models_of("baricitinib") == tuple(i for i in ids if i.startswith("baricitinib/"))
    assert models_of("nothing") == ()


def test_ids_are_found_in_any_case_and_read_once() -> None:
    assert load_model("Baricitinib/decker_2024").id == "baricitinib/Decker_2024"
    assert load_model("baricitinib/Decker_2024") is load_model("baricitinib/Decker_2024")


def test_unknown_model_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_model("baricitinib/Decker2024")
    assert caught.value.nearest[0] == "baricitinib/Decker_2024"
    assert caught.value.exit_code == 3


def test_a_library_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "test"
    folder.mkdir(parents=True)
    (folder / "One_2000.toml").write_text(TEXT)
    assert model_ids(tmp_path) == ("test/One_2000",)
    assert load_model("test/one_2000", tmp_path).id == "test/One_2000"
    assert model_ids(data_root()) == model_ids()
    (tmp_path / "bare").mkdir()
    assert model_ids(tmp_path / "bare") == ()


def test_a_name_from_outside_opens_no_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('schema = "statera.model/1"')
    assert library_model("Baricitinib/decker_2024").id == "baricitinib/Decker_2024"
    with pytest.raises(UnknownNameError):
        library_model(str(path))
