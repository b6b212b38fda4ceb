"""A specimen report with every kind of block and figure; drug and numbers are invented."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.numerics.interval import Interval
from statera.plot.engagement import EngagementPanel, InhibitionCurve, draw_engagement
from statera.plot.exposure import (
    ExposureCurve,
    ExposureOptions,
    PublishedPoint,
    Stage,
    draw_exposure,
)
from statera.plot.forest import ForestGroup, ForestOptions, ForestRow, draw_forest
from statera.plot.groups import GroupRow, draw_groups
from statera.plot.heat import HeatRow, draw_heat
from statera.plot.pathway import Kinase, Pathway, PathwayOptions, draw_pathway
from statera.plot.profiles import ProfileCurve, ProfileOptions, ProfilePanel, draw_profiles
from statera.plot.protocol import ProtocolStep, draw_protocol
from statera.plot.rates import RateGroup, RateRow, draw_rates
from statera.plot.selectivity import Potency, draw_selectivity
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Document,
    Figure,
    Heading,
    Method,
    Paragraph,
    Reference,
    Section,
    Steps,
    Table,
)
from statera.report.html import render_html
from statera.report.write import write_text_atomically
from statera.sources.fact import Relation

from .running_server import RunningServer, start_server

_TIMES = np.linspace(0.0, 24.0, 49)


def _concentration(dose: float) -> np.ndarray:
    return dose * 12 * (np.exp(-_TIMES / 9) - np.exp(-_TIMES / 0.6)) + dose


def _figure(key: str, title: str, svg: str, data: dict[str, object] | None = None) -> Figure:
    alt = f"{title}. The values are invented for the specimen."
    caption = ("Drawn from ", Cell("invented values", "fact", ("SPEC24",)), ".")
    return Figure(key, svg, title, alt, caption, data or {})


def _names(key: str, title: str) -> dict[str, str]:
    return {"key": key, "title": title, "alt": f"{title}, invented values."}


def _mechanism() -> tuple[Block, ...]:
    point = Interval.point
    pathways = [
        Pathway(
            "IL-6",
            ("IL-6Rα", "gp130"),
            (Kinase("JAK1", point(0.9)), Kinase("JAK2", point(0.9)), Kinase("TYK2", point(0.5))),
            ("STAT1", "STAT3"),
            point(0.81),
        ),
        Pathway(
            "IFN-γ",
            ("IFNGR1", "IFNGR2"),
            (Kinase("JAK1", point(0.9)), Kinase("JAK2", point(0.9))),
            ("STAT1",),
            Interval(0.62, 1.0),
        ),
        Pathway(
            "GM-CSF",
            ("GM-CSFR", "βc"),
            (Kinase("JAK2", point(0.3)), Kinase("JAK2", point(0.3))),
            ("STAT3", "STAT5"),
            point(0.3),
        ),
        Pathway(
            "IL-15",
            ("IL-15Rα", "IL-2Rβ", "γc"),
            (Kinase("JAK1", point(0.9)), Kinase("JAK3", Interval(0.0, 0.12))),
            ("STAT3", "STAT5"),
            Interval(0.0, 0.12),
        ),
    ]
    drug = PathwayOptions("examplinib", "average at 4 mg once daily: 54 nM")
    title = "Signalling of four cytokines with examplinib"
    drawing = draw_pathway(pathways, drug, **_names("pathway", title))
    potencies = [
        Potency("JAK1", 6.0, origin="Specimen 2024"),
        Potency("JAK2", 7.0, origin="Specimen 2024"),
        Potency("TYK2", 55.0, origin="Specimen 2023"),
        Potency("JAK3", 400.0, Relation.GREATER, origin="Specimen 2024"),
    ]
    selectivity = draw_selectivity(potencies, **_names("selectivity", "Selectivity"))
    rows = tuple(
        (
            name,
            Cell("JAK1, JAK2", "fact", ("SPEC24",)),
            Cell("STAT1, STAT3", "fact", ("SPEC24", "SPEC23")),
            Cell(text, basis, method=method, note=note),
        )
        for name, text, basis, method, note in (
            ("IL-6", "81 %", "computed", "pair", ""),
            ("IFN-γ", "at least 62 %", "bound", "pair", "potency < 50 nM"),
            ("IL-15", "at most 12 %", "bound", "pair", ""),
            ("IL-31", "not retrieved", "missing", "", "only the abstract could be read"),
        )
    )
    return (
        Paragraph(
            (
                "Examplinib blocks JAK1 and JAK2. At ",
                Cell("54 nM", "computed", method="average"),
                " the signal of IL-6 falls by ",
                Cell("81 %", "computed", method="pair"),
                "; that of IFN-γ by ",
                Cell("at least 62 %", "bound", ("SPEC24",), method="pair"),
                ". Its maker says that it is ",
                Cell("the most selective", "claim", ("SPEC23",)),
                ".",
            )
        ),
        _figure("pathway", title, drawing),
        Heading("Selectivity between enzymes"),
        _figure(
            "selectivity",
            "Enzyme potencies",
            selectivity,
            {"target": ["JAK1", "JAK2", "TYK2", "JAK3"], "IC50 (nM)": [6.0, 7.0, 55.0, 400.0]},
        ),
        Table(
            "Cytokines, their kinases and the inhibition expected of the pair.",
            ("Cytokine", "JAK", "STAT", "Inhibition at the average concentration"),
            rows,
            foot=("The signal is taken to fall with the more inhibited kinase of a pair.",),
        ),
    )


def _pharmacokinetics() -> tuple[Block, ...]:
    panels = [
        ProfilePanel(
            name,
            tuple(
                ProfileCurve(
                    f"{dose} mg once daily",
                    _TIMES,
                    _concentration(dose),
                    0.6 * _concentration(dose),
                    1.6 * _concentration(dose),
                    extrapolated=name == "Severe impairment",
                )
                for dose in (1, 2, 4)
            ),
        )
        for name in ("Normal function", "Severe impairment")
    ]
    egfr = np.linspace(15.0, 150.0, 28)
    auc = 4000.0 / (2.5 + 0.075 * egfr)
    exposure = draw_exposure(
        [ExposureCurve("4 mg once daily", egfr, auc, 0.6 * auc, 1.6 * auc)],
        [
            PublishedPoint(93.0, 420.0, "Specimen 2024"),
            PublishedPoint(117.0, 388.0, "Specimen 2024"),
        ],
        ExposureOptions(
            domain=(54.0, None),
            stages=(
                Stage(15, 30, "severe"),
                Stage(30, 60, "moderate"),
                Stage(60, 90, "mild"),
                Stage(90, 150, "normal"),
            ),
        ),
        **_names("exposure", "Exposure by renal function"),
    )
    groups = draw_groups(
        [
            GroupRow("2 to <6 y, 2 mg", 400, 260, 650, 410, note="−2.4 %"),
            GroupRow("6 to <9 y, 2 mg", 300, 200, 420, 254, 200, 330, "+18 %"),
            GroupRow("9 to <12 y, 4 mg", 480, 300, 700, note="not published"),
        ],
        **_names("groups", "Exposure by age"),
    )
    profiles = draw_profiles(
        panels, ProfileOptions(second_factor=2.7), **_names("profiles", "Profiles")
    )
    rows = (
        (
            "Peak concentration",
            Cell("53", "fact", ("SPEC24",), value=53.0, note="CV 22 %"),
            Cell("47", "computed", method="profile", value=47.0),
            Cell("−11 %", "computed", method="difference"),
            Cell("within 20 %", tone="ok"),
        ),
        (
            "Time of peak",
            Cell("1.0", "fact", ("SPEC24", "SPEC23")),
            Cell("1.6", "computed", method="profile"),
            Cell("+60 %", "computed", method="difference"),
            Cell("differs", tone="bad", note="absorption was fixed by the source"),
        ),
        (
            "Half-life",
            Cell("12", "claim", ("SPEC23",)),
            Cell("8.7", "computed", method="profile"),
            Cell("−28 %", "computed", method="difference"),
            Cell("check", tone="warn"),
        ),
        (
            "Bioavailability",
            Cell("not retrieved", "missing"),
            Cell("–"),
            Cell("–"),
            Cell("not compared", tone="muted"),
        ),
    )
    return (
        Callout(
            "warning",
            "Outside the model's data",
            ("Below an eGFR of 54 mL/min/1.73 m² the curve is an extrapolation.",),
        ),
        Table(
            "Published parameters and what the model gives.",
            ("Parameter", "Published", "Simulated", "Difference", "Verdict"),
            rows,
            numeric=(1, 2, 3),
        ),
        _figure(
            "profiles",
            "Concentrations after 1, 2 and 4 mg",
            profiles,
            {"time (h)": _TIMES, "4 mg": {"median": _concentration(4)}, "subjects": 1000},
        ),
        _figure("exposure", "Exposure falls with renal function", exposure),
        _figure("groups", "Exposure by age group", groups),
    )


def _engagement() -> tuple[Block, ...]:
    def inhibition(dose: float, ic50: float) -> np.ndarray:
        concentration = 2.7 * _concentration(dose)
        return 100.0 * concentration / (concentration + ic50)

    panels = [
        EngagementPanel(
            name,
            tuple(
                InhibitionCurve(f"{dose} mg", _TIMES, inhibition(dose, ic50), bound)
                for dose in (1, 2, 4)
            ),
            said,
        )
        for name, said, ic50, bound in (
            ("IL-6, pSTAT3", "IC50 40 nM", 40.0, ""),
            ("IL-23", "IC50 < 50 nM", 50.0, "at least"),
            ("IL-15", "IC50 > 400 nM", 400.0, "at most"),
        )
    ]
    curves = draw_engagement(panels, **_names("engagement", "Inhibition through the day"))
    heat = draw_heat(
        [
            HeatRow("IL-6", (Interval.point(0.3), Interval.point(0.5), Interval.point(0.81))),
            HeatRow("IL-23", (Interval(0.4, 1.0), Interval(0.62, 1.0), Interval(0.8, 1.0))),
            HeatRow("IL-15", (Interval(0.0, 0.12), Interval(0.0, 0.2), None)),
        ],
        ("1 mg", "2 mg", "4 mg"),
        row_head="Cytokine",
        **_names("heat", "Average daily inhibition"),
    )
    return (
        _figure("engagement", "Inhibition through the day", curves),
        _figure("heat", "Average daily inhibition", heat),
    )


def _evidence() -> tuple[Block, ...]:
    trials = [
        ForestGroup(
            f"Endpoint {name}",
            tuple(
                ForestRow(
                    f"TRIAL-{number}, {dose} mg, week 12",
                    10.0 + 3 * number,
                    1.0 + 3 * number,
                    19.0 + 3 * number,
                    (f"{40 + number}/100", "30/100"),
                )
                for number in (1, 2, 3)
                for dose in (2, 4)
            ),
        )
        for name in ("A", "B")
    ]
    differences = draw_forest(
        trials,
        ForestOptions(
            x_label="Risk difference (percentage points)",
            arms=("Examplinib", "Placebo"),
            row_head="Trial",
            favours=("favours placebo", "favours examplinib"),
        ),
        **_names("differences", "Risk differences"),
    )
    ratios = draw_forest(
        [
            ForestGroup(
                "Infection",
                (
                    ForestRow("Cohort 1", 1.36, 0.86, 2.13),
                    ForestRow("Cohort 2", 1.1),
                    ForestRow("Cohort 3", None, text="not retrieved"),
                    ForestRow("Pool", 1.05, 0.97, 1.13, pooled=True),
                ),
            )
        ],
        ForestOptions(scale="ratio", x_label="Hazard ratio (log scale)", decimals=2),
        **_names("ratios", "Hazard ratios"),
    )
    rates = draw_rates(
        [
            RateGroup(
                "Infection",
                (
                    RateRow("examplinib", 2.7, 2.4, 3.0, "trials"),
                    RateRow("comparator", 2.5, population="registry"),
                ),
            )
        ],
        **_names("rates", "Incidence"),
    )
    return (
        _figure("differences", "Risk differences by trial", differences),
        _figure("ratios", "Hazard ratios against the comparator", ratios),
        _figure("rates", "Incidence per 100 person-years", rates),
    )


def _protocol() -> tuple[Block, ...]:
    steps = (
        ProtocolStep("Isolate cells", ("Density gradient from whole blood",)),
        ProtocolStep("Add examplinib", ("Stock in DMSO, diluted",), "Control: vehicle"),
        ProtocolStep("Stimulate", ("IL-6",), "Control: unstimulated cells"),
        ProtocolStep("Stain", ("CD4, CD8 and pSTAT3",)),
        ProtocolStep("Measure", ("Median fluorescence by subset",)),
    )
    return (
        _figure("protocol", "The assay", draw_protocol(steps, **_names("protocol", "The assay"))),
        Steps(
            "Procedure",
            (
                ("Isolate the cells.",),
                ("Add the drug at ", Cell("10 nM", "fact", ("SPEC24",)), "."),
                ("Stimulate and fix.",),
            ),
        ),
        Definition(
            (
                ("Cells", Cell("mononuclear cells", "fact", ("SPEC24",))),
                ("Read-out", "median fluorescence intensity of phosphorylated STAT3"),
            )
        ),
        Callout("missing", "Fixation time", ("The source gives no time; none is filled in.",)),
        Callout("note", "Controls", ("Both controls stand on every plate.",)),
    )


def specimen() -> Document:
    """Return a document with every kind of block and figure."""
    wide = Table(
        "A wide table with long texts.",
        ("Region", "Indication", "Rule", "Dose", "Source date", "Note"),
        tuple(
            (
                f"Region {number}",
                "Some disease with a long name",
                Cell("moderate renal impairment, eGFR 30 to <60", "fact", ("SPEC24",)),
                Cell("1 mg once daily", "fact", ("SPEC24",)),
                "2023",
                "A remark of some length that has to be readable in a narrow window as well; "
                "it goes on for a second sentence.",
            )
            for number in range(1, 7)
        ),
    )
    return Document(
        title="Examplinib",
        subtitle="An executable monograph: exposure, engagement, evidence and dosing from cited "
        "facts.",
        notice="Research software: not a medical device. Not for decisions about patients.",
        sections=(
            Section("mechanism", "Mechanism", _mechanism()),
            Section("pharmacokinetics", "Pharmacokinetics", _pharmacokinetics()),
            Section("engagement", "Target engagement", _engagement()),
            Section("dosing", "Indications and dosing", (wide,)),
            Section("evidence", "Efficacy and comparative safety", _evidence()),
            Section("protocol", "Assay protocol", _protocol()),
            Section("empty", "Nothing here", ()),
        ),
        methods=(
            Method(
                "pair", "Inhibition of a pair", "The larger of the two inhibitions.\n\nNamed so."
            ),
            Method("average", "Average concentration", "AUC over the interval by its length."),
            Method("profile", "Simulated profile", "Closed form, 1000 subjects."),
            Method("difference", "Difference", "Simulated by published, minus one."),
        ),
        references=(
            Reference(
                "SPEC24",
                "Specimen A et al. A trial. J Spec 2024;1:1",
                "https://example.org/a",
                "B",
                "abstract",
            ),
            Reference("SPEC23", "Specimen B. A leaflet, 2023", "seed:leaflet.txt", "S"),
        ),
        manifest={
            "statera": "0.1.0",
            "seed": 1,
            "inputs": {"facts/examplinib.toml": "sha256:" + "ab" * 32},
            "warnings": ["one", "two"],
        },
    )


@pytest.fixture(scope="session")
def specimen_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The specimen as a file."""
    path = tmp_path_factory.mktemp("page") / "specimen.html"
    return write_text_atomically(path, render_html(specimen()))


