"""Validate string: 1 where a text is of a kind, and 0 where it is not."""

from __future__ import annotations

from abc import abstractmethod

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transform import Values
from bottega.wrangler.transforms.characters import (
    ALNUM,
    ALPHA,
    DECIMAL,
    DIGIT,
    LOWER,
    NUMERIC,
    SPACE,
    TITLE,
    UPPER,
)
from bottega.wrangler.transforms.text_step import INPUT, OUTPUT, TextStep


class _Validate(TextStep):
    operator = "sagemaker.spark.validate_string_0.1"
    group = "Validate string"
    edge_cases = "The result is 1 or 0; missing where the text is missing. Empty text gives 0."
    result = ColumnType.LONG

    @abstractmethod
    def truth(self, x: str, values: Values) -> str:
        """The engine's condition."""

    def expression(self, x: str, values: Values) -> str:
        return f"({self.truth(x, values)})::BIGINT"

    @abstractmethod
    def checked(self, x: str, values: Values, code: PandasCode) -> str:
        """A column of booleans in pandas, whatever stands for the missing ones."""

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f'{self.checked(x, values, code)}.astype("Int64").where({x}.notna())'


class StringLength(_Validate):
    name = "String length"
    sentence = "Whether text has a length."
    edge_cases = "The result is 1 or 0; missing where the text is missing. Counts characters."
    parameter_group = "string_length_parameters"
    parameters = (
        INPUT,
        Parameter(
            "length", "integer", "Length", "In characters.", required=True, minimum=0, maximum=1e9
        ),
        OUTPUT,
    )
    words = ("len", "characters")

    def truth(self, x: str, values: Values) -> str:
        return f"length({x}) = {values['length']}"

    def checked(self, x: str, values: Values, code: PandasCode) -> str:
        return f"({x}.str.len() == {values['length']})"


class StartsWith(_Validate):
    name = "Starts with"
    sentence = "Whether text begins with another."
    edge_cases = "The result is 1 or 0; missing where the text is missing. Case matters."
    parameter_group = "starts_with_parameters"
    parameters = (
        INPUT,
        Parameter("prefix", "text", "Prefix", "What it begins with.", required=True),
        OUTPUT,
    )
    words = ("prefix", "begins")

    def truth(self, x: str, values: Values) -> str:
        return f"starts_with({x}, {literal(values['prefix'])})"

    def checked(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.startswith({code.literal(values['prefix'])})"


class EndsWith(_Validate):
    name = "Ends with"
    sentence = "Whether text ends with another."
    edge_cases = "The result is 1 or 0; missing where the text is missing. Case matters."
    parameter_group = "ends_with_parameters"
    parameters = (
        INPUT,
        Parameter("suffix", "text", "Suffix", "What it ends with.", required=True),
        OUTPUT,
    )
    words = ("suffix",)

    def truth(self, x: str, values: Values) -> str:
        return f"suffix({x}, {literal(values['suffix'])})"

    def checked(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.endswith({code.literal(values['suffix'])})"


class _Kind(_Validate):
    characters: str = ""
    """The inside of a class, all of whose characters pass."""

    @property
    @abstractmethod
    def method(self) -> str:
        """The method of Python's ``str`` that judges the same."""

    def truth(self, x: str, values: Values) -> str:
        return f"regexp_full_match({x}, '[{self.characters}]+')"

    def checked(self, x: str, values: Values, code: PandasCode) -> str:
        # Python's own methods: those of pandas' texts differ with what it is installed with.
        return f'{x}.map(str.{self.method}, na_action="ignore")'


class IsAlphanumeric(_Kind):
    name = "Is alphanumeric"
    sentence = "Whether all characters are letters or digits."
    parameter_group = "is_alphanumeric_parameters"
    characters, method = ALNUM, "isalnum"


class IsAlpha(_Kind):
    name = "Is alpha"
    sentence = "Whether all characters are letters."
    parameter_group = "is_alpha_parameters"
    characters, method = ALPHA, "isalpha"
    words = ("letters",)


class IsDigit(_Kind):
    name = "Is digit"
    sentence = "Whether all characters are digits, superscript ones included."
    parameter_group = "is_digit_parameters"
    characters, method = DIGIT, "isdigit"


class IsSpace(_Kind):
    name = "Is space"
    sentence = "Whether all characters are white space."
    parameter_group = "is_space_parameters"
    characters, method = SPACE, "isspace"
    words = ("whitespace", "blank")


class IsTitle(_Kind):
    name = "Is title"
    sentence = "Whether every word begins with a capital and goes on in small letters."
    parameter_group = "is_title_parameters"
    method = "istitle"

    def truth(self, x: str, values: Values) -> str:
        capital, other = f"[{UPPER}{TITLE}]", f"[^{UPPER}{TITLE}{LOWER}]"
        word = f"{capital}[{LOWER}]*"
        whole = f"{other}*{word}(?:{other}+{word})*{other}*"
        return f"regexp_full_match({x}, '{whole}')"


class IsLowercase(_Kind):
    name = "Is lowercase"
    sentence = "Whether there are small letters and no capitals."
    parameter_group = "is_lowercase_parameters"
    method = "islower"

    def truth(self, x: str, values: Values) -> str:
        others = f"[^{UPPER}{TITLE}]*"
        return f"regexp_full_match({x}, '{others}[{LOWER}]{others}')"


class IsUppercase(_Kind):
    name = "Is uppercase"
    sentence = "Whether there are capitals and no small letters."
    parameter_group = "is_uppercase_parameters"
    method = "isupper"

    def truth(self, x: str, values: Values) -> str:
        others = f"[^{LOWER}{TITLE}]*"
        return f"regexp_full_match({x}, '{others}[{UPPER}]{others}')"


class IsNumeric(_Kind):
    name = "Is numeric"
    sentence = "Whether all characters are numerals, fractions and Chinese ones included."
    parameter_group = "is_numeric_parameters"
    characters, method = NUMERIC, "isnumeric"


class IsDecimal(_Kind):
    name = "Is decimal"
    sentence = "Whether all characters are decimal digits."
    parameter_group = "is_decimal_parameters"
    characters, method = DECIMAL, "isdecimal"
    words = ("digits",)
