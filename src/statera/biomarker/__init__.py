"""Biomarkers: clinical response indices, and measurements of many proteins in many samples."""
