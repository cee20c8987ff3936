"""attempts to sign or to sign in that went wrong, and when a sweep ended by the real clock"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

from models.base import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", Moment(timezone=True), nullable=False),
        sa.Column("right_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", "address", name=op.f("pk_attempt")),
    )
    op.create_index(op.f("ix_attempt_failed_at"), "attempt", ["failed_at"])
    with op.batch_alter_table("sweep", schema=None) as batch_op:
        batch_op.add_column(sa.Column("really_finished_at", Moment(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sweep", schema=None) as batch_op:
        batch_op.drop_column("really_finished_at")
    op.drop_table("attempt")
