"""NONMEM control streams: what they become, and that what cannot be translated is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from statera.errors import InputError
from statera.model.nonmem import ControlStream, read_control_stream
from statera.model.nonmem.formula_text import formula_text
from statera.numerics.expression import evaluate, parse, symbol
from statera.simulate import full_formula

ORAL = """$PROBLEM one compartment ; made for this test
$INPUT ID TIME AMT CONC=DV WT SEX=DROP DROP OCC
$DATA 'my data.csv' IGNORE=@ IGNORE=(WT.GT.150, ID.EQ.7) ACCEPT=(OCC.LE.2)
$SUBROUTINES ADVAN2 TRANS2
$PK
TVCL = THETA(1)*(WT/70)**0.75
IF (WT.LT.50) TVCL = TVCL*(1 + THETA(5))
CL = TVCL*EXP(ETA(1))
V  = THETA(2)*EXP(ETA(2))
KA = THETA(3)
ALAG1 = THETA(4)
S2 = V/1000
UNUSED = TIME - 3
$ERROR
IPRED = F
W = SQRT(THETA(6)**2 + (THETA(7)*IPRED)**2)
IRES = DV - IPRED
Y = IPRED + W*EPS(1)
$THETA (0, 5.0) ; CL
 (0,40,200) ; V
$THETA 1.2 FIX (0,0.25,1) (-0.9, 0.1) (0,1D-1) (0.2)
$OMEGA BLOCK(2) 0.09 ; on CL
 0.01 0.04
