"""A flow as a processing job: ``python -m bottega.wrangler.job``, the program of the image
``sagemaker-data-wrangler-container``.

The job finds the flow in ``/opt/ml/processing/flow`` and each source of it where the input with its
S3 URI, or with its dataset's name, is mounted. For each output called ``<node_id>.<output name>``
it writes the table of that node; an output called ``fitted_flow`` gets
``fitted.flow`` and, for models, the same in ``model.tar.gz``. Arguments, as SageMaker has them:

``--output-config JSON``
    By output: ``content_type`` (``CSV`` when absent, or ``PARQUET``), ``delimiter``,
    ``compression`` (``none``, ``gzip``, ``zstd``; of Parquet ``snappy``, too); and, what SageMaker
    does not have, ``header`` (true when absent) and ``label``, a column that comes first.
``--refit-trained-params JSON``
    ``refit`` false takes what the flow has learnt already instead of learning from these data.

The first host does the work; there is no other one to wait for.
"""

from __future__ import annotations

import argparse
import io
import json
import shlex
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from bottega.container.failure import (
    LIMIT,
    last_words,
    print_traceback,
    user_traceback,
    write_failure,
)
from bottega.container.paths import ContainerPaths
from bottega.nearest import ending
from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.engine.database import Database, default_memory
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import FlowEngine, Prepared
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.instance_memory import memory_of
from bottega.wrangler.serving.endpoint import FITTED_NAME
from bottega.wrangler.serving.fitted import Fitted, title
from bottega.wrangler.serving.plan import serving_plan
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import Columns

FITTED_OUTPUT = "fitted_flow"
MODEL_NAME = "model.tar.gz"
_ML_ROOT = "/opt/ml"
_SHARE_OF_INSTANCE = 0.7
"""Of an instance's memory, for the tables; the rest is for what libraries and programs need."""
_COMPRESSIONS = {
    "CSV": {"none": "none", "gzip": "gzip", "zstd": "zstd"},
    "PARQUET": {"none": "uncompressed", "gzip": "gzip", "zstd": "zstd", "snappy": "snappy"},
}
_ENDINGS = {
    ("CSV", "none"): ".csv",
    ("CSV", "gzip"): ".csv.gz",
    ("CSV", "zstd"): ".csv.zst",
    **{("PARQUET", one): ".parquet" for one in _COMPRESSIONS["PARQUET"].values()},
}


@dataclass(frozen=True)
class Output:
    """One table that is written."""

    name: str
    node: str
    output: str
    folder: Path
    content_type: str
    delimiter: str
    compression: str
    header: bool
    label: str


@dataclass(frozen=True)
class Job:
    """What a job is told: its configuration and its arguments."""

    root: Path
    flow: Flow
    inputs: Sequence[Mapping[str, Any]]
    outputs: Sequence[Output]
    fitted_folder: Path | None
    refit: bool
    instance_type: str

    @classmethod
    def read(cls, root: Path, arguments: Sequence[str]) -> Job:
        """Read it from the job's folder.

        Raises:
            FlowError: something is not there, or not as it must be.
        """
        config = json.loads((root / "config" / "processingjobconfig.json").read_text())
        options = _options(arguments)
        flow = _flow(root / "processing" / "flow")
        targets = {
            output["OutputName"]: _inside(root, output["S3Output"]["LocalPath"])
            for output in (config.get("ProcessingOutputConfig") or {}).get("Outputs", ())
        }
        fitted = targets.pop(FITTED_OUTPUT, None)
        for unknown in options.output_config.keys() - targets.keys():
            raise FlowError(
                f"--output-config names the output {unknown!r}, which the job does not have"
                f"{ending(unknown, targets)}"
            )
        if not targets:
            raise FlowError(
                "The job has no output for a table: give one the name <node_id>.<output name>, "
                f"such as {_example(flow)}."
            )
        outputs = [
            _output(flow, name, folder, options.output_config.get(name, {}))
            for name, folder in targets.items()
        ]
        return cls(
            root,
            flow,
            config.get("ProcessingInputs") or [],
            outputs,
            fitted,
            options.refit.get("refit", True) is not False,
            config["ProcessingResources"]["ClusterConfig"].get("InstanceType", ""),
        )


