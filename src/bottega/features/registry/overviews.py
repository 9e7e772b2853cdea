"""The operations for people: groups and versions as tables show them, and the lineage graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from bottega import filter_words
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.registry.entities import GROUP, PACKAGE, find
from bottega.features.registry.facts import Facts, facts_of
from bottega.features.registry.lineage import Edge, Lineage, Node
from bottega.registry import operation
from bottega.specs.generated.registry import (
    DescribeModelLineageRequest,
    DescribeModelLineageResponse,
    LineageEdge,
    LineageNode,
    ListModelVersionsRequest,
    ListModelVersionsResponse,
    ListRegistryGroupsRequest,
    ListRegistryGroupsResponse,
    ModelApprovalStatus,
    ModelPackageStatus,
    ModelVersion,
    RegistryGroup,
)
from bottega.storage.metadata import Resource, ResourceQuery

_PAGE = 50
_MOST_NODES = 200
_ORDERS: Mapping[str, Literal["created", "name"]] = {"CreationTime": "created", "Name": "name"}


@operation("ListRegistryGroups", service="bottega")
def list_registry_groups(
    context: Context, request: ListRegistryGroupsRequest
) -> ListRegistryGroupsResponse:
    """Groups that match the filter, from an offset on."""
    store = context.ports.store
    wanted = filter_words.parse(request.get("Filter", ""), ("name",))
    query = ResourceQuery(
        GROUP,
        sort_by=_ORDERS[request.get("SortBy", "CreationTime")],
        descending=request.get("SortOrder", "Descending") == "Descending",
    )
    names = [found.name for found in store.outlines(query) if wanted.names(found.name)]
    start = request.get("Offset", 0)
    window = names[start : start + request.get("MaxResults", _PAGE)]
    groups = store.get_many(GROUP, window)
    lineage = Lineage(facts_of(context.ports))
    versions: dict[str, list[Facts]] = {name: [] for name in window}
    for (kind, name), item in lineage.facts.items():
        group, _, number = name.partition("/")
        if kind == PACKAGE and number and group in versions:
            versions[group].append(item)
    shown = [_group(groups[name], versions[name], lineage) for name in window if name in groups]
    return {"Groups": shown, "Total": len(names)}


def _group(group: Resource, versions: list[Facts], lineage: Lineage) -> RegistryGroup:
    versions.sort(key=_number, reverse=True)
    endpoints = {name for item in versions for name in _served_by(lineage, item, "Endpoint")}
    shown: RegistryGroup = {
        "GroupName": group.body["ModelPackageGroupName"],
        "GroupArn": group.arn,
        "CreationTime": group.created,
        "Versions": len(versions),
        "Endpoints": sorted(endpoints),
    }
    if "ModelPackageGroupDescription" in group.body:
        shown["Description"] = group.body["ModelPackageGroupDescription"]
    if versions:
        newest: Any = versions[0]
        shown["NewestVersion"] = _number(newest)
        shown["NewestStatus"] = newest.status
        shown["NewestApproval"] = newest.approval
        shown["NewestTime"] = newest.created
    approved = [item for item in versions if item.approval == "Approved"]
    if approved:
        shown["NewestApprovedVersion"] = _number(approved[0])
    return shown


def _number(package: Facts) -> int:
    return int(package.name.rpartition("/")[2])


def _served_by(lineage: Lineage, package: Facts, kind: str) -> list[str]:
    """The names of the endpoints or models that were made of a version itself."""
    found = lineage.made_of((package.kind, package.name), (kind,))
    return sorted(item.shown for item in found)


@operation("ListModelVersions", service="bottega")
def list_model_versions(
    context: Context, request: ListModelVersionsRequest
) -> ListModelVersionsResponse:
    """Versions of a group that match the filter, newest first."""
    group = find(context, GROUP, request["GroupName"])
    wanted = filter_words.parse(request.get("Filter", ""), ("approval", "status"))
    approvals = wanted.allowed("approval", get_args(ModelApprovalStatus))
    statuses = wanted.allowed("status", get_args(ModelPackageStatus))
    lineage = Lineage(facts_of(context.ports))
    versions = sorted(
        (
            item
            for (kind, name), item in lineage.facts.items()
            if kind == PACKAGE
            and name.startswith(f"{group.name}/")
            and item.approval in approvals
            and item.status in statuses
        ),
        key=_number,
        reverse=True,
    )
    documents: Mapping[str, Resource] = {}
    if wanted.words:  # which may be words of the descriptions
        documents = context.ports.store.get_many(PACKAGE, [item.name for item in versions])
        versions = [
            item
            for item in versions
            if item.name in documents and wanted.names(_words(lineage, item, documents[item.name]))
        ]
    start = request.get("Offset", 0)
    window = versions[start : start + request.get("MaxResults", _PAGE)]
    if not documents:
        documents = context.ports.store.get_many(PACKAGE, [item.name for item in window])
    shown = [
        _version(lineage, item, documents[item.name]) for item in window if item.name in documents
    ]
    return {"Versions": shown, "Total": len(versions)}


def _words(lineage: Lineage, package: Facts, document: Resource) -> str:
    job = _job(lineage, package)
    description = document.body.get("ModelPackageDescription", "")
    return f"{_number(package)} {description} {job.shown if job else ''}"


def _job(lineage: Lineage, package: Facts) -> Facts | None:
    """The training job whose model a version is."""
    return next(iter(lineage.origin((package.kind, package.name), "TrainingJob")), None)


def _version(lineage: Lineage, package: Facts, document: Resource) -> ModelVersion:
    body = document.body
    shown: ModelVersion = {
        "Version": body["ModelPackageVersion"],
        "ModelPackageArn": document.arn,
        "Status": body["ModelPackageStatus"],
        "Approval": body["ModelApprovalStatus"],
        "CreationTime": document.created,
        "CreatedBy": body["CreatedBy"]["IamIdentity"]["Arn"],
        "Metrics": [],
        "Models": _served_by(lineage, package, "Model"),
        "Endpoints": _served_by(lineage, package, "Endpoint"),
    }
    if "ApprovalDescription" in body:
        shown["ApprovalDescription"] = body["ApprovalDescription"]
    if "ModelPackageDescription" in body:
        shown["Description"] = body["ModelPackageDescription"]
    if job := _job(lineage, package):
        shown["TrainingJobName"] = job.shown
        shown["Metrics"] = [{"Name": name, "Value": value} for name, value in job.metrics]
    return shown


@operation("DescribeModelLineage", service="bottega")
def describe_model_lineage(
    context: Context, request: DescribeModelLineageRequest
) -> DescribeModelLineageResponse:
    """The graph around one resource."""
    kind, name = request["ResourceType"], request["ResourceName"]
    if kind == PACKAGE:
        name = find(context, PACKAGE, name).name
    lineage = Lineage(facts_of(context.ports))
    focus: Node = (kind, name)
    if focus not in lineage.facts:
        raise ValidationException(f"There is no {kind} {name!r} whose lineage could be shown.")
    graph = lineage.around(focus, _MOST_NODES)
    return {
        "Focus": _id(focus),
        "Nodes": [_node(lineage, node) for node in graph.nodes],
        "Edges": [_edge(edge) for edge in graph.edges],
        "Truncated": graph.truncated,
    }


def _id(node: Node) -> str:
    return ":".join(node)


def _node(lineage: Lineage, node: Node) -> LineageNode:
    item: Any = lineage.facts.get(node)
    kind: Any = node[0]
    shown: LineageNode = {
        "Id": _id(node),
        "Type": kind,
        "Name": item.shown if item else node[1],
        "Exists": item is not None or kind in ("Data", "Run"),
    }
    if item:
        shown["Arn"] = item.arn
        shown["Time"] = item.created
        if item.status:
            shown["Status"] = item.status
        if item.approval:
            shown["Approval"] = item.approval
    return shown


def _edge(edge: Edge) -> LineageEdge:
    shown: LineageEdge = {"Source": _id(edge.source), "Target": _id(edge.target)}
    if edge.label:
        shown["Label"] = edge.label
    return shown
