"""PutDraftFlow and GetDraftFlow: the flows of tables that notebooks show.

They have no file of their own; they are resources of the store, which keeps them atomically.
"""

from __future__ import annotations

from dataclasses import replace

from bottega.context import Context
from bottega.errors import ResourceNotFound, ValidationException
from bottega.identifiers import sagemaker_arn
from bottega.registry import operation
from bottega.specs.generated.wrangler import (
    GetDraftFlowRequest,
    GetDraftFlowResponse,
    PutDraftFlowRequest,
    PutDraftFlowResponse,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow

_KIND = "DraftFlow"


@operation("PutDraftFlow", service="bottega")
def put_draft_flow(context: Context, request: PutDraftFlowRequest) -> PutDraftFlowResponse:
    """Keep a draft, new or changed."""
    ports, name = context.ports, request["DraftId"]
    try:
        Flow.parse(request["Flow"])
    except FlowError as error:
        raise ValidationException(error.message) from error
    body = {"Flow": request["Flow"]}
    now = ports.clock.now()
    arn = sagemaker_arn(ports.config.region, ports.config.account, "draft-flow", name)
    try:
        kept = ports.store.create(Resource(_KIND, name, arn, "", now, now, body))
    except ResourceExists:
        kept = ports.store.modify(_KIND, name, lambda present: replace(present, body=body))
    return {"Version": kept.version}


@operation("GetDraftFlow", service="bottega")
def get_draft_flow(context: Context, request: GetDraftFlowRequest) -> GetDraftFlowResponse:
    """A draft as it was last kept."""
    try:
        found = context.ports.store.get(_KIND, request["DraftId"])
    except ResourceMissing as error:
        raise ResourceNotFound(f"There is no draft flow {request['DraftId']!r}.") from error
    return {"Flow": found.body["Flow"], "Version": found.version}
