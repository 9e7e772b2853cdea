"""From texts to their words, in both languages."""

from __future__ import annotations

from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values
from bottega.wrangler.transforms.characters import SPACE
from bottega.wrangler.transforms.pattern import Pattern, read_pattern

_CUSTOM = ("tokenizer", ("Custom",))
PARAMETERS = (
    Parameter(
        "tokenizer",
        "choice",
        "Tokenizer",
        "Standard makes text lower case and takes what stands between white space.",
        default="Standard",
        choices=("Standard", "Custom"),
    ),
    Parameter(
        "minimum_token_length",
        "integer",
        "Minimum token length",
        "Shorter words are left out; in characters.",
        path="tokenizer_custom_parameters.minimum_token_length",
        default=1,
        minimum=1,
        maximum=1000,
        when=_CUSTOM,
    ),
    Parameter(
        "pattern",
        "text",
        "Pattern",
        "A regular expression in Python's syntax for what stands between words, or for words.",
        path="tokenizer_custom_parameters.pattern",
        default=r"\s+",
        when=_CUSTOM,
    ),
    Parameter(
        "gaps",
        "boolean",
        "Gaps",
        "Whether the pattern is what stands between words, not the words.",
        path="tokenizer_custom_parameters.gaps",
        default=True,
        when=_CUSTOM,
    ),
    Parameter(
        "lowercase_before_tokenization",
        "boolean",
        "Lowercase before tokenization",
        "Whether upper and lower case are one.",
        path="tokenizer_custom_parameters.lowercase_before_tokenization",
        default=True,
        when=_CUSTOM,
    ),
)


def check_tokenizer(values: Values) -> None:
    """Refuse a pattern that cannot split.

    Raises:
        ParameterError: says why.
    """
    if values["tokenizer"] == "Standard":
        return
    pattern = _pattern(values)
    if pattern.groups:
        raise ParameterError("pattern", "Pattern: groups mean nothing here; write (?:…) for (…).")
    if pattern.may_be_empty:
        raise ParameterError(
            "pattern",
            f"Pattern: {values['pattern']!r} matches empty text, which is everywhere; write + for "
            "*, or ask for a character.",
        )


def tokens_sql(x: str, values: Values) -> str:
    """The words of a text; none of a missing one."""
    text = f"coalesce({x}, '')"
    if values["tokenizer"] == "Standard":
        return f"regexp_extract_all(lower({text}), '[^{SPACE}]+')"
    if values["lowercase_before_tokenization"]:
        text = f"lower({text})"
    function = "regexp_split_to_array" if values["gaps"] else "regexp_extract_all"
    words = f"{function}({text}, {_pattern(values).sql})"
    return f"list_filter({words}, lambda w: length(w) >= {values['minimum_token_length']})"


def tokens_pandas(x: str, values: Values, code: PandasCode) -> str:
    """The same over a column in pandas: a column of lists."""
    text = f'{x}.fillna("")'
    if values["tokenizer"] == "Standard":
        return f"{text}.str.lower().map(str.split)"
    if values["lowercase_before_tokenization"]:
        text += ".str.lower()"
    compiled = _pattern(values).constant(code, "token pattern")
    method = "split" if values["gaps"] else "findall"
    words = f"{compiled}.{method}(text)"
    least = values["minimum_token_length"]
    return f"{text}.map(lambda text: [w for w in {words} if len(w) >= {least}])"


def _pattern(values: Values) -> Pattern:
    return read_pattern("pattern", values["pattern"])
