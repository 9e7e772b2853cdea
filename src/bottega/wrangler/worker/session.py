"""What a worker does: one method for each kind of request.

Two engines share one database: one over the first rows of each source, which answers at once, and
one over the whole data. A table whose sources are no longer than the sample is the whole table.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

from bottega.wrangler.engine.database import Database, default_memory
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import FlowEngine, Prepared
from bottega.wrangler.errors import FlowError, at_node, refuse_untrusted
from bottega.wrangler.flow.document import Flow, Link, Node
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


class Place(TypedDict):
    """The members that all requests about a table have."""

    flow: str
    node_id: str
    objects: Mapping[str, Sequence[str]]
    """The local files of every S3 URI in the flow."""
    output_name: NotRequired[str]
    whole: NotRequired[bool]
    trusted: NotRequired[bool]


@dataclass(frozen=True)
class _Asked:
    """A table that is asked about, and who answers."""

    flow: Flow
    node_id: str
    output: str
    trusted: bool
    engine: FlowEngine
    scope: str
    """What the answer is about: ``sample`` or ``whole``."""

    def table(self, link: Link | None = None) -> Prepared:
        """The table, or one that a step above it takes."""
        node_id = self.node_id if link is None else link.node_id
        output = self.output if link is None else link.output_name
        return self.engine.prepare(self.flow, node_id, output, trusted=self.trusted)


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
        *,
        offset: int = 0,
        limit: int = 100,
        columns: Sequence[str] | None = None,
        compare: bool = False,
        **place: Unpack[Place],
    ) -> dict[str, Any]:
        """PreviewFlow."""
        asked = self._asked(place, looks_through=False)
        prepared = asked.table()
        answer: dict[str, Any] = {"Scope": asked.scope, "SampleRows": SAMPLE_ROWS}
        if compare:
            return self._compared(asked, prepared, offset, limit) | answer
        relation = self._pageable(asked.engine, prepared, offset)
        for column in columns or ():
            relation.schema[column]
        page = plain_page(relation, offset, limit, columns or relation.schema.names)
        if asked.scope == "whole":
            answer["TotalRows"] = self._count(prepared)
        return page.as_answer() | answer

    def profile(
        self,
        *,
        columns: Sequence[str] | None = None,
        **place: Unpack[Place],
    ) -> dict[str, Any]:
        """ProfileFlow."""
        asked = self._asked(place)
        prepared = asked.table()
        wanted = list(columns or prepared.relation.schema.names)
        profiles = self._profiled(prepared, wanted)
        return {
            "Rows": profiles[0].count if profiles else self._count(prepared),
            "Scope": asked.scope,
            "SampleRows": SAMPLE_ROWS,
            "Profiles": [profile.as_answer() for profile in profiles],
        }

    def suggest(
        self,
        *,
        column: str | None = None,
        **place: Unpack[Place],
    ) -> dict[str, Any]:
        """SuggestSteps."""
        from bottega.wrangler.insight.suggestions import suggest

        prepared = self._asked(place).table()
        if column is not None:
            prepared.relation.schema[column]
        known = [column] if column is not None else prepared.relation.schema.names
        found = suggest(prepared.relation, column, self._profiled(prepared, known))
        return {"Suggestions": [suggestion.as_answer() for suggestion in found]}

    def analyze(
        self,
        *,
        operator: str | None = None,
        values: Mapping[str, Any] | None = None,
        html: bool = False,
        **place: Unpack[Place],
    ) -> dict[str, Any]:
        """AnalyzeFlow."""
        from bottega.wrangler.insight.html import page
        from bottega.wrangler.insight.registry import analysis_of

        asked = self._asked(place)
        node = asked.flow.node(asked.node_id)
        table = asked.table().relation
        if operator is None:
            if node.type != "VISUALIZATION":
                raise FlowError("This node is a table; say which analysis is wanted.", node=node.id)
            analysis = analysis_of(node.operator)
            values = analysis.parameter_set().read(node.parameters)
        else:
            analysis = analysis_of(operator)
        with at_node(node.id):
            refuse_untrusted(analysis.name, runs_code=analysis.runs_code, trusted=asked.trusted)
        result = analysis.run(table, analysis.parameter_set().check(values or {}, table.schema))
        answer = result.as_answer() | {"Scope": asked.scope}
        return answer | ({"Html": page(result)} if html else {})

    def export(
        self,
        form: str,
        *,
        name: str = "prepare",
        **place: Unpack[Place],
    ) -> dict[str, Any]:
        """ExportFlow."""
        from bottega.wrangler.export.forms import export

        asked = self._asked(place)
        found = export(
            asked.flow,
            asked.node_id,
            form,
            name=name,
            engine=asked.engine,
            output=asked.output,
            trusted=asked.trusted,
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

    def _asked(self, place: Place, *, looks_through: bool = True) -> _Asked:
        """What a request about a table is about; see :meth:`_engine`."""
        self._know(place["objects"])
        flow, node_id = Flow.parse(place["flow"]), place["node_id"]
        output = place.get("output_name", "default")
        engine, scope = self._engine(
            flow, node_id, output, place.get("whole", False), looks_through=looks_through
        )
        return _Asked(flow, node_id, output, place.get("trusted", False), engine, scope)

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
        with at_node(node.id):
            return self._sources.sample(node, SAMPLE_ROWS).count() < SAMPLE_ROWS

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

    def _compared(self, asked: _Asked, after: Prepared, offset: int, limit: int) -> dict[str, Any]:
        """The node's table beside the one that it takes."""
        step = after.steps[-1] if after.steps else None
        if step is None or step.node.id != asked.node_id:
            names = after.relation.schema.names
            return plain_page(after.relation, offset, limit, names).as_answer()
        before = asked.table(step.node.inputs[0]).relation
        schema = after.relation.schema
        counts = Counts(self._compared_counts, after.key)
        page = aligned_page(before, step, schema, offset, limit, counts)
        if page is None:
            kept = self._pageable(asked.engine, after, offset)
            if isinstance(step.rendering, Query) and step.rendering.subset:
                page = subset_page(before, kept, offset, limit, counts)
            else:
                page = unaligned_page(before, kept, offset, limit, schema.names, counts)
        return page.as_answer()
