"""ends and dates of accounts, roles and tokens; how the actor of a run is known"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

import models.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def moment(name: str) -> sa.Column:
    return sa.Column(name, models.base.Moment(timezone=True), nullable=True)


def words(name: str, length: int | None = None) -> sa.Column:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(length=length), nullable=True)


def day(name: str) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=True)


ADDED = {
    "account": lambda: [
        moment("own_code_since"),
        moment("token_since"),
        day("token_until"),
        moment("ended_at"),
        words("ended_because"),
    ],
    "account_role": lambda: [day("since"), day("until"), moment("ended_at")],
    "run": lambda: [words("way", 16), words("on_behalf_of", 64), words("reason")],
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns():
            op.add_column(table, column)


def downgrade() -> None:
    for table, columns in reversed(ADDED.items()):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in reversed(columns()):
                batch_op.drop_column(column.name)
