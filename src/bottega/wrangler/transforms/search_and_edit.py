"""Search and edit: find, extract, replace and split within texts."""

from __future__ import annotations

import re

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transform import Values
from bottega.wrangler.transforms.characters import SPACE
from bottega.wrangler.transforms.pattern import Pattern, quoted, read_pattern
from bottega.wrangler.transforms.text_step import INPUT, OUTPUT, TextStep, needs

_SYNTAX = (
    "A regular expression in Python's syntax, without lookaround and references to groups; $ is "
    "the end of the text, and \\b knows ASCII letters only."
)
_PATTERN = Parameter("pattern", "text", "Pattern", _SYNTAX, required=True)
_CASE_SENSITIVE = Parameter(
    "case_sensitive", "boolean", "Case sensitive", "Whether A and a differ.", default=True
)
_LONGEST = 1_000_000


def _place(name: str, label: str, sentence: str, **more: object) -> Parameter:
    return Parameter(name, "integer", label, sentence, minimum=0, maximum=_LONGEST, **more)  # type: ignore[arg-type]


_REPLACEMENT = Parameter(
    "replacement",
    "text",
    "Replacement string",
    "What is put there; nothing when empty.",
    default="",
)
_LEFT = Parameter("left_delimiter", "text", "Left delimiter", "The text before.", required=True)
_RIGHT = Parameter("right_delimiter", "text", "Right delimiter", "The text behind.", required=True)


class _Search(TextStep):
    operator = "sagemaker.spark.search_and_edit_0.1"
    group = "Search and edit"
    edge_cases = "Missing text stays missing; empty text is a text like any other."


def _pattern(values: Values) -> Pattern:
    return read_pattern("pattern", values["pattern"], not values.get("case_sensitive", True))


def _refuse_groups(pattern: Pattern) -> None:
    if pattern.groups:
        raise ParameterError("pattern", "Pattern: groups mean nothing here; write (?:…) for (…).")


def _refuse_empty(pattern: Pattern) -> None:
    if pattern.may_be_empty:
        raise ParameterError(
            "pattern",
            f"Pattern: {pattern.python!r} matches empty text, which is everywhere; write + for * "
            "or ask for a character.",
        )


class _Find(_Search):
    edge_cases = (
        "Counts characters from 0; -1 where the substring is not there, missing where the text is."
    )
    result = ColumnType.LONG
    parameters = (
        INPUT,
        Parameter("substring", "text", "Substring", "What is looked for.", required=True),
        _place("start", "Start", "Where to begin, from 0.", default=0),
        _place("end", "End", "Where to end, not included; the text's end when empty."),
        OUTPUT,
    )
    words = ("index", "position", "locate")

    def check_values(self, values: Values) -> None:
        needs(values, "substring", "Substring")

    def part(self, x: str, values: Values) -> str:
        """The engine's expression of the part that is searched."""
        end = values["end"]
        if not values["start"] and end is None:
            return x
        length = "" if end is None else f", {max(end - values['start'], 0)}"
        return f"substring({x}, {values['start'] + 1}{length})"

    def arguments(self, values: Values, code: PandasCode) -> str:
        """Those of pandas' methods."""
        listed = [code.literal(values["substring"])]
        if values["start"] or values["end"] is not None:
            listed.append(str(values["start"]))
        if values["end"] is not None:
            listed.append(str(values["end"]))
        return ", ".join(listed)


class FindSubstring(_Find):
    name = "Find substring"
    sentence = "Gives the place where a text first occurs."
    parameter_group = "find_substring_parameters"

    def expression(self, x: str, values: Values) -> str:
        found = f"strpos({self.part(x, values)}, {literal(values['substring'])})"
        return f"CASE WHEN {found} = 0 THEN -1 ELSE {found} + {values['start'] - 1} END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        arguments = self.arguments(values, code)
        return f'{x}.map(lambda text: text.find({arguments}), na_action="ignore").astype("Int64")'


