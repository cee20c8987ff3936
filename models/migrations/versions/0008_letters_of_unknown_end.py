"""letters and digests of which an attempt has an unknown end"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("letter", "digest"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("end_unknown", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table in ("letter", "digest"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("end_unknown")
