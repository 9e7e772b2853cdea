"""Flatten structured: the keys of JSON objects as columns."""

from __future__ import annotations

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Columns, Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.structured.json_text import pointer, require_json, valid_json

OPERATOR = "sagemaker.spark.handle_structured_column_0.1"
GROUP = "Handle structured column"
_MOST = 1000


class FlattenStructured(Transform):
    operator = OPERATOR
    name = "Flatten structured"
    group = GROUP
    sentence = "Makes a column of text of each key of the JSON objects in a column."
    edge_cases = (
        "Missing where the text is missing or no JSON object, or the key is absent or null. Nested "
        "objects and arrays stay JSON text. Of a key given twice the first counts."
    )
    parameter_group = "flatten_structured_parameters"
    parameters = (
        Parameter(
            "input_column",
            "column",
            "Input column",
            "The column of JSON.",
            required=True,
            types=frozenset({ColumnType.STRING}),
        ),
        Parameter(
            "keys",
            "texts",
            "Keys",
            "Which keys of the first level; all that are found when empty, at most 1,000.",
        ),
        Parameter(
            "output_column_prefix",
            "text",
            "Output column prefix",
            "What the new columns' names begin with; the column's name and _ when empty.",
        ),
        Parameter(
            "drop_input_column",
            "boolean",
            "Drop input column",
            "Whether the column of JSON goes.",
            default=False,
        ),
    )
    learns = True
    words = ("json", "object", "struct", "expand", "nested")

    def fit(self, table: Table, values: Values) -> State:
        if values["keys"]:
            return {"keys": list(dict.fromkeys(values["keys"]))}
        column = values["input_column"]
        text = valid_json(name(column))
        keys = f"CASE WHEN json_type({text}) = 'OBJECT' THEN json_keys({text}) END"
        rows = table.rows(
            escaped(f"SELECT k, count(*) FROM (SELECT unnest(list_distinct({keys})) AS k FROM ")
            + "{table}"
            # No column can have a NUL character in its name.
            + ") WHERE strpos(k, chr(0)) = 0 GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        if len(rows) > _MOST:
            raise DataError(
                f"Column {column!r} has {len(rows):,} different keys; name those that shall be "
                f"columns, {_MOST:,} at most."
            )
        return {"keys": [key for key, _ in rows]}

    def columns(self, step: Step) -> Schema:
        dropped = [step.values["input_column"]] if step.values["drop_input_column"] else []
        return step.schema.without(dropped).with_columns(
            Column(new, ColumnType.STRING) for new in self._names(step).values()
        )

    def sql(self, step: Step) -> Rendering:
        column = step.values["input_column"]
        text = valid_json(name(column))
        whole = f"CASE WHEN json_type({text}) = 'OBJECT' THEN {text} END"
        return Columns(
            {
                new: f"json_extract_string({whole}, {literal(pointer(key))})"
                for key, new in self._names(step).items()
            },
            drop=[column] if step.values["drop_input_column"] else [],
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        require_json(code)
        column, table = step.values["input_column"], code.table
        names = code.constant(f"{column} keys", self._names(step))
        code.line(
            f'objects = {code.column(column)}.map(read_json, na_action="ignore")\n'
            "objects = [\n"
            "    dict(reversed(one)) if isinstance(one, JsonObject) else {} for one in objects\n"
            "]\n"
            f"flat = pd.DataFrame(\n"
            "    {\n"
            "        new: pd.Series(\n"
            f"            [json_text(one.get(key)) for one in objects],\n"
            f'            index={table}.index, dtype="str",\n'
            "        )\n"
            f"        for key, new in {names}.items()\n"
            "    },\n"
            f"    index={table}.index,\n"
            ")"
        )
        dropped = f".drop(columns={code.literal(column)})"
        kept = dropped if step.values["drop_input_column"] else ""
        code.line(f"{table} = pd.concat([{table}{kept}, flat], axis=1)")

    def _names(self, step: Step) -> dict[str, str]:
        """The new column of every key."""
        prefix = step.values["output_column_prefix"]
        if prefix is None:
            prefix = f"{step.values['input_column']}_"
        # The engine takes names for one that differ in case only.
        used = {column.lower() for column in step.schema.names}
        found = {}
        for key in step.state["keys"]:
            wanted = new = f"{prefix}{key}".strip() or "key"
            wanted = new = new.lstrip("_") if new.startswith("__") else new
            number = 0
            while new.lower() in used or not new:
                number += 1
                new = f"{wanted}_{number}"
            used.add(new.lower())
            found[key] = new
        return found