class FindSubstringFromRight(_Find):
    name = "Find substring (from right)"
    sentence = "Gives the place where a text last occurs."
    parameter_group = "find_substring_from_right_parameters"

    def expression(self, x: str, values: Values) -> str:
        part, wanted = self.part(x, values), values["substring"]
        # The longest beginning that the substring follows.
        before = literal(rf"(?s)\A(.*){quoted(wanted)}")
        found = f"length(regexp_extract({part}, {before}, 1)) + {values['start']}"
        there = f"contains({part}, {literal(wanted)})"
        return f"CASE WHEN {there} THEN {found} WHEN {x} IS NOT NULL THEN -1 END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        arguments = self.arguments(values, code)
        return f'{x}.map(lambda text: text.rfind({arguments}), na_action="ignore").astype("Int64")'


class MatchesPrefix(_Search):
    name = "Matches prefix"
    sentence = "Whether text begins with what a pattern describes."
    edge_cases = "True or false; missing where the text is missing."
    result = ColumnType.BOOLEAN
    parameter_group = "matches_prefix_parameters"
    parameters = (INPUT, _PATTERN, _CASE_SENSITIVE, OUTPUT)
    words = ("regex", "starts with", "match")

    def check_values(self, values: Values) -> None:
        _pattern(values)

    def expression(self, x: str, values: Values) -> str:
        beginning = literal(rf"\A(?:{_pattern(values).re2})")
        return f"regexp_matches({x}, {beginning})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        matched = _pattern(values).call(code, "prefix", "match")
        test = f"lambda text: {matched} is not None"
        return f'{x}.map({test}, na_action="ignore").astype("boolean")'


class FindAllOccurrences(_Search):
    name = "Find all occurrences"
    sentence = "Gives an array of all that a pattern matches."
    edge_cases = "An empty array where nothing matches; missing where the text is missing."
    result = ColumnType.ARRAY
    parameter_group = "find_all_occurrences_parameters"
    parameters = (INPUT, _PATTERN, _CASE_SENSITIVE, OUTPUT)
    words = ("regex", "findall")

    def check_values(self, values: Values) -> None:
        pattern = _pattern(values)
        _refuse_groups(pattern)
        _refuse_empty(pattern)

    def expression(self, x: str, values: Values) -> str:
        return f"regexp_extract_all({x}, {_pattern(values).sql})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f"{x}.str.findall({_pattern(values).constant(code, 'pattern')})"


class ExtractUsingRegex(_Search):
    name = "Extract using regex"
    sentence = "Gives what the first group of a pattern matches, or the whole pattern."
    edge_cases = "Missing where the pattern does not match, or matches nothing but empty text."
    parameter_group = "extract_using_regex_parameters"
    parameters = (INPUT, _PATTERN, _CASE_SENSITIVE, OUTPUT)
    words = ("regular expression", "parse", "number")

    def check_values(self, values: Values) -> None:
        _pattern(values)

    def expression(self, x: str, values: Values) -> str:
        pattern = _pattern(values)
        return f"nullif(regexp_extract({x}, {pattern.sql}, {min(pattern.groups, 1)}), '')"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        pattern = _pattern(values)
        flags = ", flags=re.IGNORECASE" if pattern.ignore_case else ""
        if flags:
            code.require("import re")
        text = _with_one_group(pattern)
        extracted = f"{x}.str.extract({code.constant('pattern', text)}{flags}, expand=True)[0]"
        if pattern.groups <= 1:
            extracted = extracted.replace("expand=True)[0]", "expand=False)")
        if pattern.group_may_be_empty:
            extracted += '.replace("", None)'
        return extracted


def _with_one_group(pattern: Pattern) -> str:
    """The expression with the group that pandas' ``extract`` needs."""
    if pattern.groups:
        return pattern.python
    flags = re.match(r"\(\?[ims]+\)", pattern.python)  # which must stay in front
    front = flags[0] if flags else ""
    return f"{front}({pattern.python[len(front) :]})"


