"""ExportFlow: a flow as code."""

from __future__ import annotations

from typing import Any

from bottega.context import Context
from bottega.features.wrangler.asking import ask, place
from bottega.registry import operation
from bottega.specs.generated.wrangler import ExportFlowRequest, ExportFlowResponse


@operation("ExportFlow", service="bottega")
def export_flow(context: Context, request: ExportFlowRequest) -> ExportFlowResponse:
    """The flow up to a node, in one of several forms."""
    answer: Any = ask(
        context,
        request,
        "export",
        **place(request),
        form=request["Form"],
        name=request.get("Name"),
    )
    response: ExportFlowResponse = answer
    return response
