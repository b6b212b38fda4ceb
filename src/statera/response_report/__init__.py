"""The page of an exposure-response analysis."""
