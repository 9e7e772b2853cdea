"""The recipe and the profile in pandas, as one writes them in a notebook."""

from __future__ import annotations

from pathlib import Path

from wrangler_speed.duckdb_by_hand import BINS, NUMBERS, TEXTS


def recipe(folder: Path) -> None:
    """Twelve steps over all rows, to Parquet."""
    import pandas as pd

    df = pd.read_parquet(folder / "customers.parquet")
    df = df.dropna(subset=["segment", "signup"])
    df["region"] = df["region"].str.strip(" ").str.lower()
    df["signup"] = pd.to_datetime(df["signup"], format="%Y-%m-%d")
    df["income"] = df["income"].fillna(df["income"].median())
    mean, std = df["score"].mean(), df["score"].std()
    df["score"] = df["score"].clip(mean - 3 * std, mean + 3 * std)
    df["discount"] = df["discount"].str.extract("([0-9.]+)", expand=False)
    df["discount"] = pd.to_numeric(df["discount"])
    df["signup_year"] = df["signup"].dt.year
    df["signup_month"] = df["signup"].dt.month
    df["spend_per_visit"] = df["spend"] / df["visits"].where(df["visits"] != 0)
    df["income"] = (df["income"] - df["income"].mean()) / df["income"].std()
    for plan in ("basic", "plus", "premium"):
        df[f"plan_{plan}"] = (df["plan"] == plan).astype("int64")
    df.drop(columns=["plan"]).to_parquet(folder / "pandas.parquet", index=False)


def profile(folder: Path) -> None:
    """Every column: missing, distinct, quantiles, a histogram or the most frequent values."""
    import numpy as np
    import pandas as pd

    df = pd.read_parquet(folder / "customers.parquet")
    df[list(NUMBERS)].describe(percentiles=[0.05, 0.25, 0.5, 0.75, 0.95])
    df["last_seen"].agg(["count", "nunique", "min", "max"])
    for name in NUMBERS:
        df[name].nunique()
        np.histogram(df[name].dropna(), bins=BINS)
    for name in (*TEXTS, "active"):
        df[name].count()
        df[name].value_counts().head(10)
