"""JSON in text columns, read alike by the engine and by Python.

JSON is what RFC 8259 says: no NaN or Infinity, and no comma before a closing bracket, both of which
the engine would take, and Python some. The text of a value is that of a text itself; of a number
its shortest form (``1e5`` is ``100000.0``); of an object or array its JSON without white space. Of
a key that an object has twice the first counts.
"""

from __future__ import annotations

from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sql_text import literal

_STRINGS = literal(r'"(?:[^"\\]|\\.)*"')
_LENIENT = literal(r"(?i)nan|inf|,\s*[\]}]")
_PYTHON = '''
class JsonNumber(str):
    """A number of JSON as its text, in its shortest form."""

    def __new__(cls, text):
        if not set(text) & set(".eE"):
            return super().__new__(cls, "0" if text == "-0" else text)
        value = float(text)
        if math.isinf(value):
            return super().__new__(cls, text)
        sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
        shown = "".join(map(str, digits))
        point = len(shown) + exponent
        if value == 0:
            shown = "0.0"
        elif not -6 < point <= 21:
            shown = shown[0] + ("." + shown[1:] if shown[1:] else "") + f"e{point - 1}"
        elif point <= 0:
            shown = "0." + "0" * -point + shown
        else:
            shown = shown.ljust(point, "0")
            shown = shown[:point] + "." + (shown[point:] or "0")
        return super().__new__(cls, "-" * sign + shown)


class JsonObject(list):
    """The pairs of an object, as a key may come twice."""


def no_json(text):
    raise ValueError(text)


def read_json(text):
    """A value of JSON, numbers as their text; None when the text is no JSON."""
    try:
        text.encode()
        value = json.loads(
            text,
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=no_json,
            object_pairs_hook=JsonObject,
        )
        json_text(value, True).encode()  # half a surrogate pair is no character
    except ValueError:
        return None
    return value


def json_text(value, inside=False):
    """The text of a value; None for null."""
    if value is None:
        return "null" if inside else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, JsonObject):
        pairs = (f"{json_text(str(key), True)}:{json_text(item, True)}" for key, item in value)
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_text(item, True) for item in value) + "]"
    if isinstance(value, JsonNumber) or not inside:
        return str(value)
    short = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\\\"}
    escapes = {code: f"\\\\u{code:04X}" for code in range(32)}
    escapes |= {code: "\\\\" + letter for code, letter in short.items()}
    return '"' + value.translate(escapes) + '"'
'''


def valid_json(x: str) -> str:
    """The engine's expression of a text that is JSON; NULL where it is not."""
    # Nothing that the engine is lenient with may be left when every text is a 0: in texts it may.
    bare = f"regexp_replace({x}, {_STRINGS}, '0', 'g')"
    return f"CASE WHEN json_valid({x}) AND NOT regexp_matches({bare}, {_LENIENT}) THEN {x} END"


def require_json(code: PandasCode) -> None:
    """Put ``read_json`` and ``json_text`` into the exported program."""
    code.require("import json")
    code.require("import math")
    code.require("from decimal import Decimal")
    code.function("read_json", _PYTHON)


def pointer(key: str) -> str:
    """The path of a key, as RFC 6901 has it: any text can be a key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
