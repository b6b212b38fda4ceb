"""Numerical methods without pharmacology: expressions, solvers, intervals, random streams."""