class ExtractBetweenDelimiters(_Search):
    name = "Extract between delimiters"
    sentence = "Gives what stands between a text and the next occurrence of another."
    edge_cases = "Missing where the delimiters are not there, or the text is missing."
    parameter_group = "extract_between_delimiters_parameters"
    parameters = (INPUT, _LEFT, _RIGHT, OUTPUT)
    words = ("brackets",)

    def check_values(self, values: Values) -> None:
        needs(values, "left_delimiter", "Left delimiter")
        needs(values, "right_delimiter", "Right delimiter")

    def expression(self, x: str, values: Values) -> str:
        left, right = quoted(values["left_delimiter"]), quoted(values["right_delimiter"])
        pattern = literal(f"(?s){left}(.*?){right}")
        return (
            f"CASE WHEN regexp_matches({x}, {pattern}) THEN regexp_extract({x}, {pattern}, 1) END"
        )

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        left, right = re.escape(values["left_delimiter"]), re.escape(values["right_delimiter"])
        return f"{x}.str.extract({code.literal(f'(?s){left}(.*?){right}')}, expand=False)"


class ExtractFromPosition(_Search):
    name = "Extract from position"
    sentence = "Gives some characters from a place on."
    parameter_group = "extract_from_position_parameters"
    parameters = (
        INPUT,
        _place("start_position", "Start position", "The first character, from 0.", default=0),
        _place("length", "Length", "How many characters.", required=True),
        OUTPUT,
    )
    words = ("slice", "substring", "left", "mid")

    def expression(self, x: str, values: Values) -> str:
        return f"substring({x}, {values['start_position'] + 1}, {values['length']})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        start = values["start_position"]
        return f"{x}.str[{start or ''}:{start + values['length']}]"


class FindAndReplaceSubstring(_Search):
    name = "Find and replace substring"
    sentence = "Replaces everything that a pattern matches."
    parameter_group = "find_and_replace_substring_parameters"
    parameters = (
        INPUT,
        _PATTERN,
        Parameter(
            "replacement",
            "text",
            "Replacement string",
            "What is put there; nothing when empty. \\1 is what the first group matches, \\0 all.",
            default="",
        ),
        _CASE_SENSITIVE,
        OUTPUT,
    )
    words = ("regex", "sub", "substitute")

    def check_values(self, values: Values) -> None:
        pattern = _pattern(values)
        _refuse_empty(pattern)
        for number in re.findall(r"\\([0-9])", values["replacement"]):
            if int(number) > pattern.groups:
                raise ParameterError(
                    "replacement",
                    f"Replacement string: \\{number} names a group that the pattern "
                    f"{values['pattern']!r} does not have.",
                )

    def expression(self, x: str, values: Values) -> str:
        new = _replacement(values["replacement"], r"\{}")
        return f"regexp_replace({x}, {_pattern(values).sql}, {literal(new)}, 'g')"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        new = code.literal(_replacement(values["replacement"], r"\g<{}>"))
        compiled = _pattern(values).constant(code, "pattern")
        return f"{x}.str.replace({compiled}, {new}, regex=True)"


def _replacement(text: str, reference: str = "") -> str:
    r"""A replacement with the references of a language; any other backslash is doubled."""
    if not reference:
        return text.replace("\\", r"\\")
    return re.sub(
        r"\\([0-9]?)", lambda match: reference.format(match[1]) if match[1] else r"\\", text
    )


class ReplaceBetweenDelimiters(_Search):
    name = "Replace between delimiters"
    sentence = "Replaces what stands between the first of a text and the last of another."
    edge_cases = "Text without the delimiters stays as it is, and missing text missing."
    parameter_group = "replace_between_delimiters_parameters"
    parameters = (INPUT, _LEFT, _RIGHT, _REPLACEMENT, OUTPUT)
    words = ("brackets",)

    def check_values(self, values: Values) -> None:
        needs(values, "left_delimiter", "Left delimiter")
        needs(values, "right_delimiter", "Right delimiter")

    def expression(self, x: str, values: Values) -> str:
        left, right = quoted(values["left_delimiter"]), quoted(values["right_delimiter"])
        pattern = literal(f"(?s)({left}).*({right})")
        new = literal(rf"\1{_replacement(values['replacement'])}\2")
        return f"regexp_replace({x}, {pattern}, {new})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        code.require("import re")
        left, right = re.escape(values["left_delimiter"]), re.escape(values["right_delimiter"])
        pattern = code.literal(f"(?s)({left}).*({right})")
        new = code.literal(rf"\g<1>{_replacement(values['replacement'])}\g<2>")
        return f"{x}.str.replace(re.compile({pattern}), {new}, n=1, regex=True)"


