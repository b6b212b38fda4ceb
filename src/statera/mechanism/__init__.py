"""A drug of the library on a pathway: potencies at its kinases, concentrations through the day."""
