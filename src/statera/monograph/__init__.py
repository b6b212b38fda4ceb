"""Monograph."""
