"""Alembic's entry: the connection comes from the engine, triggers go on at the end."""

from __future__ import annotations

import sqlmodel  # noqa: F401  (column types of generated migrations)
from alembic import context

import models
from models import triggers

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=models.metadata,
    render_as_batch=True,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
    triggers.install(connection)
