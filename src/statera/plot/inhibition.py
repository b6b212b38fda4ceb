"""One way to say and to colour an inhibition, whether a point, a bound or unknown."""

from __future__ import annotations

import math

from statera.numerics.interval import Interval

__all__ = ["ACTIVE", "BLOCKED", "contrast", "inhibition_colour", "ink_on", "say_percent"]

# From full signal to full inhibition; the middle is pale, so that both ends stand out, and the
# two hues stay apart under the common colour-vision deficiencies.
_STOPS = (
    (0.0, (0xC2, 0x4E, 0x16)),
    (0.5, (0xF1, 0xE4, 0xD6)),
    (1.0, (0x2B, 0x6C, 0xA8)),
)
_DARK = "#1b2430"
_LIGHT = "#ffffff"


def inhibition_colour(fraction: float) -> str:
    """Return the colour of an inhibition from 0 (full signal) to 1 (none)."""
    at = min(max(fraction, 0.0), 1.0)
    (low, first), (high, second) = _STOPS[:2] if at <= 0.5 else _STOPS[1:]
    share = (at - low) / (high - low)
    mixed = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


ACTIVE = inhibition_colour(0.0)
BLOCKED = inhibition_colour(1.0)


def _luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), from 1 to 21."""
    a, b = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (a + 0.05) / (b + 0.05)


def ink_on(*grounds: str) -> str:
    """Return dark or white, whichever stands out better from the least favourable ground."""
    dark = min(contrast(_DARK, ground) for ground in grounds)
    light = min(contrast(_LIGHT, ground) for ground in grounds)
    return _DARK if dark >= light else _LIGHT


def say_percent(value: Interval | None) -> str:
    """Return an inhibition in words: ``81 %``, ``at least 62 %``, ``at most 12 %``.

    Bounds are rounded outwards, so that what is said is never more than what is known.

    Parameters
    ----------
    value
        Fraction from 0 to 1, or None where it is not known.
    """
    if value is None:
        return "not known"
    # Rounding first to six decimals keeps 0.62 * 100 from being pushed to the next integer.
    low = math.floor(round(100 * value.low, 6))
    high = math.ceil(round(100 * value.high, 6))
    if value.is_point:
        return f"{100 * value.low:.0f} %"
    if low <= 0 and high >= 100:
        return "not known"
    if high >= 100:
        return f"at least {low} %"
    if low <= 0:
        return f"at most {high} %"
    return f"{low} to {high} %"
