"""Pages of pathways: a drug on a network, and a network fitted to data."""
