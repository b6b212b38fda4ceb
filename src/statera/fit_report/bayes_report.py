"""The report of a posterior."""

from __future__ import annotations

from collections.abc import Sequence

from statera.estimate.nuts import NutsOptions
from statera.estimate.posterior import Posterior
from statera.estimate.posterior_export import posterior_manifest, posterior_to_dict
from statera.estimate.posterior_text import (
    posterior_cells,
    posterior_headings,
    posterior_notes,
    posterior_pairs,
)
from statera.plot.posterior import draw_posterior
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Document,
    Figure,
    Inline,
    Method,
    Paragraph,
    Reference,
    Section,
    Table,
)
from statera.report.fit_page import model_section

__all__ = ["bayes_report"]

_NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)
_METHOD = "bayes"
_SAMPLED = ("parameter", "mean", "SD", "2.5 %", "50 %", "97.5 %", "R-hat", "ESS", "ESS tail")
_MEANT = ("parameter", "of", "shown as", "value", "95 % interval", "unit", "prior")
_WORDS = ("parameter", "of", "shown as", "unit", "prior")


def bayes_report(posterior: Posterior, options: NutsOptions, *, data_report: str = "") -> Document:
    """Return the report of a posterior: how it was sampled, its table, densities and traces.

    Parameters
    ----------
    options
        With which it was sampled.
    data_report
        What reading the data said, line by line.
    """
    model = posterior.problem.model
    sections = [_outcome(posterior), _parameters(posterior), _draws(posterior)]
    if data_report:
        lines = tuple(Paragraph((line,)) for line in data_report.splitlines() if line.strip())
        sections.append(Section("data", "Data", lines))
    sections.append(model_section(model))
    return Document(
        title=f"Posterior of {model.id}",
        subtitle=model.title or model.id,
        notice=_NOTICE,
        sections=tuple(sections),
        methods=(
            Method(
                _METHOD,
                "Full Bayes",
                "Draws from the joint posterior of parameters, Omega and random effects by the "
                "no-U-turn sampler of nutpie with an exact gradient, see docs/bayes.md. R-hat and "
                "effective sample sizes are rank-normalised.",
            ),
        ),
        references=(
            Reference(
                "Hoffman_2014",
                "Hoffman MD, Gelman A. The No-U-Turn Sampler: adaptively setting path lengths in "
                "Hamiltonian Monte Carlo. J Mach Learn Res 2014;15:1593-1623.",
                "https://jmlr.org/papers/v15/hoffman14a.html",
            ),
            Reference(
                "Vehtari_2021",
                "Vehtari A, Gelman A, Simpson D, Carpenter B, Bürkner PC. Rank-normalization, "
                "folding, and localization: an improved R-hat for assessing convergence of MCMC. "
                "Bayesian Anal 2021;16:667-718.",
                "https://doi.org/10.1214/20-BA1221",
            ),
        ),
        manifest=posterior_manifest(posterior, options),
    )


def _outcome(posterior: Posterior) -> Section:
    blocks: list[Block] = [Definition(tuple(posterior_pairs(posterior)))]
    blocks += [Callout("warning", "Look at this", (text,)) for text in posterior.warnings]
    blocks.append(
        Paragraph(
            (
                "Sampled by NUTS (",
                Cell("Hoffman and Gelman", "fact", ("Hoffman_2014",)),
                "); R-hat and effective sample sizes by ",
                Cell("Vehtari and others", "fact", ("Vehtari_2021",)),
                ".",
            )
        )
    )
    return Section("outcome", "How sampling ended", tuple(blocks))


def _parameters(posterior: Posterior) -> Section:
    notes = posterior_notes(posterior)
    tables = (
        _table(posterior, "Posterior", _SAMPLED, notes[-1:]),
        _table(posterior, "What parameters stand for, and their priors", _MEANT, notes[:-1]),
    )
    return Section("parameters", "Parameters", tables, posterior_to_dict(posterior))


def _table(posterior: Posterior, caption: str, wanted: Sequence[str], foot: Sequence[str]) -> Table:
    heads = posterior_headings()
    places = [heads.index(head) for head in wanted]
    rows: list[tuple[Inline, ...]] = []
    for row in posterior.rows():
        cells = posterior_cells(row)
        rows.append(
            tuple(
                cells[i]
                if heads[i] in _WORDS or not cells[i]
                else Cell(cells[i], "computed", method=_METHOD)
                for i in places
            )
        )
    numeric = tuple(k for k, head in enumerate(wanted) if head not in _WORDS)
    return Table(caption, tuple(wanted), tuple(rows), numeric=numeric, foot=tuple(foot))


def _draws(posterior: Posterior) -> Section:
    title = "Posterior densities and traces"
    alt = (
        f"For each of {len(posterior.summary)} parameters a histogram of its draws with the 95 % "
        f"interval, and the draws of {posterior.chains} chains in order."
    )
    svg = draw_posterior(posterior, key="posterior-draws", title=title, alt=alt)
    data = {
        name: [values["q2.5"], values["q50"], values["q97.5"]]
        for name, values in posterior.summary.items()
    }
    figure = Figure(
        "posterior-draws", svg, title, alt,
        (" Chains that agree overlie each other and show no trend.",),
        data={"quantile": [0.025, 0.5, 0.975], **data},
    )  # fmt: skip
    return Section("draws", "Draws", (figure,))
