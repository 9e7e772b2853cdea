"""A flow of the Data Wrangler in Python: made step by step, run in a job or in this process.

>>> flow = studio.flow("s3://bucket/raw.csv")  # doctest: +SKIP
>>> flow.add("Handle missing", "Impute", input_column=["age"])  # doctest: +SKIP
>>> flow.run(label="churned", header=False)  # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bottega.errors import ClientFault
from bottega.sdk.client import Client

if TYPE_CHECKING:
    from bottega.wrangler.transformer import FlowTransformer

_EMPTY = '{"metadata": {"version": 1}, "parameters": [], "nodes": []}'
_POLL_SECONDS = 1.0
ENDED = ("Completed", "Failed", "Stopped")


class FlowFailed(ClientFault):
    """A flow's job did not complete; the message is its FailureReason."""

    code = "FlowFailed"


@dataclass(frozen=True)
class FlowRun:
    """A flow's processing job."""

    client: Client
    name: str
    output: str
    """The ``s3://`` prefix of the table."""
    fitted_flow: str
    """The ``s3://`` URI of the flow with what it has learnt, for
    :meth:`~bottega.wrangler.transformer.FlowTransformer.load`."""

    @property
    def model_data(self) -> str:
        """The same as a model's archive: the ``ModelDataUrl`` of a container that prepares rows in
        front of a model."""
        return self.fitted_flow.rpartition("/")[0] + "/model.tar.gz"

    def describe(self) -> dict[str, Any]:
        """DescribeProcessingJob's answer."""
        request = {"ProcessingJobName": self.name}
        return self.client.call("sagemaker", "DescribeProcessingJob", request)

    def wait(self) -> Self:
        """Return when the job has completed.

        Raises:
            FlowFailed: it failed or was stopped.
        """
        while (job := self.describe())["ProcessingJobStatus"] not in ENDED:
            time.sleep(_POLL_SECONDS)
        status = job["ProcessingJobStatus"]
        if status != "Completed":
            raise FlowFailed(job.get("FailureReason") or f"the job {self.name} was stopped")
        return self

    def stop(self) -> None:
        """Ask the job to stop."""
        self.client.call("sagemaker", "StopProcessingJob", {"ProcessingJobName": self.name})