class _Refusing(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FlowError(f"The job's arguments cannot be read: {message}.")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    # SageMaker's notebooks give an option and its value as one quoted argument.
    try:
        parts = [part for argument in arguments for part in _unquoted(argument)]
    except ValueError as error:
        raise FlowError(f"The job's arguments cannot be read: {error}.") from error
    parser = _Refusing(add_help=False, allow_abbrev=False)
    parser.add_argument("--output-config", type=_document, default={})
    parser.add_argument(
        "--refit-trained-params", dest="refit", type=_document, default={"refit": True}
    )
    return parser.parse_args(parts)


def _unquoted(argument: str) -> list[str]:
    if argument.startswith("--") and " " in argument:
        return shlex.split(argument)
    return [argument]


def _document(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


def _flow(folder: Path) -> Flow:
    found = sorted(folder.rglob("*.flow")) if folder.is_dir() else []
    if len(found) != 1:
        raise FlowError(
            f"The input at {_ML_ROOT}/processing/flow has {len(found)} .flow files; it must have "
            "one."
        )
    return Flow.parse(found[0].read_bytes())


def _example(flow: Flow) -> str:
    ends = flow.ends()
    return f"{ends[0].id}.default" if ends else "<node_id>.default"


def _output(flow: Flow, name: str, folder: Path, config: Mapping[str, Any]) -> Output:
    node, _, output = name.rpartition(".")
    if node not in flow:
        known = [f"{one.id}.{o.get('name')}" for one in flow.nodes for o in _outputs(one)]
        raise FlowError(
            f"The output {name!r} names no node of the flow; it must be <node_id>.<output name>, "
            f"such as {_example(flow)}, or {FITTED_OUTPUT}{ending(name, known)}"
        )
    own = flow.node(node).parameters.get("output_config")
    settings = {
        **({} if not isinstance(own, Mapping) else {
            "content_type": own.get("output_content_type", "CSV"),
            "delimiter": own.get("delimiter") or ",",
            "compression": own.get("compression") or "none",
        }),
        **config,
    }  # fmt: skip
    kind = str(settings.get("content_type", "CSV")).upper()
    allowed = _COMPRESSIONS.get(kind)
    if allowed is None:
        raise FlowError(f"Output {name!r}: content_type {kind!r} is neither CSV nor PARQUET.")
    compression = str(settings.get("compression", "none")).lower()
    if compression not in allowed:
        raise FlowError(
            f"Output {name!r}: compression {compression!r} is none of {', '.join(allowed)}."
        )
    delimiter = str(settings.get("delimiter", ","))
    if len(delimiter) != 1:
        raise FlowError(f"Output {name!r}: delimiter {delimiter!r} is not one character.")
    return Output(
        name,
        node,
        output,
        folder,
        kind,
        delimiter,
        allowed[compression],
        settings.get("header", True) is not False,
        str(settings.get("label") or ""),
    )


def _outputs(node: Node) -> Sequence[Mapping[str, Any]]:
    return node.raw.get("outputs") or ({"name": "default"},)


def _inside(root: Path, local: str) -> Path:
    return root / Path(local).relative_to(_ML_ROOT)


# -- running --------------------------------------------------------------------------------------


def run(job: Job) -> str:
    """Write what the job was asked for; returns what to say about it.

    Raises:
        FlowError: a source or a step cannot be, or a value is not what a step needs.
    """
    memory = min(default_memory(), int(memory_of(job.instance_type) * _SHARE_OF_INSTANCE))
    told = []
    # Beside the job's other files, on the disk: its /tmp may be memory.
    with Database(job.root / "tables", memory=memory) as database:
        sources = _Sources(job, database)
        engine = FlowEngine(database, sources)
        done: list[tuple[Output, Prepared]] = []
        for output in job.outputs:
            print(f"Preparing {title(job.flow, output.node)} ({output.name})", flush=True)
            prepared = engine.prepare(
                job.flow, output.node, output.output, fitted=not job.refit, trusted=True
            )
            columns = _order(output, prepared.relation.schema)
            rows = _write(output, prepared.relation, columns)
            told.append(f"{output.name}: {rows} rows, {len(columns)} columns")
            print(f"Wrote {told[-1]}", flush=True)
            done.append((output, prepared))
        if job.fitted_folder is not None:
            _write_fitted(job, sources, done)
    return "; ".join(told)


def _order(output: Output, schema: Schema) -> list[str]:
    if not output.label:
        return schema.names
    schema[output.label]
    return [output.label, *(column for column in schema.names if column != output.label)]


def _write(output: Output, relation: Relation, columns: Sequence[str]) -> int:
    """Write a table, in its order and as it is computed; returns the number of rows."""
    if not columns:
        raise FlowError("No column is left to be written.", node=output.node)
    options = [f"FORMAT {output.content_type}", f"COMPRESSION {output.compression}"]
    if output.content_type == "CSV":
        options += [f"HEADER {output.header}", f"DELIMITER {literal(output.delimiter)}"]
        if not output.header:
            relation = _with_numbers(relation)
    output.folder.mkdir(parents=True, exist_ok=True)
    # One file: several are written out of the table's order, unless it is sorted for that.
    part = output.folder / f"part-00000{_ENDINGS[output.content_type, output.compression]}"
    found = relation.database.rows(
        f"COPY ({relation.select(columns)}) TO {literal(str(part))} ({', '.join(options)})"
    )
    return int(found[0][0])


def _with_numbers(relation: Relation) -> Relation:
    """Booleans as 1 and 0: without names a file is for an algorithm, which reads numbers."""
    booleans = relation.schema.of_type([ColumnType.BOOLEAN])
    numbers = {column: f"{name(column)}::BIGINT" for column in booleans}
    schema = relation.schema.with_columns(Column(c, ColumnType.LONG) for c in booleans)
    return relation.then(Columns(numbers), schema) if booleans else relation


def _write_fitted(job: Job, sources: _Sources, done: Sequence[tuple[Output, Prepared]]) -> None:
    """The flow with what it has learnt, for the output that has a label, else for the first."""
    assert job.fitted_folder is not None
    chosen, _ = next((one for one in done if one[0].label), done[0])
    states = {node: state for _, prepared in done for node, state in prepared.states.items()}
    fitted = Fitted.of(job.flow, states, sources.schemas, chosen.node, chosen.output, chosen.label)
    try:
        serving_plan(fitted, trusted=True)
    except FlowError as error:
        where = f"{title(job.flow, error.node)}: " if error.node else ""
        print(f"This flow cannot stand in front of a model. {where}{error.message}", flush=True)
    text = fitted.text().encode()
    job.fitted_folder.mkdir(parents=True, exist_ok=True)
    (job.fitted_folder / FITTED_NAME).write_bytes(text)
    with tarfile.open(job.fitted_folder / MODEL_NAME, "w:gz") as archive:
        member = tarfile.TarInfo(FITTED_NAME)
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))


