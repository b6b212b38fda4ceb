"""The report of an association analysis as a document."""
