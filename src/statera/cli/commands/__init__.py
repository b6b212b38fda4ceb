"""The commands, one module each; what they call is imported when they run."""
