"""The tables of the metadata, as the newest migration leaves them."""

from __future__ import annotations

import sqlalchemy as sa

KNOWN_VERSIONS: tuple[str, ...] = ("0001",)
"""Every schema version this bottega can read or upgrade, oldest first; the last one is what it
writes. Kept here so that opening a current database need not load alembic; a test compares it with
the migrations."""

HEAD_VERSION = KNOWN_VERSIONS[-1]

VERSION_TABLE = "alembic_version"

# PostgreSQL would otherwise sort and fold by the language of the database; bytes are what SQLite
# does.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

metadata = sa.MetaData()

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("kind", _TEXT, nullable=False),
    sa.Column("name", _TEXT, nullable=False),
    # NULL stands for "has no ARN": unlike an empty text it may occur more than once.
    sa.Column("arn", _TEXT, nullable=True),
    sa.Column("status", _TEXT, nullable=False),
    sa.Column("created", sa.Double(), nullable=False),
    sa.Column("modified", sa.Double(), nullable=False),
    sa.Column("version", sa.BigInteger(), nullable=False),
    sa.Column("body", sa.Text(), nullable=False),
    sa.Column("private", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("kind", "name", name="pk_resources"),
    sa.UniqueConstraint("arn", name="uq_resources_arn"),
    sa.Index("ix_resources_created", "kind", "created", "name"),
    sa.Index("ix_resources_modified", "kind", "modified", "name"),
    sa.Index("ix_resources_status", "kind", "status", "name"),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("arn", _TEXT, nullable=False),
    sa.Column("key", _TEXT, nullable=False),
    sa.Column("value", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("arn", "key", name="pk_tags"),
    sa.ForeignKeyConstraint(["arn"], ["resources.arn"], name="fk_tags_arn", ondelete="CASCADE"),
)
