"""Full Bayes: the posterior sampled by the no-U-turn sampler."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from statera.estimate import NutsOptions, Posterior, ProblemOptions, sample_posterior
from statera.estimate.chains_start import chains_start
from statera.estimate.model_and_data import ModelAndData
from statera.estimate.nuts import require_sampler
from statera.estimate.posterior_export import posterior_manifest, posterior_to_dict
from statera.fit_report.bayes_report import bayes_report
from statera.report import render_html
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.fit import FitRequest
from statera.web.tasks.fit_answer import Named
from statera.web.tasks.fit_copies import fit_command, fit_program
from statera.web.tasks.fit_course import Course
from statera.web.work import Work

__all__ = ["run_bayes"]

_RARE = 1.0  # s between two messages
_SENTENCES = {
    "converged": "The chains agree and are long enough.",
    "not converged": "The chains do not agree or are too short: see the messages.",
}
_COLUMNS = (
    "name", "kind", "of", "unit", "mean", "sd", "q2.5", "q50", "q97.5", "shown_as", "value",
    "value_low", "value_high", "rhat", "ess", "ess_tail", "prior",
)  # fmt: skip


def run_bayes(
    request: FitRequest, read: ModelAndData, options: ProblemOptions, called: Named, work: Work
) -> Answer:
    """Sample the posterior; an attempt that was cut off begins anew, as chains keep no state."""
    require_sampler()
    nuts = NutsOptions(request.draws, request.tune, request.chains, request.seed)
    course = Course(work, read.model, tuple(request.fixed), "focei")
    problem, start, told = chains_start(read.model, read.table, options, progress=course)
    course.tell()
    work.progress(0.1, f"Sampling: {told}")

    told_at = [-math.inf]

    def tell(done: int, total: int) -> None:
        if done < total and time.monotonic() - told_at[0] < _RARE:
            return
        told_at[0] = time.monotonic()
        work.progress(0.1 + 0.8 * done / total, f"Draw {done} of {total}", draws=done, of=total)

    posterior = sample_posterior(problem, nuts, start, tell)
    if posterior.status == "stopped":
        raise KeyboardInterrupt
    every = dict.fromkeys((told, *read.remarks, *posterior.warnings))
    posterior = replace(posterior, warnings=tuple(every))
    data_report = str(read.table.report)
    if request.report:
        work.progress(0.92, "Report")
        page = render_html(bayes_report(posterior, nuts, data_report=data_report))
        work.save("report.html", page.encode(), "text/html")
    work.save("summary.txt", f"{posterior}\n".encode(), "text/plain")
    work.progress(1.0, f"Sampling ended: {posterior.status}")
    return _answer(request, posterior, nuts, course, called, data_report)


def _answer(
    request: FitRequest,
    posterior: Posterior,
    nuts: NutsOptions,
    course: Course,
    called: Named,
    data_report: str,
) -> Answer:
    found = posterior_to_dict(posterior)
    rows = found["parameters"]
    units = {"value": "unit of the row"}
    result = {
        **{k: v for k, v in found.items() if k != "parameters"},
        "method_name": "full Bayes (no-U-turn sampler)",
        "model": {"id": posterior.problem.model.id, "title": posterior.problem.model.title},
        "converged": posterior.converged,
        "sentence": _SENTENCES.get(posterior.status, posterior.status),
        "posterior": rows,
        "data_report": data_report,
        "summary": str(posterior),
    }
    tables = {
        "parameters": Table(
            [Column(name, units.get(name, "")) for name in _COLUMNS],
            [[row.get(name) for name in _COLUMNS] for row in rows],
        ),
        "course": course.table(),
    }
    copies = Copies(
        fit_program(request, called.model, called.data, stream=called.stream),
        fit_command(request, called.model, called.data),
    )
    return Answer(
        "statera.web.fit/1", result, tables, copies, posterior.warnings,
        posterior_manifest(posterior, nuts),
    )  # fmt: skip