$SIGMA 1 FIX
$ESTIMATION METHOD=1 INTER
"""
Read = Callable[..., ControlStream]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def make(text: str = ORAL, **options: Any) -> ControlStream:
        path = tmp_path / "run1.mod"
        path.write_text(text, encoding="utf-8")
        return read_control_stream(path, **options)

    return make


def at(text: Any, **values: float) -> float:
    formula = parse(text, list(values)) if isinstance(text, str) else text
    return float(evaluate(formula, values))


def test_parameters_and_random_effects(read: Read) -> None:
    model = read().model
    assert list(model.parameters) == [*(f"THETA{i}" for i in range(1, 8)), "SIGMA11"]
    assert [p.value for p in model.parameters.values()] == [5, 40, 1.2, 0.25, 0.1, 0.1, 0.2, 1]
    assert [p.fixed for p in model.parameters.values()] == [False] * 2 + [True] + [False] * 4 + [
        True
    ]
    bounds = [p.bounds for p in model.parameters.values()]
    assert bounds == [(0, None), (0, 200), None, (0, 1), (-0.9, None), (0, None), None, None]
    assert model.parameters["THETA2"].note == "V"
    np.testing.assert_array_equal(model.omega, [[0.09, 0.01], [0.01, 0.04]])
    assert model.id == "user/run1"
    assert model.title == "one compartment"


def test_equations(read: Read) -> None:
    model = read(references={"wt": 70}).model
    assert [e.name for e in model.individual] == [
        "TVCL", "TVCL_2", "CL", "V", "KA", "ALAG1", "S2",
    ]  # fmt: skip
    values: dict[str, float] = {n: p.value for n, p in model.parameters.items()}
    values |= {"WT": 35.0, "ETA1": 0.1, "ETA2": -0.2, "A1": 3.0, "A2": 7.0}
    for equation in model.individual:
        values[equation.name] = float(evaluate(equation.expression, values))
    clearance = 5 * 0.5**0.75 * 1.1 * np.exp(0.1)
    volume = 40 * np.exp(-0.2)
    assert values["CL"] == pytest.approx(clearance, rel=1e-14)
    rates = [float(evaluate(e.expression, values)) for e in model.dynamics]
    assert rates == pytest.approx([-1.2 * 3, 1.2 * 3 - clearance / volume * 7], rel=1e-14)
    assert at(model.output("Y").expression, **values) == pytest.approx(7000 / volume, rel=1e-14)
    residual = model.residuals["Y"]
    assert not residual.lognormal
    assert at(residual.variance, Y=10.0, **values) == pytest.approx(0.01 + 4.0, rel=1e-14)
    (process,) = model.inputs[model.default_route]
    assert (process.kind, process.into, str(process.lag)) == ("bolus", "A1", "ALAG1")
    assert model.covariates["WT"].reference == 70


def test_data_options_and_remarks(read: Read, tmp_path: Path) -> None:
    stream = read()
    assert stream.data == {
        "source": tmp_path / "my data.csv",
        "names": ["ID", "TIME", "AMT", "DV", "WT", "SEX", "", "OCC"],
        "drop": ["SEX"],
        "ignore": ["@", "(WT.GT.150, ID.EQ.7)"],
        "accept": ["(OCC.LE.2)"],
    }
    assert stream.outputs == {1: "Y"}
    assert stream.remarks == (
        "line 25: $ESTIMATION is not part of the model",
        "the typical value of WT is not given: 1 is taken",
    )


@pytest.mark.parametrize(
    ("advan", "pk", "expected"),
    [
        ("ADVAN1", "K=2", [-2.0]),
        ("ADVAN1 TRANS2", "CL=6\nV=2", [-3.0]),
        ("ADVAN2 TRANS1", "KA=5\nK=2", [-5, 5 - 4]),
        ("ADVAN3 TRANS4", "CL=2\nV1=4\nQ=8\nV2=16", [-2.5 + 1, 2 - 1]),
        ("ADVAN3 TRANS1", "K=2\nK12=3\nK21=4", [-5 + 8, 3 - 8]),
        ("ADVAN3 TRANS3", "CL=2\nV=4\nQ=8\nVSS=12", [-2.5 + 2, 2 - 2]),
        ("ADVAN4 TRANS4", "KA=5\nCL=2\nV2=4\nQ=8\nV3=16", [-5, 5 - 2 * 2.5 + 1.5, 4 - 1.5]),
        ("ADVAN11 TRANS4", "CL=1\nV1=2\nQ2=4\nV2=8\nQ3=6\nV3=3",
         [-0.5 - 2 - 3 + 1 + 6, 2 - 1, 3 - 6]),
        ("ADVAN12 TRANS4", "KA=5\nCL=1\nV2=2\nQ3=4\nV3=8\nQ4=6\nV4=3",
         [-5, 5 - 2 * 5.5 + 1.5 + 8, 4 - 1.5, 6 - 8]),
    ],
)  # fmt: skip
def test_routines(read: Read, advan: str, pk: str, expected: list[float]) -> None:
    """Amounts are 1, 2, 3 and 4."""
    model = read(
        f"$PROB x\n$INPUT ID TIME AMT DV\n$DATA d.csv\n$SUBR {advan}\n$PK\n{pk}\n"
        "$ERROR\nY=F+EPS(1)\n$THETA 1\n$OMEGA 0.1\n$SIGMA 1\n"
    ).model
    values = {f"A{i}": float(i) for i in range(1, 5)}
    for equation in model.individual:
        values[equation.name] = float(evaluate(equation.expression, values))
    rates = [float(evaluate(e.expression, values)) for e in model.dynamics]
    assert rates == pytest.approx(expected, rel=1e-14)
    central = "A2" if "KA" in pk else "A1"
    assert str(model.output("Y").expression) == central


ODE = """$PROB two compartments
$INPUT ID TIME AMT RATE CMT EVID MDV DV
$DATA d.csv IGNORE=C
$SUBS ADVAN13 TOL=9
$MODEL NCOMP=2 COMP=(GUT,DEFDOSE) COMP=(BLOOD,DEFOBS)
$PK
D1 = THETA(1)
F1 = 1/(1 + EXP(-ETA(1)))
A_0(2) = THETA(2)
VM = THETA(3)
$DES
C2 = A(2)/10
DADT(1) = -A(1)*(1 + SIN2)
DADT(2) = A(1) - VM*C2/(2 + C2) + EXP(-T)
$ERROR
CONC = A(2)/10
Y = LOG(CONC) + EPS(1)*SQRT(THETA(1)**2 + THETA(2)**2/CONC**2)
$THETA 1 2 3
$OMEGA 0.5
$SIGMA 1 FIX
"""


def test_differential_equations(read: Read) -> None:
    with pytest.raises(InputError, match="'SIN2' is not defined") as caught:
        read(ODE)
    assert str(caught.value.where).endswith("run1.mod:13")
    stream = read(ODE.replace("SIN2", "0.5"))
    model = stream.model
    values = {"A1": 2.0, "A2": 30.0, "VM": 4.0, "t": 1.0}
    rates = [float(evaluate(e.expression, values)) for e in model.dynamics]
    assert rates == pytest.approx([-3.0, 2 - 4 * 3 / 5 + np.exp(-1)], rel=1e-14)
    (process,) = model.inputs[model.default_route]
    assert (process.kind, str(process.duration)) == ("zero_order", "D1")
    assert str(process.bioavailability) == "F1"
    assert str(model.initial["A2"]) == "A_02"
    assert any("RATE 0" in r for r in stream.remarks)
    assert any("compartment 2, whatever CMT" in r for r in stream.remarks)
    # on the logarithm the error is written over the output, which is log CONC
    assert at(model.output("Y").expression, A2=30.0) == pytest.approx(np.log(3))
    found = at(model.residuals["Y"].variance, Y=np.log(3), THETA1=1.0, THETA2=2.0, SIGMA11=1.0)
    assert found == pytest.approx(1 + 4 / 9, rel=1e-13)


OCCASIONS = """$PROB occasions and two kinds
$INPUT ID TIME AMT VISIT DVID DV
$DATA d.csv
$SUBR ADVAN1 TRANS2
$PK
IF (VISIT.EQ.1) THEN
  IOV = ETA(2)
