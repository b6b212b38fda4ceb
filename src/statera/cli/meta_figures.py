"""The figures of ``statera meta pairwise``, a file an outcome."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.cli.meta_request import Figures
from statera.cli.output import write_bytes_atomically
from statera.errors import InputError

if TYPE_CHECKING:
    from statera.evidence.pairwise_result import PairwiseResult
    from statera.evidence.synthesis import Synthesis
    from statera.evidence.table_analysis import Analysis, Failed

__all__ = ["write_figures"]


def write_figures(
    found: Sequence[Analysis | Failed], figures: Figures
) -> tuple[list[Path], list[str]]:
    """Write the figures asked for.

    Returns
    -------
    tuple
        Files written, and sentences on figures that could not be drawn. Of several outcomes each
        has its own file, with its name put before the ending.
    """
    from statera.evidence.table_analysis import Failed  # late: only when run

    written: list[Path] = []
    problems: list[str] = []
    several = len(found) > 1
    for one in found:
        if isinstance(one, Failed):
            continue
        for option, path in figures.paths.items():
            if option == "--overview":
                continue
            target = path
            if several:
                target = path.with_name(f"{path.stem}-{_slug(one.outcome)}{path.suffix}")
            if _is_known_missing(one, option):
                continue  # the diagnostics have said why
            try:
                _write(one, option, target, figures)
            except InputError as error:
                name = f" of '{one.outcome}'" if one.outcome else ""
                problems.append(f"the figure of {option}{name} was not drawn: {error.what}.")
                continue
            written.append(target)
    if figures.overview is not None:
        try:
            _overview(found, figures.overview, figures)
            written.append(figures.overview)
        except (InputError, ValueError) as error:
            problems.append(f"the figure of --overview was not drawn: {error}.")
    return written, problems


def _is_known_missing(found: Analysis, option: str) -> bool:
    made = found.diagnostics
    if made is None:
        return False
    parts: dict[str, object] = {
        "--leave-one-out-forest": made.leave_one_out, "--cumulative-forest": made.cumulative,
        "--influence-plot": made.influence,
    }  # fmt: skip
    return option in parts and parts[option] is None


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "outcome"


def _write(found: Analysis, option: str, path: Path, figures: Figures) -> None:
    from statera.plot.figure_bytes import figure_bytes  # heavy

    draw, key, title, alt = _drawing(found, option, figures)
    if found.outcome:
        title = f"{title}: {found.outcome}"
    content = figure_bytes(draw, path.suffix, key=key, title=title, alt=alt)
    write_bytes_atomically(path, content)


def _drawing(
    found: Analysis, option: str, figures: Figures
) -> tuple[Callable[[], Any], str, str, str]:
    """Return what draws the figure, its anchor, title and description."""
    if option == "--forest":
        return _forest(found, figures)
    assert found.synthesis is not None
    if option == "--funnel":
        return _funnel(found, found.synthesis)
    diagnostics = found.diagnostics
    assert diagnostics is not None  # asked for with the figure
    favours = _favours(figures)
    if option in ("--leave-one-out-forest", "--cumulative-forest"):
        from statera.plot.study_forest import study_forest_figure  # heavy
        from statera.plot.synthesis_forest import stepwise_forest

        without = option.startswith("--leave")
        steps = diagnostics.leave_one_out if without else diagnostics.cumulative
        assert steps is not None  # looked at before
        drawn = stepwise_forest(
            steps, found.synthesis.pooled, word="without" if without else "+", favours=favours
        )
        title = "Pooled effect without each study" if without else "Cumulative synthesis"
        alt = f"{title}, {len(steps)} steps; at the end all studies."
        return (lambda: study_forest_figure(*drawn)), "steps", title, alt
    if option == "--baujat":
        from statera.plot.baujat_plot import baujat_figure  # heavy

        baujat = diagnostics.baujat
        if baujat is None:
            raise InputError(
                "it is made for inverse variances of two studies or more", where=option
            )
        alt = "Influence of each study against its contribution to heterogeneity."
        return (lambda: baujat_figure(baujat)), "baujat", "Baujat's plot", alt
    from statera.plot.influence_plot import influence_figure  # heavy

    influence = diagnostics.influence
    assert influence is not None  # looked at before
    marked = int(influence.is_influential.sum())
    alt = f"Six measures of influence of {len(influence.names)} studies; {marked} are influential."
    return (lambda: influence_figure(influence)), "influence", "Influence of the studies", alt


def _forest(found: Analysis, figures: Figures) -> tuple[Callable[[], Any], str, str, str]:
    from statera.plot.study_forest import StudyGroup, study_forest_figure  # heavy
    from statera.plot.synthesis_forest import synthesis_forest

    favours = _favours(figures)
    title = f"Forest plot, {found.effects.definition.name}"
    if found.joint is not None:
        groups = []
        for name, pooled, judged in zip(
            found.joint.result.outcomes, found.joint.pooled, found.judged, strict=True
        ):
            grading = judged.grading if judged is not None else None
            parts, options = synthesis_forest(
                pooled, pooled.effects, arms=figures.arms, favours=favours, grading=grading
            )
            groups.append(StudyGroup(name, parts[0].studies, parts[0].means, parts[0].lines))
        alt = f"{len(found.joint.effects)} rows of {len(groups)} outcomes pooled together."
        return (lambda: study_forest_figure(groups, options)), "forest", title, alt
    whole = found.synthesis
    assert whole is not None
    judged = found.judged[0] if found.judged else None
    drawn = synthesis_forest(
        whole.pooled, found.effects, groups=found.groups, risk=found.table.risk_of_bias,
        arms=figures.arms, favours=favours, grading=judged.grading if judged is not None else None,
    )  # fmt: skip
    middle, low, high = whole.pooled.natural
    alt = (
        f"{whole.pooled.k} studies; pooled {found.effects.measure} {middle:.2f} "
        f"({low:.2f} to {high:.2f})."
    )
    return (lambda: study_forest_figure(*drawn)), "forest", title, alt


def _funnel(found: Analysis, whole: Synthesis) -> tuple[Callable[[], Any], str, str, str]:
    from statera.evidence.pairwise_result import PairwiseResult, PairwiseStatus  # heavy
    from statera.plot.funnel import funnel_figure

    detail = whole.detail
    if not isinstance(detail, PairwiseResult) or detail.status is not PairwiseStatus.OK:
        raise InputError(
            "it is made for inverse variances of two studies or more", where="--funnel"
        )
    result: PairwiseResult = detail
    filled = None
    trimmed = found.diagnostics.trim_and_fill if found.diagnostics is not None else None
    if trimmed is not None and trimmed.missing:
        filled = trimmed.result.effects.take(trimmed.filled)
    title = f"Funnel plot, {found.effects.definition.name}"
    alt = f"Effects of {result.k} studies against their standard errors."
    return (lambda: funnel_figure(result, filled)), "funnel", title, alt


def _overview(found: Sequence[Analysis | Failed], path: Path, figures: Figures) -> None:
    from statera.evidence.analysis_data import findings_of
    from statera.plot.figure_bytes import figure_bytes  # heavy
    from statera.plot.study_forest import study_forest_figure
    from statera.plot.synthesis_forest import overview_forest

    rows = findings_of(found)
    drawn = overview_forest(rows, favours=_favours(figures))
    alt = f"Pooled effects of {len(rows)} outcomes with the certainty of each."
    content = figure_bytes(
        lambda: study_forest_figure(*drawn), path.suffix, key="overview",
        title="Pooled effects by outcome", alt=alt,
    )  # fmt: skip
    write_bytes_atomically(path, content)


def _favours(figures: Figures) -> tuple[str, str]:
    left, right = (f"favours {name}" if name else "" for name in figures.favours)
    return left, right
