"""The recipe and the profile as somebody who knows DuckDB would write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

NUMBERS = ("id", "age", "income", "spend", "visits", "score", "latitude", "longitude", "rating")
NUMBERS += ("churned",)
TEXTS = ("customer", "region", "segment", "signup", "discount", "plan", "note", "referrer")
BINS = 20

_TABLE = "(SELECT * FROM read_parquet('{path}') WHERE segment IS NOT NULL AND signup IS NOT NULL)"
_RECIPE = """
SELECT id, customer, lower(trim(region)) AS region, segment, signup::DATE AS signup, last_seen,
    age,
    (coalesce(income, {income}) - {income_mean}) / {income_std} AS income,
    spend, visits,
    nullif(regexp_extract(discount, '([0-9.]+)', 1), '')::DOUBLE AS discount,
    active, greatest(least(score, {high}), {low}) AS score,
    latitude, longitude, note, referrer, rating, churned,
    year(signup::DATE) AS signup_year, month(signup::DATE) AS signup_month,
    CASE WHEN visits = 0 THEN NULL ELSE spend / visits END AS spend_per_visit,
    (plan = 'basic')::BIGINT AS plan_basic, (plan = 'plus')::BIGINT AS plan_plus,
    (plan = 'premium')::BIGINT AS plan_premium
FROM {table}
"""


def _connection(folder: Path) -> Any:
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
    return connection


def recipe(folder: Path) -> None:
    """Twelve steps over all rows, to Parquet."""
    connection = _connection(folder)
    table = _TABLE.format(path=folder / "customers.parquet")
    income, mean, std = connection.execute(
        f"SELECT median(income), avg(score), stddev_samp(score) FROM {table}"
    ).fetchone()
    income_mean, income_std = connection.execute(
        f"SELECT avg(x), stddev_samp(x) FROM (SELECT coalesce(income, {income}) AS x FROM {table})"
    ).fetchone()
    select = _RECIPE.format(
        table=table,
        income=income,
        income_mean=income_mean,
        income_std=income_std,
        low=mean - 3 * std,
        high=mean + 3 * std,
    )
    connection.execute(f"COPY ({select}) TO '{folder / 'by_hand.parquet'}' (FORMAT parquet)")


def profile(folder: Path) -> None:
    """Every column: missing, distinct, quantiles, a histogram or the most frequent values."""
    connection = _connection(folder)
    table = f"read_parquet('{folder / 'customers.parquet'}')"
    items = ["count(*)"]
    for column in NUMBERS:
        items += [
            f"count({column})",
            f"approx_count_distinct({column})",
            f"min({column})",
            f"max({column})",
            f"avg({column})",
            f"stddev_samp({column})",
            f"approx_quantile({column}, [0.05, 0.25, 0.5, 0.75, 0.95])",
        ]
    items += [f"{f}(last_seen)" for f in ("count", "approx_count_distinct", "min", "max")]
    for column in (*TEXTS, "active"):
        items += [f"count({column})", f"approx_count_distinct({column})"]
        items += [f"min({column})", f"max({column})"]
    found = connection.execute(f"SELECT {', '.join(items)} FROM {table}").fetchone()
    ranges = {c: (found[3 + 7 * n], found[4 + 7 * n]) for n, c in enumerate(NUMBERS)}
    bins = ", ".join(
        f"histogram(least(floor(({c} - {low}) / {(high - low) or 1} * {BINS}), {BINS - 1}))"
        for c, (low, high) in ranges.items()
    )
    connection.execute(f"SELECT {bins} FROM {table}").fetchone()
    for column in (*TEXTS, "active"):
        connection.execute(
            f"SELECT {column}, count(*) AS n FROM {table} WHERE {column} IS NOT NULL "
            f"GROUP BY ALL ORDER BY n DESC, 1 LIMIT 10"
        ).fetchall()
