"""The print of ``statera meta network``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statera.evidence.network_request import FittedPart

__all__ = ["part_text"]

_BIG = 9999.5


def part_text(part: FittedPart, answer: dict[str, Any], *, heading: str = "") -> str:
    """Return a part in blocks: heading, heterogeneity, effects, evidence and certainty."""
    blocks = [heading] if heading else []
    blocks.append(_head(part, answer))
    if "components" in answer:
        blocks += _components(answer)
    elif "likelihood" in answer:
        blocks.append(_likelihood(answer))
    else:
        blocks += _heterogeneity(answer)
    blocks.append(_effects(answer))
    if "direct_and_indirect" in answer:
        blocks.append(_split(answer))
    blocks += [text for text in (_certainty(answer), *_bias(answer)) if text]
    return "\n\n".join(blocks) + "\n"


def _head(part: FittedPart, answer: dict[str, Any]) -> str:
    parts = [f"studies: {answer['studies']}"]
    if "comparisons" in answer:
        parts.append(f"comparisons: {answer['comparisons']}")
    if "tau2_estimator" in answer and answer["method"] == "inverse-variance":
        parts.append(f"tau^2 estimator: {answer['tau2_estimator']}")
    else:
        parts.append(f"method: {answer['method']}")
    return f"Network of {len(part.treatments)} treatments ({'; '.join(parts)})"


def _scale(answer: dict[str, Any]) -> str:
    return " (logarithm)" if answer["log"] else ""


def _heterogeneity(answer: dict[str, Any]) -> list[str]:
    if answer["method"] == "mantel-haenszel":
        return [
            f"Agreement of {answer['designs_pooled']} designs:\n"
            f"Q(df = {answer['q_df']}) = {answer['q']:.4f}, p-val {_p(answer['q_p'])}"
        ]
    low, high = answer["tau2_interval"]
    lines = [
        f"tau^2: {answer['tau2']:.4f} [{_number(low)}; {_number(high)}]; "
        f"tau: {math.sqrt(answer['tau2']):.4f}; I^2: {_number(answer['i2_percent'], 2)}%",
        f"Heterogeneity and inconsistency:\nQ(df = {answer['q_df']}) = {answer['q']:.4f}, "
        f"p-val {_p(answer['q_p'])}",
    ]
    if "designs" in answer:
        parts = answer["designs"]
        lines.append(
            "\n".join(
                f"{name}: Q(df = {q.df}) = {q.q:.4f}, p-val {_p(math.nan if q.p is None else q.p)}"
                for name, q in (
                    ("within designs", parts.within),
                    ("between designs", parts.between),
                    ("between designs, random effects", parts.between_random),
                )
            )
        )
    return lines


def _likelihood(answer: dict[str, Any]) -> str:
    lines = [answer["likelihood"][0].upper() + answer["likelihood"][1:]]
    if not math.isnan(answer["tau2"]):
        lines.append(
            f"tau^2: {answer['tau2']:.4f} (SE {_number(answer['tau2_se'])}); "
            f"tau: {math.sqrt(answer['tau2']):.4f}"
        )
    if not math.isnan(answer["dispersion"]):
        lines.append(f"dispersion (Fletcher): {answer['dispersion']:.4f}")
    lines.append(f"log-likelihood: {answer['log_likelihood']:.4f}; df: {answer['df']}")
    if not math.isnan(answer["deviance"]):
        lines.append(
            f"heterogeneity and inconsistency, likelihood ratio: LRT(df = {answer['df']}) = "
            f"{answer['deviance']:.4f}, p-val {_p(answer['deviance_p'])}"
        )
    return "\n".join(lines)


def _components(answer: dict[str, Any]) -> list[str]:
    tables = answer["components"]
    rows = [["component", "estimate", "se", "ci.lb", "ci.ub"]]
    random = tables["random"]
    for i, name in enumerate(tables["names"]):
        rows.append(
            [name, *(_number(float(random[key][i])) for key in ("estimate", "se", "low", "high"))]
        )
    tests = "\n".join(
        f"{label}: Q(df = {part.df}) = {part.q:.4f}, "
        f"p-val {_p(math.nan if part.p is None else part.p)}"
        for label, part in (
            ("additive model", answer["q_additive"]),
            ("standard model", answer["q_standard"]),
            ("difference (test of additivity)", answer["q_difference"]),
        )
    )
    return [
        f"tau^2: {answer['tau2']:.4f}; I^2: {_number(answer['i2_percent'], 2)}%",
        tests,
        f"Components, random effects{_scale(answer)}:\n\n{_table(rows)}",
    ]


def _effects(answer: dict[str, Any]) -> str:
    treatments = answer["treatments"]
    predicted = any(not math.isnan(t["prediction_low"]) for t in treatments)
    scored = any(t["p_score"] is not None for t in treatments)
    keys = ["estimate", "se", "low", "high"]
    head = ["treatment", "estimate", "se", "ci.lb", "ci.ub"]
    if predicted:
        keys += ["prediction_low", "prediction_high"]
        head += ["pi.lb", "pi.ub"]
    if answer["log"]:
        head.append(answer["measure"])
    rows = [[*head, "P-score"] if scored else head]
    if scored:
        treatments = sorted(treatments, key=lambda t: -t["p_score"])
    for t in treatments:
        own = t["treatment"] == answer["reference"]
        row = [t["treatment"], *("." if own else _number(float(t[key])) for key in keys)]
        if answer["log"]:
            row.append("." if own else _number(float(t["natural"]["estimate"])))
        rows.append(row + ([_number(float(t["p_score"]))] if scored else []))
    kind = "Common" if _is_common(answer) else "Random"
    return (
        f"{kind} effects{_scale(answer)}, compared with '{answer['reference']}':\n\n{_table(rows)}"
    )


def _is_common(answer: dict[str, Any]) -> bool:
    if "likelihood" in answer:
        return math.isnan(answer["tau2"])
    return bool(answer.get("tau2_estimator") == "EE")


def _split(answer: dict[str, Any]) -> str:
    rows = [["comparison", "studies", "direct", "all", "direct est.", "indirect est.", "pval"]]
    for s in answer["direct_and_indirect"]:
        if not s.studies:  # indirect alone: in the JSON
            continue
        share = "" if math.isnan(s.share) else f"{100 * s.share:.0f}%"
        values = (s.estimate, s.direct, s.indirect, s.p)
        rows.append([s.label, str(s.studies), share, *(_number(float(x)) for x in values)])
    text = (
        f"Direct and indirect evidence by {answer['split']}{_scale(answer)}, pairs that studies "
        f"compare:\n\n{_table(rows)}"
    )
    if answer["back_calculated"]:
        text += f"\nby back-calculation: {', '.join(answer['back_calculated'])}"
    return text


def _certainty(answer: dict[str, Any]) -> str:
    """Return the judgements of comparisons with the reference; empty where none were given."""
    league = [row for row in answer["league"] if row["second"] == answer["reference"]]
    names = list(league[0]["certainty"]) if league else []
    risks = list(league[0]["risk_of_bias"]) if league else []
    if not names and not risks:
        return ""
    rows = [["comparison", *names, *risks]]
    for row in league:
        cells = [*row["certainty"].values(), *row["risk_of_bias"].values()]
        rows.append([row["label"], *(cell or "." for cell in cells)])
    return f"Certainty and risk of bias as given:\n\n{_table(rows, left=True)}"


def _bias(answer: dict[str, Any]) -> list[str]:
    """Return the shares of evidence by risk of bias for comparisons with the reference."""
    if "contributions" not in answer:
        return []
    found, reference = answer["contributions"], answer["reference"]
    blocks = []
    for name, shares in found["by_risk_of_bias"].items():
        words = sorted({word for row in shares for word in row})
        rows = [["comparison", *words]]
        for label, row in zip(found["estimates"], shares, strict=True):
            if reference in label.split(" vs "):
                rows.append([label, *(f"{100 * row.get(word, 0.0):.0f}%" for word in words)])
        blocks.append(f"Share of evidence by '{name}' of the studies:\n\n{_table(rows)}")
    return blocks


def _number(x: float, digits: int = 4) -> str:
    if math.isnan(x):
        return "NA"
    return f"{x:.{digits}f}" if abs(x) < _BIG else f"{x:.3g}"


def _p(p: float) -> str:
    from statera.evidence.print_text import p_text

    return p_text(p)


def _table(rows: Sequence[Sequence[str]], *, left: bool = False) -> str:
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if left or j == 0 else cell.rjust(w)
            for j, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