ELSEIF (VISIT.EQ.2) THEN
  IOV = ETA(3)
ELSE
  IOV = ETA(4)
ENDIF
CL = THETA(1)*EXP(ETA(1) + IOV)
V = THETA(2)
$ERROR
CP = A(1)/V
IF (DVID.EQ.1) THEN
  Y = CP*(1 + EPS(1)) + EPS(2)
ELSE
  Y = THETA(3)*CP/(1 + CP) + EPS(3)
ENDIF
$THETA 1 2 3
$OMEGA 0.1
$OMEGA BLOCK(1) 0.03
$OMEGA BLOCK(1) SAME
$OMEGA BLOCK(1) SAME
$SIGMA BLOCK(2) 0.1 0.01 0.2
$SIGMA 0.5
"""


def test_occasions_and_kinds(read: Read) -> None:
    assert any("one occasion in the control stream" in r for r in read(OCCASIONS).remarks)
    text = OCCASIONS.replace("ELSE\n  IOV", "ELSEIF (VISIT.EQ.3) THEN\n  IOV")
    stream = read(text, references={"VISIT": 1})
    effects = stream.model.random_effects
    assert {n: e.level for n, e in effects.items()} == {"ETA1": "subject", "ETA2": "occasion"}
    assert stream.data["columns"] == {"OCC": "VISIT"}
    values: dict[str, float] = {"VISIT": 3.0, "ETA1": 0.5, "ETA2": 0.25, "THETA1": 2.0, "THETA2": 1}
    for equation in stream.model.individual:
        values[equation.name] = float(evaluate(equation.expression, values))
    assert values["CL"] == pytest.approx(2 * np.exp(0.75), rel=1e-14)
    assert not any("one occasion" in r for r in stream.remarks)
    assert stream.outputs == {1: "Y1"}
    assert [o.name for o in stream.model.outputs] == ["Y1", "Y_ELSE"]
    sizes = {"SIGMA11": 0.1, "SIGMA21": 0.01, "SIGMA22": 0.2}
    first = at(stream.model.residuals["Y1"].variance, Y1=3.0, **sizes)
    assert first == pytest.approx(9 * 0.1 + 2 * 3 * 0.01 + 0.2, rel=1e-13)
    assert str(stream.model.residuals["Y_ELSE"].variance) == "SIGMA33"
    found = at(stream.model.output("Y_ELSE").expression, A1=3.0, V=1.0, THETA3=2.0)
    assert found == pytest.approx(2 * 3 / 4, rel=1e-14)


def test_a_variable_that_no_condition_sets(read: Read) -> None:
    text = ORAL.replace("KA = THETA(3)", "IF (OCC.EQ.1) KA = THETA(3)\nIF (OCC.NE.1) KA = 2")
    assert not any("no condition sets" in r for r in read(text).remarks)
    stream = read(text.replace("OCC.NE.1", "OCC.EQ.2"))
    assert any(r.startswith("line 11: KA is 0 where no condition sets it") for r in stream.remarks)
    value = {e.name: e.expression for e in stream.model.individual}
    assert at(value["KA"], THETA3=1.5, OCC=3.0) == 0
    assert at(value["KA_2"], KA=1.5, OCC=1.0) == 1.5
    assert not any("no condition sets" in r for r in read(OCCASIONS).remarks)


def test_an_effect_that_enters_on_two_occasions_is_not_merged(read: Read) -> None:
    text = OCCASIONS.replace("ELSE\n  IOV = ETA(4)", "ELSEIF (VISIT.EQ.3) THEN\n  IOV = ETA(3)")
    with pytest.raises(InputError, match="SAME: no column") as caught:
        read(text)
    assert str(caught.value.where).endswith(":25")


def test_predictions_by_compartment(read: Read) -> None:
    text = ODE.replace("(1 + SIN2)", "1").replace("D1 =", "S1 =")
    text = text[: text.index("$ERROR")] + (
        "$ERROR\nIF (CMT.EQ.2) Y = F + EPS(1)\nIF (CMT.EQ.1) Y = F*(1+EPS(1))\n"
        "$THETA (1)x3\n$OMEGA (0.5)X1\n$SIGMA 1\n"
    )
    stream = read(text)
    assert {o.name: str(o.expression) for o in stream.model.outputs} == {"Y1": "A1/S1", "Y2": "A2"}
    assert stream.data["columns"] == {"DVID": "CMT"}
    assert stream.outputs == {1: "Y1", 2: "Y2"}
    assert len([n for n in stream.model.parameters if n.startswith("THETA")]) == 3
    with pytest.raises(InputError, match="conditions must name every CMT"):
        read(text.replace("IF (CMT.EQ.2) Y", "Y"))


M3 = """$PROB limits
$INPUT ID TIME AMT MDV DV
$DATA d.csv
$SUBR ADVAN1 TRANS2
$PK
CL=EXP(THETA(1)+ETA(1))
V=EXP(THETA(2))
S1=V
$ERROR
LOQ = 0.5
IPRED = F
SD = THETA(3)
KIND = 1
IF (DV.LT.LOQ) KIND = 2
IF (KIND.EQ.1.OR.NPDE_MODE.EQ.1) THEN
 F_FLAG = 0
 Y = IPRED + SD*EPS(1)
