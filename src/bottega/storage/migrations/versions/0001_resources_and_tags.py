"""Resources and their tags.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "resources",
        sa.Column("kind", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("arn", text, nullable=True),
        sa.Column("status", text, nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("modified", sa.Double(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_resources"),
        sa.UniqueConstraint("arn", name="uq_resources_arn"),
    )
    op.create_index("ix_resources_created", "resources", ["kind", "created", "name"])
    op.create_index("ix_resources_modified", "resources", ["kind", "modified", "name"])
    op.create_index("ix_resources_status", "resources", ["kind", "status", "name"])
    op.create_table(
        "tags",
        sa.Column("arn", text, nullable=False),
        sa.Column("key", text, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("arn", "key", name="pk_tags"),
        sa.ForeignKeyConstraint(["arn"], ["resources.arn"], name="fk_tags_arn", ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("tags")
    op.drop_table("resources")
