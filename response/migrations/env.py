"""Alembic's entry: runs the migrations on the connection that `response.database.migrate` hands over."""

from alembic import context

from response.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
context.run_migrations()
