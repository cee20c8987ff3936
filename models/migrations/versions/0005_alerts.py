"""alerts beside the morning's digest, and the failed runs found by an index"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ONE_A_DAY = "uq_digest_account_id_day"
ONE_AN_OCCASION = "uq_digest_account_id_day_occasion"


def upgrade() -> None:
    occasion = sa.Column(
        "occasion", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False, server_default="morning"
    )
    with op.batch_alter_table("digest", schema=None) as batch_op:
        batch_op.add_column(occasion)
        batch_op.drop_constraint(ONE_A_DAY, type_="unique")
        batch_op.create_unique_constraint(ONE_AN_OCCASION, ["account_id", "day", "occasion"])
    failed = sa.text("state = 'failed'")
    op.create_index("ix_run_failed", "run", ["started_at"], sqlite_where=failed, postgresql_where=failed)


def downgrade() -> None:
    op.drop_index("ix_run_failed", "run")
    op.execute("DELETE FROM digest WHERE occasion <> 'morning'")
    with op.batch_alter_table("digest", schema=None) as batch_op:
        batch_op.drop_constraint(ONE_AN_OCCASION, type_="unique")
        batch_op.create_unique_constraint(ONE_A_DAY, ["account_id", "day"])
        batch_op.drop_column("occasion")
