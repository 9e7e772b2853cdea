"""Exports of whole flows: several sources, branches, outputs; every form; real files."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bottega.testing.wrangler_case import assert_same_table
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.errors import FlowError
from bottega.wrangler.export.forms import export
from bottega.wrangler.export.python_layout import broken, imports
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.flow.edits import apply
from bottega.wrangler.transforms.registry import named

Run = Callable[..., pd.DataFrame]
Style = Callable[[str], None]


class Recipe:
    """A flow that is being made."""

    def __init__(self) -> None:
        self.flow = Flow.empty()
        self.node = ""

    def source(self, uri: str, kind: str = "file", **more: Any) -> str:
        return self.edit(Kind="add_source", Source={"Kind": kind, "Uri": uri, **more})

    def step(self, group: str, name: str, node: str = "", output: str = "", **values: Any) -> str:
        transform = named(group, name)
        more = {"OutputName": output} if output else {}
        return self.edit(Kind="add_step", NodeId=node or self.node, Operator=transform.operator,
                         Name=transform.name, Values=values, **more)  # fmt: skip

    def edit(self, **edit: Any) -> str:
        self.flow, self.node = apply(self.flow, edit)
        return self.node


def held(
    recipe: Recipe, engine: FlowEngine, run: Run, style: Style, output: str = "default"
) -> str:
    """The exported program gives the engine's table; returns the program."""
    relation = engine.prepare(recipe.flow, recipe.node, output).relation
    text = export(recipe.flow, recipe.node, "pandas", engine=engine, output=output).text
    assert_same_table(relation.frame(), run(text, "prepare"), relation.schema)
    style(text)
    return text


def test_several_sources_and_branches(engine: FlowEngine, run: Run, check_style: Style):
    recipe = Recipe()
    people = recipe.source("people.csv")
    filled = recipe.step("Handle missing", "Impute", input_column=["age"])
    recipe.step("Manage rows", "Sort", column=["age"])
    sorted_ = recipe.node
    cities = recipe.source("cities.csv")
    join = {"left_column": "city", "right_column": "city", "join_type": "leftouter"}
    joined = recipe.edit(Kind="join", NodeId=sorted_, OtherNodeId=cities, Values=join)
    keys = {"left_column": "id_0", "right_column": "id", "join_type": "inner"}
    recipe.edit(Kind="join", NodeId=joined, OtherNodeId=filled, Values=keys)
    text = held(recipe, engine, run, check_style)
    assert "def prepare(people, cities):" in text
    assert "def load_people(" in text
    assert "AGE_MEDIAN = 36" in text
    assert people in recipe.flow


def test_a_table_joined_with_itself(engine: FlowEngine, run: Run, check_style: Style):
    recipe = Recipe()
    cities = recipe.source("cities.csv")
    join = {"left_column": "city", "right_column": "city", "join_type": "inner"}
    recipe.edit(Kind="join", NodeId=cities, OtherNodeId=cities, Values=join)
    held(recipe, engine, run, check_style)


def test_both_outputs_of_a_split(engine: FlowEngine, run: Run, check_style: Style):
    recipe = Recipe()
    recipe.source("people.csv")
    splits = [{"name": "Train", "percentage": 0.5}, {"name": "Test", "percentage": 0.5}]
    split = recipe.step("Split data", "Ordered split", splits=splits)
    held(recipe, engine, run, check_style, "Test")
    recipe.edit(Kind="concatenate", NodeId=split, OutputName="Test", OtherNodeId=split,
                OtherOutputName="Train")  # fmt: skip
    held(recipe, engine, run, check_style)


