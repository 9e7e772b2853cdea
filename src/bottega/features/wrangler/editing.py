"""DetectSource, EditFlow and CheckFlow: what a flow is made of."""

from __future__ import annotations

from typing import Any

from bottega.context import Context
from bottega.features.wrangler.asking import ask
from bottega.registry import operation
from bottega.specs.generated.wrangler import (
    CheckFlowRequest,
    CheckFlowResponse,
    DetectSourceRequest,
    DetectSourceResponse,
    EditFlowRequest,
    EditFlowResponse,
)


@operation("DetectSource", service="bottega")
def detect_source(context: Context, request: DetectSourceRequest) -> DetectSourceResponse:
    """Look at data that may become a source."""
    answer: Any = ask(context, request, "detect", source=dict(request["Source"]))
    response: DetectSourceResponse = answer
    return response


@operation("EditFlow", service="bottega")
def edit_flow(context: Context, request: EditFlowRequest) -> EditFlowResponse:
    """Change a document; whoever asked keeps it."""
    answer: Any = ask(context, request, "edit", flow=request["Flow"], edit=dict(request["Edit"]))
    response: EditFlowResponse = answer
    return response


@operation("CheckFlow", service="bottega")
def check_flow(context: Context, request: CheckFlowRequest) -> CheckFlowResponse:
    """Look at every node; what is wrong with one does not hide the others."""
    answer: Any = ask(
        context, request, "check", flow=request["Flow"], trusted=request.get("Trusted", False)
    )
    response: CheckFlowResponse = answer
    return response
