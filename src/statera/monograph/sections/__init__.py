"""The sections of a monograph, one module each.

Every module has ``section(context) -> Section`` and ``METHODS``, the methods its computed cells
link to.
"""