def test_steps_that_are_switched_off(engine: FlowEngine, run: Run, check_style: Style):
    recipe = Recipe()
    recipe.source("people.csv")
    off = recipe.step("Manage columns", "Drop column", column_to_drop=["age"])
    recipe.step("Handle missing", "Fill missing", input_column=["age"], fill_value=1)
    last = recipe.node
    recipe.edit(Kind="disable", NodeId=off)
    recipe.node = last
    assert "drop(columns" not in held(recipe, engine, run, check_style)


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("semi.csv", "a;b\n1,5;x\n2,25;NA\n;y\n", "utf-8"),
        ("tabs.tsv", "a\tb\n1\t2020-01-01\n2\t\n", "utf-8"),
        ("latin.csv", "name,n\nZoë,1\nRené,2\n", "cp1252"),
        ("wide.csv", "a,b\n1,2\n", "utf-16"),
        ("bare.csv", "1,x\n2,y\n", "utf-8"),
        ("title.csv", "A report\n\na,b\n1,x\n2,y\n", "utf-8"),
        ("names.csv", "a,a,,b b\n1,2,3,4\n", "utf-8"),
        ("one.csv", "n\n1\n\n3\n", "utf-8"),
        ("zeros.csv", "zip,n\n01234,+5\n00001, 7\n", "utf-8"),
        ("zone.csv", "t\n2020-01-01T10:00:00Z\n2020-01-01T10:00:00+02:00\n", "utf-8"),
        ("crlf.csv", "a,b\r\n1,\"x\r\ny\"\r\n2,z\r\n", "utf-8"),
    ],
)  # fmt: skip
def test_text_files_are_read_as_the_flow_reads_them(
    engine: FlowEngine, folder: Path, run: Run, check_style: Style, name: str, text: str,
    encoding: str,
):  # fmt: skip
    (folder / name).write_bytes(text.encode(encoding))
    recipe = Recipe()
    recipe.source(name)
    held(recipe, engine, run, check_style)


def test_other_formats_are_read_as_the_flow_reads_them(
    engine: FlowEngine, folder: Path, run: Run, check_style: Style
):
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None, 3], "Int64"),
            "x": [0.5, None, 2.0],
            "t": ["a", None, "NA"],
            "d": pd.to_datetime(["2020-01-01", None, "2020-01-02 03:04:05"], format="ISO8601"),
        }
    )
    frame.to_parquet(folder / "table.parquet")
    frame.to_orc(folder / "table.orc")
    frame.to_json(folder / "table.jsonl", orient="records", lines=True, date_format="iso")
    frame.to_json(folder / "table.json", orient="records", date_format="iso")
    for name in ("table.parquet", "table.orc", "table.jsonl", "table.json"):
        recipe = Recipe()
        recipe.source(name)
        recipe.step("Handle missing", "Fill missing", input_column=["t"], fill_value="?")
        held(recipe, engine, run, check_style)


def test_a_database_is_read_without_its_password(
    engine: FlowEngine, folder: Path, run: Run, check_style: Style, monkeypatch: pytest.MonkeyPatch
):
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE sales (id INTEGER, price REAL, what TEXT)")
        connection.execute("INSERT INTO sales VALUES (1, 2.5, 'a'), (2, NULL, NULL)")
    connection.close()
    monkeypatch.setenv("DF_URL", f"sqlite:///{folder / 'shop.db'}")
    recipe = Recipe()
    recipe.source("sqlite:///shop.db", "sql", Query="SELECT * FROM sales")
    text = held(recipe, engine, run, check_style)
    assert "shop.db" not in text


def test_a_clean_interpreter_runs_it(engine: FlowEngine, folder: Path, tmp_path: Path):
    recipe = Recipe()
    recipe.source("people.csv")
    recipe.step("Handle missing", "Impute", input_column=["age"])
    exported = export(recipe.flow, recipe.node, "pandas", engine=engine, name="Clean people!")
    assert exported.file_name == "clean_people.py"
    script = tmp_path / exported.file_name
    script.write_text(exported.text)
    watch = "import sys, runpy; runpy.run_path(sys.argv[1], run_name='__main__'); "
    watch += "assert 'bottega' not in sys.modules"
    subprocess.run([sys.executable, "-c", watch, str(script)], cwd=folder, check=True)
    written = pd.read_csv(folder / "clean_people_prepared.csv")
    expected = engine.prepare(recipe.flow, recipe.node).relation.frame()
    assert written["age"].tolist() == expected["age"].tolist()


def test_scikit_learn(engine: FlowEngine, folder: Path, check_style: Style):
    recipe = Recipe()
    recipe.source("people.csv")
    recipe.step("Handle missing", "Impute", input_column=["age"])
    dropped = ["name", "city", "day", "moment", "tags", "sex", "member", "fare", "json"]
    recipe.step("Manage columns", "Drop column", column_to_drop=dropped)
    exported = export(recipe.flow, recipe.node, "sklearn", engine=engine, name="people")
    check_style(exported.text)
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(compile(exported.text, "<exported>", "exec"), scope)
    raw = scope["load"](folder / "people.csv")
    pipeline = make_pipeline(scope["People"](), StandardScaler())
    scaled = pipeline.fit_transform(raw)
    assert scaled.shape == (8, 3)
    assert pipeline[:-1].get_feature_names_out().tolist() == ["id", "age", "year"]
    assert exported.notes == ()
    recipe.step("Handle missing", "Drop missing")
    notes = export(recipe.flow, recipe.node, "sklearn", engine=engine).notes
    assert "Drop missing" in notes[-1]


