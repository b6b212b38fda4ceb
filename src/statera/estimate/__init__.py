"""Population estimation: nonlinear mixed-effects models fitted to data."""
