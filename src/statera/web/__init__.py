"""The web app: a server, the workers behind it, and the pages that it serves.

``requests`` (what may be asked, checked by pydantic) and ``server`` are light; ``tasks`` carry the
numeric stack and are imported in worker processes only.
"""