def test_a_notebook(engine: FlowEngine, folder: Path, monkeypatch: pytest.MonkeyPatch):
    recipe = Recipe()
    recipe.source("people.csv")
    recipe.step("Handle missing", "Impute", input_column=["age"])
    exported = export(recipe.flow, recipe.node, "notebook", engine=engine)
    nbformat.validate(nbformat.reads(exported.text, as_version=4))
    monkeypatch.chdir(folder)
    scope: dict[str, Any] = {}
    for cell in json.loads(exported.text)["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "<cell>", "exec"), scope)
    relation = engine.prepare(recipe.flow, recipe.node).relation
    assert_same_table(relation.frame(), scope["result"], relation.schema)


def test_what_is_no_sql_is_told(engine: FlowEngine):
    recipe = Recipe()
    recipe.source("people.csv")
    recipe.step("Custom code", "Python (Pandas)", code="df = df.tail(2)")
    exported = export(recipe.flow, recipe.node, "sql", engine=engine)
    assert exported.notes == ("The step Python (Pandas) cannot be said in SQL.",)
    assert exported.text.startswith("-- The step Python (Pandas)")


@pytest.mark.parametrize("form", ["processing", "pipeline", "endpoint"])
def test_scripts(engine: FlowEngine, form: str, check_style: Style):
    recipe = Recipe()
    recipe.source("people.csv")
    step = recipe.step("Handle missing", "Drop missing")
    exported = export(recipe.flow, recipe.node, form, engine=engine, name="people")
    check_style(exported.text)
    assert exported.file_name == f"people_{form}.py"
    if form == "endpoint":
        assert any("left out in front of a model" in note for note in exported.notes)
    else:
        assert f'OUTPUT = "{step}.default"' in exported.text
        assert any("a file of this machine" in note for note in exported.notes)


def test_forms_and_flows_that_cannot_be(engine: FlowEngine):
    recipe = Recipe()
    recipe.source("people.csv")
    with pytest.raises(FlowError, match="did you mean pandas"):
        export(recipe.flow, recipe.node, "panda", engine=engine)
    bad = recipe.step("Handle missing", "Impute", input_column=["nothing"])
    for form in ("pandas", "sql", "processing", "endpoint"):
        with pytest.raises(FlowError) as caught:
            export(recipe.flow, recipe.node, form, engine=engine)
        assert caught.value.node == bad


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("telco-churn/Telco-Customer-Churn.csv", "MonthlyCharges"),
        ("messy-beers-books/beers_dirty.csv", "ibu"),
        ("messy-beers-books/bl_books.csv", "Author"),
    ],
)
def test_real_files(
    engine: FlowEngine, shared_data: Path, run: Run, check_style: Style, path: str, column: str
):
    recipe = Recipe()
    recipe.source(str(shared_data / path))
    kind = "Categorical" if column == "Author" else "Numeric"
    recipe.step("Handle missing", "Impute", input_column=[column], column_type=kind)
    recipe.step("Manage rows", "Sort", column=[column], order="Descending")
    recipe.step("Handle missing", "Add indicator for missing", input_column=[column])
    held(recipe, engine, run, check_style)


def test_long_lines_are_broken_and_mean_the_same():
    long = 'df["total"] = df[["' + '", "'.join(f"column {n}" for n in range(12)) + '"]].sum(axis=1)'
    lines = broken([f"    {long}", "x = 1", "# " + "c" * 120, f's = "{"t" * 120}"'])
    assert max(map(len, lines[:15])) <= 100
    assert lines[0].startswith('    df["total"] = df[')
    assert lines[-1].endswith("# noqa: E501")
    scope: dict[str, Any] = {"df": pd.DataFrame({f"column {n}": [n] for n in range(12)})}
    exec("if True:\n" + "\n".join(lines[: lines.index("x = 1")]), scope)
    assert scope["df"]["total"].tolist() == [66]


def test_imports_are_in_order_and_used():
    wanted = ["import pandas as pd", "from math import pi, inf", "import json", "import re",
              "from sklearn.base import clone", "from math import nan"]  # fmt: skip
    body = "pd.DataFrame(); inf; nan; json.loads; clone"
    assert imports(wanted, body) == [
        "import json", "from math import inf, nan", "", "import pandas as pd",
        "from sklearn.base import clone",
    ]  # fmt: skip