ENDIF
IF (KIND.EQ.2.AND.NPDE_MODE.EQ.0) THEN
 F_FLAG = 1
 Y = PHI((LOQ - IPRED)/SD)
ENDIF
$THETA 1 2 0.3
$OMEGA 0.1
$SIGMA 1 FIX
"""


def test_a_limit_of_quantification(read: Read) -> None:
    stream = read(M3)
    assert stream.data["lloq"] == 0.5
    assert any("below 0.5" in r for r in stream.remarks)
    assert str(stream.model.output("Y").expression) == "A1/S1"
    assert at(stream.model.residuals["Y"].variance, SIGMA11=1.0, THETA3=0.3) == pytest.approx(0.09)
    text = M3.replace("DV.LT.LOQ", "MDV.EQ.1")
    with pytest.raises(InputError, match="'MDV' is not defined"):
        read(text)


def test_code_without_compartments(read: Read) -> None:
    stream = read(
        "$PROB pd\n$INPUT ID X DV\n$DATA d IGNORE #\n$PRED\nE0=THETA(1)+ETA(1)\n"
        "Y=E0*EXP(EPS(1)) + GAMLN(X) + LOG10(X)\n$THETA 2\n$OMEGA 0.1\n$SIGMA 0.2\n"
    )
    assert any("EPS enters other than linearly" in r for r in stream.remarks)
    found = at(stream.model.output("Y").expression, THETA1=2.0, ETA1=0.5, X=4.0)
    assert found == pytest.approx(2.5 + np.log(6) + np.log10(4), rel=1e-13)
    variance = stream.model.residuals["Y"].variance
    assert at(variance, THETA1=2.0, ETA1=0.5, SIGMA11=0.2) == pytest.approx(0.2 * 6.25)
    assert stream.data["ignore"] == ["#"]


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("KA = THETA(3)", "KA = THETA(3)*TIME", 10, "'TIME' is not defined"),
        ("KA = THETA(3)", "KA = MOD(THETA(3),2)", 10, "the function MOD"),
        ("KA = THETA(3)", "KA = THETA(9)", 10, "'THETA9' is not defined"),
        ("KA = THETA(3)", "", 4, "'KA' is not defined"),
        ("KA = THETA(3)", "CALL SIMETA(ETA)", 10, "this statement is not translated"),
        ("KA = THETA(3)", '" FIRST', 10, "verbatim"),
        ("KA = THETA(3)", "IF (NEWIND.NE.2) KA = THETA(3)", 10, "'NEWIND' is not defined"),
        ("KA = THETA(3)", "KA = THETA(3)\nIF (WT.GT.1) THEN", 5, "has no ENDIF"),
        ("KA = THETA(3)", "KA = THETA(3)\nENDIF", 11, "no IF ... THEN before"),
        ("ADVAN2 TRANS2", "ADVAN5", 4, "ADVAN5 is not translated"),
        ("ADVAN2 TRANS2", "ADVAN2 TRANS6", 4, "ADVAN2 TRANS6"),
        ("ADVAN2 TRANS2", "ADVAN2 TRANS2 OTHER=x.f", 4, "OTHER=X.F"),
        ("$SIGMA 1 FIX", "$SIGMA CORRELATION 1", 24, "CORRELATION"),
        ("$SIGMA 1 FIX", "$SIGMA BLOCK(2) 1", 24, "needs 3 values"),
        ("$ESTIMATION", "$PRIOR", 25, "$PRIOR is not translated"),
        ("$ESTIMATION", "$MIX\nP(1)=THETA(4)\nP(2)=1-THETA(4)\n$EST", 25, "does not set NSPOP"),
        ("$ESTIMATION", "$MIX\nNSPOP=2\nP(1)=THETA(4)\n$EST", 25, "does not set P(2)"),
        ("$ESTIMATION", "$MIX\nNSPOP=1\nP(1)=1\n$EST", 25, "NSPOP must be 2 or more"),
        ("KA = THETA(3)", "KA = THETA(3)*MIXEST", 10, "'MIXEST' is not defined"),
        ("$THETA (0, 5.0)", "$THETA (0, five)", 19, "cannot be read"),
        ("Y = IPRED + W*EPS(1)", "Y = DV*EPS(1)", 18, "Y depends on DV"),
        ("Y = IPRED + W*EPS(1)", "Z = 1", 14, "Y is not computed"),
        ("Y = IPRED + W*EPS(1)", "Y = F*F + A(1)*EPS(1)", 18, "cannot be written"),
        ("ACCEPT=(OCC.LE.2)", "NULL=0", 3, "NULL=0 is not translated"),
    ],
)
def test_what_cannot_be_translated(read: Read, old: str, new: str, line: int, what: str) -> None:
    assert old in ORAL
    with pytest.raises(InputError) as caught:
        read(ORAL.replace(old, new))
    listed = f"{caught.value.where}: {caught.value.what}\n{caught.value.hint}"
    place = [part for part in listed.splitlines() if what in part]
    assert place, listed
    assert f":{line}:" in place[0] or f"line {line}:" in place[0]


MIXED = """$PROBLEM two clearances
$INPUT ID TIME AMT DV SEX
$DATA data.csv IGNORE=@
$SUBROUTINES ADVAN2 TRANS2
$MIX
NSPOP = 2
P(1) = THETA(4) ; slow
IF (SEX.EQ.1) P(1) = THETA(5)
P(2) = 1 - P(1)
$PK
IF (MIXNUM.EQ.1) THEN
  TVCL = THETA(1)
