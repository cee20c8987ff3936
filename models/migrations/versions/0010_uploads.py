"""evidence as uploads, with what the ledger and the register name already"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import sqlmodel
from alembic import op

import models.base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = models.base.Moment(timezone=True)
UPLOAD = sa.table(
    "upload",
    sa.column("sha256", sa.String),
    sa.column("case_id", sa.BigInteger),
    sa.column("question", sa.String),
    sa.column("field", sa.String),
    sa.column("uploader", sa.String),
    sa.column("at", MOMENT),
    sa.column("run_id", sa.String),
    sa.column("used_by", sa.BigInteger),
    sa.column("taken_over_at", MOMENT),
)
ENTRY = sa.table(
    "ledger_entry",
    *(sa.column(name) for name in ("case_id", "seq", "key", "actor", "run_id")),
    sa.column("at", MOMENT),
    sa.column("result", sa.JSON),
)
# The fields of the paper with which an answer was signed, and of what an objection or a correction shows.
SIGNED = "paper"
SHOWN = "evidence"


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("question", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("field", sqlmodel.sql.sqltypes.AutoString(length=256), nullable=False),
        sa.Column("uploader", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("run_id", sqlmodel.sql.sqltypes.AutoString(length=36), nullable=True),
        sa.Column("used_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_over_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_upload_case_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_upload_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_sha256", "upload", ["sha256"])
    op.create_index("ix_upload_case", "upload", ["case_id"])
    now = datetime.now(UTC)
    _take_over_register(now)
    _take_over_ledger(now)


def _take_over_register(now: datetime) -> None:
    """Write the papers of mandates and recorded certificates as uploads of those who recorded them."""
    for table, field, column in (
        ("mandate", "paper", "paper_sha256"),
        ("recorded_certificate", "evidence", "evidence_sha256"),
    ):
        recorded = sa.table(
            table, sa.column("id"), sa.column(column), sa.column("recorded_by_id"), sa.column("recorded_at", MOMENT)
        )
        account = sa.table("account", sa.column("id"), sa.column("name"))
        given = sa.select(
            recorded.c[column],
            sa.literal(table),
            sa.literal(field),
            account.c.name,
            recorded.c.recorded_at,
            recorded.c.id,
            sa.literal(now, MOMENT),
        ).join_from(recorded, account, account.c.id == recorded.c.recorded_by_id)
        names = ["sha256", "question", "field", "uploader", "at", "used_by", "taken_over_at"]
        op.execute(UPLOAD.insert().from_select(names, given))


def _take_over_ledger(now: datetime) -> None:
    """Write the files that ledger entries name; those in encrypted answers are bound when they are named again."""
    named = sa.select(ENTRY).where(sa.cast(ENTRY.c.result, sa.Text).like('%"sha256:%'))
    rows: list[dict[str, Any]] = []
    for entry in op.get_bind().execute(named).mappings():
        name = entry["result"].get("evidence") if isinstance(entry["result"], dict) else None
        if isinstance(name, str) and name.startswith("sha256:"):
            rows.append(
                {
                    "sha256": name.removeprefix("sha256:")[:64],
                    "case_id": entry["case_id"],
                    "question": entry["key"].partition("#")[0],
                    "field": SIGNED if entry["result"].get("signed") == "paper" else SHOWN,
                    "uploader": entry["actor"],
                    "at": entry["at"],
                    "run_id": entry["run_id"],
                    "used_by": entry["seq"],
                    "taken_over_at": now,
                }
            )
    if rows:
        op.bulk_insert(UPLOAD, rows)


def downgrade() -> None:
    op.drop_index("ix_upload_case", "upload")
    op.drop_index("ix_upload_sha256", "upload")
    op.drop_table("upload")
