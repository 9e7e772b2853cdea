"""What only a library does: frames in, a table of the engine out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from bottega.wrangler.columns import Schema
from bottega.wrangler.engine.arrow_types import ARROW
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.frames import frame_of, table_of
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import InMemory

ROWS_AT_ONCE = 100_000


def computed(rendering: InMemory, schema: Schema, tables: Sequence[Relation]) -> Relation:
    """Run a function over tables and keep what comes out.

    A function whose rows depend on nothing else sees some rows at a time, so that memory stays
    bounded however long the table is; any other sees all of it.

    Args:
        rendering: with the function.
        schema: of what comes out.
        tables: what goes in.

    Raises:
        DataError: the result is not what the schema promises.
    """
    first = tables[0]
    if rendering.rowwise and len(tables) == 1 and len(schema):
        return _in_parts(rendering, schema, first)
    frames = [relation.frame() for relation in tables]
    return stored(first.database, table_of(rendering.function(*frames), schema), schema)


def _in_parts(rendering: InMemory, schema: Schema, relation: Relation) -> Relation:
    database = relation.database
    file = database.folder / f"{database.free_name('part')}.parquet"
    wanted = pa.schema([(column.name, ARROW[column.type]) for column in schema])
    with database.cursor() as cursor, pq.ParquetWriter(file, wanted) as writer:
        reader = cursor.sql(relation.select()).to_arrow_reader(ROWS_AT_ONCE)
        for batch in reader:
            frame = frame_of(pa.Table.from_batches([batch]), relation.schema)
            writer.write_table(table_of(rendering.function(frame), schema).cast(wanted))
    return Relation.parquet(database, [file], schema).keeping(file.unlink)


def stored(database: Database, table: pa.Table, schema: Schema) -> Relation:
    """A table in the database from one in memory."""
    target = database.free_name("m")
    with database.cursor() as cursor:
        cursor.register("__arriving", table)
        columns = ", ".join(
            f"{name(column.name)}::{column.type.duckdb} AS {name(column.name)}" for column in schema
        )
        cursor.execute(f"CREATE TABLE {name(target)} AS SELECT {columns} FROM __arriving")
        cursor.unregister("__arriving")
    found = Relation.stored(database, target, schema)
    return found.keeping(partial(database.execute, f"DROP TABLE {name(target)}"))
