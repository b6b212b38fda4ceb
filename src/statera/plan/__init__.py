"""Plan of a dose-response assay, joined with what the library knows of the drug."""
