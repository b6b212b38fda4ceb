"""``statera biomarker predict --apply``: a kept model on a new table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from statera.cli.commands.biomarker_predict_input import (
    PredictSource,
    outcome_subject,
    read_markers,
    read_outcomes,
)
from statera.cli.commands.biomarker_predict_output import (
    SCHEMA,
    validation_rows,
    write_predictions,
)
from statera.cli.envelope import Envelope
from statera.cli.options import concerning
from statera.cli.terminal import note, print_table, warn
from statera.errors import UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.biomarker.external_validation import ExternalValidation
    from statera.biomarker.frozen_model import FrozenModel
    from statera.biomarker.responders import Responders

__all__ = ["apply_model"]


def apply_model(
    source: PredictSource, model: Path, rule: str | None, given: dict[str, Any],
    out: list[Path], *, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Predict new samples; where their outcomes are there, say how well it did."""
    from statera.biomarker.frozen_model import read_frozen_model, score_new_table  # heavy
    from statera.biomarker.score_model import probability

    if any(path.suffix.lower() == ".html" for path in out):
        raise UsageError(
            "a kept model gives a table of predictions, not a page",
            where="--out",
            hint="Write --out predictions.csv.",
        )
    with concerning("--apply"):
        frozen = read_frozen_model(model)
    source = _covariates(source, frozen)
    read = read_markers(source)
    with concerning("FILE or --samples"):
        score, notes = score_new_table(frozen, read.table)
    responders = _responders(source, read, frozen, rule, given) if source.outcomes else None
    place = {s: i for i, s in enumerate(responders.subjects)} if responders else {}
    rows: list[dict[str, Any]] = []
    for i, (sample, subject) in enumerate(
        zip(read.table.samples, read.table.subjects, strict=True)
    ):
        row = {"sample": sample, "subject": subject,
               "probability": float(probability(score)[i])}  # fmt: skip
        if responders is not None:
            known = subject in place
            row["responder"] = float(responders.response[place[subject]]) if known else float("nan")
        rows.append(row)
    validation = _validate(read, responders, score) if responders else None
    made = manifest({p.name: p.read_bytes() for p in (*source.files, model)}, format=read.kind)
    for path in out:
        write_predictions(path, rows)
    said = (*read.notes, *(responders.notes if responders else ()), *notes)
    if as_json:
        from statera.biomarker.prediction_record import validation_record

        result = {
            "predictions": rows,
            "validation": validation_record(validation) if validation else None,
            "rule": frozen.rule, "notes": said,
        }  # fmt: skip
        typer.echo(Envelope(SCHEMA, result, (), made).to_json(), nl=False)
        return
    if validation is not None:
        print_table(("measure", "estimate", "low", "high", "status"), validation_rows(validation))
    elif not out:
        shown = [(r["sample"], r["subject"], f"{r['probability']:.4g}") for r in rows]
        print_table(("sample", "subject", "probability"), shown)
    warn(n for n in notes)
    for sentence in (*read.notes, *(responders.notes if responders else ())):
        note(sentence, quiet=quiet)
    for path in out:
        note(f"{len(rows)} predictions written to {path}", quiet=quiet)


def _covariates(source: PredictSource, frozen: FrozenModel) -> PredictSource:
    """Return the source with the covariates of the model, under their names and levels."""
    found = frozen.preprocessing.covariates
    return replace(
        source,
        covariates=tuple(name for name, _ in found),
        factors={name: levels for name, levels in found if levels},
    )


def _responders(
    source: PredictSource, read: Any, frozen: FrozenModel, rule: str | None, given: dict[str, Any]
) -> Responders:
    from statera.biomarker.responder_rule import frozen_rule, read_rule  # heavy: only when run
    from statera.biomarker.responders import apply_rule

    with concerning("--rule"):
        wanted = read_rule(rule, **given) if rule else frozen_rule(frozen.rule, **given)
    content = read_outcomes(source, read)
    said = wanted.subject if wanted.subject in content else None
    with concerning("--outcome"):
        return apply_rule(content, replace(wanted, subject=outcome_subject(source, content, said)))


def _validate(read: Any, responders: Responders, score: Any) -> ExternalValidation | None:
    import numpy as np

    from statera.biomarker.external_validation import validate_scores  # heavy: only when run
    from statera.biomarker.predict import join_response

    table, response, _, _ = join_response(read.table, responders)
    place = {s: i for i, s in enumerate(read.table.samples)}
    rows = np.array([place[s] for s in table.samples])
    return validate_scores(response, score[rows], table.subjects)
