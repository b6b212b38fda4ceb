"""Figures as inline SVG; the only package that may load matplotlib."""
