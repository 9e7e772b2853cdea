"""A kernel that reads the plainest CSV there is: numbers in decimal notation and commas.

It gives what ``float`` and a conversion to ``float32`` give, or nothing: where it cannot be certain
of the last bit, and for whatever else a CSV may hold, the way in Python reads the text.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

_BYTES = "Array(uint8, 1, 'C', readonly=True)"
_COMMA, _NEWLINE, _RETURN = 0x2C, 0x0A, 0x0D
_MINUS, _PLUS, _POINT, _ZERO, _NINE = 0x2D, 0x2B, 0x2E, 0x30, 0x39
_MOST_DIGITS = 18
"""Significant digits that fit into an integer of 64 bits; further ones change less than the error
that is allowed for."""
_EXACT_INTEGER, _EXACT_POWER = 1 << 53, 22
"""Integers and powers of ten that a double holds exactly: one operation on them is rounded as
``float`` rounds."""
_MOST_POWER = 280
_POWERS = np.array([float(f"1e{power}") for power in range(_MOST_POWER + 1)])
_DOUBT = 8 * 2.0**-53
"""Relative: the conversion, the power and the operation are each wrong by 2**-53 at most."""
_LARGEST = float(np.finfo(np.float32).max)


@kernel(f"int64({_BYTES}, int64, float64[::1], float32[::1])", fastmath=False)
def read_numbers(data: Any, width: int, powers: Any, out: Any) -> int:
    """Read rows of numbers.

    Args:
        data: the text: numbers, commas between them, line feeds between rows. Empty lines are
            passed over.
        width: how many numbers a row has.
        powers: of ten, :data:`_POWERS`.
        out: gets the numbers, row after row; half as many as the text has bytes are room enough.

    Returns:
        How many rows there are; -1 where the text is not so plain, a row has another width, or the
        last bit of a number is in doubt.
    """
    at, size = 0, data.size
    filled, rows, columns = 0, 0, 0
    while at < size:
        byte = data[at]
        if columns == 0 and byte in (_NEWLINE, _RETURN):
            at += 1
            continue
        negative = byte == _MINUS
        if negative or byte == _PLUS:
            at += 1
        digits, seen, shift = np.uint64(0), 0, 0
        any_digit = False
        while at < size and _ZERO <= data[at] <= _NINE:
            any_digit = True
            if seen < _MOST_DIGITS:
                digits = digits * np.uint64(10) + np.uint64(data[at] - _ZERO)
                seen += int(digits > 0)
            else:
                shift += 1
            at += 1
        if at < size and data[at] == _POINT:
            at += 1
            while at < size and _ZERO <= data[at] <= _NINE:
                any_digit = True
                if seen < _MOST_DIGITS:
                    digits = digits * np.uint64(10) + np.uint64(data[at] - _ZERO)
                    seen += int(digits > 0)
                    shift -= 1
                at += 1
        if not any_digit:
            return -1
        if at < size and (data[at] | 0x20) == 0x65:  # e or E
            at += 1
            below = at < size and data[at] == _MINUS
            if at < size and (data[at] == _MINUS or data[at] == _PLUS):
                at += 1
            power, begun = 0, at
            while at < size and _ZERO <= data[at] <= _NINE and at - begun < 4:
                power = power * 10 + (data[at] - _ZERO)
                at += 1
            if at == begun:
                return -1
            shift += -power if below else power
        if not -_MOST_POWER <= shift <= _MOST_POWER:
            return -1
        number = float(digits)
        number = number * powers[shift] if shift >= 0 else number / powers[-shift]
        found = np.float32(number)
        if digits > _EXACT_INTEGER or abs(shift) > _EXACT_POWER:
            low, high = number * (1.0 - _DOUBT), number * (1.0 + _DOUBT)
            if np.float32(low) != np.float32(high):
                return -1
        if number > _LARGEST:
            return -1
        out[filled] = -found if negative else found
        filled += 1
        columns += 1
        if at < size and data[at] == _RETURN:
            at += 1
            if at < size and data[at] != _NEWLINE:
                return -1
        if at == size or data[at] == _NEWLINE:
            if columns != width:
                return -1
            rows += 1
            columns = 0
        elif data[at] != _COMMA or at + 1 == size:
            return -1
        at += 1
    return rows if columns == 0 else -1


def numbers(body: bytes, width: int) -> Any:
    """The rows of a plain CSV text as a ``float32`` array; None where Python has to read it."""
    out = np.empty(len(body) // 2 + 1, np.float32)
    rows = read_numbers(np.frombuffer(body, np.uint8), width, _POWERS, out)
    return out[: rows * width].reshape(rows, width) if rows > 0 else None
