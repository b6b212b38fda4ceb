"""``statera biomarker predict``: who will respond, from markers measured before."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands.biomarker_associate_input import policy
from statera.cli.commands.biomarker_predict_apply import apply_model
from statera.cli.commands.biomarker_predict_input import (
    PredictSource,
    ReadMarkers,
    levels_of,
    outcome_subject,
    read_markers,
    read_outcomes,
)
from statera.cli.commands.biomarker_predict_output import (
    SCHEMA,
    performance_rows,
    write_predictions,
)
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.pairs import read_pairs
from statera.cli.progress import progress_bar
from statera.cli.stopping import asked_to_stop
from statera.cli.terminal import note, print_table, warn
from statera.errors import UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statera.biomarker.nested_validation import Watch
    from statera.biomarker.predict import Prediction
    from statera.biomarker.prediction_options import PredictionOptions
    from statera.biomarker.responder_guards import Guard
    from statera.biomarker.responders import Responders

__all__ = ["HELP", "predict_command"]

HELP = """
\b
Examples:
  statera biomarker predict npx.csv --samples samples.csv --at week=0 --outcome visits.csv \\
    --visit week --rule "jadas27 <= 1 @ 24" --out page.html --save model.json
  statera biomarker predict npx.csv --samples samples.csv --rule rule.toml --model boosting \\
    --outcome visits.csv --covariate age --batch plate --json
  statera biomarker predict new.csv --samples new_samples.csv --apply model.json --out new.csv

Predict who responds, by models that never saw those they predict.

The rule says what a response is (nothing is built in): jadas27 <= 1 @ 24,
change(das28, 0, 24) <= -1.2, lowest 25 % of adjusted(jadas27, 0, 24), lower cluster of
change(jadas27, 0, 24), joined by 'and' or 'or'; or a TOML file. Limits of detection, gaps,
batches, filter, scale and penalty are learned within each fold. The first Ctrl-C ends with what
is done so far.
"""

Text = Annotated[str | None, typer.Option()]


def predict_command(
    measurements: Annotated[
        Path, typer.Argument(metavar="FILE", help="Measurements: .csv, .tsv, .parquet or .adat.")
    ],
    *,
    samples: Annotated[
        Path | None,
        typer.Option("--samples", metavar="FILE", help="A row a sample: sample and its columns."),
    ] = None,
    outcome: Annotated[
        Path | None,
        typer.Option(
            "--outcome",
            metavar="FILE.csv",
            help="A row a subject and visit; the samples' own columns unless given.",
        ),
    ] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", help="What a response is, or a file rule.toml.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="COLUMN", help="Whose sample it is.")
    ] = None,
    visit: Annotated[
        str | None, typer.Option("--visit", metavar="COLUMN", help="Visits of the outcomes.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="COLUMN=VALUE", help="Samples that predict; repeatable."),
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option("--missing", help="Undecided outcomes: exclude, non-responder or refuse."),
    ] = None,
    index: Annotated[
        str | None, typer.Option("--index", help="Clinical index computed for the rule first.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="ENTRY=NAME", help="Your name of its column; repeatable."),
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option("--gate", help="Index by which subjects were admitted; repeatable."),
    ] = None,
    contains: Annotated[
        list[str] | None,
        typer.Option("--contains", metavar="INDEX=CRP", help="Reactant in an index; repeatable."),
    ] = None,
    model: Annotated[str, typer.Option("--model", help="elastic-net or boosting.")] = "elastic-net",
    covariate: Annotated[
        list[str] | None,
        typer.Option("--covariate", metavar="NAME[=A,B]", help="Predicts too; repeatable."),
    ] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="COLUMN", help="Plates to adjust for.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="COLUMN", help="Sites that folds keep whole.")
    ] = None,
    lod: Annotated[
        str, typer.Option("--lod", help="keep, substitute[:half] or exclude[:share].")
    ] = "keep",
    top: Annotated[
        int | None, typer.Option("--top", min=1, help="Markers a filter keeps, in each fold.")
    ] = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Outer folds.")] = 5,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Of the outer folds.")] = 10,
    inner: Annotated[int, typer.Option("--inner", min=2, help="Inner folds.")] = 5,
    tuning: Annotated[
        str, typer.Option("--tuning", help="minimum or one-standard-error.")
    ] = "minimum",
    bootstraps: Annotated[
        int, typer.Option("--bootstraps", min=0, help="For optimism and stability.")
    ] = 100,
    permutations: Annotated[
        int, typer.Option("--permutations", min=0, help="Of the labels, for a test.")
    ] = 0,
    scale: Annotated[
        str | None, typer.Option("--scale", help="Of a long table: linear (default) or log2.")
    ] = None,
    seed: Seed = 1,
    applied: Annotated[
        Path | None,
        typer.Option("--apply", metavar="MODEL.json", help="Predict by this model instead."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="MODEL.json", help="Keep the model.")
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", "-o", metavar="FILE", help="page.html or samples.csv; repeatable."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Predict who responds, from markers."""
    for path in out or []:
        check_target(path, (".html", ".csv"))
    if save is not None:
        check_target(save, (".json",))
    names, factors = levels_of(covariate)
    source = PredictSource(
        measurements, samples, outcome, subject, read_pairs(at, "--at", "week=0"), names, batch,
        group, factors, scale,
    )  # fmt: skip
    given: dict[str, Any] = {
        "visit": visit, "missing": missing, "index": index,
        "columns": read_pairs(column, "--column", "phg=PHYSICIAN") or None,
        "gate": tuple(gate) if gate else None,
        "contains": {k: (v,) for k, v in read_pairs(contains, "--contains", "jadas27=ESR").items()}
        or None,
    }  # fmt: skip
    if applied is not None:
        apply_model(source, applied, rule, given, out or [], as_json=as_json, quiet=quiet)
        return
    if rule is None:
        raise UsageError(
            "a rule says what a response is, and none is built in",
            where="--rule",
            hint='Write --rule "jadas27 <= 1 @ 24", or name a file rule.toml.',
        )
    from statera.biomarker.prediction_options import PredictionOptions  # heavy: only when run
    from statera.biomarker.preprocessing import PreprocessingOptions

    with concerning("--model, --tuning or --lod"):
        options = PredictionOptions(
            model, PreprocessingOptions(policy(lod, model), filter_top=top), outer_folds=folds,
            repeats=repeats, inner_folds=inner, tuning=tuning, bootstraps=bootstraps,
            permutations=permutations, seed=seed,
        )  # fmt: skip
    read, responders, guards, found = _predict(source, rule, given, options, quiet=quiet)
    inputs = {p.name: p.read_bytes() for p in source.files}
    if rule.lower().endswith(".toml"):
        inputs[Path(rule).name] = Path(rule).read_bytes()
    made = manifest(
        inputs, seed, format=read.kind, rule=rule, model=model, lod=lod, top=top,
        covariates=list(covariate or []), batch=batch, group=group, at=list(at or []),
    )  # fmt: skip
    record = _report(read, responders, guards, found, made, save, out or [])
    warnings = (
        *(f"{g.name}: {g.finding}" for g in guards if g.level == "warning"),
        *found.warnings,
    )
    if as_json:
        record["notes"] = (*read.notes, *record["notes"])
        typer.echo(Envelope(SCHEMA, record, warnings, made).to_json(), nl=False)
        return
    print_table(("measure", "estimate", "low", "high", "status"), performance_rows(found))
    warn(warnings)
    remarks = (f"{g.name}: {g.finding}" for g in guards if g.level == "note")
    for sentence in (*remarks, *read.notes, *record["notes"]):
        note(sentence, quiet=quiet)
    for path in (*(out or []), *([save] if save else [])):
        note(f"written to {path}", quiet=quiet)


