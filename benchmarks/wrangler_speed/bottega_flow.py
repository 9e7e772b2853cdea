"""The recipe as a flow, the profile as the screen asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
DATE_PARTS += ("week_of_year", "day_of_year", "quarter")
STEPS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("Handle missing", "Drop missing", {"input_column": ["segment", "signup"]}),
    ("Format string", "Strip left and right", {"input_column": ["region"]}),
    ("Format string", "Lower case", {"input_column": ["region"]}),
    ("Parse column as type", "Parse value as type", {"column": "signup", "data_type": "date"}),
    (
        "Handle missing",
        "Impute",
        {"input_column": ["income"], "strategy": "Approximate Median"},
    ),
    (
        "Handle outliers",
        "Standard deviation numeric outliers",
        {"input_column": ["score"], "standard_deviations": 3, "fix_method": "Clip"},
    ),
    (
        "Search and edit",
        "Extract using regex",
        {"input_column": ["discount"], "pattern": "([0-9.]+)"},
    ),
    ("Parse column as type", "Parse value as type", {"column": "discount", "data_type": "float"}),
    (
        "Featurize date/time",
        "Featurize datetime",
        {
            "input_column": ["signup"],
            "output_format": "Columns",
            **{part: part in ("year", "month") for part in DATE_PARTS},
        },
    ),
    (
        "Custom formula",
        "Custom formula",
        {"formula": "spend / visits", "output_column": "spend_per_visit"},
    ),
    (
        "Process numeric",
        "Scale values",
        {
            "scaler": "Standard scaler",
            "standard_scaler_input_column": ["income"],
            "standard_scaler_center": True,
        },
    ),
    (
        "Encode categorical",
        "One-hot encode",
        {"input_column": ["plan"], "output_style": "Columns"},
    ),
)


def flow(file: str) -> tuple[Any, str]:
    """The flow over a file, and the id of its last step."""
    from bottega.testing.wrangler_flows import step_node
    from bottega.wrangler.flow.document import Flow
    from bottega.wrangler.flow.edits import apply

    source = {"Kind": "file", "Uri": file}
    document, above = apply(Flow.empty(), {"Kind": "add_source", "Source": source})
    raw = {**document.raw, "nodes": list(document.raw["nodes"])}
    for number, (group, name, values) in enumerate(STEPS, 1):
        raw["nodes"].append(step_node(f"step {number}", above, group, name, values))
        above = f"step {number}"
    return Flow(raw), above


MEMORY = 4 << 30
"""Bytes that the engine's database may use."""


def engine(folder: Path, work: Path) -> Any:
    """An engine over the files of a folder."""
    from bottega.wrangler.engine.database import Database
    from bottega.wrangler.engine.run import FlowEngine
    from bottega.wrangler.sources.files import FileSources

    database = Database(work, memory=MEMORY)
    return FlowEngine(database, FileSources(database, folder))


def recipe(folder: Path) -> None:
    """Twelve steps over all rows, to Parquet."""
    running = engine(folder, folder / "work")
    document, last = flow("customers.parquet")
    table = running.prepare(document, last).relation
    target = (folder / "bottega.parquet").as_posix()
    running.database.execute(f"COPY ({table.select()}) TO '{target}' (FORMAT parquet)")
    running.database.close()


def profile(folder: Path) -> None:
    """Every column, as the grid's headers show it."""
    from bottega.wrangler.insight.profile import profile as profiled

    running = engine(folder, folder / "work")
    document, _ = flow("customers.parquet")
    source = document.nodes[0].id
    profiled(running.prepare(document, source).relation)
    running.database.close()
