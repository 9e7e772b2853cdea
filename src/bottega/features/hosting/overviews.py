"""ListEndpointOverviews: a window of the endpoints as a table shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from bottega import filter_words
from bottega.context import Context
from bottega.features.hosting.component_resources import components_of
from bottega.features.hosting.deployments import Deployment, EndpointPlans, HostPlan, VariantPlan
from bottega.features.hosting.descriptions import serving
from bottega.features.hosting.resources import ENDPOINT
from bottega.features.hosting.rollbacks import progress
from bottega.features.hosting.traffic import answering, last_minute, minutes_of, summary, total
from bottega.filter_words import FilterWords
from bottega.registry import operation
from bottega.serving.traffic import Tally
from bottega.specs.generated.hosting import (
    EndpointKind,
    EndpointOverview,
    EndpointStatus,
    ListEndpointOverviewsRequest,
    ListEndpointOverviewsResponse,
    VariantOverview,
)
from bottega.storage.metadata import MetadataStore, Resource, ResourceQuery

_PAGE = 50
_ORDERS: Mapping[str, Literal["created", "name", "status"]] = {
    "CreationTime": "created",
    "Name": "name",
    "Status": "status",
}


@operation("ListEndpointOverviews", service="bottega")
def list_endpoint_overviews(
    context: Context, request: ListEndpointOverviewsRequest
) -> ListEndpointOverviewsResponse:
    """Endpoints that match the filter; everything shown of one is in its own resource or in
    memory."""
    wanted = filter_words.parse(request.get("Filter", ""), ("name", "status"))
    statuses = wanted.allowed("status", get_args(EndpointStatus))
    query = ResourceQuery(
        ENDPOINT,
        statuses=sorted(statuses),
        sort_by=_ORDERS[request.get("SortBy", "CreationTime")],
        descending=request.get("SortOrder", "Descending") == "Descending",
    )
    start = request.get("Offset", 0)
    store = context.ports.store
    names = _matching(store, query, wanted)
    window = names[start : start + request.get("MaxResults", _PAGE)]
    found = store.get_many(ENDPOINT, window)
    shown = [_overview(context, found[name]) for name in window if name in found]
    return {"Endpoints": shown, "Total": len(names)}


def _matching(store: MetadataStore, query: ResourceQuery, wanted: FilterWords) -> list[str]:
    """The names of the endpoints that match, in the query's order."""
    if not query.statuses:  # two conditions that exclude each other
        return []
    return [found.name for found in store.outlines(query) if wanted.names(found.name)]


def _overview(context: Context, endpoint: Resource) -> EndpointOverview:
    routes = context.ports.routes
    plans = EndpointPlans.of(endpoint)
    deployment = plans.active or plans.target
    counts = serving(context, endpoint.name, deployment) if deployment else {}
    minute = last_minute(routes.traffic, endpoint.name)
    if deployment and deployment.hosts:
        minute = minutes_of(context.ports, components_of(context.ports, endpoint.name))
    overview: EndpointOverview = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.body["EndpointConfigName"],
        "Status": endpoint.status,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "Variants": [
            _variant(plan, counts[plan.name], minute.get(plan.name, Tally()))
            for plan in (deployment.variants if deployment else ())
        ]
        + [_host(plan) for plan in (deployment.hosts if deployment else ())],
        "Traffic": summary(total(answering(routes, endpoint.name, minute).values())),
    }
    if deployment:
        overview["Kind"] = _kind(deployment)
    if plans.active and plans.target:
        overview["Progress"] = progress(plans.under_way, plans.target)
    if "FailureReason" in endpoint.body:
        overview["FailureReason"] = endpoint.body["FailureReason"]
    return overview


def _kind(deployment: Deployment) -> EndpointKind:
    if deployment.asynchronous:
        return "Asynchronous"
    return "Serverless" if any(plan.serverless for plan in deployment.variants) else "RealTime"


def _host(plan: HostPlan) -> VariantOverview:
    return {
        "VariantName": plan.name,
        "ModelName": "",
        "Image": "",
        "InstanceType": plan.instance_type,
        "Weight": plan.weight,
        "CurrentInstanceCount": plan.instances,
        "DesiredInstanceCount": plan.instances,
        "Traffic": summary(Tally()),
    }


def _variant(plan: VariantPlan, serving: int, minute: Tally) -> VariantOverview:
    return {
        "VariantName": plan.name,
        "ModelName": plan.model.name,
        "Image": plan.model.last.image,
        "InstanceType": plan.instance_type,
        "Weight": plan.weight,
        "CurrentInstanceCount": serving,
        "DesiredInstanceCount": plan.instances,
        "Traffic": summary(minute),
    }
