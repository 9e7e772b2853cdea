"""Format string: pad, strip, change the case of, add to and remove from texts."""

from __future__ import annotations

from abc import abstractmethod

from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transform import Values
from bottega.wrangler.transforms.characters import CASED, SPACES, TITLE
from bottega.wrangler.transforms.text_step import INPUT, OUTPUT, TextStep

_OPERATOR = "sagemaker.spark.format_string_0.1"
_GROUP = "Format string"
_SYMBOLS = "!@#$%^&*()_+=-/\\`~{}|<>?"
_MISSING = "Missing text stays missing; empty text is a text like any other."
_CASE = (
    "Missing text stays missing. Each character changes by itself, so that the length stays: "
    "ß becomes ẞ, not SS."
)
_WIDTH = Parameter(
    "width",
    "integer",
    "Width",
    "In characters; longer text is cut to it.",
    required=True,
    minimum=0,
    maximum=1000,
)
_FILL = Parameter("fill_character", "text", "Fill character", "What is put there.", default=" ")


class _Format(TextStep):
    operator = _OPERATOR
    group = _GROUP
    edge_cases = _MISSING


class _Pad(_Format):
    parameters = (INPUT, _WIDTH, _FILL, OUTPUT)

    def check_values(self, values: Values) -> None:
        if len(values["fill_character"]) != 1:
            raise ParameterError(
                "fill_character",
                f"Fill character: {values['fill_character']!r} is not a single character.",
            )

    def fill(self, values: Values) -> str:
        """The character."""
        return str(values["fill_character"])


def _fills(x: str, width: int, fill: str, count: str = "") -> str:
    missing = f"greatest({width} - length({x}), 0)"
    return f"repeat({literal(fill)}, {count.format(missing) if count else missing})"


class LeftPad(_Pad):
    name = "Left pad"
    sentence = "Fills text on the left to a width."
    parameter_group = "left_pad_parameters"
    words = ("rjust", "fill", "align")

    def expression(self, x: str, values: Values) -> str:
        width = values["width"]
        return f"left({_fills(x, width, self.fill(values))} || {x}, {width})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        fill, width = code.literal(self.fill(values)), values["width"]
        return f"{x}.str.rjust({width}, fillchar={fill}).str[:{width}]"


class RightPad(_Pad):
    name = "Right pad"
    sentence = "Fills text on the right to a width."
    parameter_group = "right_pad_parameters"
    words = ("ljust", "fill", "align")

    def expression(self, x: str, values: Values) -> str:
        width = values["width"]
        return f"left({x} || {_fills(x, width, self.fill(values))}, {width})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        fill, width = code.literal(self.fill(values)), values["width"]
        return f"{x}.str.ljust({width}, fillchar={fill}).str[:{width}]"


class Center(_Pad):
    name = "Center (pad on either side)"
    sentence = "Fills text on both sides to a width."
    parameter_group = "center_pad_on_either_side_parameters"
    words = ("fill", "align", "pad")

    def expression(self, x: str, values: Values) -> str:
        width, fill = values["width"], self.fill(values)
        # Python's rule: of an odd number of characters the left side gets more in an odd width.
        left = _fills(x, width, fill, "({0}) // 2 + ({0}) % 2 * " + str(width % 2))
        right = _fills(x, width, fill, "({0}) // 2 + ({0}) % 2 * " + str(1 - width % 2))
        return f"left({left} || {x} || {right}, {width})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        fill, width = code.literal(self.fill(values)), values["width"]
        return f"{x}.str.center({width}, fillchar={fill}).str[:{width}]"


class PrependZeros(_Format):
    name = "Prepend zeros"
    sentence = "Fills text on the left with zeros to a width."
    parameter_group = "prepend_zeros_parameters"
    parameters = (INPUT, _WIDTH, OUTPUT)
    words = ("zfill", "leading")

    def expression(self, x: str, values: Values) -> str:
        width = values["width"]
        return f"left({_fills(x, width, '0')} || {x}, {width})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        width = values["width"]
        return f'{x}.str.rjust({width}, fillchar="0").str[:{width}]'


class _Strip(_Format):
    parameters = (
        INPUT,
        Parameter(
            "characters_to_remove",
            "text",
            "Characters to remove",
            "Each of these; white space when empty.",
        ),
        OUTPUT,
    )
    words = ("trim", "whitespace")

    @property
    @abstractmethod
    def function(self) -> str:
        """The engine's."""

    @property
    @abstractmethod
    def method(self) -> str:
        """That of texts in pandas."""

    def expression(self, x: str, values: Values) -> str:
        return f"{self.function}({x}, {literal(values['characters_to_remove'] or SPACES)})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        characters = values["characters_to_remove"]
        return f"{x}.str.{self.method}({code.literal(characters) if characters else ''})"


