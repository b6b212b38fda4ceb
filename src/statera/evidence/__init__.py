"""Evidence: proportions, incidence rates and published ratio estimates with their intervals."""
