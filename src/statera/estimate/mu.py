"""Which fixed effects only move the mean of a normal random effect, and their M-step.

A random effect e carries a mean where the model holds it only as ``A + e``, A over fixed effects
and covariates: inside any function h, as in ``h(A + e)``, or as a factor, ``R exp(e)``, which is
``exp(ln R + e)``. A fixed effect that occurs nowhere but in such means is estimated from the
individual values ``phi = A + e`` alone, by generalised least squares with Omega; A need not be
linear in it (Kuhn and Lavielle 2005, doi 10.1016/j.csda.2004.07.002, for the linear case).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.estimate.problem import Problem
from statera.model import Model
from statera.numerics.derivative import derivative
from statera.numerics.expression import free_names, symbol
from statera.numerics.vectorised import vectorise

__all__ = ["MuReference", "find_mu_reference"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HOLE = sp.Symbol("_individual_value", real=True)


@dataclass(frozen=True)
class _Carrier:
    """A random effect and its mean A; `rest` are the names beside the mean in its equation."""

    effect: str
    mean: sp.Expr
    rest: frozenset[str]


def _roots(model: Model) -> list[sp.Expr]:
    """Return the formulas of the model other than individual parameters."""
    found = [e.expression for e in model.dynamics] + [o.expression for o in model.outputs]
    found += list(model.initial.values())
    for residual in model.residuals.values():
        found.append(residual.variance)
    for likelihood in getattr(model, "likelihoods", {}).values():
        found.append(likelihood.loglik)
    for processes in model.inputs.values():
        for p in processes:
            found += [e for e in (p.bioavailability, p.lag, p.duration, p.rate) if e is not None]
    return found


def _holds_alone(node: sp.Expr, e: sp.Symbol) -> tuple[sp.Expr, sp.Expr] | None:
    """Return k and A where a node is ``k (A + e)`` with a number k; None where it is not."""
    terms = node.args if isinstance(node, sp.Add) else (node,)
    inside = [t for t in terms if e in t.free_symbols]
    if len(inside) != 1:
        return None
    factor = inside[0] / e
    if not factor.is_number:
        return None
    rest = sp.Add(*(t / factor for t in terms if t is not inside[0]))
    return factor, rest


def _mean_of(node: sp.Expr, e: sp.Symbol) -> sp.Expr | None:
    """Return A where a node is ``k (A + e)`` or ``R exp(k (A' + e))``."""
    plain = _holds_alone(node, e)
    if plain is not None:
        return plain[1]
    factors = node.args if isinstance(node, sp.Mul) else (node,)
    inside = [f for f in factors if e in f.free_symbols]
    if len(inside) != 1 or not isinstance(inside[0], sp.exp):
        return None
    exponent = _holds_alone(inside[0].args[0], e)
    if exponent is None:
        return None
    rest = sp.Mul(*(f for f in factors if f is not inside[0]))
    return exponent[1] + sp.expand_log(sp.log(rest), force=True) / exponent[0]


def _carrier(expression: sp.Expr, effect: str) -> _Carrier | None:
    """Return the largest part of a formula that holds an effect, as a mean plus that effect."""
    e = symbol(effect)
    for node in sp.preorder_traversal(expression):
        if not isinstance(node, sp.Expr) or e not in node.free_symbols:
            continue
        mean = _mean_of(node, e)
        if mean is None:
            continue
        rest = expression.xreplace({node: _HOLE})
        if e not in rest.free_symbols:
            return _Carrier(effect, mean, free_names(rest))
    return None


def _expanded(model: Model, expression: sp.Expr, opaque: Iterable[str]) -> sp.Expr:
    """Return a formula without individual parameters other than the opaque ones."""
    for equation in reversed(model.individual):
        if equation.name not in opaque and symbol(equation.name) in expression.free_symbols:
            expression = expression.xreplace({symbol(equation.name): equation.expression})
    return expression


def _carriers(model: Model, effects: Sequence[str]) -> tuple[list[_Carrier], set[str]]:
    """Return carriers, and the names of fixed effects that occur outside their means."""
    direct = [free_names(r) for r in _roots(model)]
    places: dict[str, str] = {}
    for effect in effects:
        here = [q.name for q in model.individual if effect in free_names(q.expression)]
        elsewhere = any(effect in names for names in direct)
        if len(here) == 1 and not elsewhere and here[0] not in places.values():
            places[effect] = here[0]
    found: list[_Carrier] = []
    opaque = set(places.values())
    for effect, name in places.items():
        own = next(q.expression for q in model.individual if q.name == name)
        carrier = _carrier(_expanded(model, own, opaque), effect)
        if carrier is None:
            opaque.discard(name)
        else:
            found.append(carrier)
    if len(found) < len(places):  # what is not opaque any more stands inside other formulas
        return _carriers(model, [c.effect for c in found])
    outside: set[str] = set()
    for root in _roots(model):
        outside |= free_names(_expanded(model, root, opaque))
    for carrier in found:
        outside |= carrier.rest
    return found, outside


class MuReference:
    """Means of random effects as functions of fixed effects.

    Parameters
    ----------
    problem
    carriers
        Random effects with means.
    thetas
        Fixed effects that the means alone hold.

    Attributes
    ----------
    names
        Fixed effects estimated from individual values.
    free : (k,) int64
        Their places among the free numbers of the fixed effects.
    columns : (n_carriers,) int64
        Columns of the random effects that have means.
    linear, straight
        Whether the means are linear in the fixed effects, and in their free numbers.
    """

    def __init__(
        self, problem: Problem, carriers: Sequence[_Carrier], thetas: Sequence[str]
    ) -> None:
        model = problem.model
        prepared = problem.individuals.prepared
        order = list(model.parameters)
        self.problem = problem
        self.names = tuple(thetas)
        self.theta: Ints = np.array([order.index(n) for n in thetas], dtype=np.int64)
        self.free: Ints = np.array(
            [problem.theta.free.index(int(i)) for i in self.theta], dtype=np.int64
        )
        places = problem.omega.places
        effects = list(model.random_effects)
        self.columns: Ints = np.array(
            [places[effects.index(c.effect)][0] for c in carriers], dtype=np.int64
        )
        other = {n: sp.Float(problem.theta.start[i]) for i, n in enumerate(order)}
        other = {n: v for n, v in other.items() if n not in self.names}
        other |= {n: sp.Integer(0) for n in effects}
        other |= {e.name: sp.Integer(1) for e in model.individual}
        known = {symbol(n): v for n, v in other.items()}
        means = [c.mean.xreplace(known) for c in carriers]
        slopes = [derivative(m, symbol(n)).xreplace(known) for m in means for n in self.names]
        self.linear = not any(free_names(s) & set(self.names) for s in slopes)
        base = [*order, *model.covariates]
        self._means, self._slopes = vectorise(means, base), vectorise(slopes, base)
        first = prepared.segments.start
        self._covariates = {n: v[first] for n, v in prepared.segments.covariates.items()}
        unbounded = np.ones(len(problem.theta.free), dtype=bool)
        for k in self.free:  # a bounded parameter has a slope that changes
            u = problem.theta.pack(problem.theta.start)
            here = problem.theta.unpack(u)[1][k]
            u[k] += 1.0
            unbounded[k] = problem.theta.unpack(u)[1][k] == here
        self.straight = self.linear and bool(unbounded.all())
        self._constant: Floats | None = None
        self.n, self.n_etas = prepared.n_subjects, problem.individuals.n_etas

    def _values(self, theta: Floats) -> dict[str, Floats | float]:
        names = self.problem.model.parameters
        return {**dict(zip(names, map(float, theta), strict=True)), **self._covariates}

    def mean(self, theta: Floats) -> Floats:
        """Return the means, (n_subjects, n_etas); 0 for random effects that carry none."""
        out = np.zeros((self.n, self.n_etas))
        if self.columns.size:
            out[:, self.columns] = self._means(self._values(theta), self.n).T
        return out

    def slopes(self, theta: Floats) -> Floats:
        """Return derivatives of the means, (n_subjects, n_etas, k)."""
        if self.linear and self._constant is not None:
            return self._constant
        k = self.theta.size
        out = np.zeros((self.n, self.n_etas, k))
        if k:
            found = self._slopes(self._values(theta), self.n)
            out[:, self.columns] = found.T.reshape(self.n, self.columns.size, k)
        self._constant = out
        return out

    def step(self, u: Floats, phi: Floats, precision: Floats, weight: Floats) -> Floats:
        """Return free numbers of fixed effects that bring the means near individual values.

        Parameters
        ----------
        u : (n_free_thetas,) float64
        phi : (n_subjects, n_etas) float64
            Expected individual values; random effects where there is no mean.
        precision : (n_etas, n_etas) float64
        weight : (n_subjects,) float64
            0 for subjects that do not count.
        """
        if not self.theta.size:
            return u
        mapped = self.problem.theta
        for _ in range(3):
            theta, scale = mapped.unpack(u)
            jacobian = self.slopes(theta) * scale[self.free]
            away = phi - self.mean(theta)
            pulled = ((weight[:, None, None] * jacobian).swapaxes(1, 2) @ precision).swapaxes(1, 2)
            k = self.theta.size
            matrix = pulled.reshape(-1, k).T @ jacobian.reshape(-1, k)
            vector = pulled.reshape(-1, k).T @ away.ravel()
            matrix, vector = self._with_priors(theta, scale, matrix, vector)
            step: Floats = np.linalg.lstsq(matrix, vector, rcond=1e-12)[0].astype(np.float64)
            if self.straight:
                u = u.copy()
                u[self.free] += step
                break
            u_new = self._shortened(u, step, phi, precision, weight)
            moved = float(np.abs(u_new - u).max())
            u = u_new
            if moved < 1e-6:
                break
        return u

    def _with_priors(
        self, theta: Floats, scale: Floats, matrix: Floats, vector: Floats
    ) -> tuple[Floats, Floats]:
        for i, mean, sd in self.problem.priors:
            for k in np.flatnonzero(self.theta == i):
                slope = scale[self.free[k]]
                matrix[k, k] += (slope / sd) ** 2
                vector[k] -= (theta[i] - mean) * slope / sd**2
        return matrix, vector

    def _distance(self, u: Floats, phi: Floats, precision: Floats, weight: Floats) -> float:
        theta, _ = self.problem.theta.unpack(u)
        away = phi - self.mean(theta)
        total = np.einsum("i,iq,qr,ir->", weight, away, precision, away)
        return float(total) + self.problem.prior(theta)[0]

    def _shortened(
        self, u: Floats, step: Floats, phi: Floats, precision: Floats, weight: Floats
    ) -> Floats:
        """Return the point along a step where the distance is not larger than before."""
        before = self._distance(u, phi, precision, weight)
        for _ in range(12):
            trial = u.copy()
            trial[self.free] += step
            if self._distance(trial, phi, precision, weight) <= before + 1e-9 * abs(before):
                return trial
            step = 0.4 * step
        return u


def find_mu_reference(problem: Problem) -> MuReference:
    """Return the fixed effects of a problem that are means of random effects.

    Means may hold covariates that are constant in each subject; a fixed effect whose influence on
    a mean changes with time, with other random effects or with parameters that are not means
    themselves is left to numerical steps, as one that occurs elsewhere too.
    """
    model = problem.model
    variance = np.diag(problem.omega.start)
    effects = [
        e.name
        for i, e in enumerate(model.random_effects.values())
        if e.level == "subject" and variance[i] > 0.0
    ]
    while True:
        carriers, outside = _carriers(model, effects)
        thetas = _eligible(problem, carriers, outside)
        carriers = [c for c in carriers if free_names(c.mean) & set(thetas)]
        found = MuReference(problem, carriers, thetas)
        finite = np.isfinite(found.mean(problem.theta.start)).all(axis=0)
        if finite.all():
            return found
        lost = set(np.flatnonzero(~finite))
        effects = [
            c.effect for c, j in zip(carriers, found.columns, strict=True) if int(j) not in lost
        ]


def _eligible(problem: Problem, carriers: Sequence[_Carrier], outside: set[str]) -> list[str]:
    model = problem.model
    names = list(model.parameters)
    held = set().union(*(free_names(c.mean) for c in carriers)) if carriers else set()
    thetas = [names[i] for i in problem.theta.free if names[i] in held - outside]
    free = {names[i] for i in problem.theta.free}
    constant = _constant_covariates(problem) | (set(names) - free)
    while True:
        allowed = constant | set(thetas)
        kept = [
            t
            for t in thetas
            if all(free_names(derivative(c.mean, symbol(t))) <= allowed for c in carriers)
        ]
        if kept == thetas:
            return thetas
        thetas = kept


def _constant_covariates(problem: Problem) -> set[str]:
    segments = problem.individuals.prepared.segments
    first = segments.start[segments.subject]
    return {
        name
        for name, values in segments.covariates.items()
        if name in problem.model.covariates and np.array_equal(values, values[first])
    }