class StripLeftAndRight(_Strip):
    name = "Strip left and right"
    sentence = "Removes characters from both ends of text."
    parameter_group = "strip_left_and_right_parameters"
    function, method = "trim", "strip"


class StripLeft(_Strip):
    name = "Strip characters from left"
    sentence = "Removes characters from the beginning of text."
    parameter_group = "strip_characters_from_left_parameters"
    function, method = "ltrim", "lstrip"


class StripRight(_Strip):
    name = "Strip characters from right"
    sentence = "Removes characters from the end of text."
    parameter_group = "strip_characters_from_right_parameters"
    function, method = "rtrim", "rstrip"


class LowerCase(_Format):
    name = "Lower case"
    sentence = "Makes all letters small."
    edge_cases = _CASE
    parameter_group = "lower_case_parameters"
    words = ("lowercase", "small")

    def expression(self, x: str, values: Values) -> str:
        return f"lower({x})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.lower()"


class UpperCase(_Format):
    name = "Upper case"
    sentence = "Makes all letters capitals."
    edge_cases = _CASE
    parameter_group = "upper_case_parameters"
    words = ("uppercase", "capitals")

    def expression(self, x: str, values: Values) -> str:
        return f"upper({x})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.upper()"


class TitleCase(_Format):
    name = "Title case"
    sentence = "Makes the first letter of every word a capital, and the others small."
    edge_cases = _CASE
    parameter_group = "title_case_parameters"
    words = ("words", "capitals")

    def expression(self, x: str, values: Values) -> str:
        parts = f"regexp_extract_all({x}, {literal(f'[{CASED}]+|[^{CASED}]+')})"
        changed = f"list_transform({parts}, lambda p: upper(p[1]) || lower(p[2:]))"
        # array_to_string makes a text of no parts out of nothing, too.
        return f"CASE WHEN {x} IS NOT NULL THEN array_to_string({changed}, '') END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.title()"


class Capitalize(_Format):
    name = "Capitalize"
    sentence = "Makes the first letter a capital, and the others small."
    edge_cases = _CASE
    parameter_group = "capitalize_parameters"
    words = ("first letter",)

    def expression(self, x: str, values: Values) -> str:
        return f"upper({x}[1]) || lower({x}[2:])"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.capitalize()"


class SwapCase(_Format):
    name = "Swap case"
    sentence = "Makes small letters capitals, and capitals small."
    edge_cases = _CASE
    parameter_group = "swap_case_parameters"
    words = ("invert",)

    def expression(self, x: str, values: Values) -> str:
        swapped = (
            f"CASE WHEN regexp_matches(c, '[{TITLE}]') THEN c "
            "WHEN lower(c) <> c THEN lower(c) ELSE upper(c) END"
        )
        each = f"list_transform(string_split({x}, ''), lambda c: {swapped})"
        return f"CASE WHEN {x} IS NOT NULL THEN array_to_string({each}, '') END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.swapcase()"


class AddPrefix(_Format):
    name = "Add prefix"
    sentence = "Puts a text in front."
    parameter_group = "add_prefix_parameters"
    parameters = (
        INPUT,
        Parameter("prefix", "text", "Prefix", "What is put in front.", required=True),
        OUTPUT,
    )
    words = ("prepend",)

    def expression(self, x: str, values: Values) -> str:
        return f"{literal(values['prefix'])} || {x}"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{code.literal(values['prefix'])} + {x}"


class AddSuffix(_Format):
    name = "Add suffix"
    sentence = "Puts a text behind."
    parameter_group = "add_suffix_parameters"
    parameters = (
        INPUT,
        Parameter("suffix", "text", "Suffix", "What is put behind.", required=True),
        OUTPUT,
    )
    words = ("append",)

    def expression(self, x: str, values: Values) -> str:
        return f"{x} || {literal(values['suffix'])}"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x} + {code.literal(values['suffix'])}"


class RemoveSymbols(_Format):
    name = "Remove symbols"
    sentence = "Removes every occurrence of some characters."
    parameter_group = "remove_symbols_parameters"
    parameters = (
        INPUT,
        Parameter(
            "symbols",
            "text",
            "Symbols",
            "Each of these characters is removed.",
            default=_SYMBOLS,
        ),
        OUTPUT,
    )
    words = ("punctuation", "delete", "clean")

    def expression(self, x: str, values: Values) -> str:
        return f"translate({x}, {literal(values['symbols'] or _SYMBOLS)}, '')"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        symbols = code.literal(values["symbols"] or _SYMBOLS)
        return f'{x}.str.translate(str.maketrans("", "", {symbols}))'
