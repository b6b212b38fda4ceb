"""What may be asked: one module a screen, with its models of requests and its tasks."""
