"""Join: two tables side by side."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import clash, free_names, quoted

_GROUP = "Join"
_TYPES = ("inner", "leftouter", "rightouter", "fullouter", "leftsemi", "leftanti", "cross")
_JOIN_TYPE = Parameter(
    "join_type",
    "choice",
    "Join type",
    "Which rows come out: those with a partner (inner), all of the left, right or both tables "
    "(outer), the left ones with (leftsemi) or without (leftanti) a partner, or each with each "
    "(cross).",
    default="inner",
    choices=_TYPES,
)
_EDGE_CASES = (
    "A missing key has no partner, not even another missing one; infinities equal themselves. Rows "
    "come in the order of the left table, partners in that of the right one; right rows without a "
    "partner come last, and a rightouter join follows the right table instead. Columns that both "
    "tables have, keys too, get the suffixes _0 and _1; capitals make no difference there."
)


@dataclass(frozen=True)
class _Names:
    """What the columns of both tables are called in the result."""

    left: Mapping[str, str]
    right: Mapping[str, str]

    @classmethod
    def of(cls, left: Schema, right: Schema) -> _Names:
        both = {c.lower() for c in left.names} & {c.lower() for c in right.names}
        kept = [c for c in (*left.names, *right.names) if c.lower() not in both]
        suffixed = [f"{c}_0" for c in left.names if c.lower() in both]
        suffixed += [f"{c}_1" for c in right.names if c.lower() in both]
        fresh = iter(free_names(suffixed, kept))
        one, other = (
            {c: next(fresh) if c.lower() in both else c for c in table.names}
            for table in (left, right)
        )
        return cls(one, other)


class _Join(Transform):
    group = _GROUP
    is_only = True
    edge_cases = _EDGE_CASES
    serving = "refuse"
    inputs = 2
    words = ("merge", "inner", "left", "outer", "lookup", "combine")
    right_parameter: ClassVar[str]
    """The parameter that names columns of the second table."""

    @abstractmethod
    def keys(self, values: Values) -> list[tuple[str, str]]:
        """Pairs of columns, left and right; none for a cross join."""

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        pairs = self.keys(values)
        if values["join_type"] != "cross" and not pairs:
            raise ParameterError(
                self.parameters[0].name,
                f"Join type {values['join_type']} needs a column of each table to compare; "
                "name them, or choose cross.",
            )
        for left, right in pairs:
            self._check_pair(schema[left], _right_column(self.right_parameter, others[0], right))

    def _check_pair(self, left: Column, right: Column) -> None:
        comparable = left.type is right.type or any(
            {left.type, right.type} <= family
            for family in (NUMBERS, {ColumnType.DATE, ColumnType.DATETIME})
        )
        if not comparable:
            raise ParameterError(
                self.parameters[0].name,
                f"Left column {left.name!r} is {left.type} and right column {right.name!r} is "
                f"{right.type}; parse one of them as the other's type first.",
            )
        if left.type not in SCALARS:
            raise ParameterError(
                self.parameters[0].name,
                f"Left column {left.name!r} is {left.type}, and tables cannot be joined by that.",
            )

    def columns(self, step: Step) -> Schema:
        if step.values["join_type"] in ("leftsemi", "leftanti"):
            return step.schema
        names, right = _Names.of(step.schema, step.others[0]), step.others[0]
        return Schema(
            (
                *(Column(names.left[c.name], c.type) for c in step.schema),
                *(Column(names.right[c.name], c.type) for c in right),
            )
        )

    def sql(self, step: Step) -> Rendering:
        kind, right = step.values["join_type"], step.others[0]
        condition = " AND ".join(
            f"__l.{quoted(one)} = __r.{quoted(other)}" for one, other in self._pairs(step)
        )
        if kind in ("leftsemi", "leftanti"):
            shown = ", ".join(f"__l.{quoted(c)}" for c in [ROW, *step.schema.names])
            word = "" if kind == "leftsemi" else "NOT "
            return Query(
                f"SELECT {shown} FROM {{input}} AS __l WHERE {word}EXISTS "
                f"(SELECT 1 FROM {{input_1}} AS __r WHERE {condition})"
            )
        names = _Names.of(step.schema, right)
        shown = ", ".join(
            [
                *(f"__l.{quoted(c)} AS {quoted(names.left[c])}" for c in step.schema.names),
                *(f"__r.{quoted(c)} AS {quoted(names.right[c])}" for c in right.names),
            ]
        )
        sides = ("__r", "__l") if kind == "rightouter" else ("__l", "__r")
        order = ", ".join(f"{side}.{ROW} NULLS LAST" for side in sides)
        word = {"leftouter": "LEFT", "rightouter": "RIGHT", "fullouter": "FULL"}.get(kind, "INNER")
        join = f"{word} JOIN {{input_1}} AS __r ON {condition}"
        if kind == "cross":
            join = "CROSS JOIN {input_1} AS __r"
        return Query(
            f"SELECT row_number() OVER (ORDER BY {order}) AS {ROW}, {shown} "
            f"FROM {{input}} AS __l {join}"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, other, kind = code.table, code.others[0], step.values["join_type"]
        right, pairs = step.others[0], self._pairs(step)
        if kind in ("leftsemi", "leftanti"):
            self._pandas_filter(step, code)
            return
        names = _Names.of(step.schema, right)
        _write_rename(code, df, names.left)
        _write_rename(code, other, names.right)
        if kind == "cross":
            code.line(f'{df} = {df}.merge({other}, how="cross")')
            return
        left_keys = [names.left[left] for left, _ in pairs]
        right_keys = [names.right[key] for _, key in pairs]
        columns = code.literal([*names.left.values(), *names.right.values()])
        # Keys are copied where they change type or stand in two pairs; the copies do not come out.
        one, two = self._key_columns(step, names)
        code.line(f"left_keys, right_keys = {code.literal(one)}, {code.literal(two)}")
        self._write_keys(step, code, df, left_keys, one, 0)
        self._write_keys(step, code, other, right_keys, two, 1)
        partners = f"{other}.dropna(subset=right_keys)"
        keys = "left_on=left_keys, right_on=right_keys"
        if kind == "inner":
            code.line(f'{df} = {df}.merge({partners}, how="inner", {keys})[{columns}]')
        elif kind == "leftouter":
            code.line(f'{df} = {df}.merge({partners}, how="left", {keys})[{columns}]')
        elif kind == "rightouter":
            code.line(f"partners = {df}.dropna(subset=left_keys)")
            code.line(
                f'{df} = {other}.merge(partners, how="left", left_on=right_keys, '
                f"right_on=left_keys)[{columns}]"
            )
        else:
            (indicator,) = free_names(["partner"], (*one, *two))
            self._pandas_full(code, df, other, partners, keys, columns, indicator)

    def _pandas_full(
        self,
        code: PandasCode,
        df: str,
        other: str,
        partners: str,
        keys: str,
        columns: str,
        indicator: str,
    ) -> None:
        code.line(f"taken = {other}[right_keys].merge(")
        code.line(f"    {df}[left_keys].dropna().drop_duplicates(),")
        code.line('    how="left",')
        code.line("    left_on=right_keys,")
        code.line("    right_on=left_keys,")
        code.line(f"    indicator={code.literal(indicator)},")
        code.line(f')[{code.literal(indicator)}].eq("both").to_numpy()')
        code.line(f'{df} = {df}.merge({partners}, how="left", {keys})')
        code.line(f"{df} = pd.concat([{df}, {other}[~taken]], ignore_index=True)[{columns}]")

    def _pandas_filter(self, step: Step, code: PandasCode) -> None:
        df, other, pairs = code.table, code.others[0], self._pairs(step)
        left, right = [left for left, _ in pairs], [right for _, right in pairs]
        numbers = [f"key_{number}" for number in range(1, len(pairs) + 1)]
        kinds = self._common_types(step)
        code.line(f"wanted = {df}[{code.literal(left)}].set_axis({code.literal(numbers)}, axis=1)")
        code.line(
            f"known = {other}[{code.literal(right)}].set_axis({code.literal(numbers)}, axis=1)"
        )
        for number, kind in zip(numbers, kinds, strict=True):
            if kind is not None:
                code.line(f'wanted["{number}"] = wanted["{number}"].astype("{kind}")')
                code.line(f'known["{number}"] = known["{number}"].astype("{kind}")')
        code.line("known = known.dropna().drop_duplicates()")
        code.line('matched = wanted.merge(known, how="left", indicator=True)["_merge"].eq("both")')
        sign = "" if step.values["join_type"] == "leftsemi" else "~"
        code.line(f"{df} = {df}[{sign}matched.to_numpy()]")

    def _write_keys(
        self,
        step: Step,
        code: PandasCode,
        table: str,
        columns: list[str],
        keys: list[str],
        side: int,
    ) -> None:
        copies = {}
        for column, key, kind in zip(columns, keys, self._common_types(step), strict=True):
            if key != column:
                cast = "" if kind is None else f'.astype("{kind}")'
                copies[key] = f"{code.column(column, table)}{cast}"
        if copies:
            # Not in place: the other table may be wanted elsewhere as it is.
            items = ", ".join(f"{code.literal(key)}: {text}" for key, text in copies.items())
            code.line(f"{table} = {table}.assign(**{{{items}}})")

    def _key_columns(self, step: Step, names: _Names) -> tuple[list[str], list[str]]:
        """The columns to merge by: copies where a type changes, or one column is used twice."""
        taken = [*names.left.values(), *names.right.values()]
        sides: tuple[list[str], list[str]] = ([], [])
        for (left, right), kind in zip(self._pairs(step), self._common_types(step), strict=True):
            pair = (names.left[left], names.right[right])
            for side, column in zip(sides, pair, strict=True):
                if kind is None and column not in side:
                    side.append(column)
                else:
                    (copy,) = free_names([f"{column} key"], taken)
                    taken.append(copy)
                    side.append(copy)
        return sides

    def _common_types(self, step: Step) -> list[str | None]:
        """The dtype to compare each pair as; None where both have the same."""
        found: list[str | None] = []
        for left, right in self._pairs(step):
            kinds = {step.schema.type(left), step.others[0].type(right)}
            found.append("float64" if kinds == NUMBERS else None)
        return found

    def _pairs(self, step: Step) -> list[tuple[str, str]]:
        return [] if step.values["join_type"] == "cross" else self.keys(step.values)


class JoinTables(_Join):
    operator = "sagemaker.spark.join_tables_0.1"
    name = "Join"
    right_parameter = "right_column"
    sentence = "Puts two tables side by side, row to row with the same key."
    parameters = (
        Parameter(
            "left_column",
            "column",
            "Left column",
            "The key of the first table; unused by a cross join.",
            types=SCALARS,
        ),
        Parameter(
            "right_column",
            "text",
            "Right column",
            "The key of the second table; the left column's name when empty.",
        ),
        _JOIN_TYPE,
    )

    def keys(self, values: Values) -> list[tuple[str, str]]:
        left = values["left_column"]
        if left is None or values["join_type"] == "cross":
            return []
        return [(left, values["right_column"] or left)]


class JoinMultipleKeys(_Join):
    operator = "sagemaker.spark.join_multi_keys_0.1"
    name = "Join by several keys"
    right_parameter = "join_keys"
    sentence = "Puts two tables side by side, row to row where all keys are the same."
    parameters = (
        Parameter(
            "join_keys",
            "records",
            "Keys",
            "Pairs of columns that must be equal; unused by a cross join.",
            fields=(
                Parameter(
                    "left",
                    "column",
                    "Left column",
                    "Of the first table.",
                    required=True,
                    types=SCALARS,
                ),
                Parameter(
                    "right",
                    "text",
                    "Right column",
                    "Of the second table; the left column's name when empty.",
                ),
            ),
        ),
        _JOIN_TYPE,
    )

    def keys(self, values: Values) -> list[tuple[str, str]]:
        if values["join_type"] == "cross":
            return []
        return [(pair["left"], pair["right"] or pair["left"]) for pair in values["join_keys"] or ()]

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(left for left, _ in self.keys(values))


def _right_column(parameter: str, schema: Schema, wanted: str) -> Column:
    try:
        return schema[wanted]
    except ParameterError as error:
        near = clash(schema, wanted)
        hint = f" It has {near!r}; capitals matter." if near is not None else ""
        raise ParameterError(
            parameter, f"Right column, in the second table: {error.message}{hint}"
        ) from None


def _write_rename(code: PandasCode, table: str, names: Mapping[str, Any]) -> None:
    changed = {old: new for old, new in names.items() if old != new}
    if changed:
        code.line(f"{table} = {table}.rename(columns={code.literal(changed)})")