ELSE
  TVCL = THETA(2)
ENDIF
CL = TVCL*EXP(ETA(1))
V = THETA(3)
KA = 1
EST = MIXEST
P1 = CL/V
$ERROR
Y = F + F*EPS(1)
$THETA (0, 1) (0, 4) (0, 20) (0, 0.3, 1) (0, 0.6, 1)
$OMEGA 0.1
$SIGMA 0.04
$ESTIMATION METHOD=1 INTER
$TABLE ID EST
"""


def test_mixtures(read: Read) -> None:
    model = read(MIXED, references={"SEX": 1}).model
    assert model.mixture is not None
    assert model.mixture.variable == "MIXNUM"
    assert model.mixture.names == ("SUBPOP1", "SUBPOP2")
    first, second = (s.expression for s in model.mixture.subpopulations)
    shares = {"THETA4": 0.3, "THETA5": 0.6}
    for sex, wanted in ((0, 0.3), (1, 0.6)):
        assert at(first, SEX=sex, **shares) == pytest.approx(wanted)
        assert at(second, SEX=sex, **shares) == pytest.approx(1.0 - wanted)
    assert set(model.covariates) == {"SEX", "MIXNUM"}
    clearance = full_formula(model, symbol("CL"))
    for number, wanted in ((1, 1.0), (2, 4.0)):
        assert at(clearance, MIXNUM=number, THETA1=1.0, THETA2=4.0, ETA1=0.0) == wanted


def test_probabilities_that_are_none(read: Read) -> None:
    with pytest.raises(InputError, match=r"add up to 0\.65, not to 1"):
        read(MIXED.replace("P(2) = 1 - P(1)", "P(2) = 0.05"), references={"SEX": 1})


def test_all_statements_are_listed(read: Read) -> None:
    text = ORAL.replace("KA = THETA(3)", "KA = TIME").replace("$SIGMA 1 FIX", "$SIGMA SD 1")
    with pytest.raises(InputError, match="SD is not translated"):
        read(text)
    text = ORAL.replace("KA = THETA(3)", "KA = TIME").replace("S2 = V/1000", "S2 = NEWIND")
    with pytest.raises(InputError, match="2 statements in all") as caught:
        read(text)
    assert "line 12: 'NEWIND' is not defined" in caught.value.hint


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot open"):
        read_control_stream(tmp_path / "none.mod")
    path = tmp_path / "a.mod"
    path.write_text("hello\n")
    with pytest.raises(InputError, match="neither"):
        read_control_stream(path)


@pytest.mark.parametrize(
    "text",
    [
        "a - b*c/(a + b)^2",
        "-(a - 3)*b^(-c)/2.5",
        "sqrt(a + b) + exp(-a/c) - log(b)*1.5",
        "where(a < b, where(c >= 2, a, -b), c^a) + max(a, b, c) - abs(min(a - c, 1))",
        "lgamma(a) + normcdf(-b)*lognormcdf(c - a)",
        "a^(3/2) - 2^(a/7) + (-a)^2 - 1/a/b",
    ],
)
def test_formulas_survive_being_written(text: str) -> None:
    values = {"a": 1.7, "b": 2.9, "c": 2.2}
    formula = parse(text, list(values))
    again = parse(formula_text(formula), list(values))
    assert at(again, **values) == pytest.approx(at(formula, **values), rel=1e-13)
    turned = formula.xreplace({symbol("a"): sp.Float(1.3)})
    assert at(formula_text(turned), **values) == pytest.approx(at(turned, **values), rel=1e-13)
