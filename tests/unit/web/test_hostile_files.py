"""Files and texts that were made to do harm: each is refused in words or read, and soon."""

from __future__ import annotations

import gzip
import io
import json
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from statera.errors import InputError
from statera.web.catalogue import CATALOGUE
from statera.web.named import load
from statera.web.server.answer_cache import canonical_json

from .fake_work import FakeWork

UPLOAD = "0" * 32
SOON = 20.0
"""Seconds; the slowest takes 2 on an idle machine, and took more than 30 or never ended."""


def answered(task: str, request: Mapping[str, Any], work: FakeWork) -> str:
    """Run a task as a worker does, and return its answer or the words of its refusal."""
    known = CATALOGUE[task]
    body = canonical_json(known.request.model_validate(request))
    began = time.process_time()
    try:
        answer: bytes = load(known.run)(known.request.model_validate_json(body), work).to_json()
        found = answer.decode()
        json.loads(found, parse_constant=lambda word: pytest.fail(f"the answer holds {word}"))
    except InputError as refused:
        found = refused.what
        assert "Error" not in found
    assert time.process_time() - began < SOON
    return found


def uploaded(folder: Path, name: str, content: bytes) -> FakeWork:
    path = folder / "stored" / name
    path.parent.mkdir()
    path.write_bytes(content)
    return FakeWork(folder, {UPLOAD: path})


def wide(count: int, first: str = "ID,TIME,DV", values: str = "1,0,1") -> bytes:
    names = ",".join(f"C{i}" for i in range(count))
    return f"{first},{names}\n{values},{','.join('1' * count)}\n".encode()


DATA = {
    "columns without end": (wide(30_000), '"subjects":1'),
    "a quote that is not closed": (b'ID,TIME,DV\n1,0,"' + b"x" * 300_000, "cannot be split"),
    "a cell without end": (b"ID,TIME,DV\n1,0," + b"9" * 1_000_000 + b"\n", '"subjects":1'),
    "numbers that are none": (b"ID,TIME,DV\n1,inf,1e999\n1,nan,-1e308\n", "subjects"),
    "doses without end": (
        b"ID,TIME,DV,AMT,EVID,ADDL,II\n1,0,0,9,1,1000000000,1e-6\n1,5,1,0,0,0,0\n",
        "subjects",
    ),
    "script in a name": (b"<script>alert(1)</script>,TIME,DV\n1,0,1\n", "there is no column ID"),
    "bytes": (bytes(range(256)) * 10, "not text"),
    "a bomb": (gzip.compress(b"ID,TIME,DV\n" + b"0" * 30_000_000), "compressed"),
}


@pytest.mark.parametrize("name", DATA)
def test_data_of_a_fit(tmp_path: Path, name: str) -> None:
    content, words = DATA[name]
    work = uploaded(tmp_path, "data.csv", content)
    assert words in answered("fit-data", {"data": UPLOAD}, work)


