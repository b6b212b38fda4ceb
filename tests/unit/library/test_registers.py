from __future__ import annotations

import pytest

from statera.errors import UnknownNameError
from statera.library import (
    NameKind,
    find_cytokine,
    find_name,
    find_source,
    format_citation,
    load_conflicts,
    load_cytokines,
    load_gaps,
    load_names,
    load_references,
    resolve,
)
from statera.sources import Grade, Source


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("weight", "WT"),
        ("egfr", "EGFR"),
        ("eGFR", "EGFR"),
        ("CrCl", "CRCL"),
        ("CL/F", "CL"),
        ("CLr", "CLr"),
        ("CLR", "CLr"),
        ("clnr", "CLnr"),
        ("Vc/F", "V1"),
        ("Vp/F", "V2"),
        ("ka", "KA"),
        ("lag", "LAG"),
        ("Age", "AGE"),
        ("D1", "D1"),
    ],
)
def test_spellings_resolve(spelling: str, name: str):
    assert resolve(spelling) == name


def test_the_two_renal_measures_have_different_units():
    assert find_name("EGFR").unit == "mL/min/1.73m2"
    assert find_name("CRCL").unit == "mL/min"


def test_only_among_covariates():
    assert resolve("wt", NameKind.COVARIATE) == "WT"
    with pytest.raises(UnknownNameError, match="no covariate is called 'CL'"):
        resolve("CL", NameKind.COVARIATE)


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(UnknownNameError) as caught:
        resolve("weigth")
    assert "weight" in caught.value.nearest


def test_no_spelling_stands_for_two_names():
    for entry in load_names():
        for spelling in (entry.name, *entry.aliases):
            assert resolve(spelling) == entry.name


def test_the_cytokine_map():
    rows = load_cytokines()
    assert len(rows) == 34
    assert find_cytokine("il-6").jaks == ("JAK1", "JAK2", "TYK2")
    assert find_cytokine("IL-4").stats == ("STAT6",)
    assert find_cytokine("IL-4").receptor == "IL-4Rα + γc or IL-4Rα + IL-13Rα1"


def test_unknown_partners_are_flagged():
    incomplete = {c.name for c in load_cytokines() if not c.jaks_complete}
    assert incomplete == {"IL-19", "IL-20", "IL-24", "TSLP"}
    assert find_cytokine("IL-19").jaks == ("JAK1",)
    assert find_cytokine("TSLP").is_missing
    assert find_cytokine("TSLP").jaks == ()


def test_secondary_stats_are_kept_apart():
    interferon = find_cytokine("IFN-alpha")
    assert interferon.name == "IFN-alpha/beta"
    assert interferon.stats == ("STAT1", "STAT2")
    assert interferon.stats_secondary == "STAT3 to STAT6"
    assert find_cytokine("EPO").stats_note == "mainly STAT5a according to the table"


def test_an_unknown_cytokine():
    with pytest.raises(UnknownNameError) as caught:
        find_cytokine("IL-66")
    assert caught.value.nearest


def test_conflicts():
    assert len(load_conflicts()) == 24
    topics = {c.id: c for c in load_conflicts("baricitinib")}
    assert topics["bioavailability"].rule == "Use 0.79."
    assert topics["bioavailability"].sources == ("SMOLECULE_2026", "LILLY_PK")
    assert [c.id for c in load_conflicts("upadacitinib")] == ["upadacitinib-tuberculosis"]
    assert load_conflicts("ruxolitinib") == ()


def test_gaps():
    assert len(load_gaps()) == 21
    gap = next(g for g in load_gaps("baricitinib") if g.id == "mcinnes-2019-ic50")
    assert gap.url == "https://doi.org/10.1186/s13075-019-1964-1"


def test_references():
    sources = load_references()
    assert len(sources) == 124
    assert sources["DECKER24"].doi == "10.1002/psp4.13131"
    assert sources["DECKER24"].year == 2024
    assert sources["LILLY_PK"].year is None
    overview = sources["SMOLECULE_2026"]
    assert overview.grade is Grade.S
    assert overview.url.startswith("https://www.smolecule.com/")
    assert sources["CALC"].url == ""
    assert all(s.url.startswith(("http://", "https://")) for k, s in sources.items() if k != "CALC")


def test_citations():
    assert format_citation(find_source("DECKER24")) == (
        "Decker RL et al. Population PK model using allometric scaling for baricitinib in JIA. "
        "CPT PSP 2024;13:970-981. https://doi.org/10.1002/psp4.13131"
    )
    assert ". No date. https://" in format_citation(find_source("LILLY_PK"))
    assert format_citation(find_source("CALC")) == "Computed from the cited inputs."
    plain = Source("X", "A title.", "https://example.org/a", 2020, Grade.B)
    assert format_citation(plain) == "A title. 2020. https://example.org/a"


def test_an_unknown_source():
    with pytest.raises(UnknownNameError) as caught:
        find_source("DECKER25")
    assert "DECKER24" in caught.value.nearest