class ReplaceFromPosition(_Search):
    name = "Replace from position"
    sentence = "Replaces some characters from a place on."
    parameter_group = "replace_from_position_parameters"
    edge_cases = (
        "Missing text stays missing. Where text ends before the place, the replacement is added."
    )
    parameters = (
        INPUT,
        _place("start_position", "Start position", "The first character, from 0.", default=0),
        _place("length", "Length", "How many characters are replaced.", required=True),
        _REPLACEMENT,
        OUTPUT,
    )
    words = ("slice", "mask")

    def expression(self, x: str, values: Values) -> str:
        start = values["start_position"]
        rest = f"substring({x}, {start + values['length'] + 1})"
        return f"left({x}, {start}) || {literal(values['replacement'])} || {rest}"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        start = values["start_position"]
        rest = f"{x}.str[{start + values['length']}:]"
        return f"{x}.str[:{start}] + {code.literal(values['replacement'])} + {rest}"


class ConvertRegexToMissing(_Search):
    name = "Convert regex to missing"
    sentence = "Makes text missing that a pattern matches as a whole."
    edge_cases = "Missing text stays missing; empty text goes when the pattern matches it."
    parameter_group = "convert_regex_to_missing_parameters"
    parameters = (INPUT, _PATTERN, _CASE_SENSITIVE, OUTPUT)
    words = ("null", "NaN", "disguised", "unknown")

    def check_values(self, values: Values) -> None:
        _pattern(values)

    def expression(self, x: str, values: Values) -> str:
        whole = literal(rf"\A(?:{_pattern(values).re2})\z")
        return f"CASE WHEN NOT regexp_matches({x}, {whole}) THEN {x} END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        matched = _pattern(values).call(code, "missing pattern", "fullmatch")
        kept = f"lambda text: None if {matched} else text"
        return f'{x}.map({kept}, na_action="ignore").astype("str")'


class SplitStringByDelimiter(_Search):
    name = "Split string by delimiter"
    sentence = "Gives an array of the parts between the occurrences of a text."
    edge_cases = (
        "Missing where the text is missing. Empty text gives an array of one empty text, or, split "
        "at white space, an empty array."
    )
    result = ColumnType.ARRAY
    parameter_group = "split_string_by_delimiter_parameters"
    parameters = (
        INPUT,
        Parameter(
            "delimiter",
            "text",
            "Delimiter",
            "What stands between the parts; white space if empty.",
        ),
        Parameter(
            "max_splits",
            "integer",
            "Max number of splits",
            "The last part is the rest; no limit when empty.",
            minimum=1,
            maximum=1000,
        ),
        OUTPUT,
    )
    words = ("array", "tokens", "list")

    def expression(self, x: str, values: Values) -> str:
        delimiter, most = values["delimiter"], values["max_splits"]
        if delimiter:
            parts = f"string_split({x}, {literal(delimiter)})"
            rest = f"array_to_string({parts}[{(most or 0) + 1}:], {literal(delimiter)})"
        else:
            gap, word = f"[{SPACE}]", f"[^{SPACE}]"
            # Words rather than gaps, so that white space around them leaves no empty parts.
            parts = f"regexp_extract_all({x}, {literal(f'{word}+')})"
            front = literal(rf"\A{gap}*(?:{word}+{gap}+){{{most},{most}}}")
            rest = f"regexp_replace({x}, {front}, '')"
        if most is None:
            return parts
        limited = f"list_append({parts}[:{most}], {rest})"
        return f"CASE WHEN len({parts}) > {most} THEN {limited} ELSE {parts} END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        delimiter, most = values["delimiter"], values["max_splits"]
        arguments = [code.literal(delimiter)] if delimiter else []
        if most is not None:
            arguments += ([] if delimiter else ["None"]) + [str(most)]
        split = f"lambda text: text.split({', '.join(arguments)})"
        return f'{x}.map({split}, na_action="ignore")'
