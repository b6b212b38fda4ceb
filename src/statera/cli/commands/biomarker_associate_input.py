"""What ``statera biomarker associate`` reads: measurements, samples, subjects and its options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.cli.commands.biomarker_associate_exposure import Exposure, add_exposure
from statera.cli.options import concerning
from statera.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from statera.biomarker.lod import LodPolicy, WithPolicy
    from statera.biomarker.sample_table import SampleColumns

__all__ = ["Reading", "Source", "change_of_text", "factors_of_texts", "known", "policy", "read"]


@dataclass(frozen=True)
class Source:
    """Files and the rules by which they are read.

    Attributes
    ----------
    measurements, samples, subjects
        Files; the last two may be absent.
    subject
        Column of subjects.
    scale
        Of a long table.
    duplicates
        ``leave-out``, ``mean`` or ``refuse``.
    annotations
        Columns of a wide table that describe samples.
    exposure
        What is simulated for the samples.
    """

    measurements: Path
    samples: Path | None
    subjects: Path | None
    subject: str | None
    scale: Any
    duplicates: Any
    annotations: tuple[str, ...]
    exposure: Exposure | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read."""
        more = self.exposure.files if self.exposure is not None else ()
        named = (self.measurements, self.samples, self.subjects, *more)
        return tuple(file for file in named if file is not None)


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes
    ----------
    used : SampleColumns
        Samples that are analysed, on log2 and after the policy.
    kind
        Format of the measurements.
    policy : WithPolicy
        What the policy of limits did.
    warnings
        What was left out of the files, and a reader must know.
    """

    used: SampleColumns
    kind: str
    policy: WithPolicy
    warnings: tuple[str, ...]


def known(kind: str, word: str, words: Any, where: str) -> str:
    """Return the word, or refuse it by the known ones."""
    if word not in words:
        raise UnknownNameError(kind, word, tuple(words), where=where)
    return word


def read(
    source: Source, names: tuple[str, ...], factors: dict[str, tuple[str, ...]], chosen: LodPolicy
) -> Reading:
    """Return the samples that are analysed.

    Parameters
    ----------
    source
        Files and rules.
    names
        Columns that are needed, of samples or subjects.
    factors
        Columns that are factors, with their levels.
    chosen
        Policy of values below the limit of detection; it counts shares in the samples analysed.
    """
    from statera.biomarker.lod import apply_lod_policy  # heavy: only when run
    from statera.biomarker.read_measurements import on_log2, read_measurements
    from statera.biomarker.sample_table import (
        join_samples,
        join_subjects,
        read_sample_rows,
        read_subjects,
        sample_columns,
    )

    if source.scale is not None:
        known("scale", source.scale, ("linear", "log2"), "--scale")
    if source.subjects is not None and source.subject is None:
        raise UsageError("a table of subjects needs their column", where="--subject")
    needed = [*names, *factors, *([source.subject] if source.subject else [])]
    needed += source.exposure.columns if source.exposure is not None else ()
    found, kind = read_measurements(
        source.measurements, source.scale, annotations=(*source.annotations, *needed),
        duplicates=source.duplicates,
    )  # fmt: skip
    warnings = [note for note in found.notes if "more than once" in note]
    if source.samples is not None:
        table, told = read_sample_rows(source.samples, source.duplicates)
        found = join_samples(found, table)
        warnings += told
    if source.subjects is not None and source.subject is not None:
        table, told = read_subjects(source.subjects, source.subject, source.duplicates)
        with concerning("--subject"):
            found = join_subjects(found, table, source.subject)
        warnings += told
    if source.exposure is not None:
        found = add_exposure(found, source.exposure)
    with concerning("--formula, --subject or --factor"):
        used = sample_columns(found, names, source.subject, factors)
    after = apply_lod_policy(used.measurements, chosen)
    measured = on_log2(after.measurements)
    notes = tuple(note for note in measured.notes if note not in warnings)
    return Reading(
        replace(used, measurements=replace(measured, notes=notes)), kind, after, tuple(warnings)
    )


def policy(text: str | None, method: str) -> LodPolicy:
    """Return the policy of values below the limit: ``keep`` unless given, or ``censored``."""
    from statera.biomarker.lod import LodPolicy  # heavy: only when run

    name, _, rest = (text or ("censored" if method == "censored" else "keep")).partition(":")
    if (name == "censored") != (method == "censored"):
        raise UsageError(
            "censored values go with the method censored, and no other",
            where="--lod",
            hint="Give --method censored, or keep, flag, exclude or substitute.",
        )
    word: Any = name
    given: dict[str, Any] = {}
    if rest and name == "substitute":
        given["replacement"] = rest
    elif rest and name in ("flag", "exclude"):
        try:
            given["largest_share"] = float(rest)
        except ValueError:
            raise UsageError(
                f"'{rest}' is not a share", where="--lod", hint="Write exclude:0.5."
            ) from None
    elif rest:
        raise UsageError(f"'{name}' takes nothing after it", where="--lod")
    with concerning("--lod"):
        return LodPolicy(word, **given)


def factors_of_texts(texts: list[str] | None) -> dict[str, tuple[str, ...]]:
    """Return factors with their levels, from ``week`` or ``week=0,4,12``."""
    found = {}
    for text in texts or []:
        name, sign, levels = text.partition("=")
        named = tuple(level.strip() for level in levels.split(",") if level.strip())
        if not name.strip() or (sign and len(named) < 2) or len(set(named)) < len(named):
            raise UsageError(
                f"'{text}' names no factor",
                where="--factor",
                hint="Write week, or week=0,4,12 with the baseline first.",
            )
        found[name.strip()] = named
    return found


def change_of_text(text: str | None) -> tuple[str, str, str] | None:
    """Return column and two visits from ``week=0,12``."""
    if text is None:
        return None
    name, sign, levels = text.partition("=")
    named = [level.strip() for level in levels.split(",") if level.strip()]
    if not sign or not name.strip() or len(named) != 2 or named[0] == named[1]:
        raise UsageError(
            f"'{text}' names no two visits",
            where="--change",
            hint="Write week=0,12: the column, the visit before, the visit after.",
        )
    return name.strip(), named[0], named[1]
