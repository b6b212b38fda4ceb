"""The profiles of a simulation as a drawing."""

from __future__ import annotations

from statera.errors import InputError, UnknownNameError
from statera.plot.profiles import ProfileCurve, ProfileOptions, ProfilePanel, draw_profiles
from statera.simulate import SimulationResult

__all__ = ["draw_simulation"]


def draw_simulation(
    result: SimulationResult, output: str | None = None, *, key: str = "profiles"
) -> str:
    """Return the median of an output and the band of 90 % of the subjects as SVG.

    Parameters
    ----------
    result
        Of `statera.simulate.simulate`.
    output
        Name of the output; the first where not given.
    key
        Anchor of the drawing, unique in its page.

    Raises
    ------
    UnknownNameError
        If the result has no such output.
    InputError
        If no subject was solved.
    """
    name = output or next(iter(result.outputs))
    if name not in result.outputs:
        raise UnknownNameError("output", name, result.outputs)
    solved = int((result.statuses == 0).sum())
    if solved == 0:
        raise InputError("no subject was solved: there is nothing to draw", where=result.model_id)
    low, median, high = result.percentiles(name)
    band = (low, high) if solved > 1 else (None, None)
    label = str(result.manifest.get("dose", "")) or name
    curve = ProfileCurve(label, result.times, median, *band)
    unit = f" ({result.units[name]})" if result.units[name] else ""
    title = f"{name} of {solved} subject{'s' * (solved > 1)}, {result.model_id}"
    return draw_profiles(
        [ProfilePanel(title, (curve,))],
        ProfileOptions(y_label=f"{name}{unit}"),
        key=key,
        title=title,
        alt=f"{name} over {result.times.min():g} to {result.times.max():g} h: median"
        + (" and 90 % of the subjects." if solved > 1 else "."),
    )
