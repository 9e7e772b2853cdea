"""The recipe and the profile in Polars, lazily and streaming where it can."""

from __future__ import annotations

from pathlib import Path

from wrangler_speed.duckdb_by_hand import BINS, NUMBERS, TEXTS


def recipe(folder: Path) -> None:
    """Twelve steps over all rows, to Parquet."""
    import polars as pl

    table = pl.scan_parquet(folder / "customers.parquet").filter(
        pl.col("segment").is_not_null() & pl.col("signup").is_not_null()
    )
    learnt = table.select(
        income=pl.col("income").median(),
        mean=pl.col("score").mean(),
        std=pl.col("score").std(),
    ).collect(engine="streaming")
    income, mean, std = learnt.row(0)
    filled = pl.col("income").fill_null(income)
    income_mean, income_std = (
        table.select(mean=filled.mean(), std=filled.std()).collect(engine="streaming").row(0)
    )
    signup = pl.col("signup").str.to_date("%Y-%m-%d")
    result = table.with_columns(
        pl.col("region").str.strip_chars(" ").str.to_lowercase(),
        signup,
        (filled - income_mean) / income_std,
        pl.col("discount").str.extract("([0-9.]+)", 1).cast(pl.Float64),
        pl.col("score").clip(mean - 3 * std, mean + 3 * std),
        signup.dt.year().alias("signup_year"),
        signup.dt.month().alias("signup_month"),
        pl.when(pl.col("visits") != 0)
        .then(pl.col("spend") / pl.col("visits"))
        .alias("spend_per_visit"),
        *(
            (pl.col("plan") == plan).cast(pl.Int64).alias(f"plan_{plan}")
            for plan in ("basic", "plus", "premium")
        ),
    ).drop("plan")
    result.sink_parquet(folder / "polars.parquet", compression="snappy")


def profile(folder: Path) -> None:
    """Every column: missing, distinct, quantiles, a histogram or the most frequent values."""
    import polars as pl

    table = pl.scan_parquet(folder / "customers.parquet")
    items = [pl.len()]
    for name in (*NUMBERS, "last_seen", *TEXTS, "active"):
        column = pl.col(name)
        items += [column.count().alias(f"{name} count"), column.min().alias(f"{name} min")]
        items.append(column.max().alias(f"{name} max"))
        if name != "active":
            items.append(column.approx_n_unique().alias(f"{name} distinct"))
        if name in NUMBERS:
            items += [column.mean().alias(f"{name} mean"), column.std().alias(f"{name} std")]
            items += [
                column.quantile(q).alias(f"{name} {q}") for q in (0.05, 0.25, 0.5, 0.75, 0.95)
            ]
    found = table.select(items).collect(engine="streaming").row(0, named=True)
    for name in NUMBERS:
        low, high = found[f"{name} min"], found[f"{name} max"]
        place = ((pl.col(name) - low) / ((high - low) or 1) * BINS).floor().clip(0, BINS - 1)
        table.select(place.alias("bin")).group_by("bin").len().collect(engine="streaming")
    for name in (*TEXTS, "active"):
        table.select(name).drop_nulls().group_by(name).len().sort(
            "len", name, descending=[True, False]
        ).head(10).collect(engine="streaming")
