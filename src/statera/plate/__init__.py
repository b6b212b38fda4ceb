"""Plate: from FCS files and a plate map to IC50s that say how well they are known."""
