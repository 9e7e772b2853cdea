"""ListModelPackages: what the store cannot filter by is filtered here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from bottega.context import Context
from bottega.features.registry.entities import GROUP, PACKAGE, find
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.registry import ListModelPackagesInput, ListModelPackagesOutput
from bottega.storage.metadata import MetadataStore, Outline, Resource, ResourceQuery

_AT_ONCE = 100
_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)


@operation("ListModelPackages")
def list_model_packages(
    context: Context, request: ListModelPackagesInput
) -> ListModelPackagesOutput:
    """One page of packages: the versions of a group, or those that a type says; without either,
    those without a group."""
    ports = context.ports
    defaults = pagination.list_defaults("ListModelPackages")
    by_name = request.get("SortBy", defaults.sort_by) == "Name"
    descending = request.get("SortOrder", defaults.sort_order) == "Descending"
    question = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    scope, key = f"ListModelPackages:{sorted(question.items())}", ports.credentials.page_key()
    outlines = sorted(
        _candidates(context, request), key=lambda it: _place(it, by_name), reverse=descending
    )
    if "NextToken" in request:
        mark = pagination.decode(request["NextToken"], key=key, scope=scope)["after"]
        outlines = [
            it
            for it in outlines
            if (_place(it, by_name) < mark if descending else _place(it, by_name) > mark)
        ]
    limit = request.get("MaxResults", defaults.max_results)
    found: list[Resource] = []
    for package in _approved(ports.store, outlines, request.get("ModelApprovalStatus", "")):
        found.append(package)
        if len(found) > limit:
            break
    answer: Any = {"ModelPackageSummaryList": [_summary(package) for package in found[:limit]]}
    if len(found) > limit:
        by = {outline.name: outline for outline in outlines}
        last = _place(by[found[limit - 1].name], by_name)
        answer["NextToken"] = pagination.encode({"after": last}, key=key, scope=scope)
    return cast(ListModelPackagesOutput, answer)


def _candidates(context: Context, request: ListModelPackagesInput) -> list[Outline]:
    """The packages that satisfy what their outlines tell."""
    query = ResourceQuery(
        PACKAGE,
        name_contains=request.get("NameContains", ""),
        created_after=request.get("CreationTimeAfter"),
        created_before=request.get("CreationTimeBefore"),
    )
    outlines = context.ports.store.outlines(query)
    if "ModelPackageGroupName" in request:
        group = find(context, GROUP, request["ModelPackageGroupName"])
        outlines = tuple(it for it in outlines if it.name.startswith(f"{group.name}/"))
    kind = request.get(
        "ModelPackageType", "Both" if "ModelPackageGroupName" in request else "Unversioned"
    )
    if kind == "Both":
        return list(outlines)
    return [it for it in outlines if ("/" in it.name) is (kind == "Versioned")]


def _place(outline: Outline, by_name: bool) -> list[Any]:
    """Where a package comes in the order; versions of a group are in the order of their numbers."""
    group, _, number = outline.name.partition("/")
    return [*([] if by_name else [outline.created]), group, int(number or 0)]


def _approved(store: MetadataStore, outlines: Sequence[Outline], status: str) -> Iterator[Resource]:
    """The packages of these outlines that have an approval status; all of them where it is ""."""
    for start in range(0, len(outlines), _AT_ONCE):
        names = [outline.name for outline in outlines[start : start + _AT_ONCE]]
        documents = store.get_many(PACKAGE, names)
        for name in names:
            package = documents.get(name)
            if package and (not status or package.body.get("ModelApprovalStatus") == status):
                yield package


def _summary(package: Resource) -> dict[str, Any]:
    return {key: package.body[key] for key in _SUMMARY if key in package.body}
