"""A compact JAK-STAT pathway of our own: from a cytokine at its receptor to transcription and SOCS.

Fractions: `active` of the receptors, the others of all STAT (a dimer counts two molecules). With
L the cytokine (none before time 0) in units that half-activate receptors at rest, a the residual
activity of the receptor's kinases and time in minutes::

    active'   = k_off (L (1 - active) - active)
    v         = k_phos a active STAT / (1 + SOCS)
    STAT'     = -v + k_deph pSTAT + k_exp nSTAT
    pSTAT'    =  v - k_deph pSTAT - 2 (k_dim pSTAT^2 - k_und dimer)
    dimer'    = k_dim pSTAT^2 - k_und dimer - k_imp dimer
    ndimer'   = k_imp dimer - k_ndeph ndimer
    nSTAT'    = 2 k_ndeph ndimer - k_exp nSTAT
    mRNA'     = k_mdeg (g ndimer / (K + ndimer) - mRNA)          (SOCS; g its greatest effect)
    SOCS'     = k_sdeg (mRNA - SOCS)
    target'   = k_tdeg (ndimer / (K + ndimer) - target)

**What it shares with `engagement`.** All of pSTAT, ``pSTAT + 2 dimer + 2 ndimer``, is inhibited by
``1 - a`` in two limits: of a weak stimulus, at all times (k_phos to 0, so that ``k_dim pSTAT`` is
far below ``k_deph``: STAT is not used up, and dimers and SOCS are of second order); and of early
times, at any stimulus. With ``a = 1 / (1 + (C / IC50)^h)`` that is the Emax form. Elsewhere the
drug shows less: STAT that is spent caps the signal without drug, and less SOCS is made with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.jak_inhibition import Inhibited, JakMarks
from statera.pathway.network import TIME, Compartment, Network, Parameter, Reaction, Species

__all__ = ["JakStatRates", "jak_stat_marks", "jak_stat_network"]

_STATES = (
    "active",
    "STAT",
    "pSTAT",
    "dimer",
    "ndimer",
    "nSTAT",
    "mRNA",
    "SOCS",
    "target",
)


@dataclass(frozen=True)
class JakStatRates:
    """Constants of the model: rates in 1/min; `K` a fraction of STAT; `g` without a unit.

    Raises
    ------
    InputError
        For a rate that is negative or not finite, or a K that is not positive.
    """

    k_off: float
    k_phos: float
    k_deph: float
    k_dim: float
    k_und: float
    k_imp: float
    k_ndeph: float
    k_exp: float
    k_mdeg: float
    k_sdeg: float
    k_tdeg: float
    K: float
    g: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0.0 <= value < float("inf") or (item.name == "K" and value == 0.0):
                raise InputError(
                    f"{item.name} of a JAK-STAT pathway is {value:g}; give a finite number, "
                    f"{'greater than' if item.name == 'K' else 'not below'} 0",
                    where="rates",
                )


def jak_stat_network(
    rates: JakStatRates, *, cytokine: str = "cytokine", stimulus: float = 1.0
) -> Network:
    """Return the pathway of one cytokine as a network of reactions, without a drug.

    `statera.pathway.jak_inhibition.inhibit` adds one, with the marks of `jak_stat_marks`.

    Parameters
    ----------
    rates
        Constants.
    cytokine, stimulus
        Its name, for the title only, and the parameter ``L``.

    Returns
    -------
    Network
        With the assigned names ``stimulus``, which is L from time 0 on and nothing before, and
        ``total_pSTAT``.
    """
    s = {
        name: symbol(name) for name in (*_STATES, "L", "stimulus", *(f.name for f in fields(rates)))
    }
    values = {"L": stimulus, **{f.name: float(getattr(rates, f.name)) for f in fields(rates)}}
    reactions = _reactions(s)
    changes = dict.fromkeys(_STATES, sp.Integer(0))
    for reaction in reactions:
        for name, number in reaction.reactants:
            changes[name] -= number * reaction.law
        for name, number in reaction.products:
            changes[name] += number * reaction.law
    return Network(
        id="jak_stat",
        name=f"compact JAK-STAT pathway of {cytokine}",
        states=_STATES,
        rates=tuple(changes[name] for name in _STATES),
        initial={n: sp.Float(1.0 if n == "STAT" else 0.0) for n in _STATES},
        parameters=values,
        assigned={
            "stimulus": sp.Piecewise((sp.Integer(0), TIME < 0), (s["L"], True)),
            "total_pSTAT": s["pSTAT"] + 2 * s["dimer"] + 2 * s["ndimer"],
        },
        compartments=(Compartment("cell", 1.0),),
        species=tuple(Species(n, "cell", amount=True) for n in _STATES),
        parameter_list=tuple(Parameter(n, v) for n, v in values.items()),
        reactions=reactions,
        time_unit="min",
    )


def jak_stat_marks(kinases: Sequence[str]) -> JakMarks:
    """Return what a drug acts on: the phosphorylation of STAT, by the receptor's kinases."""
    return JakMarks("jak_stat", (Inhibited("phosphorylation", tuple(kinases)),), ())


def _reactions(s: dict[str, sp.Symbol]) -> tuple[Reaction, ...]:
    """Return the reactions; those that make mRNA, SOCS and target have no reactant."""
    one, two = sp.Integer(1), sp.Integer(2)
    bound = s["ndimer"] / (s["K"] + s["ndimer"])

    def step(
        name: str, law: sp.Expr, taken: str = "", made: str = "", *, of: sp.Expr = one,
        to: sp.Expr = one, modifiers: tuple[str, ...] = (),
    ) -> Reaction:  # fmt: skip
        return Reaction(
            name,
            law,
            ((taken, of),) if taken else (),
            ((made, to),) if made else (),
            modifiers,
        )

    phosphorylation = s["k_phos"] * s["active"] * s["STAT"] / (1 + s["SOCS"])
    return (
        step("activation", s["k_off"] * s["stimulus"] * (1 - s["active"]), made="active"),
        step("inactivation", s["k_off"] * s["active"], "active"),
        step("phosphorylation", phosphorylation, "STAT", "pSTAT", modifiers=("active", "SOCS")),
        step("dephosphorylation", s["k_deph"] * s["pSTAT"], "pSTAT", "STAT"),
        step("dimerisation", s["k_dim"] * s["pSTAT"] ** 2, "pSTAT", "dimer", of=two),
        step("dissociation", s["k_und"] * s["dimer"], "dimer", "pSTAT", to=two),
        step("import", s["k_imp"] * s["dimer"], "dimer", "ndimer"),
        step("nuclear_dephosphorylation", s["k_ndeph"] * s["ndimer"], "ndimer", "nSTAT", to=two),
        step("export", s["k_exp"] * s["nSTAT"], "nSTAT", "STAT"),
        step("SOCS_transcription", s["k_mdeg"] * s["g"] * bound, made="mRNA",
             modifiers=("ndimer",)),
        step("mRNA_decay", s["k_mdeg"] * s["mRNA"], "mRNA"),
        step("SOCS_translation", s["k_sdeg"] * s["mRNA"], made="SOCS", modifiers=("mRNA",)),
        step("SOCS_decay", s["k_sdeg"] * s["SOCS"], "SOCS"),
        step("target_transcription", s["k_tdeg"] * bound, made="target", modifiers=("ndimer",)),
        step("target_decay", s["k_tdeg"] * s["target"], "target"),
    )  # fmt: skip