class Flow:
    """A flow, and the table of it that one works at.

    Args:
        client: of the studio.
        document: the content of a ``.flow`` file; empty when absent.
        node: the table; the flow's only end when absent.
        folder: where relative paths of its files begin.

    Attributes:
        text: the document as it is now.
        node: the id of the node whose table further steps take.
    """

    def __init__(
        self,
        client: Client,
        document: str = "",
        node: str | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.client = client
        self.text = document or _EMPTY
        self.folder = None if folder is None else os.fspath(folder)
        self._node = node

    @property
    def node(self) -> str:
        """The node whose table further steps take.

        Raises:
            FlowError: none was chosen, and the flow has several ends or none.
        """
        if self._node is None:
            from bottega.wrangler.flow.document import Flow as Document
            from bottega.wrangler.serving.fitted import only_end

            self._node = only_end(Document.parse(self.text))
        return self._node

    @property
    def document(self) -> dict[str, Any]:
        """The document, parsed."""
        return dict(json.loads(self.text))

    def read(self, source: str | os.PathLike[str], *, query: str = "", **options: Any) -> Self:
        """Add a source; further steps take its table.

        Args:
            source: an ``s3://`` URI, a path of this machine, or with ``query`` an URL of
                SQLAlchemy's.
            query: of a database.
            options: what is known better than it can be detected, such as ``Delimiter`` or
                ``Types``.

        Raises:
            ValidationException: it cannot be a source.
        """
        uri = os.fspath(source)
        kind = "sql" if query else "s3" if uri.startswith("s3://") else "file"
        if kind == "file":
            path = Path(uri).expanduser()
            uri = uri if self.folder and not path.is_absolute() else str(path.absolute())
        given = {"Kind": kind, "Uri": uri, "Options": options}
        return self._edit(
            {"Kind": "add_source", "Source": given | ({"Query": query} if query else {})}
        )

    def add(self, group: str, name: str, /, **values: Any) -> Self:
        """Add a step behind the present table.

        Args:
            group: the palette's heading, ``"Handle missing"``.
            name: the operation, ``"Impute"``.
            values: its parameters by name.

        Raises:
            FlowError: there is no such step; the message names the nearest.
            ValidationException: a parameter is wrong; says which and why.
        """
        from bottega.wrangler.transforms.registry import named

        transform = named(group, name)
        return self._edit(
            {
                "Kind": "add_step",
                "NodeId": self.node,
                "Operator": transform.operator,
                "Name": transform.name,
                "Values": values,
            }
        )

    def join(self, other: str, /, **values: Any) -> Self:
        """Join the present table, as the left one, with the table of another node."""
        edit = {"Kind": "join", "NodeId": self.node, "OtherNodeId": other, "Values": values}
        return self._edit(edit)

    def at(self, node: str) -> Self:
        """Go on at the table of another node."""
        self._node = node
        return self

    def code(self, form: str = "pandas", name: str = "prepare") -> str:
        """The flow up to the present table as code.

        Args:
            form: ``pandas``, ``sql``, ``sklearn``, ``notebook``, ``processing``, ``pipeline`` or
                ``endpoint``.
            name: of the function.
        """
        request = {**self._place(), "Form": form, "Name": name}
        return str(self.client.call("bottega", "ExportFlow", request)["Text"])

    def preview(self, rows: int = 10) -> Any:
        """The first rows of the present table, as a DataFrame of what the screen shows."""
        import pandas

        answer = self.client.call("bottega", "PreviewFlow", {**self._place(), "Limit": rows})
        names = [column["Name"] for column in answer["Columns"]]
        return pandas.DataFrame(answer["Rows"], columns=names)

    def run(
        self,
        *,
        name: str | None = None,
        label: str | None = None,
        output: str | None = None,
        content_type: str = "text/csv",
        header: bool = True,
        instance_type: str | None = None,
        output_name: str = "default",
        wait: bool = True,
    ) -> FlowRun:
        """Run the flow over the whole data in a processing job.

        Args:
            name: of the job; made up when absent.
            label: the column that comes first, and that rows which are served do not have.
            output: the ``s3://`` prefix of the table; in the default bucket when absent.
            content_type: ``text/csv`` or ``application/x-parquet``.
            header: whether CSV begins with the names; built-in algorithms want it without.
            instance_type: how much memory the job may use.
            output_name: which output of the node, such as ``Train`` of a split.
            wait: return only when the job has completed.

        Raises:
            ValidationException: the flow cannot run; says why.
            FlowFailed: with ``wait``, the job failed.
        """
        request: dict[str, Any] = {
            **self._place(),
            "OutputName": output_name,
            "ContentType": content_type,
            "Header": header,
        }
        optional = {
            "Name": name,
            "Label": label,
            "OutputS3Uri": output,
            "InstanceType": instance_type,
        }
        request |= {key: value for key, value in optional.items() if value is not None}
        answer = self.client.call("bottega", "RunFlow", request)
        run = FlowRun(
            self.client,
            answer["ProcessingJobName"],
            answer["OutputS3Uri"],
            answer["FittedFlowS3Uri"],
        )
        return run.wait() if wait else run

    def transformer(self, label: str | None = None, output: str = "default") -> FlowTransformer:
        """The flow as a scikit-learn transformer for this process."""
        from bottega.wrangler.transformer import FlowTransformer

        return FlowTransformer(self.document, self.node, output, label, trusted=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document as a ``.flow`` file: whole or not at all."""
        target = Path(path)
        draft = target.with_name(f".{target.name}.draft")
        draft.write_text(self.text, encoding="utf-8")
        draft.replace(target)

    def _place(self) -> dict[str, Any]:
        return {"Flow": self.text, "NodeId": self.node, "Trusted": True, **self._in_folder()}

    def _in_folder(self) -> dict[str, str]:
        return {"Folder": self.folder} if self.folder else {}

    def _edit(self, edit: Mapping[str, Any]) -> Self:
        request = {"Flow": self.text, "Edit": edit, **self._in_folder()}
        answer = self.client.call("bottega", "EditFlow", request)
        self.text, self._node = answer["Flow"], answer["NodeId"]
        return self
