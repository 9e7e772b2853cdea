"""PreviewFlow, ProfileFlow, SuggestSteps and AnalyzeFlow: looking at a node's table."""

from __future__ import annotations

from typing import Any

from bottega.context import Context
from bottega.features.wrangler.asking import ask, place
from bottega.registry import operation
from bottega.specs.generated.wrangler import (
    AnalyzeFlowRequest,
    AnalyzeFlowResponse,
    PreviewFlowRequest,
    PreviewFlowResponse,
    ProfileFlowRequest,
    ProfileFlowResponse,
    SuggestStepsRequest,
    SuggestStepsResponse,
)


@operation("PreviewFlow", service="bottega")
def preview_flow(context: Context, request: PreviewFlowRequest) -> PreviewFlowResponse:
    """One page of a table."""
    answer: Any = ask(
        context,
        request,
        "preview",
        **place(request),
        offset=request.get("Offset"),
        limit=request.get("Limit"),
        columns=request.get("Columns"),
        compare=request.get("Compare"),
    )
    response: PreviewFlowResponse = answer
    return response


@operation("ProfileFlow", service="bottega")
def profile_flow(context: Context, request: ProfileFlowRequest) -> ProfileFlowResponse:
    """What columns hold."""
    answer: Any = ask(context, request, "profile", **place(request), columns=request.get("Columns"))
    response: ProfileFlowResponse = answer
    return response


@operation("SuggestSteps", service="bottega")
def suggest_steps(context: Context, request: SuggestStepsRequest) -> SuggestStepsResponse:
    """Steps that would do good."""
    answer: Any = ask(context, request, "suggest", **place(request), column=request.get("Column"))
    response: SuggestStepsResponse = answer
    return response


@operation("AnalyzeFlow", service="bottega")
def analyze_flow(context: Context, request: AnalyzeFlowRequest) -> AnalyzeFlowResponse:
    """One analysis of a table."""
    answer: Any = ask(
        context,
        request,
        "analyze",
        **place(request),
        operator=request.get("Operator"),
        values=request.get("Values"),
        html=request.get("Html"),
    )
    response: AnalyzeFlowResponse = answer
    return response