_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = _chromium()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_file(browser: Any) -> Iterator[Any]:
    """A function that opens a file; requests and errors are kept on the page object."""
    contexts = []

    def open_with(path: Path, width: int, scheme: str = "light", **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        context.set_default_timeout(120_000)  # the machine may be busy
        contexts.append(context)
        page = context.new_page()
        page.requests, page.errors = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                page.errors.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.goto(path.as_uri(), wait_until="networkidle")
        return page

    yield open_with
    for context in contexts:
        context.close()


@pytest.fixture
def violations() -> Any:
    """A function that returns what axe rates serious or critical on a page, or a part of it."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )

    def found_on(page: Any, part: str | None = None) -> list[str]:
        options = {"resultTypes": ["violations"]}  # of the others a node each: faster
        response = axe.Axe().run(page, context=part, options=options).response
        assert response["passes"], "axe ran no rule"
        return [
            f"{found['id']}: {found['nodes'][0]['html'][:160]}"
            for found in response["violations"]
            if found["impact"] in ("serious", "critical")
        ]

    return found_on


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A running server without sign-in, with its front end, workers and an empty data folder."""
    with start_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def open_app(browser: Any, app: RunningServer) -> Iterator[Any]:
    """A function that opens an address of the app; requests and errors are kept on the page."""
    contexts = []

    def open_with(
        path: str, width: int = 1300, scheme: str = "light", height: int = 900, **options: Any
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        context.set_default_timeout(120_000)  # the machine may be busy
        contexts.append(context)
        page = context.new_page()
        page.requests, page.errors = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on(
            "console",
            lambda message: page.errors.append(message.text) if message.type == "error" else None,
        )
        page.goto(app.url + path)
        return page

    yield open_with
    for context in contexts:
        context.close()
