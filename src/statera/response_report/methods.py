"""How the numbers of the page were obtained, and their sources."""

from __future__ import annotations

from statera.report.document import Method, Reference
from statera.response.analysis import ResponseAnalysis
from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.ordinal import Ordinal
from statera.response.time_to_event import TimeToEvent

__all__ = ["OUTCOMES", "REFERENCES", "methods_of", "outcome_kind", "references_of"]

_ML = (
    "Maximum likelihood by Newton's method with exact derivatives; standard errors from the "
    "observed information. EC50 and Hill are searched from a grid, at each value of which the rest "
    "is fitted. "
)
_FORMS = (
    "Effects on the scale of the model are 0 without exposure: slope x; slope ln(1 + x/reference); "
    "Emax x/(EC50 + x); Emax x^Hill/(EC50^Hill + x^Hill)."
)

OUTCOMES = {
    "binary": "response yes or no, effect on the log odds",
    "ordinal": "ordered grades, effect on the log odds of a higher grade (proportional odds)",
    "time": "time to an event, effect on the log hazard",
    "odds": "time to an event, effect on the log odds of having had it",
    "cox": "time to an event, effect on the log hazard, baseline hazard left open (Cox)",
}

METHODS: dict[str, Method] = {
    "fit": Method("fit", "Fit", _ML + _FORMS),
    "profile": Method(
        "profile", "Intervals of EC50 and Hill",
        "All values whose profile likelihood, the other parameters fitted anew at each, lies "
        "within half the chi-square quantile of the maximum. An end that is never reached within "
        "a factor of 1000 of the exposures is open: the data do not bound the value there.",
    ),
    "band": Method(
        "band", "Bands",
        "Delta method on the log odds, on the logarithm of the cumulative hazard, or on the log "
        "ratio. With covariates the chance is averaged over the subjects of the data.",
    ),
    "bootstrap": Method(
        "bootstrap", "Bootstrap",
        "Subjects are drawn again with replacement and fitted; the band holds the middle of the "
        "curves.",
    ),
    "observed": Method(
        "observed", "Observed groups",
        "Subjects without exposure, and quantiles of the others; the point stands at the median "
        "exposure. Intervals of shares are exact (Clopper and Pearson), those of times come from "
        "Kaplan and Meier's estimate (ln(-ln S)).",
    ),
    "compare": Method(
        "compare", "Comparison of forms",
        "Likelihood ratio tests where they are regular; of Emax against a straight line half the "
        "chi-square tail, since a line is the limit of an EC50 without end; none of Emax against "
        "no effect, where EC50 has no meaning.",
    ),
    "log-rank": Method(
        "log-rank", "Log-rank test",
        "Events of each group against those expected if all had one hazard, with the "
        "hypergeometric variance.",
    ),
    "brant": Method(
        "brant", "Test of proportional odds",
        "Logistic fits at each cut between grades, and a Wald test that their coefficients agree; "
        "a saturating effect enters with its EC50 as fitted.",
    ),
    "firth": Method(
        "firth", "Firth's penalty",
        "The log-likelihood gains half the log determinant of the information; estimates stay "
        "finite where groups are separated. Intervals are profiles of the penalised likelihood.",
    ),
    "permutation": Method(
        "permutation", "Permutation test",
        "The likelihood ratio against no effect, beside those after dealing the exposures anew; "
        "right where every order was equally likely, as after randomisation.",
    ),
    "simulated": Method(
        "simulated", "Simulated exposures",
        "The population model at each subject's dose and covariates. Without draws all subjects "
        "with the same covariates have one exposure, the typical one: what makes persons differ "
        "is not seen, which flattens saturating curves, and the bands do not know of it. With "
        "draws the likelihood of each subject is averaged over exposures drawn from the model.",
    ),
}  # fmt: skip

REFERENCES: dict[str, Reference] = {
    r.key: r
    for r in (
        Reference("mccullagh1980", "McCullagh. J R Stat Soc B 1980;42:109-142.",
                  "https://doi.org/10.1111/j.2517-6161.1980.tb01109.x"),
        Reference("efron1977", "Efron. J Am Stat Assoc 1977;72:557-565.",
                  "https://doi.org/10.1080/01621459.1977.10480613"),
        Reference("kalbfleisch2002", "Kalbfleisch and Prentice. The Statistical Analysis of "
                  "Failure Time Data, 2nd ed. 2002.", "https://doi.org/10.1002/9781118032985"),
        Reference("kaplan1958", "Kaplan and Meier. J Am Stat Assoc 1958;53:457-481.",
                  "https://doi.org/10.1080/01621459.1958.10501452"),
        Reference("venzon1988", "Venzon and Moolgavkar. Appl Stat 1988;37:87-94.",
                  "https://doi.org/10.2307/2347496"),
        Reference("davies1987", "Davies. Biometrika 1987;74:33-43.",
                  "https://doi.org/10.1093/biomet/74.1.33"),
        Reference("self1987", "Self and Liang. J Am Stat Assoc 1987;82:605-610.",
                  "https://doi.org/10.1080/01621459.1987.10478472"),
        Reference("brant1990", "Brant. Biometrics 1990;46:1171-1178.",
                  "https://doi.org/10.2307/2532457"),
        Reference("firth1993", "Firth. Biometrika 1993;80:27-38.",
                  "https://doi.org/10.1093/biomet/80.1.27"),
    )
}  # fmt: skip


def outcome_kind(found: ResponseAnalysis) -> str:
    """Return the key of `OUTCOMES`."""
    outcome = found.outcome
    if isinstance(outcome, Binary):
        return "binary"
    if isinstance(outcome, Ordinal):
        return "ordinal"
    odds = isinstance(outcome, TimeToEvent) and outcome.hazard.name == "log-logistic-odds"
    return "cox" if isinstance(outcome, Cox) else "odds" if odds else "time"


def methods_of(found: ResponseAnalysis, simulated: bool) -> tuple[Method, ...]:
    """Return the methods that the page refers to."""
    keys = ["fit", "profile", "band", "observed", "compare"]
    keys += ["bootstrap"] if found.band is not None else []
    keys += ["log-rank"] if found.log_rank is not None else []
    keys += ["brant"] if found.proportional_odds is not None else []
    keys += ["firth"] if found.options.firth else []
    keys += ["permutation"] if found.permutation is not None else []
    keys += ["simulated"] if simulated else []
    return tuple(METHODS[key] for key in keys)


def references_of(found: ResponseAnalysis) -> tuple[Reference, ...]:
    """Return the sources of the methods used."""
    by_kind = {
        "binary": [], "ordinal": ["mccullagh1980"], "time": ["kalbfleisch2002"],
        "odds": ["kalbfleisch2002"], "cox": ["efron1977"],
    }  # fmt: skip
    keys = [*by_kind[outcome_kind(found)], "venzon1988", "davies1987", "self1987"]
    keys += ["kaplan1958"] if found.survival else []
    keys += ["brant1990"] if found.proportional_odds is not None else []
    keys += ["firth1993"] if found.options.firth else []
    return tuple(REFERENCES[key] for key in keys)
