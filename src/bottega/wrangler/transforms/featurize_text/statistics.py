"""Character statistics: how many words and characters a text has, and of which kinds."""

from __future__ import annotations

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.characters import DIGIT, LOWER, SPACE, UPPER, WORD
from bottega.wrangler.transforms.text_step import INPUT

_PYTHON = '''
def character_statistics(text):
    """Words, characters, and the shares of kinds among the characters that are no white space."""
    dense = "".join(text.split())
    size = len(dense) or 1
    return {
        "word_count": float(len(text.split())),
        "char_count": float(len(text)),
        "special_ratio": sum(not (c.isalnum() or c == "_") for c in dense) / size,
        "digit_ratio": sum(c.isdigit() for c in dense) / size,
        "lower_ratio": sum(c.islower() for c in dense) / size,
        "capital_ratio": sum(c.isupper() for c in dense) / size,
    }
'''
_KINDS = {
    "special_ratio": f"[^{WORD}]",
    "digit_ratio": f"[{DIGIT}]",
    "lower_ratio": f"[{LOWER}]",
    "capital_ratio": f"[{UPPER}]",
}
_STATISTICS = ("word_count", "char_count", *_KINDS)


class CharacterStatistics(Transform):
    operator = "sagemaker.spark.featurize_text_0.1"
    name = "Character statistics"
    group = "Featurize text"
    sentence = (
        "Counts words and characters, and gives the shares of capitals, small letters, digits and "
        "other signs among the characters that are no white space."
    )
    edge_cases = "Missing text gives missing numbers; text without characters gives 0."
    parameter_group = "character_statistics_parameters"
    parameters = (
        INPUT,
        Parameter(
            "output_column_prefix",
            "text",
            "Output column prefix",
            "What the new columns' names begin with, before _word_count and so on; the column's "
            "name and -stats when empty. For one column only.",
        ),
    )
    words = ("length", "count", "ratio", "capital")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if values["output_column_prefix"] and len(values["input_column"]) > 1:
            raise ParameterError(
                "output_column_prefix",
                "Output column prefix: several columns cannot have one; leave it empty.",
            )

    def columns(self, step: Step) -> Schema:
        return step.schema.with_columns(
            Column(new, ColumnType.FLOAT)
            for column in step.values["input_column"]
            for new in self._names(step, column).values()
        )

    def sql(self, step: Step) -> Rendering:
        found = {}
        for column in step.values["input_column"]:
            names, x = self._names(step, column), name(column)
            found[names["word_count"]] = f"len(regexp_extract_all({x}, '[^{SPACE}]+'))::DOUBLE"
            found[names["char_count"]] = f"length({x})::DOUBLE"
            dense = f"regexp_replace({x}, '[{SPACE}]+', '', 'g')"
            for kind, characters in _KINDS.items():
                rest = f"regexp_replace({dense}, '{characters}+', '', 'g')"
                count = f"(length({dense}) - length({rest}))"
                found[names[kind]] = f"{count}::DOUBLE / greatest(length({dense}), 1)"
        return Columns(found)

    def pandas(self, step: Step, code: PandasCode) -> None:
        code.function("character_statistics", _PYTHON)
        for column in step.values["input_column"]:
            code.line(
                f'found = {code.column(column)}.map(character_statistics, na_action="ignore")\n'
                f"for statistic, new in {code.literal(self._names(step, column))}.items():\n"
                f"    {code.table}[new] = [\n"
                "        one[statistic] if isinstance(one, dict) else float('nan')\n"
                "        for one in found\n"
                "    ]\n"
                f'    {code.table}[new] = {code.table}[new].astype("float64")'
            )

    def _names(self, step: Step, column: str) -> dict[str, str]:
        prefix = step.values["output_column_prefix"] or f"{column}-stats"
        return {one: step.schema.free_name(f"{prefix}_{one}") for one in _STATISTICS}
