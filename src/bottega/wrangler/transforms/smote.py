"""SMOTE: new rows between neighbours of a rare class.

The function is what the engine runs and, word for word, what an exported program has.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def smote(
    df: pd.DataFrame, target: str, features: list[str], ratio: float, neighbors: int, seed: int
) -> pd.DataFrame:
    """Add rows to rare classes until each has a share of the rows of the most frequent one.

    A new row lies between a row of its class and one of that row's nearest neighbors there, at
    random. Columns that are no features are copied from the row. Rows in which a feature is missing
    or infinite are passed over.
    """
    from sklearn.neighbors import NearestNeighbors

    generator = np.random.default_rng(seed)
    values = df[features].to_numpy("float64", na_value=np.nan)
    usable = np.isfinite(values).all(axis=1)
    classes, names = pd.factorize(df[target])
    counts = np.bincount(classes[classes >= 0])
    wanted = np.ceil(ratio * counts.max(initial=0)).astype(int) - counts
    parts = [df]
    for number in np.flatnonzero(wanted > 0):
        rows = np.flatnonzero((classes == number) & usable)
        if len(rows) < 2:
            raise ValueError(
                f"Column {target!r} has {len(rows)} rows of class {names[number]} without missing "
                "or infinite features; new rows need two. Fill missing values, or oversample."
            )
        nearest = min(neighbors, len(rows) - 1)
        model = NearestNeighbors(n_neighbors=nearest).fit(values[rows])
        near = model.kneighbors(return_distance=False)
        first = generator.integers(len(rows), size=wanted[number])
        second = near[first, generator.integers(nearest, size=len(first))]
        weight = generator.random((len(first), 1))
        here, there = values[rows[first]], values[rows[second]]
        new = df.iloc[rows[first]].copy()
        for column, numbers in zip(features, (here + weight * (there - here)).T, strict=True):
            whole = pd.api.types.is_integer_dtype(df[column].dtype)
            new[column] = pd.array(np.round(numbers) if whole else numbers, dtype=df[column].dtype)
        parts.append(new)
    return pd.concat(parts, ignore_index=True)
