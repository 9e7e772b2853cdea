"""What a worker does: one method for each kind of request.

Two engines share one database: one over the first rows of each source, which answers at once, and
one over the whole data. A table whose sources are no longer than the sample is the whole table.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bottega.wrangler.engine.database import Database, default_memory
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import FlowEngine, Prepared
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.sources.nodes import Source
from bottega.wrangler.transform import Query
from bottega.wrangler.worker.cells import cell
from bottega.wrangler.worker.pages import (
    Counts,
    aligned_page,
    plain_page,
    subset_page,
    unaligned_page,
)

SAMPLE_ROWS = 100_000
_SHARE_OF_MEMORY = 0.5
"""Of what a database takes by default: a few folders may be open at once."""


class _Samples:
    """The sources' first rows as sources."""

    def __init__(self, sources: FileSources) -> None:
        self._sources = sources

    def relation(self, node: Node) -> Relation:
        return self._sources.sample(node, SAMPLE_ROWS)

    def fingerprint(self, node: Node) -> str:
        return self._sources.fingerprint(node)

    def known(self, node: Node) -> Any:
        """What was found out about a source; exported code reads it the same way."""
        return self._sources.known(node)


class Session:
    """Flows over the files of one folder, and over objects.

    Args:
        work: a folder of its own.
        folder: where paths of files begin; None where files must not be read.
        memory: bytes that the database may use.
    """

    def __init__(self, work: Path, folder: Path | None, *, memory: int | None = None) -> None:
        self._database = Database(work, memory=memory or int(default_memory() * _SHARE_OF_MEMORY))
        self._objects: dict[str, list[Path]] = {}
        self._sources = FileSources(self._database, folder, self._object_paths)
        self._sample = FlowEngine(self._database, _Samples(self._sources), part="sample")
        self._whole = FlowEngine(self._database, self._sources)
        self._counts: dict[str, int] = {}
        self._compared_counts: dict[str, Any] = {}
        self._profiles: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Remove every table."""
        self._database.close()

    # Requests. Arguments are the members of the operations' shapes, in lower case with
    # underscores, and ``objects``: the local files of every S3 URI in the request.

    def detect(
        self, source: Mapping[str, Any], objects: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """DetectSource."""
        self._know(objects)
        found = self._sources.detect(source)
        answer = {
            "Format": found.format,
            "Options": dict(found.options),
            "Choices": dict(found.choices),
            "Columns": [{"Name": c.name, "Type": c.type.value} for c in found.schema],
            "Rows": [[cell(value) for value in row] for row in found.rows],
            "Findings": found.findings,
        }
        return answer | ({} if found.bytes is None else {"Bytes": found.bytes})

    def edit(
        self, flow: str, edit: Mapping[str, Any], objects: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """EditFlow."""
        from bottega.wrangler.flow.edits import apply

        self._know(objects)
        changed, node_id = apply(Flow.parse(flow), edit)
        return {"Flow": changed.text(), "NodeId": node_id}

    def check(
        self, flow: str, trusted: bool, objects: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """CheckFlow."""
        from bottega.wrangler.flow.checking import check

        self._know(objects)
        document = Flow.parse(flow)
        answer = check(document, self._sample, trusted=trusted).as_answer()
        return {**answer, "Notes": [*answer["Notes"], *self._findings(document)]}

    def preview(
        self,
        flow: str,
        node_id: str,
        objects: Mapping[str, Sequence[str]],
        *,
        output_name: str = "default",
        whole: bool = False,
        trusted: bool = False,
        offset: int = 0,
        limit: int = 100,
        columns: Sequence[str] | None = None,
        compare: bool = False,
    ) -> dict[str, Any]:
        """PreviewFlow."""
        self._know(objects)
        document = Flow.parse(flow)
        engine, scope = self._engine(document, node_id, output_name, whole, looks_through=False)
        prepared = engine.prepare(document, node_id, output_name, trusted=trusted)
        answer: dict[str, Any] = {"Scope": scope, "SampleRows": SAMPLE_ROWS}
        if compare:
            return (
                self._compared(engine, document, node_id, prepared, offset, limit, trusted) | answer
            )
        relation = self._pageable(engine, prepared, offset)
        for column in columns or ():
            relation.schema[column]
        page = plain_page(relation, offset, limit, columns or relation.schema.names)
        if scope == "whole":
            answer["TotalRows"] = self._count(prepared)
        return page.as_answer() | answer

    def profile(
        self,
        flow: str,
        node_id: str,
        objects: Mapping[str, Sequence[str]],
        *,
        output_name: str = "default",
        whole: bool = False,
        trusted: bool = False,
        columns: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """ProfileFlow."""
        self._know(objects)
        document = Flow.parse(flow)
        engine, scope = self._engine(document, node_id, output_name, whole)
        prepared = engine.prepare(document, node_id, output_name, trusted=trusted)
        wanted = list(columns or prepared.relation.schema.names)
        profiles = self._profiled(prepared, wanted)
        return {
            "Rows": profiles[0].count if profiles else self._count(prepared),
            "Scope": scope,
            "SampleRows": SAMPLE_ROWS,
            "Profiles": [profile.as_answer() for profile in profiles],
        }

    def suggest(
        self,
        flow: str,
        node_id: str,
        objects: Mapping[str, Sequence[str]],
        *,
        output_name: str = "default",
        whole: bool = False,
        trusted: bool = False,
        column: str | None = None,
    ) -> dict[str, Any]:
        """SuggestSteps."""
        from bottega.wrangler.insight.suggestions import suggest

        self._know(objects)
        document = Flow.parse(flow)
        engine, _ = self._engine(document, node_id, output_name, whole)
        prepared = engine.prepare(document, node_id, output_name, trusted=trusted)
        if column is not None:
            prepared.relation.schema[column]
        known = [column] if column is not None else prepared.relation.schema.names
        found = suggest(prepared.relation, column, self._profiled(prepared, known))
        return {"Suggestions": [suggestion.as_answer() for suggestion in found]}

    def analyze(
        self,
        flow: str,
        node_id: str,
        objects: Mapping[str, Sequence[str]],
        *,
        output_name: str = "default",
        whole: bool = False,
        trusted: bool = False,
        operator: str | None = None,
        values: Mapping[str, Any] | None = None,
        html: bool = False,
    ) -> dict[str, Any]:
        """AnalyzeFlow."""
        from bottega.wrangler.insight.html import page
        from bottega.wrangler.insight.registry import analysis_of

        self._know(objects)
        document = Flow.parse(flow)
        node = document.node(node_id)
        engine, scope = self._engine(document, node_id, output_name, whole)
        table = engine.prepare(document, node_id, output_name, trusted=trusted).relation
        if operator is None:
            if node.type != "VISUALIZATION":
                raise FlowError("This node is a table; say which analysis is wanted.", node=node_id)
            analysis = analysis_of(node.operator)
            values = analysis.parameter_set().read(node.parameters)
        else:
            analysis = analysis_of(operator)
        if analysis.runs_code and not trusted:
            raise FlowError(
                "This analysis runs code that came with the flow. Read it, and trust the flow if "
                "you want it to run.",
                node=node_id,
            )
        result = analysis.run(table, analysis.parameter_set().check(values or {}, table.schema))
        answer = result.as_answer() | {"Scope": scope}
        return answer | ({"Html": page(result)} if html else {})

    def export(
        self,
        flow: str,
        node_id: str,
        form: str,
        objects: Mapping[str, Sequence[str]],
        *,
        output_name: str = "default",
        whole: bool = False,
        trusted: bool = False,
        name: str = "prepare",
    ) -> dict[str, Any]:
        """ExportFlow."""
        from bottega.wrangler.export.forms import export

        self._know(objects)
        document = Flow.parse(flow)
        engine, _ = self._engine(document, node_id, output_name, whole)
        found = export(
            document, node_id, form, name=name, engine=engine, output=output_name, trusted=trusted
        )
        return dict(found.as_answer())

    # Below them

    def _findings(self, flow: Flow) -> list[str]:
        """What is odd about the data, of every source that can be read."""
        found = []
        for node in flow.of_type("SOURCE"):
            with suppress(FlowError):  # the node's own state says why
                name = Source.of(node).shown_name
                found += [f"{name}: {text}" for text in self._sources.findings(node)]
        return found

    def _know(self, objects: Mapping[str, Sequence[str]]) -> None:
        with self._lock:
            for uri, paths in objects.items():
                self._objects[uri] = [Path(path) for path in paths]

    def _object_paths(self, uri: str) -> list[Path]:
        with self._lock:
            found = self._objects.get(uri)
        if not found:
            raise FlowError(f"There are no objects under {uri}. Check the bucket and the prefix.")
        return found

    def _engine(
        self, flow: Flow, node_id: str, output: str, whole: bool, *, looks_through: bool = True
    ) -> tuple[FlowEngine, str]:
        """The engine to ask, and what its answer is about.

        Args:
            flow: the document.
            node_id: of the table.
            output: of the node.
            whole: whether it must be about everything.
            looks_through: whether the answer takes a look at every row: then a sample comes first
                even where everything is ready.
        """
        above = [node for node in flow.upstream(node_id) if node.type == "SOURCE"]
        if all(self._is_short(node) for node in above):
            return self._sample, "whole"
        ready = not looks_through and self._whole.is_prepared(flow, node_id, output)
        if whole or ready:
            return self._whole, "whole"
        for node in above:
            threading.Thread(target=self._read_ahead, args=(node,), daemon=True).start()
        return self._sample, "sample"

    def _is_short(self, node: Node) -> bool:
        """Whether the sample has all rows there are."""
        try:
            return self._sources.sample(node, SAMPLE_ROWS).count() < SAMPLE_ROWS
        except FlowError as error:
            error.at(node.id)
            raise

    def _read_ahead(self, node: Node) -> None:
        try:
            self._sources.relation(node)
        except FlowError:
            return  # who asks for the whole is told

    def _pageable(self, engine: FlowEngine, prepared: Prepared, offset: int) -> Relation:
        """A table whose further pages are as cheap as its first one."""
        relation = prepared.relation
        if relation.ordered or offset == 0:
            return relation
        return engine.materialise(prepared).relation

    def _count(self, prepared: Prepared) -> int:
        if prepared.key not in self._counts:
            self._counts[prepared.key] = prepared.relation.count()
        return self._counts[prepared.key]

    def _profiled(self, prepared: Prepared, columns: Sequence[str]) -> list[Any]:
        from bottega.wrangler.insight.profile import profile

        missing = [c for c in columns if (prepared.key, c) not in self._profiles]
        for found in profile(prepared.relation, missing) if missing else ():
            self._profiles[prepared.key, found.name] = found
        return [self._profiles[prepared.key, column] for column in columns]

    def _compared(
        self,
        engine: FlowEngine,
        flow: Flow,
        node_id: str,
        after: Prepared,
        offset: int,
        limit: int,
        trusted: bool,
    ) -> dict[str, Any]:
        """The node's table beside the one that it takes."""
        step = after.steps[-1] if after.steps else None
        if step is None or step.node.id != node_id:
            names = after.relation.schema.names
            return plain_page(after.relation, offset, limit, names).as_answer()
        link = step.node.inputs[0]
        before = engine.prepare(flow, link.node_id, link.output_name, trusted=trusted).relation
        schema = after.relation.schema
        counts = Counts(self._compared_counts, after.key)
        page = aligned_page(before, step, schema, offset, limit, counts)
        if page is None:
            kept = self._pageable(engine, after, offset)
            if isinstance(step.rendering, Query) and step.rendering.subset:
                page = subset_page(before, kept, offset, limit, counts)
            else:
                page = unaligned_page(before, kept, offset, limit, schema.names, counts)
        return page.as_answer()
