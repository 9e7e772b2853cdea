"""SageMaker's entities in a database of MLflow's, for tests: asked for as the daemon asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from bottega.testing.run_samples import SampleStore
from bottega.tracking.store.entities import questions


class Entities:
    """The questions of the daemon, over one database."""

    def __init__(self, samples: SampleStore) -> None:
        self.samples = samples
        self.database = samples.database

    def change(self, question: str, /, **asked: Any) -> Any:
        change = questions.CHANGES[f"entities/{question}"]
        return self.samples.store.writes.run(lambda connection: change(connection, asked))

    def ask(self, question: str, /, **asked: Any) -> Any:
        with self.samples.readers.read() as reader:
            return questions.READS[f"entities/{question}"](reader, asked)

    def create(self, kind: str, name: str, *, experiment: str = "", **document: Any) -> None:
        tags = document.pop("tags", {})
        self.change(
            "create",
            kind=kind,
            name=name,
            experiment=experiment,
            document=document,
            tags=tags,
            user="ada",
        )

    def describe(self, kind: str, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.ask("describe", kind=kind, name=name)
        return found

    def find(self, kind: str = "TrialComponent", **changes: Any) -> Mapping[str, Any]:
        asked: dict[str, Any] = {
            "kind": kind,
            "expression": None,
            "visible": [],
            "sort_by": "CreationTime",
            "descending": True,
            "after": None,
            "limit": 100,
            "whole": False,
            "counted": True,
        }
        found: Mapping[str, Any] = self.ask("find", **asked | changes)
        return found

    def names(self, kind: str = "TrialComponent", **changes: Any) -> list[str]:
        """The names of all pages, one after the other."""
        names: list[str] = []
        after = None
        while True:
            page = self.find(kind, **{**changes, "after": after})
            names += [each[f"{kind}Name"] for each in page["documents"]]
            if (after := page["next"]) is None:
                return names

    def execute(self, statement: str, *values: Any) -> list[Any]:
        """SQL as somebody else's program would run it, mlflow's command line say."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            return connection.execute(statement, values).fetchall()
