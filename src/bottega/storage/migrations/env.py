"""Runs the migrations on the connection that ``bottega.storage.sql_engine`` hands over."""

from __future__ import annotations

from alembic import context

from bottega.storage.sql_schema import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run when bottega opens a database, never by themselves")

# The connection is already inside a transaction that also holds the migration lock, so that all
# steps happen together or not at all, and never in two processes at once.
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
