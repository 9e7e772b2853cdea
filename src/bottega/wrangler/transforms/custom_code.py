"""Custom code in Python: on the table, or a function of a column."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import (
    InMemory,
    Rendering,
    State,
    Step,
    Table,
    Transform,
    Values,
)
from bottega.wrangler.transforms.learnt_columns import (
    learnt,
    learnt_schema,
    refuse_names,
    write_types,
)
from bottega.wrangler.transforms.query_sql import clash
from bottega.wrangler.transforms.user_python import (
    called,
    check_python,
    function_source,
    python_function,
)

if TYPE_CHECKING:
    import pandas as pd

_OPERATOR = "sagemaker.spark.custom_code_0.1"
_GROUP = "Custom code"
_BATCH = 100_000
_RETURN_TYPES = tuple(kind.value for kind in ColumnType)


class PandasOnTable(Transform):
    operator = _OPERATOR
    name = "Python (Pandas)"
    parameter_group = "pandas_parameters"
    group = _GROUP
    sentence = "Runs Python code that changes the pandas DataFrame df."
    edge_cases = (
        "Whole numbers and booleans may be missing (pd.NA). The whole table is in memory. The "
        "columns and types of the result are learnt; the index of the result is dropped."
    )
    parameters = (
        Parameter(
            "code",
            "code",
            "Code",
            "The table is df, pandas is pd and numpy is np; what df is at the end comes out.",
            required=True,
            language="python",
        ),
    )
    serving = "refuse"
    learns = True
    runs_code = True
    words = ("pandas", "python", "script", "code")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        check_python("code", values["code"])

    def fit(self, table: Table, values: Values) -> State:
        from bottega.wrangler.engine.frames import schema_of

        before = table.frame()
        after = _run_on_table(values["code"], before)
        found = [
            Column(c.name, _still_date(table.schema, c, after[c.name])) for c in schema_of(after)
        ]
        refuse_names(found)
        return learnt(found)

    def columns(self, step: Step) -> Schema:
        return learnt_schema(step.state)

    def sql(self, step: Step) -> Rendering:
        code = step.values["code"]
        return InMemory(lambda *frames: _run_on_table(code, frames[0]))

    def pandas(self, step: Step, code: PandasCode) -> None:
        code.require("import numpy as np")
        function = _write_function(code, "custom_code", "df", step.values["code"], "df")
        schema = self.columns(step)
        # The code may look at the index, which the engine gives it without gaps.
        code.line(f"{code.table} = {function}({code.table}.reset_index(drop=True))")
        code.line(f"{code.table} = {code.table}.reset_index(drop=True)")
        write_types(code, schema)

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(schema.names)


class OldPandasOnTable(PandasOnTable):
    operator = "sagemaker.spark.custom_pandas_0.1"
    name = "Python (Pandas), older form"
    parameter_group = ""
    is_only = True


class UserDefinedFunction(Transform):
    operator = _OPERATOR
    name = "Python (User-Defined Function)"
    group = _GROUP
    sentence = "Computes a column from another one, row by row, with a Python function."
    edge_cases = (
        "The function gets None for a missing value (in Pandas mode, what pandas has for it), and "
        "what it returns as None is missing. Dates and datetimes come as pandas Timestamps. In "
        "Pandas mode it gets at most 100,000 rows at a time, so that what it returns must not "
        "depend on other rows."
    )
    parameter_group = "udf_parameters"
    parameters = (
        Parameter(
            "udf_mode",
            "choice",
            "Mode",
            "Whether the function gets a value, or a pandas Series of many.",
            default="Pandas",
            choices=("Pandas", "Python"),
        ),
        Parameter("input_col", "column", "Input column", "What it gets.", required=True),
        Parameter(
            "output_col",
            "new_column",
            "Output column",
            "Where the result goes; in the input column's place when empty.",
        ),
        Parameter(
            "return_type",
            "choice",
            "Return type",
            "What the function returns.",
            default="string",
            choices=_RETURN_TYPES,
        ),
        Parameter(
            "pandas_code",
            "code",
            "Code",
            "Defines custom_func(series), which returns a Series of the same length.",
            required=True,
            language="python",
            when=("udf_mode", ("Pandas",)),
        ),
        Parameter(
            "python_code",
            "code",
            "Code",
            "Defines custom_func(value), which returns a value.",
            required=True,
            language="python",
            when=("udf_mode", ("Python",)),
        ),
    )
    runs_code = True
    words = ("udf", "function", "apply", "map", "python")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        parameter, code = self._code(values)
        _function_name(parameter, check_python(parameter, code))
        output = self._output(values)
        near = clash(schema, output)
        if near is not None and near != output:
            raise ParameterError(
                "output_col",
                f"Output column: there is a column {near!r}, and names must differ in more than "
                "capitals; choose another name.",
            )

    def columns(self, step: Step) -> Schema:
        kind = ColumnType(step.values["return_type"])
        return step.schema.with_columns([Column(self._output(step.values), kind)])

    def sql(self, step: Step) -> Rendering:
        values, output = step.values, self._output(step.values)

        def function(*frames: pd.DataFrame) -> pd.DataFrame:
            frame = frames[0]
            return frame.assign(**{output: self._computed(values, frame[values["input_col"]])})

        return InMemory(function, rowwise=True)

    def pandas(self, step: Step, code: PandasCode) -> None:
        parameter, text = self._code(step.values)
        result = _function_name(parameter, check_python(parameter, text))
        code.require("import numpy as np")
        maker = _write_function(code, "make_custom_func", "", text, result)
        column, output = code.column(step.values["input_col"]), self._output(step.values)
        if step.values["udf_mode"] == "Pandas":
            code.line(f"result = pd.Series({maker}()({column}))")
            code.line(f"{code.column(output)} = result.set_axis({code.table}.index)")
        else:
            code.line(f"custom_func = {maker}()")
            code.line(f"cells = {column}.astype(object).where({column}.notna(), None)")
            code.line(f"{code.column(output)} = pd.Series(")
            code.line(
                f"    [custom_func(cell) for cell in cells], {code.table}.index, dtype=object"
            )
            code.line(")")
        _write_type(code, Column(output, ColumnType(step.values["return_type"])))

    def _computed(self, values: Values, column: pd.Series) -> pd.Series:
        import numpy as np
        import pandas as pd

        parameter, code = self._code(values)
        result = _function_name(parameter, check_python(parameter, code))
        maker = python_function("", code, result, {"pd": pd, "np": np})
        function = called(maker, code)
        batches = []
        for start in range(0, max(len(column), 1), _BATCH):
            part = column.iloc[start : start + _BATCH]
            if values["udf_mode"] == "Pandas":
                batches.append(_series_result(called(function, code, part), part))
            else:
                batches.append(_mapped(function, code, part))
        return pd.concat(batches) if len(batches) > 1 else batches[0]

    @staticmethod
    def _code(values: Values) -> tuple[str, str]:
        parameter = "pandas_code" if values["udf_mode"] == "Pandas" else "python_code"
        return parameter, values[parameter]

    @staticmethod
    def _output(values: Values) -> str:
        return str(values["output_col"] or values["input_col"])


class PySparkCode(Transform):
    operator = _OPERATOR
    name = "Python (PySpark)"
    parameter_group = "pyspark_parameters"
    group = _GROUP
    sentence = "Code for Spark, which is not here: it is kept, and what to write instead is said."
    edge_cases = "It never runs."
    parameters = (Parameter("code", "code", "Code", "Kept as it is.", language="python"),)
    serving = "refuse"
    runs_code = True
    words = ("spark",)

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        self._refuse()

    def columns(self, step: Step) -> Schema:
        self._refuse()

    def sql(self, step: Step) -> Rendering:
        self._refuse()

    def pandas(self, step: Step, code: PandasCode) -> None:
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise ParameterError(
            "code",
            "This step is code for PySpark, and there is no Spark here. Replace it by Python "
            "(Pandas), where df is a pandas DataFrame, or by SQL, where df is a table; "
            "df.filter(df.a > 0) becomes df = df[df['a'] > 0], or SELECT * FROM df WHERE a > 0.",
        )


class OldPySparkCode(PySparkCode):
    operator = "sagemaker.spark.custom_pyspark_0.1"
    name = "Python (PySpark), older form"
    parameter_group = ""
    is_only = True


def _run_on_table(code: str, frame: pd.DataFrame) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    function = python_function("df", code, "df", {"pd": pd, "np": np})
    result = called(function, code, frame)
    if not isinstance(result, pd.DataFrame):
        raise DataError(
            f"At the end of the code df is a {type(result).__name__}; it must be a DataFrame."
        )
    return result.reset_index(drop=True)


def _still_date(schema: Schema, column: Column, series: pd.Series) -> ColumnType:
    """A date is a datetime at midnight in pandas; one that still is remains a date."""
    was_date = column.name in schema and schema.type(column.name) is ColumnType.DATE
    if was_date and column.type is ColumnType.DATETIME and getattr(series.dt, "tz", None) is None:
        present = series.dropna()
        if present.eq(present.dt.normalize()).all():
            return ColumnType.DATE
    return column.type


def _write_function(code: PandasCode, base: str, arguments: str, text: str, result: str) -> str:
    number, function = 1, base
    while True:
        source = function_source(function, arguments, text, result)
        if code.functions.get(function, source) == source:
            return code.function(function, source)
        number += 1
        function = f"{base}_{number}"


_LISTS_OF = '''
def lists_of(kind, cells):
    """Lists whose parts are of one kind; what is missing stays missing."""

    def is_missing(value):
        return value is None or value is pd.NA or (isinstance(value, float) and value != value)

    def converted(cell):
        return [None if kind is str and is_missing(part) else kind(part) for part in cell]

    lists = [None if is_missing(cell) else converted(cell) for cell in cells]
    return pd.Series(lists, cells.index, dtype=object)
'''


def _write_type(code: PandasCode, column: Column) -> None:
    place = code.column(column.name)
    if column.type.pandas == "object":
        kind = "float" if column.type is ColumnType.VECTOR else "str"
        code.line(f"{place} = {code.function('lists_of', _LISTS_OF)}({kind}, {place})")
    else:
        source = f"pd.to_datetime({place})" if column.type.is_time else place
        code.line(f'{place} = {source}.astype("{column.type.pandas}")')
        if column.type is ColumnType.DATE:  # a day has no hours, whatever came back
            code.line(f"{place} = {place}.dt.normalize()")


def _function_name(parameter: str, tree: ast.Module) -> str:
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if "custom_func" in found:
        return "custom_func"
    if len(found) == 1:
        return found[0]
    raise ParameterError(
        parameter,
        f"The code defines {len(found)} functions, none of them custom_func; define custom_func.",
    )


def _series_result(result: Any, part: pd.Series) -> pd.Series:
    import pandas as pd

    try:
        found = result if isinstance(result, pd.Series) else pd.Series(result)
    except (TypeError, ValueError) as error:
        raise DataError(f"custom_func returned a {type(result).__name__}, no Series.") from error
    if len(found) != len(part):
        raise DataError(
            f"custom_func got {len(part)} values and returned {len(found)}; it must return one for "
            "each."
        )
    return found.set_axis(part.index)


def _mapped(function: Callable[[Any], Any], code: str, part: pd.Series) -> pd.Series:
    import pandas as pd

    cells = part.astype(object).where(part.notna(), None)
    return pd.Series([called(function, code, cell) for cell in cells], part.index, dtype=object)
