"""What workers compute: one module a task, ``run(request, work) -> Answer``."""
