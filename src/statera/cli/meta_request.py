"""What ``statera meta pairwise`` was asked for, read from its options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from statera.cli.output import check_target
from statera.errors import InputError, UsageError

if TYPE_CHECKING:
    from statera.evidence.analysis_request import Asked

__all__ = ["FIGURES", "FINDINGS", "TEXTS", "Figures", "check_request", "read_conditions"]

FIGURES = (".svg", ".pdf")
TEXTS = (".txt", ".json")
FINDINGS = (".txt", ".csv", ".json", ".html")


@dataclass(frozen=True)
class Figures:
    """Where drawings go; None for those not asked for.

    Attributes
    ----------
    forest, funnel, baujat, influence, cumulative, leave_one_out, overview
    arms, favours
        Names of the arms, and whom either side favours.
    """

    forest: Path | None = None
    funnel: Path | None = None
    baujat: Path | None = None
    influence: Path | None = None
    cumulative: Path | None = None
    leave_one_out: Path | None = None
    overview: Path | None = None
    arms: tuple[str, str] = ("Arm 1", "Arm 2")
    favours: tuple[str, str] = ("", "")

    @property
    def paths(self) -> dict[str, Path]:
        """Those asked for, by option."""
        every = {
            "--forest": self.forest, "--funnel": self.funnel, "--baujat": self.baujat,
            "--influence-plot": self.influence, "--cumulative-forest": self.cumulative,
            "--leave-one-out-forest": self.leave_one_out, "--overview": self.overview,
        }  # fmt: skip
        return {option: path for option, path in every.items() if path is not None}


def check_request(asked: Asked, figures: Figures, out: Path | None, findings: Path | None) -> None:
    """Refuse what cannot be done, before anything is computed.

    Raises
    ------
    InputError
        If a file could not be written.
    UsageError
        If options exclude each other.
    """
    wanted = [(option, path, FIGURES) for option, path in figures.paths.items()]
    for option, path, suffixes in (
        *wanted, *(("--out", p, TEXTS) for p in (out,) if p is not None),
        *(("--findings", p, FINDINGS) for p in (findings,) if p is not None),
    ):  # fmt: skip
        try:
            check_target(path, suffixes)
        except InputError as error:
            error.where = option
            raise
    if asked.by is not None and asked.moderators:
        raise UsageError(
            "--by and --moderator exclude each other",
            where="--by",
            hint="Give the subgroups as a moderator, or leave the moderator out.",
        )
    if asked.moderators and figures.paths:
        raise UsageError(
            "a regression on moderators has no one mean to draw",
            where=", ".join(figures.paths),
            hint="Leave --moderator out, or use --by for subgroups.",
        )
    if asked.moderators and asked.method.strip().lower() not in ("inverse", "iv"):
        raise UsageError(
            f"moderators are for inverse variances, not for the method '{asked.method}'",
            where="--moderator",
            hint="Leave --method out.",
        )
    if asked.is_joint:
        _check_joint(asked, figures)


def _check_joint(asked: Asked, figures: Figures) -> None:
    if asked.correlation is None:
        raise UsageError(
            "outcomes pooled together need the correlation of their errors within studies",
            where="--correlation",
            hint="Papers rarely print it: give a plausible one, and look at others too.",
        )
    made = {"--forest", "--overview"}
    others = [option for option in figures.paths if option not in made]
    if asked.by is not None or others:
        raise UsageError(
            "there are no subgroups and no such figures of outcomes pooled together",
            where=", ".join(others) or "--by",
            hint="Pool each outcome for itself: leave --method out.",
        )


def read_conditions(where: list[str] | None) -> tuple[tuple[str, str], ...]:
    """Return columns and values from texts like COLUMN=VALUE.

    Raises
    ------
    UsageError
        If a text is no condition.
    """
    found: dict[str, str] = {}
    for text in where or []:
        column, sign, value = text.partition("=")
        if not sign or not column.strip():
            raise UsageError(
                f"'{text}' is no condition", where="--where", hint="Write COLUMN=VALUE."
            )
        found[column.strip()] = value.strip()
    return tuple(found.items())
