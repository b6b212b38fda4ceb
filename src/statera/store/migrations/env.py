"""Run by Alembic: brings the database behind the given connection up to date."""

from alembic import context

from statera.store.tables import metadata

# the connection is that of the store; its transaction holds all steps, so that none is half done
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="statera_version",
)
context.run_migrations()
