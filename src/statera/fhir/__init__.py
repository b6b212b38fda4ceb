"""FHIR R4: a bundle becomes a request, and a result becomes a bundle."""
