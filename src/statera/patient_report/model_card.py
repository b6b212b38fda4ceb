"""Samples beside what was expected, and the models with what they found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statera.patient_report.words import Clock, computed, percent, with_unit
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Heading,
    Inline,
    Section,
    Table,
    Tone,
)

__all__ = ["model_section", "remarks_section", "samples_section"]

Data = Mapping[str, Any]


def samples_section(result: Data) -> Section:
    """Return the samples with the predictions, and the covariates used."""
    clock = Clock(result["request"]["origin"])
    rows: list[tuple[Inline, ...]] = []
    for s in result["samples"]:
        sign = {"below": "< ", "above": "> "}.get(s["censored"], "")
        unit = s["unit"].replace("*", "·")
        rows.append(
            (
                clock.say(s["time"]),
                s["analyte"],
                Cell(f"{sign}{s['value']:g} {unit}".rstrip(), value=s["value"], unit=s["unit"]),
                computed(s["predicted_typical"], "posterior"),
                computed(s["predicted_individual"], "posterior"),
                _percentile(s),
                s["assay"] or Cell("not said", "missing"),
            )
        )
    columns = (
        *("Drawn", "Analyte", "Measured", "Typical patient", "This patient"),
        *("Percentile a priori", "Assay"),
    )
    caption = "Samples, with predictions and their place among those expected beforehand"
    blocks: list[Block] = [Table(caption, columns, tuple(rows), numeric=(2, 3, 4, 5))]
    pairs: list[tuple[str, Inline]] = []
    unusual = result.get("unusual")
    if unusual is not None and unusual["percentile"] is not None:
        share = percent(unusual["percentile"] / 100.0)
        place = f"{share} of patients are nearer to the typical one"
        cell = computed(unusual["percentile"], "posterior", text=place)
        pairs.append(("How unusual", cell))
    for c in result["covariates"]:
        name = c["name"] if c["time"] is None else f"{c['name']}, {clock.say(c['time'])}"
        pairs.append((name, with_unit(f"{c['value']:g}", c["unit"])))
    if pairs:
        blocks.append(Definition(tuple(pairs)))
    return Section("samples", "Samples and covariates", tuple(blocks))


def _percentile(sample: Data) -> Cell:
    found = sample.get("percentile")
    if found is None:
        return Cell("not known", "missing")
    note = "; ".join(sample.get("hints", ()))
    tone: Tone = "warn" if sample.get("unlikely") else ""
    text = f"{found:.0f}"
    return Cell(text, "computed", method="posterior", value=found, note=note, tone=tone)


def model_section(result: Data) -> Section:
    """Return one card a model."""
    several = len(result["models"]) > 1
    blocks: list[Block] = []
    for model in result["models"]:
        post = model["posterior"]
        if several:
            blocks.append(Heading(model["id"]))
        pairs: list[tuple[str, Inline]] = [
            ("Model", f"{model['id']}: {model['title']}"),
            ("Made for", model["population"]),
            ("Method", _method(post)),
        ]
        if several:
            weight = percent(model["weight"])
            pairs.append(("Weight", computed(model["weight"], "model-weight", text=weight)))
        blocks += [Definition(tuple(pairs)), _parameters(model)]
    return Section("model", "Model card", tuple(blocks), {"models": result["models"]})


def _method(post: Data) -> str:
    words = {"importance": "importance sampling", "chains": "Markov chains", "prior": "prior"}
    name = words.get(post["method"], post["method"])
    share = f", of which {post['effective_draws']:.0f} count" if post["effective_draws"] else ""
    return f"{name}, {post['draws']} draws{share}"


def _parameters(model: Data) -> Table:
    found = model["posterior"]["parameters"]
    likely = (model["most_likely"] or {}).get("parameters", {})
    typical = model["typical_parameters"]
    rows: list[tuple[Inline, ...]] = []
    for name, value in found.items():
        text = f"{value['mean']:.4g} ({value['p5']:.4g} to {value['p95']:.4g})"
        rows.append(
            (
                name,
                computed(typical.get(name), "posterior"),
                computed(likely.get(name), "posterior"),
                computed(value["mean"], "posterior", text=text),
            )
        )
    return Table(
        "Individual parameters",
        ("Parameter", "Typical", "Most likely", "Mean (90 %)"),
        tuple(rows),
        numeric=(1, 2, 3),
        foot=("With few samples the most likely value and the mean differ: both are shown.",),
    )


def remarks_section(result: Data) -> Section:
    """Return all remarks as warnings."""
    blocks: list[Block] = [
        Callout("warning", r["outcome"].replace("_", " "), (f"{_where(r)}{r['sentence']}",))
        for r in result["remarks"]
    ]
    return Section("warnings", "Warnings", tuple(blocks))


def _where(remark: Data) -> str:
    return f"{remark['where']}: " if remark["where"] else ""
