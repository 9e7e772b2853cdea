"""Every format, its types, its options; samples; folders of files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import DataError, FlowError, ParameterError
from bottega.wrangler.flow.document import Node
from bottega.wrangler.sources.column_types import MISSING
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.sources.nodes import Source

Read = Callable[..., pd.DataFrame]
Told = Callable[..., str]


def node(path: str, **options: Any) -> Node:
    source = Source.given({"Kind": "file", "Uri": path, "Options": options})
    return Node(source.node("source"))


def schema_of(sources: FileSources, path: str, **options: Any) -> Schema:
    return sources.relation(node(path, **options)).schema


def test_types_of_texts(folder: Path, sources: FileSources, read: Read):
    (folder / "a.csv").write_text(
        "l,f,b,s,d,t,z,zip,na,mixed\n"
        "1,1.5,true,x,2020-01-02,2020-01-02 10:00,2020-01-02T10:00:00+02:00,01234,NA,1\n"
        "+2,1e3,FALSE,NA,2020-01-03,2020-01-02T10:00:00.5,2020-01-02T10:00:00Z,00001,N/A,x\n"
        "NaN,-inf,null,,,,,,1,2\n"
    )
    assert schema_of(sources, "a.csv") == Schema.of(
        l="long", f="float", b="boolean", s="string", d="date", t="datetime", z="datetime",
        zip="string", na="long", mixed="string",
    )  # fmt: skip
    frame = read("a.csv")
    assert frame["l"].tolist() == [1, 2, pd.NA]
    assert frame["f"].tolist() == [1.5, 1000.0, -np.inf]
    assert frame["s"].tolist()[:2] == ["x", "NA"]
    assert frame["z"].tolist()[:2] == [datetime(2020, 1, 2, 8), datetime(2020, 1, 2, 10)]
    assert frame["zip"].tolist()[:2] == ["01234", "00001"]
    assert frame["na"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("last", "expected"),
    [("1.5", "float"), ("x", "string"), ("99999999999999999999", "float"), ("0x10", "string"),
     ("1_000", "string"), ("1e3", "float"), (" 7 ", "long"), ("007", "long"), ("NA", "long")],
)  # fmt: skip
def test_a_late_text_makes_its_column_wider(
    folder: Path, sources: FileSources, told: Told, last: str, expected: str
):
    rows = "".join(f"{n},some text that makes the row longer than it is\n" for n in range(150_000))
    (folder / "a.csv").write_text(f"n,t\n{rows}{last},end\n")
    assert sources.sample(node("a.csv"), 10).schema.type("n") == ColumnType.LONG
    assert schema_of(sources, "a.csv").type("n") == ColumnType(expected)
    assert ("'n'" in told("a.csv")) == (expected != "long")
    # What was learnt holds for the next sample.
    assert sources.sample(node("a.csv"), 11).schema.type("n") == ColumnType(expected)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [("2020-01-01", "2020-01-01 10:00:00", "datetime"), ("2020-01-01", "1.1.2020", "string"),
     ("true", "yes", "string"), ("true", "1", "string"), ("1.5", "a", "string")],
)  # fmt: skip
def test_types_that_are_told_and_do_not_fit(
    folder: Path, sources: FileSources, first: str, last: str, expected: str
):
    kinds = {"2": "date", "t": "boolean", "1": "float"}
    (folder / "a.csv").write_text(f"n,t\n{first},1\n{last},2\n")
    found = schema_of(sources, "a.csv", Types={"n": kinds[first[0]], "t": "string"})
    assert found == Schema.of(n=expected, t="string")


def test_delimiters_headers_and_lines_before(folder: Path, sources: FileSources, read: Read):
    (folder / "a.csv").write_text("A report;\nof 2020\n\na;b\n1,5;x\n2,25;y\n")
    assert read("a.csv").to_dict("list") == {"a": [1.5, 2.25], "b": ["x", "y"]}
    found = sources.detect({"Kind": "file", "Uri": "a.csv"})
    assert found.options == {
        "ContentType": "csv", "Encoding": "utf-8", "Delimiter": ";", "Quote": '"',
        "HasHeader": True, "SkipLines": 3, "DecimalComma": True,
        "Types": {"a": "float", "b": "string"},
    }  # fmt: skip
    assert "3 lines before the table are skipped." in found.findings
    assert found.rows == [[1.5, "x"], [2.25, "y"]]
    again = sources.detect({"Kind": "file", "Uri": "a.csv", "Options": found.options})
    assert (again.options, again.rows) == (found.options, found.rows)
    (folder / "b.csv").write_text("1|x\n2|y\n")
    assert list(read("b.csv").columns) == ["column_1", "column_2"]
    assert list(read("b.csv", HasHeader=True).columns) == ["1", "x"]
    assert read("b.csv", Delimiter=",", HasHeader=False)["column_1"].tolist() == ["1|x", "2|y"]
    (folder / "c.csv").write_text("a,b\n'x,y',1\n'z',2\n")
    assert read("c.csv")["a"].tolist() == ["x,y", "z"]


def test_json(folder: Path, sources: FileSources, read: Read, told: Told):
    records = [{"a": 1, "t": "x", "d": "2020-01-02"}, {"a": 2.5, "n": {"k": [1]}}, {"b/c": True}]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")
    (folder / "b.json").write_text(json.dumps(records, indent=2))
    (folder / "c.json").write_text(json.dumps({"count": 3, "rows": records}))
    for name in ("a.jsonl", "b.json", "c.json"):
        assert schema_of(sources, name) == Schema.of(
            **{"a": "float", "t": "string", "d": "date", "n": "string", "b/c": "boolean"}
        )
        frame = read(name)
        assert frame["a"].tolist()[:2] == [1.0, 2.5]
        assert json.loads(frame["n"][1]) == {"k": [1]}
        assert "JSON texts" in told(name)
    (folder / "d.json").write_text('{"a": [1, 2], "b": ["x", "y"]}')
    assert read("d.json").to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize("text", ['[{"a": 1}, 3]', '[{"a": 1}', "[]", '{"a": 1}\n[1, 2]\n'])
def test_json_that_is_no_table(folder: Path, read: Read, text: str):
    (folder / "a.json").write_text(text)
    with pytest.raises(DataError):
        read("a.json")


def test_keys_that_come_late(folder: Path, sources: FileSources, told: Told):
    lines = ['{"a": 1}'] * 100_001 + ['{"a": 2, "z": "x"}']
    (folder / "a.jsonl").write_text("\n".join(lines))
    assert schema_of(sources, "a.jsonl") == Schema.of(a="long", z="string")
    assert "further keys" in told("a.jsonl")


def test_parquet(folder: Path, sources: FileSources, read: Read):
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int32()),
            "f": pa.array([np.nan, 2.0], pa.float32()),
            "d": pa.array([date(2020, 1, 2), None]),
            "t": pa.array([datetime(2020, 1, 2, 3), None], pa.timestamp("ns", "Europe/Berlin")),
            "v": pa.array([[1.0, 2.0], None]),
            "a": pa.array([["x"], []]),
            "s": pa.array([{"k": 1}, None]),
            "m": pa.array([Decimal("1.25"), None]),
            "c": pa.array(["x", "y"]).dictionary_encode(),
        }
    )
    pq.write_table(table, folder / "a.parquet")
    assert schema_of(sources, "a.parquet") == Schema.of(
        i="long", f="float", d="date", t="datetime", v="vector", a="array", s="string", m="float",
        c="string",
    )  # fmt: skip
    frame = read("a.parquet")
    assert frame["f"].isna().tolist() == [True, False]
    assert frame["t"][0] == datetime(2020, 1, 2, 3)
    assert frame["v"][0] == [1.0, 2.0]
    assert json.loads(frame["s"][0]) == {"k": 1}
    changed = schema_of(sources, "a.parquet", Types={"i": "string", "c": "long"})
    assert (changed.type("i"), changed.type("c")) == ("string", "string")
    (folder / "b.parquet").write_bytes((folder / "a.parquet").read_bytes()[:-20])
    with pytest.raises(DataError):
        read("b.parquet")


def test_orc(folder: Path, read: Read):
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}).to_orc(folder / "a.orc")
    frame = read("a.orc")
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].isna().tolist() == [False, True]


def test_a_folder_of_files(folder: Path, sources: FileSources, read: Read, told: Told):
    (folder / "parts").mkdir()
    (folder / "parts" / "1.csv").write_text("a,b\n1,x\n")
    (folder / "parts" / "2.csv").write_text("b,c,a\ny,9,2\n")
    (folder / "parts" / "3.csv").write_text("")
    (folder / "parts" / "_SUCCESS").write_text("")
    frame = read("parts")
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].tolist() == ["x", "y"]
    assert frame["c"].tolist()[1] == 9
    assert "further columns: 'c'" in told("parts")


def test_the_sample_is_the_first_rows(folder: Path, sources: FileSources, read: Read):
    lines = "\n".join(f"{n},{n / 7}" for n in range(5_000))
    (folder / "a.csv").write_bytes(f"n,x\n{lines}\n".encode())
    (folder / "b.csv").write_bytes(f"n,x\n{lines}\n".encode("utf-16"))
    for name in ("a.csv", "b.csv"):
        some = sources.sample(node(name), 2_000).frame()
        assert some.equals(read(name).head(2_000))
        assert sources.sample(node(name), 10_000).count() == 5_000


def test_rows_keep_the_file_s_order(folder: Path, read: Read):
    count = 400_000
    (folder / "a.csv").write_text("n,x\n" + "".join(f"{n},{n % 7}\n" for n in range(count)))
    assert (read("a.csv")["n"].to_numpy(int) == np.arange(count)).all()


def test_a_changed_file_is_read_anew(folder: Path, sources: FileSources, read: Read):
    (folder / "a.csv").write_text("a,b\n1,2\n")
    before = sources.fingerprint(node("a.csv"))
    assert sources.fingerprint(node("a.csv")) == before
    assert len(read("a.csv")) == 1
    (folder / "a.csv").write_text("a,b\n1,2\n3,4\n")
    os.utime(folder / "a.csv", ns=(1, 1))
    assert sources.fingerprint(node("a.csv")) != before
    assert len(read("a.csv")) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"Delimiters": ";"}, "did you mean Delimiter"),
        ({"Delimiter": ";;"}, "one character"),
        ({"HasHeader": "yes"}, "true or false"),
        ({"SkipLines": -1}, "a count"),
        ({"ContentType": "xml"}, "none of csv"),
        ({"Types": {"a": "int"}}, "none of"),
        ({"Types": ["a"]}, "mapping"),
        ([], "mapping"),
    ],
)
def test_options_that_cannot_be(options: Any, words: str):
    with pytest.raises(ParameterError, match=words):
        Source.given({"Kind": "file", "Uri": "a.csv", "Options": options or [1]})


def test_nowhere(sources: FileSources, database: Any):
    with pytest.raises(FlowError, match="there is no S3"):
        sources.relation(Node(Source.given({"Kind": "s3", "Uri": "s3://b/k"}).node("x")))
    with pytest.raises(ParameterError, match="the flow has none"):
        FileSources(database).relation(node("a.csv"))


cells = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8),
    st.sampled_from(
        ["NA", "nan", " ", "1,5", "007", '"', "é", "x\ny", "2020-01-01", "1_0", "true"]
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_comes_back_as_its_texts(
    sources: FileSources, folder: Path, rows: list[tuple[Any, ...]], delimiter: str, end: str
):
    import csv

    path = folder / f"any{len(list(folder.iterdir()))}.csv"
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
        writer.writerows([["a", "b", "c"], *texts])
    told = {"Delimiter": delimiter, "HasHeader": True, "SkipLines": 0, "Encoding": "utf-8",
            "DecimalComma": False, "Quote": '"'}  # fmt: skip
    frame = sources.relation(node(path.name, Types=dict.fromkeys("abc", "string"), **told)).frame()
    expected = [[None if text == "" else text for text in row] for row in texts]
    assert [
        [None if pd.isna(c) else c for c in row] for row in frame.to_numpy().tolist()
    ] == expected
    found = sources.relation(node(path.name, **told))
    assert found.count() == len(rows)
    for number, column in enumerate(found.schema):
        if column.type is ColumnType.LONG:
            values = [
                int(text) if text not in ("", *MISSING) else None
                for text in (row[number] for row in texts)
            ]
            got = [None if pd.isna(v) else int(v) for v in found.frame()[column.name]]
            assert got == values
