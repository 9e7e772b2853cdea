"""The straight line between two values, as pandas draws it."""

from __future__ import annotations


def between(before: str, after: str, place: str, first: str, last: str) -> str:
    """SQL for a value on the line between two.

    Args:
        before: the value at ``first``; missing where there is none.
        after: the value at ``last``.
        place: where the value is wanted.
        first: the place of ``before``.
        last: the place of ``after``.
    """
    one, other = f"{before}::DOUBLE", f"{after}::DOUBLE"
    return (
        f"CASE WHEN {before} IS NULL OR {after} IS NULL THEN NULL "
        f"WHEN {before} = {after} THEN {one} "
        f"WHEN isfinite({one}) AND isfinite({other}) THEN "
        f"({other} - {one}) / ({last} - {first}) * ({place} - {first}) + {one} "
        f"WHEN isfinite({one}) THEN {other} WHEN isfinite({other}) THEN {one} END"
    )
