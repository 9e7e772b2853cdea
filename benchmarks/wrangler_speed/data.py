"""A table of customers: 20 columns of every kind, with the faults that such tables have."""

from __future__ import annotations

from pathlib import Path

SEED = 20_261_126
COLUMNS = 20


def write(folder: Path, rows: int, *, csv: bool = True) -> None:
    """Write ``customers.parquet`` and ``customers.csv``; the same rows for the same number.

    Every cell follows from the seed, its row and its column, whatever the number of threads.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    table = (folder / "customers.parquet").as_posix()
    connection.execute(f"COPY ({_query(rows)}) TO '{table}' (FORMAT parquet)")
    if not csv:
        return
    connection.execute(
        f"COPY (SELECT * FROM read_parquet('{table}')) "
        f"TO '{(folder / 'customers.csv').as_posix()}' (FORMAT csv, HEADER)"
    )


def _random(column: int) -> str:
    """A number in [0, 1) that the row and the column decide."""
    return f"(hash(i, {column}, {SEED}) % 9007199254740992)::DOUBLE / 9007199254740992"


def _missing(column: int, share: float, value: str) -> str:
    return f"CASE WHEN {_random(100 + column)} < {share} THEN NULL ELSE {value} END"


def _query(rows: int) -> str:
    def normal(column: int) -> str:
        return f"sqrt(-2 * ln(1 - {_random(column)})) * cos(2 * pi() * {_random(column + 50)})"

    def one_of(column: int, values: list[str]) -> str:
        listed = ", ".join(f"'{value}'" for value in values)
        return f"[{listed}][1 + floor({_random(column)} * {len(values)})::INTEGER]"

    regions = [" North", "south ", "EAST", "West", "north", "South", "east ", "west"]
    items = {
        "id": "i",
        "customer": f"'c' || lpad((floor({_random(1)} * 1000000))::BIGINT::VARCHAR, 7, '0')",
        "region": one_of(2, regions),
        "segment": _missing(
            3, 0.03, one_of(3, ["consumer", "corporate", "home office", "public", "student"])
        ),
        "signup": _missing(
            4, 0.01, f"(DATE '2015-01-01' + floor({_random(4)} * 3600)::INTEGER)::VARCHAR"
        ),
        "last_seen": f"TIMESTAMP '2025-01-01' + to_seconds(floor({_random(5)} * 3e7)::BIGINT)",
        "age": _missing(6, 0.02, f"(18 + floor({_random(6)} * 70))::BIGINT"),
        "income": _missing(7, 0.05, f"round(exp(10 + 0.6 * {normal(7)}), 2)"),
        "spend": f"round({_random(8)} * 5000, 2)",
        "visits": f"floor({_random(9)} * 40)::BIGINT",
        "discount": f"round({_random(10)} * 30, 1)::VARCHAR || '%'",
        "active": f"{_random(11)} < 0.7",
        "plan": one_of(12, ["basic", "plus", "premium"]),
        "score": f"10 + 3 * {normal(13)} + CASE WHEN {_random(14)} < 0.001 THEN 100 ELSE 0 END",
        "latitude": f"-60 + 120 * {_random(15)}",
        "longitude": f"-180 + 360 * {_random(16)}",
        "note": _missing(
            17,
            0.4,
            f"{one_of(17, ['called', 'wrote', 'visited'])} || ' twice, then '"
            f" || {one_of(18, ['left', 'stayed', 'complained', 'upgraded'])}",
        ),
        "referrer": f"'site' || floor(pow({_random(19)}, 2) * 50)::INTEGER",
        "rating": _missing(20, 0.1, f"(1 + floor({_random(20)} * 5))::BIGINT"),
        "churned": f"({_random(21)} < 0.2)::BIGINT",
    }
    assert len(items) == COLUMNS
    chosen = ", ".join(f"{sql} AS {name}" for name, sql in items.items())
    return f"SELECT {chosen} FROM range({rows}) t(i)"
