"""Facts and where they come from."""

from statera.sources.fact import Fact, Grade, Relation, Source, Status

__all__ = ["Fact", "Grade", "Relation", "Source", "Status"]
