"""One patient: what a model expects, what measurements change, and which doses reach a target."""