def _predict(
    source: PredictSource, rule: str, given: dict[str, Any], options: PredictionOptions, *,
    quiet: bool,
) -> tuple[ReadMarkers, Responders, tuple[Guard, ...], Prediction]:  # fmt: skip
    from statera.biomarker.predict import join_response, predict_response  # heavy
    from statera.biomarker.responder_guards import batch_guard, coupling_guard, rule_guards
    from statera.biomarker.responder_rule import read_rule
    from statera.biomarker.responders import apply_rule

    with concerning("--rule"):
        wanted = read_rule(rule, **given)
    read = read_markers(source)
    content = read_outcomes(source, read)
    said = wanted.subject if wanted.subject != "subject" else None
    wanted = replace(wanted, subject=outcome_subject(source, content, said))
    with concerning("--rule or --outcome"):
        responders = apply_rule(content, wanted)
    with concerning("--outcome"):
        table, response, uncut, notes = join_response(read.table, responders)
    groups: tuple[str, ...] = ()
    if read.groups:
        place = dict(zip(read.table.samples, read.groups, strict=True))
        groups = tuple(place[s] for s in table.samples)
    guards = (
        *rule_guards(responders),
        *coupling_guard(responders, read.names, table.values, table.subjects),
    )
    if table.batches:
        people = dict(zip(table.subjects, response.tolist(), strict=True))
        guards += batch_guard(dict(zip(table.subjects, table.batches, strict=True)), people)
    with _watched(quiet=quiet) as watch, concerning("--outcome or --rule"):
        found = predict_response(table, response, options, groups=groups, uncut=uncut, watch=watch)
    return read, responders, guards, replace(found, notes=(*notes, *found.notes))


@contextmanager
def _watched(*, quiet: bool) -> Iterator[Watch]:
    said = "stopping with what is done; press Ctrl-C again to leave at once"
    with asked_to_stop(said) as asked, progress_bar(quiet=quiet) as show:

        def watch(stage: str, share: float) -> bool:
            show(stage, share)
            return asked()

        yield watch


def _report(
    read: ReadMarkers, responders: Responders, guards: tuple[Guard, ...], found: Prediction,
    made: dict[str, Any], save: Path | None, out: list[Path],
) -> dict[str, Any]:  # fmt: skip
    """Write the files that were asked for, and return the result as data."""
    from statera.biomarker.prediction_record import prediction_record, subject_rows  # heavy

    record = prediction_record(found, responders, guards, read.names)
    for path in out:
        if path.suffix.lower() == ".csv":
            write_predictions(path, subject_rows(found))
            continue
        from statera.biomarker_report.prediction import build_prediction_report
        from statera.report import render_html

        page = build_prediction_report(
            found, responders, guards, read.names, (*read.notes, *record["notes"]), made=made
        )
        write_bytes_atomically(path, render_html(page).encode())
    if save is not None:
        from statera.biomarker.frozen_model import freeze, frozen_text

        kept = {
            "subjects": record["subjects"], "responders": record["responders"],
            "auc": record["auc"], "model": found.options.model, "manifest": made,
        }  # fmt: skip
        text = frozen_text(freeze(found.final, record["rule"], kept))
        write_bytes_atomically(save, text.encode())
    return record
