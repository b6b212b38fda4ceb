"""``statera forecast``: what a model and the samples say of one patient, or of many."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from statera.cli.commands.store import Actor, opened
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.terminal import note, print_table, warn
from statera.errors import InputError, StateraError, UsageError
from statera.manifest import manifest

__all__ = ["HELP", "answer", "forecast"]

HELP = """
\b
Examples:
  statera forecast visit.toml
  statera forecast visit.toml --out advice.html
  statera forecast visit.toml --out advice.pdf --store sqlite:///clinic.db --actor "night desk"
  statera forecast requests/*.toml --out pages/

Forecast the concentrations of one patient, and search doses that reach a target.

A request names models, the doses taken, samples, covariates and a question (docs/requests.md).
Several requests are answered one by one: one that fails is a row with its reason.

Research and education only. Not a medical device.
"""

SCHEMA = "statera.forecast/1"
_ENDINGS = (".html", ".htm", ".pdf", ".json")


@dataclass(frozen=True)
class _Row:
    """How one request of several went."""

    file: str
    patient: str
    status: str
    sentence: str
    page: str = ""


def forecast(
    requests: Annotated[
        list[Path], typer.Argument(metavar="REQUEST...", help="Requests, as TOML or JSON.")
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE|DIR",
            help="Page (.html, .pdf) or data (.json); a folder for several requests.",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", envvar="STATERA_STORE", help="Keep it there."),
    ] = None,
    actor: Actor = "",
    label_patient: Annotated[
        Path | None,
        typer.Option(
            "--label-patient",
            metavar="FILE",
            help="Facts for the label's highest dose, as in docs/dosing.md.",
        ),
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="Region of the label.")] = None,
    indication: Annotated[
        str | None, typer.Option("--indication", help="Indication of the label.")
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Forecast the concentrations of one patient, and search doses that reach a target."""
    label = (label_patient, region, indication)
    if any(part is not None for part in label) and None in label:
        raise UsageError(
            "the label's highest dose needs a patient, a region and an indication",
            where="--label-patient",
            hint="Give --label-patient FILE --region EU --indication RA together.",
        )
    if len(requests) > 1 or (out is not None and out.is_dir()):
        if label_patient is not None:
            raise UsageError(
                "one file of label facts cannot stand for several requests",
                where="--label-patient",
                hint="Write question.maximum_daily into each request.",
            )
        _several(requests, out, store, actor, as_json=as_json, quiet=quiet)
        return
    if out is not None:
        check_target(out, _ENDINGS)
    asked: Path | dict[str, Any] = requests[0]
    first = _first_use(quiet=quiet)
    if label_patient is not None and region is not None and indication is not None:
        asked = _limited(requests[0], label_patient, region, indication, quiet=quiet)
    result, made = answer(asked)
    _remember(first)
    if store is not None:
        _keep(store, asked, result, made, actor, quiet=quiet)
    if out is not None:
        write_bytes_atomically(out, _page(result, made, out.suffix))
        note(f"Written: {out}", quiet=quiet)
    if as_json:
        sentences = tuple(r["sentence"] for r in result["remarks"])
        typer.echo(Envelope(SCHEMA, result, sentences, made).to_json(), nl=False)
        return
    _print(result)
    warn(_sentence(r) for r in result["remarks"])


def _first_use(*, quiet: bool) -> Path:
    """Return the mark that the solvers were compiled; say so where they have yet to be."""
    from statera.numerics.compiled import cache_directory, kernel_key  # heavy

    mark = cache_directory() / f"forecast-{kernel_key()}"
    if not mark.exists():
        note("First use: the solvers are compiled, which takes a minute or two.", quiet=quiet)
    return mark


def _remember(mark: Path) -> None:
    try:
        mark.touch()
    except OSError:  # a cache that cannot be written only means that it is said again
        return


def answer(request: Path | Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return the answer to a request as plain data, and how it was made."""
    from statera.tdm.forecast import forecast as compute  # heavy
    from statera.tdm.read_request import read_request, request_from

    asked = read_request(request) if isinstance(request, Path) else request_from(request)
    found = compute(asked)
    return found.to_dict(), found.manifest


def _limited(
    path: Path, label_patient: Path, region: str, indication: str, *, quiet: bool
) -> dict[str, Any]:
    """Return the request with the label's highest daily amount in it."""
    from statera.dosing import label_maximum  # heavy
    from statera.dosing.read_patient import read_patient
    from statera.tdm.read_request import read_request, read_tree

    read_request(path)  # what is wrong in the file is said with its line
    tree = read_tree(path)
    drug = str(tree["models"][0]).partition("/")[0]
    found = label_maximum(drug, region, read_patient(label_patient), indication=indication)
    note(f"Label, {region}, {indication}: {found.reason}", quiet=quiet)
    if found.daily_mg is None:
        raise InputError(
            f"the label's highest dose is not known: {found.reason}",
            where=str(label_patient),
            hint="Add what is missing, or write question.maximum_daily into the request.",
        )
    tree.setdefault("question", {})["maximum_daily"] = found.daily_mg
    return tree


def _keep(
    url: str,
    asked: Path | Mapping[str, Any],
    result: Mapping[str, Any],
    made: Mapping[str, Any],
    actor: str,
    *,
    quiet: bool,
) -> None:
    from statera.tdm.read_request import read_tree  # heavy

    with opened(url) as kept:
        tree = read_tree(asked) if isinstance(asked, Path) else asked
        key, _ = kept.save(tree, result, manifest=made, actor=actor)
    note(f"Kept as {key.removeprefix('sha256:')[:12]}", quiet=quiet)


def _page(result: Mapping[str, Any], made: Mapping[str, Any], suffix: str) -> bytes:
    if suffix.lower() == ".json":
        return (json.dumps({**result, "manifest": made}, indent=1, default=str) + "\n").encode()
    from statera.patient_report import patient_report  # heavy

    document = patient_report(result, made)
    if suffix.lower() == ".pdf":
        from statera.report.pdf import render_pdf  # an extra

        return render_pdf(document, compact=True)
    from statera.report import render_html  # heavy

    return render_html(document).encode()


def _several(
    requests: list[Path],
    out: Path | None,
    store: str | None,
    actor: str,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    if out is not None and not out.is_dir():
        raise UsageError(
            f"'{out}' is no folder, and there are {len(requests)} requests",
            where="--out",
            hint="Make the folder first: each request becomes a page in it.",
        )
    rows, results = [], []
    first = _first_use(quiet=quiet)
    for path in requests:
        try:
            result, made = answer(path)
            _remember(first)
            page = ""
            if store is not None:
                _keep(store, path, result, made, actor, quiet=True)
            if out is not None:
                page = str(out / f"{path.stem}.html")
                write_bytes_atomically(Path(page), _page(result, made, ".html"))
        except StateraError as error:
            status = str(getattr(error, "outcome", None) or type(error).__name__)
            rows.append(_Row(str(path), "", status, str(error).splitlines()[0]))
            continue
        results.append(result)
        said = result["advice"]["sentence"] if result["advice"] else "forecast without a target"
        rows.append(_Row(str(path), result["request"]["patient"], "answered", said, page))
    failed = [row for row in rows if row.status != "answered"]
    if as_json:
        data = {"requests": rows, "results": results}
        envelope = Envelope(
            "statera.forecasts/1", data, tuple(r.sentence for r in failed), manifest()
        )
        typer.echo(envelope.to_json(), nl=False)
    else:
        columns = ("request", "patient", "status", "said", "page")
        print_table(columns, [(r.file, r.patient, r.status, r.sentence, r.page) for r in rows])
    if failed and len(failed) == len(rows):
        raise InputError(
            f"none of {len(rows)} requests could be answered: {failed[0].sentence}",
            where=failed[0].file,
            hint="The table says why, one by one.",
        )
    note(f"Answered: {len(rows) - len(failed)} of {len(rows)} requests.", quiet=quiet)


def _print(result: Mapping[str, Any]) -> None:
    """Print advice, candidates and parameters as tables."""
    advice = result["advice"]
    if advice is not None:
        typer.echo(advice["sentence"])
        rows = [
            (
                f"{c['amount']:g} mg",
                f"{c['interval']:g} h",
                f"{c['probability']:.3f}",
                "; ".join(_expected(e) for e in c["expected"]),
                {True: "above", False: "within", None: "not asked"}[c["above_label_maximum"]],
            )
            for c in advice["candidates"]
        ]
        print_table(("dose", "every", "P(target)", "expected (5 % to 95 %)", "label maximum"), rows)
    for model in result["models"]:
        heading = (model["id"], "typical", "most likely", "mean (5 % to 95 %)")
        print_table(heading, _parameters(model))


def _parameters(model: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    likely = (model["most_likely"] or {}).get("parameters", {})
    return [
        (
            name,
            _number(model["typical_parameters"].get(name)),
            _number(likely.get(name)),
            f"{value['mean']:.4g} ({value['p5']:.4g} to {value['p95']:.4g})",
        )
        for name, value in model["posterior"]["parameters"].items()
    ]


def _expected(found: Mapping[str, Any]) -> str:
    ends = f"{found['p50']:.4g} ({found['p5']:.4g} to {found['p95']:.4g})"
    return f"{found['metric']} {ends} {found['unit']}".rstrip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _sentence(remark: Mapping[str, Any]) -> str:
    where = f"{remark['where']}: " if remark["where"] else ""
    return f"{where}{remark['sentence']}"
