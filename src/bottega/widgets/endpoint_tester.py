"""A request to an endpoint by hand: what it answers, how fast, and the same as code."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from bottega.errors import BottegaError
from bottega.sdk.endpoint import Endpoint
from bottega.sdk.rows import encode_rows
from bottega.sdk.session import Session, connect
from bottega.widgets.lasting import LastingDisplay, PageLayout
from bottega.widgets.snippets import snippets

HERE = Path(__file__).parent
LONGEST_SHOWN = 100_000


class EndpointTester(LastingDisplay, anywidget.AnyWidget):
    """Sends what is typed to an endpoint. The kernel sends it; without one nothing goes out.

    Args:
        endpoint: the endpoint, or its name.
        rows: what to begin with: anything that ``Endpoint.predict`` takes; a row of the training
            data, where it is known, when absent.
        studio: the session to find a name in; the default home's when absent.

    Raises:
        ClientFault: there is no such endpoint.
        DataError: the rows cannot be sent.
    """

    _esm = HERE / "endpoint_tester.js"
    _css = HERE / "studio.css"

    endpoint = traitlets.Unicode().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    columns: Any = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The model's feature columns in order, where they are known."""
    body = traitlets.Unicode().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    """Where the first body is from."""
    content_type = traitlets.Unicode("text/csv").tag(sync=True)
    accept = traitlets.Unicode("*/*").tag(sync=True)
    answer: Any = traitlets.Dict().tag(sync=True)
    """``{"ok", "text", "kind", "milliseconds"}`` of the last request; empty before the first."""
    snippets: Any = traitlets.Dict().tag(sync=True)

    def __init__(
        self, endpoint: Endpoint | str, rows: Any = None, *, studio: Session | None = None
    ) -> None:
        if isinstance(endpoint, str):
            endpoint = (studio or connect()).endpoint(endpoint)
        self._endpoint = endpoint
        request = {"EndpointName": endpoint.name}
        suggested = endpoint.client.call("bottega", "SuggestInvocation", request)
        body, kind = suggested["Body"], suggested["ContentType"]
        source = suggested.get("Source", "")
        columns = suggested.get("Columns", [])
        if rows is not None:
            payload = encode_rows(rows, endpoint.columns)
            body, kind, source = payload.body.decode(), payload.content_type, ""
        super().__init__(
            endpoint=endpoint.name,
            status=endpoint.status,
            columns=columns,
            body=body,
            content_type=kind,
            source=source,
            layout=PageLayout(),
        )
        self._write_snippets()
        self.observe(lambda _: self._write_snippets(), ["body", "content_type", "accept"])
        self.on_msg(self._told)

    def __repr__(self) -> str:
        return self.standing_alone()["text/plain"]

    def standing_alone(self) -> Mapping[str, str]:
        head = f"Endpoint {self.endpoint}: {self.status}"
        said = str(self.answer.get("text", ""))
        codes = self.snippets.items()
        text = [head, *([said] if said else []), *(f"# {kind}\n{code}" for kind, code in codes)]
        pages = [f"<p><strong>{html.escape(head)}</strong></p>"]
        if said:
            pages.append(f"<pre>{html.escape(said)}</pre>")
        pages += [
            f"<details><summary>{kind}</summary><pre>{html.escape(code)}</pre></details>"
            for kind, code in codes
        ]
        return {"text/plain": "\n".join(text), "text/html": "".join(pages)}

    def send(self) -> None:
        """Send the body as it is now; the answer is in ``answer``."""
        started = time.perf_counter()
        try:
            body, kind = self._endpoint.client.invoke(
                self.endpoint,
                self.body.encode(),
                content_type=self.content_type,
                accept=self.accept,
            )
            answer = {"ok": True, "text": _readable(body), "kind": kind}
        except BottegaError as error:
            answer = {"ok": False, "text": f"{error.code}: {error.message}", "kind": ""}
        elapsed = (time.perf_counter() - started) * 1000
        self.answer = answer | {"milliseconds": round(elapsed, 1)}

    def _write_snippets(self) -> None:
        self.snippets = snippets(self.endpoint, self.body, self.content_type, self.accept)

    def _told(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """The page asks for something."""
        if content.get("do") == "send":
            self.send()


def _readable(body: bytes) -> str:
    shown = body[:LONGEST_SHOWN].decode(errors="replace")
    more = len(body) - LONGEST_SHOWN
    return f"{shown}\n… and {more} bytes more" if more > 0 else shown
