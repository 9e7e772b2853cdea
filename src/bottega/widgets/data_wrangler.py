"""A frame in the Data Wrangler: its grid in the output of a cell, and what came of it as code."""

from __future__ import annotations

import html
import json
import os
import re
import secrets
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.errors import ClientFault
from bottega.sdk.flow import Flow
from bottega.sdk.session import Session, connect
from bottega.widgets import frontend

if TYPE_CHECKING:
    import pandas as pd

MIME = "application/vnd.bottega.wrangler+json"
_PREFIX = "data_wrangler_flows/drafts"
_HEAD = 10


class DataWrangler:
    """A frame that is prepared by hand and eye.

    Shown as the result of a cell it is a grid; its steps are kept in the studio as a draft, so that
    they outlive kernel and page. Without JupyterLab's extension the first rows are shown.

    Args:
        frame: what to prepare. It is copied; nothing changes it.
        name: what to call it; ``df`` when absent.
        session: with the studio; the default one when absent.

    Raises:
        ClientFault: the frame has columns that cannot be prepared; says which.
    """

    def __init__(
        self, frame: pd.DataFrame, name: str = "df", session: Session | None = None
    ) -> None:
        self.session = session or connect()
        self.name = name
        self._shown_by: object = None
        self._frame = _plain(frame)
        self._expression = _expression(frame)
        slug = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")[:32].rstrip("-") or "df"
        self.draft = f"{slug}-{secrets.token_hex(6)}"
        """The name of the draft in the studio."""
        self._keep(self._upload())

    def _upload(self) -> str:
        """The frame as Parquet in the default bucket; returns its URI."""
        import pyarrow.parquet

        from bottega.wrangler.engine.frames import schema_of, table_of
        from bottega.wrangler.errors import FlowError

        try:
            table = table_of(self._frame, schema_of(self._frame))
        except FlowError as error:
            raise ClientFault(error.message) from error
        key = f"{_PREFIX}/{self.draft}/{self.draft.rpartition('-')[0]}.parquet"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frame.parquet"
            pyarrow.parquet.write_table(table, path)
            return self.session.client.put_object(self.session.config.bucket, key, path)

    def _keep(self, uri: str) -> None:
        from bottega.wrangler.flow.document import Flow as Document
        from bottega.wrangler.sources.nodes import Source

        options = {"ContentType": "parquet"}
        source = Source.given({"Kind": "s3", "Uri": uri, "Name": self.name, "Options": options})
        raw = {**Document.empty().raw, "nodes": [source.node(str(uuid.uuid4()))]}
        request = {"DraftId": self.draft, "Flow": Document(raw).text()}
        self.session.client.call("bottega", "PutDraftFlow", request)

    @property
    def flow(self) -> Flow:
        """The flow as it is now in the studio."""
        answer = self.session.client.call("bottega", "GetDraftFlow", {"DraftId": self.draft})
        return Flow(self.session.client, answer["Flow"])

    @property
    def code(self) -> str:
        """What was done, as pandas code."""
        return self.flow.code("pandas", re.sub(r"\W", "_", f"prepare_{self.name}").lower())

    def result(self, node: str | None = None) -> pd.DataFrame:
        """The prepared frame: the flow, run in this process.

        Args:
            node: whose table; the flow's only end when absent.

        Raises:
            FlowError: a step is wrong, or the flow has several ends.
        """
        flow = self.flow if node is None else self.flow.at(node)
        return flow.transformer().fit_transform(self._frame, training=True)

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Save the flow as a ``.flow`` file, which can be opened and run without this notebook."""
        self.flow.save(path)

    def _ipython_display_(self, **_: Any) -> None:
        # What show() has displayed may be the last expression of the same cell, too.
        execution = frontend.execution()
        if self._shown_by != execution:
            self._shown_by = execution
            frontend.show(self._repr_mimebundle_())

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> Mapping[str, str | dict[str, Any]]:
        rows, columns = self._frame.shape
        caption = f"{self.name}: {rows:,} rows × {columns} columns"
        table = self._frame.head(_HEAD).to_html(border=0, notebook=True)
        return {
            MIME: {
                "draftId": self.draft,
                "title": self.name,
                "rows": rows,
                "columns": columns,
                # What gives the frame in this kernel, for the code that is put into a cell.
                "expression": self._expression,
            },
            "text/html": f"{table}<p>{html.escape(caption)}</p>",
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        rows, columns = self._frame.shape
        return f"DataWrangler({json.dumps(self.name)}, {rows} rows × {columns} columns)"


def show(frame: pd.DataFrame, name: str = "df", session: Session | None = None) -> DataWrangler:
    """Show a frame in the Data Wrangler, wherever in a cell this is called.

    Outside of IPython nothing is shown.

    Args:
        frame: what to prepare. It is copied; nothing changes it.
        name: what to call it.
        session: with the studio; the default one when absent.

    Returns:
        What holds the flow; in the cell of this call it is not shown a second time.

    Raises:
        ClientFault: the frame has columns that cannot be prepared; says which.
    """
    wrangler = DataWrangler(frame, name, session)
    if frontend.shell() is not None:
        wrangler._ipython_display_()
    return wrangler


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy with what the Data Wrangler knows: columns with names, no index, no time zones."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise ClientFault(f"{type(frame).__name__} is no DataFrame; give one, such as df.")
    named = [name for name in frame.index.names if name is not None]
    plain = (
        frame.reset_index(level=named).reset_index(drop=True)
        if named
        else frame.reset_index(drop=True)
    )
    if isinstance(plain.columns, pd.MultiIndex):
        raise ClientFault("The columns have several levels; flatten them first.")
    plain.columns = pd.Index([str(column) for column in plain.columns])
    for column in plain.columns[~plain.columns.duplicated()]:
        kind = plain.dtypes[column]
        if isinstance(kind, pd.DatetimeTZDtype):
            plain[column] = plain[column].dt.tz_convert("UTC").dt.tz_localize(None)
    return plain


def _expression(frame: pd.DataFrame) -> str | None:
    """Code that gives what is prepared from a variable of the notebook; None where none holds it.

    Its columns may still have to become of the types that the Data Wrangler knows.
    """
    import pandas as pd

    variable = frontend.variable_of(frame)
    index = frame.index
    if variable is None or not all(isinstance(name, str) for name in frame.columns):
        return None
    if any(isinstance(kind, pd.DatetimeTZDtype) for kind in frame.dtypes):
        return None
    if all(name is None for name in index.names):
        is_counted = isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(frame)))
        return variable if is_counted else f"{variable}.reset_index(drop=True)"
    if all(isinstance(name, str) for name in index.names):
        return f"{variable}.reset_index()"
    return None