class _Sources:
    """The sources of the flow: the files of the job's inputs, and databases."""

    def __init__(self, job: Job, database: Database) -> None:
        self.schemas: dict[str, Schema] = {}
        self._job = job
        self._node = ""
        self._called = ""
        self._files = FileSources(database, None, self._paths)

    def relation(self, node: Node) -> Relation:
        """The table of a source."""
        self._look_at(node)
        found = self._files.relation(node)
        for finding in self._files.findings(node):
            print(f"{title(self._job.flow, node.id)}: {finding}", flush=True)
        self.schemas[node.id] = found.schema
        return found

    def fingerprint(self, node: Node) -> str:
        """Inputs do not change while the job runs."""
        return node.id

    def _look_at(self, node: Node) -> None:
        definition = node.parameters.get("dataset_definition")
        self._called = str(definition.get("name", "")) if isinstance(definition, Mapping) else ""
        self._node = node.id

    def _paths(self, uri: str) -> list[Path]:
        wanted = uri.rstrip("/")
        ways = (
            lambda entry: entry["S3Input"]["S3Uri"].rstrip("/") == wanted,
            lambda entry: entry["InputName"] in (self._node, self._called),
        )
        for way in ways:
            for entry in self._job.inputs:
                if way(entry):
                    folder = _inside(self._job.root, entry["S3Input"]["LocalPath"])
                    # Of an object, not of others whose keys begin as its own does.
                    alone = folder / uri.rpartition("/")[2]
                    if not uri.endswith("/") and alone.is_file():
                        return [alone]
                    return sorted(path for path in folder.rglob("*") if path.is_file())
        raise FlowError(
            f"The source reads {uri}, and no input of the job does. Give it as an input, by its "
            "URI, at a LocalPath of its own."
        )


def main() -> int:
    """Run the job of this host; returns the exit code, and leaves a failure file if it is not
    0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    paths = ContainerPaths.of()
    hosts = json.loads((paths.root / "config" / "resourceconfig.json").read_text())
    if hosts["current_host"] != "algo-1":
        print("The first host prepares the data; this one has nothing to do.", flush=True)
        return 0
    try:
        message = run(Job.read(paths.root, sys.argv[1:]))
    except FlowError as error:
        text = f"ClientError: {_told(paths.root, error)}"
        print(text, file=sys.stderr, flush=True)
        write_failure(paths.failure, text)
        return 1
    except Exception as error:
        print_traceback(error)
        trace = user_traceback(error)[-(LIMIT - 200) :]
        write_failure(paths.failure, f"AlgorithmError: {last_words(error)[:180]}\n{trace}")
        return 1
    paths.output.mkdir(parents=True, exist_ok=True)
    (paths.output / "message").write_text(message)
    return 0


def _told(root: Path, error: FlowError) -> str:
    if not error.node:
        return error.message
    try:
        called = title(_flow(root / "processing" / "flow"), error.node)
    except FlowError:
        called = error.node
    return f"{called} ({error.node}): {error.message}"


if __name__ == "__main__":
    sys.exit(main())
