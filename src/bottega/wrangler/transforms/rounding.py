"""Rounding, the same in both languages: to the nearest, halves go away from zero."""

from __future__ import annotations

from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sql_text import literal


def round_sql(number: str, decimals: int, method: str = "Nearest") -> str:
    """A DOUBLE rounded to decimals: ``Nearest``, ``Down`` or ``Up``."""
    scaled, back = _scaled(decimals, number)
    match method:
        case "Nearest":
            # Beyond 2^52 every number is whole; scaling it could only go wrong.
            absolute = f"floor({scaled.replace(number, f'abs({number})', 1)} + 0.5)"
            result = f"CASE WHEN {number} < 0 THEN -{absolute} ELSE {absolute} END"
        case "Down":
            result = f"floor({scaled})"
        case _:
            result = f"ceil({scaled})"
    if decimals < 0:
        return f"({result}) {back}"
    return f"CASE WHEN abs({scaled}) < 4503599627370496 THEN ({result}) {back} ELSE {number} END"


def round_pandas(number: str, decimals: int, method: str, code: PandasCode) -> str:
    """The same as pandas code."""
    code.require("import numpy as np")
    return f"{code.function('round_to', _ROUND)}({number}, {decimals}, {code.literal(method)})"


def _scaled(decimals: int, number: str) -> tuple[str, str]:
    factor = literal(float(10 ** abs(decimals)))
    if decimals < 0:
        return f"{number} / {factor}", f"* {factor}"
    return f"{number} * {factor}", f"/ {factor}"


_ROUND = '''
def round_to(numbers, decimals, method):
    """Rounded numbers; to the nearest, halves go away from zero."""
    factor = 10.0 ** abs(decimals)
    scaled = numbers * factor if decimals >= 0 else numbers / factor
    if method == "Down":
        rounded = np.floor(scaled)
    elif method == "Up":
        rounded = np.ceil(scaled)
    else:
        rounded = np.sign(scaled) * np.floor(scaled.abs() + 0.5)
    if decimals < 0:
        return rounded * factor
    # Beyond 2^52 every number is whole; scaling it could only go wrong.
    return (rounded / factor).where(scaled.abs() < 2**52, numbers)
'''