MODELS = {
    "lists in lists": (b"a = " + b"[" * 5000, "nested too deeply"),
    "a number without end": (b'schema = "statera.model/1"\nx = ' + b"9" * 5000, "number or date"),
    "a formula without end": (b'schema = "' + b"(" * 100_000 + b'"', "says schema"),
    "bytes": (bytes(range(256)), "not UTF-8"),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_a_fit(tmp_path: Path, name: str) -> None:
    content, words = MODELS[name]
    work = uploaded(tmp_path, "model.toml", content)
    request = {"model": {"kind": "upload", "upload": UPLOAD}}
    assert words in answered("fit-model", request, work)


CASES = [
    ("a.json", '{"a":' + "9" * 100_000 + "}", "not valid JSON"),
    ("a.json", "[" * 100_000, "not valid JSON"),
    ("a.json", '{"schema": NaN}', "neither a request nor a bundle"),
    ("a.toml", "a = " + "9" * 100_000, "not valid TOML"),
    ("a.toml", "a = " + "[" * 50_000, "not valid TOML"),
    ("a.toml", ".".join("a" * 8_000) + " = 1", "nested too deeply"),
    ("a.json", '{"resourceType": "Bundle", "a": ' + "9" * 100_000 + "}", "not valid JSON"),
]


@pytest.mark.parametrize(("name", "text", "words"), CASES, ids=lambda part: part[:30])
def test_cases_of_a_patient(tmp_path: Path, name: str, text: str, words: str) -> None:
    assert words in answered("patient-read", {"name": name, "text": text}, FakeWork(tmp_path))


def test_doses_at_intervals_of_nothing(tmp_path: Path) -> None:
    options = json.loads(answered("patient-options", {}, FakeWork(tmp_path)))
    case = options["result"]["sample"]
    case["doses"][0] |= {"interval": 5e-324, "additional": 3}
    assert answered("patient-forecast", {"case": case}, FakeWork(tmp_path))


def fcs(
    keywords: Mapping[str, Any] | None = None, offsets: tuple[Any, ...] = (), data: int = 80
) -> bytes:
    """Return a file with two channels and ten events, or one that says something else."""
    known: dict[str, Any] = {
        "$BYTEORD": "1,2,3,4", "$DATATYPE": "F", "$MODE": "L", "$NEXTDATA": 0, "$PAR": 2,
        "$TOT": 10,
        "$P1N": "A", "$P1B": 32, "$P1E": "0,0", "$P1R": 1024,
        "$P2N": "B", "$P2B": 32, "$P2E": "0,0", "$P2R": 1024,
        "$BEGINDATA": 2000, "$ENDDATA": 1999 + data, **(keywords or {}),
    }  # fmt: skip
    text = ("/" + "/".join(f"{key}/{value}" for key, value in known.items()) + "/").encode()
    places = offsets or (58, 57 + len(text), 2000, 1999 + data, 0, 0)
    head = b"FCS3.0    " + "".join(str(place).rjust(8)[:8] for place in places).encode("latin-1")
    return (head + text).ljust(2000) + b"\0" * data


FILES = {
    "as it should be": fcs(),
    "parameters without end": fcs({"$PAR": 10**9}),
    "parameters of another alphabet": fcs({"$PAR": "²"}),
    "a number without end": fcs({"$TOT": "9" * 5000}),
    "events without end": fcs({"$TOT": 10**17}),
    "fewer events than none": fcs({"$TOT": -5}),
    "numbers of many bits": fcs({"$P1B": 10**9, "$DATATYPE": "I"}),
    "numbers of no bits": fcs({"$P1B": 0, "$DATATYPE": "I"}),
    "two signs": fcs(offsets=(58, "--5", 0, 0, 0, 0)),
    "digits that are none": fcs(offsets=(58, "²", 0, 0, 0, 0)),
    "a text behind the end": fcs(offsets=(58, 99_999_999, 0, 0, 0, 0)),
    "a text that ends before it begins": fcs(offsets=(58, 20, -5, -9, 0, 0)),
    "a spillover of a million": fcs({"$SPILLOVER": "1000000,A"}),
    "a spillover of no numbers": fcs({"$SPILLOVER": "2,A,B,nan,inf,1e999,0"}),
    "data sets in a ring": fcs({"$NEXTDATA": 58}),
    "script": fcs({"$CYT": "<script>alert(1)</script>", "$P1S": "<img src=x onerror=alert(1)>"}),
}


# what is wrong with these shows when their events are asked for
READ = (
    "as it should be", "events without end", "a spillover of a million",
    "a spillover of no numbers", "data sets in a ring", "script",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_fcs_files(tmp_path: Path, name: str) -> None:
    work = uploaded(tmp_path, "a.fcs", FILES[name])
    found = answered("plate-inspect", {"files": [UPLOAD]}, work)
    assert ('"channels":[{"name":"A"' in found) == (name in READ)
    assert ('"warnings":["a.fcs: ' in found) == (name not in READ)
    assert len(found) < 3000


def zipped(*files: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def lying() -> bytes:
    """Return an archive whose directory says that 3 MB are 10 bytes."""
    found = bytearray(zipped(("a.fcs", b"\0" * 3_000_000)))
    at = found.rfind(b"PK\x01\x02")
    found[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(found)


ARCHIVES = {
    "a bomb": (zipped(("a.fcs", b"\0" * 50_000_000)), "more than 100 times"),
    "archives in archives": (zipped(("a.zip", zipped(("b.fcs", b"x")))), "no FCS file"),
    "files without end": (zipped(*((f"{i}.fcs", b"x") for i in range(2500))), "2000 are allowed"),
    "a way out": (zipped(("../../a.fcs", b"x")), "outside itself"),
    "a way to the root": (zipped(("/etc/a.fcs", b"x")), "outside itself"),
    "a lie": (lying(), "a.fcs"),
    "half of one": (zipped(("a.fcs", b"hello"))[:40], "no zip archive"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives(tmp_path: Path, name: str) -> None:
    content, words = ARCHIVES[name]
    work = uploaded(tmp_path, "a.zip", content)
    assert words in answered("plate-inspect", {"files": [UPLOAD]}, work)
    assert not (tmp_path.parent / "a.fcs").exists()


TABLES = {
    "columns without end": ",".join(f"c{i}" for i in range(20_000)) + "\n" + ",".join("1" * 20_000),
    "a quote that is not closed": 'a,b\n"' + "x" * 300_000,
    "numbers without end": "study,events_1,total_1\nA," + "9" * 5000 + ",1\n",
    "numbers that are none": "study,events_1,total_1,events_2,total_2\nA,inf,nan,1e400,-3\n",
    "script": "study,events_1\n<script>alert(1)</script>,1\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_studies(tmp_path: Path, name: str) -> None:
    for kind in ("pairwise", "network"):
        request = {"text": TABLES[name], "kind": kind}
        assert answered("evidence-check", request, FakeWork(tmp_path))
