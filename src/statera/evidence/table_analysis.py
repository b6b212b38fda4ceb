"""From a table of studies to one synthesis an outcome; a failing outcome is a status among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from statera.errors import InputError, StateraError, concerning
from statera.evidence.analysis_request import Asked
from statera.evidence.certainty import check_upgrade
from statera.evidence.diagnostics import Diagnostics, DiagnosticsAsked, diagnose
from statera.evidence.effects import Effects
from statera.evidence.entry_checks import EntryFinding, entry_checks
from statera.evidence.joint_outcomes import JointOutcomes, joint_outcomes
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseResult, PairwiseStatus
from statera.evidence.read_certainty import OutcomeJudgement, judgement_of_columns
from statera.evidence.read_table import StudyTable, effects_of_table
from statera.evidence.subgroup_effects import SubgroupEffects, subgroup_effects
from statera.evidence.synthesis import Synthesis, SynthesisOptions, synthesise
from statera.evidence.zero_cells import AddTo, EffectSizeOptions

__all__ = ["Analysis", "Failed", "analyse", "finding_sentence"]

#: Reads the rows whose columns have these values.
Read = Callable[[Mapping[str, str]], StudyTable]
_ORDER = ("year", "published", "publication year")


@dataclass(frozen=True)
class Analysis:
    """One outcome.

    Attributes
    ----------
    outcome
        Empty where the table has one only.
    table, effects
    synthesis
        None for a regression, and for outcomes pooled together.
    regression, joint
    groups, diagnostics
    judged
        Certainty; of each outcome where they are pooled together.
    findings
        Of the entry checks.
    warnings
        Sentences.
    """

    outcome: str
    table: StudyTable
    effects: Effects
    synthesis: Synthesis | None = None
    regression: PairwiseResult | None = None
    joint: JointOutcomes | None = None
    groups: SubgroupEffects | None = None
    diagnostics: Diagnostics | None = None
    judged: tuple[OutcomeJudgement | None, ...] = ()
    findings: tuple[EntryFinding, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """An outcome that could not be pooled."""

    outcome: str
    reason: str
    hint: str = ""
    judged: OutcomeJudgement | None = None

    @property
    def sentence(self) -> str:
        """Why, in a sentence."""
        return f"outcome '{self.outcome}' was not pooled: {self.reason}."


def analyse(
    read: Read,
    asked: Asked,
    options: SynthesisOptions,
    judged: Sequence[OutcomeJudgement] = (),
    judged_in: str = "certainty",
) -> tuple[Analysis | Failed, ...]:
    """Pool each outcome of a table.

    Parameters
    ----------
    read
        Reads the rows of the table whose columns have given values.
    asked, options
    judged
        Certainty by outcome, before that of the table's columns.
    judged_in
        Where these judgements stand, for messages.

    Raises
    ------
    StateraError
        If the table cannot be read, or its only outcome cannot be pooled. Of several outcomes one
        that fails is a status, unless all of them do.
    """
    conditions = dict(asked.conditions)
    table = _clustered(read(conditions), asked)
    column, names = _outcomes(table, asked)
    _check_judged(judged, names, asked, judged_in)
    if asked.is_joint:
        return (_joint(table, column, names, asked, options, judged),)
    if len(names) < 2:
        return (_one(table, names[0] if names else "", asked, options, judged),)
    found: list[Analysis | Failed] = []
    errors: list[StateraError] = []
    for name in names:
        part = _clustered(read({**conditions, column: name}), asked)
        try:
            found.append(_one(part, name, asked, options, judged))
        except StateraError as error:
            errors.append(error)
            found.append(Failed(name, error.what, error.hint or "", _judgement(judged, name)))
    if len(errors) == len(found):
        raise errors[0]
    return tuple(found)


def _outcomes(table: StudyTable, asked: Asked) -> tuple[str, list[str]]:
    """Return the column of outcomes and their names, in order of appearance."""
    column = asked.outcome
    if column is None:
        column = next((c for c in table.carried if c.strip().lower() == "outcome"), None)
        if column is None:
            return "", []
    with concerning("--outcome"):
        values = tuple(str(v) for v in table.column(column))
    if any(not v.strip() for v in values):
        line = table.lines[[not v.strip() for v in values].index(True)]
        raise InputError(
            f"the outcome of line {line} is not named", where=f"column '{column}'",
            hint="Name the outcome of each row.",
        )  # fmt: skip
    first: dict[str, str] = {}
    for value in values:
        first.setdefault(value.lower(), value)
    return column, list(first.values())


def _check_judged(
    judged: Sequence[OutcomeJudgement], names: Sequence[str], asked: Asked, judged_in: str
) -> None:
    """Refuse judgements of outcomes that the table does not have: a slip of the name hides them."""
    known = {name.lower() for name in names}
    if asked.conditions or not names:
        return  # a part of the table, or one outcome without a name
    for one in judged:
        name = one.grading.outcome
        if name.lower() not in known and not (len(judged) == 1 and not name):
            raise InputError(
                f"the table has no outcome '{name}'", where=judged_in,
                hint=f"Outcomes of the table: {', '.join(names)}.",
            )  # fmt: skip


def _clustered(table: StudyTable, asked: Asked) -> StudyTable:
    """Return the table with the clusters of the column asked for."""
    if asked.cluster is None:
        return table
    return replace(table, cluster=tuple(str(x) for x in _column(table, asked.cluster, "--cluster")))


def _one(
    table: StudyTable, name: str, asked: Asked, options: SynthesisOptions,
    judged: Sequence[OutcomeJudgement],
) -> Analysis:  # fmt: skip
    effects = effects_of_table(table, asked.measure, _effect_options(asked))
    findings = entry_checks(effects)
    if asked.moderators:
        return _regression(table, effects, name, asked, options, findings)
    with concerning("--method"):
        synthesis = synthesise(effects, options)
    groups = None
    if asked.by is not None:
        labels = tuple(str(x) or "(not given)" for x in _column(table, asked.by, "--by"))
        groups = subgroup_effects(synthesis, labels, common_tau2=asked.common_tau2)
    wanted = DiagnosticsAsked(
        asked.leave_one_out, asked.influence, asked.bias, asked.cumulative,
        _order(table, asked), asked.bootstraps, asked.permutations, asked.seed,
    )  # fmt: skip
    diagnostics = diagnose(synthesis, wanted) if wanted.anything else None
    judgement, problems = _judged(table, name, judged)
    warnings = [finding_sentence(f, table) for f in findings]
    if synthesis.pooled.k == 1:
        warnings.append("only one study: its own effect is shown, and nothing is known of others.")
    warnings += problems
    if judgement is not None:
        pooled = synthesis.pooled
        ratio = pooled.effects.definition.ratio
        warnings += check_upgrade(judgement.grading, pooled.natural, ratio)
    if diagnostics is not None:
        warnings += [f"{what} was not made: {why}." for what, why in diagnostics.problems]
    return Analysis(
        name, table, effects, synthesis, groups=groups, diagnostics=diagnostics,
        judged=(judgement,), findings=findings, warnings=tuple(dict.fromkeys(warnings)),
    )  # fmt: skip


def _regression(
    table: StudyTable, effects: Effects, name: str, asked: Asked, options: SynthesisOptions,
    findings: tuple[EntryFinding, ...],
) -> Analysis:  # fmt: skip
    values = {m: _column(table, m, "--moderator") for m in asked.moderators}
    with concerning("--moderator"):
        result = pairwise(effects, options.pairwise, values)
    if result.status is not PairwiseStatus.OK:
        reasons = "; ".join(f"{n}: {reason}" for n, reason in result.omitted[:5])
        raise InputError(
            str(result.status), where=table.source, hint=reasons or "Give more studies."
        )
    warnings = tuple(dict.fromkeys(finding_sentence(f, table) for f in findings))
    return Analysis(name, table, effects, regression=result, findings=findings, warnings=warnings)


def _joint(
    table: StudyTable, column: str, names: Sequence[str], asked: Asked,
    options: SynthesisOptions, judged: Sequence[OutcomeJudgement],
) -> Analysis:  # fmt: skip
    if not column:
        raise InputError(
            "outcomes pooled together need a column that names them", where="--outcome",
            hint="Name the outcome of each row in a column 'outcome'.",
        )  # fmt: skip
    effects = effects_of_table(table, asked.measure, _effect_options(asked))
    found = joint_outcomes(
        effects,
        [str(v) for v in table.column(column)],
        asked.correlation or 0.0,
        options.pairwise,
        asked.structure,
    )
    # rows of one study are meant to stand in the table twice
    twice = ("duplicate", "overlap")
    findings = tuple(f for f in entry_checks(effects) if str(f.kind) not in twice)
    by_name = tuple(_judgement(judged, name) for name in found.result.outcomes)
    problems = [p for j in by_name if j is not None for p in j.grading.problems]
    warnings = (*(finding_sentence(f, table) for f in findings), *problems)
    return Analysis(
        "", table, effects, joint=found, judged=by_name, findings=findings,
        warnings=tuple(dict.fromkeys(warnings)),
    )  # fmt: skip


def _effect_options(asked: Asked) -> EffectSizeOptions:
    try:
        return EffectSizeOptions(add_to=AddTo(asked.add_to))
    except ValueError:
        raise InputError(
            f"'{asked.add_to}' is not known", where="--add-to", hint=f"Known: {', '.join(AddTo)}."
        ) from None


def finding_sentence(finding: EntryFinding, table: StudyTable) -> str:
    """Return a finding with the lines of the file that it concerns."""
    concerned = set(finding.studies)
    lines = [str(line) for line, name in zip(table.lines, table.names, strict=True)
             if name in concerned]  # fmt: skip
    text = finding.sentence if finding.sentence.endswith(".") else f"{finding.sentence}."
    if not lines or len(lines) == len(table.lines) > 1:
        return text
    where = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(lines)}"
    return f"{where}: {text}"


def _judged(
    table: StudyTable, name: str, judged: Sequence[OutcomeJudgement]
) -> tuple[OutcomeJudgement | None, list[str]]:
    """Return the certainty of an outcome, of the file before that of the columns."""
    found = _judgement(judged, name)
    if found is None:
        grading, problems = judgement_of_columns(table, name)
        if grading.is_empty:
            return None, list(problems)
        found = OutcomeJudgement(grading)
        return found, [*problems, *grading.problems]
    return found, list(found.grading.problems)


def _judgement(judged: Sequence[OutcomeJudgement], name: str) -> OutcomeJudgement | None:
    if len(judged) == 1 and (not name or not judged[0].grading.outcome):
        return judged[0]
    return next((j for j in judged if j.grading.outcome.lower() == name.lower()), None)


def _order(table: StudyTable, asked: Asked) -> list[float] | None:
    """Return the years to add studies by: the column asked for, or one that is called so."""
    if not asked.cumulative:
        return None
    column = asked.order
    if column is None:
        column = next((c for c in table.carried if c.strip().lower() in _ORDER), None)
        if column is None:
            return None
    values = _column(table, column, "--order")
    try:
        return [float(v) for v in values]
    except ValueError:
        raise InputError(
            f"column '{column}' holds something that is not a number", where="--order",
            hint="Sort by a column of numbers, such as years.",
        ) from None  # fmt: skip


def _column(table: StudyTable, name: str, option: str) -> list[Any]:
    """Return a column by its name in the file, as numbers where all its cells are."""
    with concerning(option):
        values = list(table.column(name))
    if option in ("--by", "--cluster"):
        return [f"{x:g}" if isinstance(x, float) else x for x in values]
    try:
        return [float(x) for x in values]
    except ValueError:
        return values
