"""Statera: a quantitative-pharmacology workbench for JAK inhibitors.

Research software: not a medical device.
"""

from __future__ import annotations

__version__ = "0.1.0"
