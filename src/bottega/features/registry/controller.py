"""Validates model packages: whether their images run here and their model data is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bottega.algorithms.images import UnsupportedImage
from bottega.config import Config
from bottega.controller import Controller
from bottega.errors import ValidationException
from bottega.features.registry.entities import GROUP, PACKAGE
from bottega.features.registry.rules import containers
from bottega.model_servers.images import resolve
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore

_OPEN = ("Pending", "InProgress")


class ModelPackageController(Controller):
    """Moves packages from Pending through InProgress to Completed or Failed."""

    kind = PACKAGE

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def pending(self) -> Iterable[str]:
        query = ResourceQuery(PACKAGE, statuses=_OPEN, descending=False)
        return [found.name for found in self._ports.store.outlines(query)]

    def reconcile(self, name: str) -> float | None:
        store = self._ports.store
        try:
            package = store.get(PACKAGE, name)
            if package.status == "Pending":
                self._begin(package)
            elif package.status == "InProgress":
                self._end(package)
        except ResourceMissing:
            pass  # it was deleted, and nothing is left to validate
        return None

    def _begin(self, package: Resource) -> None:
        group = package.name.partition("/")[0]
        if group != package.name and not self._ports.store.get_many(GROUP, (group,)):
            # Its group was deleted in the moment of its creation.
            self._ports.store.delete(PACKAGE, package.name)
            return
        self._write(package, "InProgress", package.body)

    def _end(self, package: Resource) -> None:
        items = []
        if package.body.get("SkipModelValidation") != "All":
            items = validate(self._ports.config, self._ports.objects, package.body)
        failed = any(item["Status"] == "Failed" for item in items)
        details = {"ValidationStatuses": items, "ImageScanStatuses": []}
        body = {**package.body, "ModelPackageStatusDetails": details}
        self._write(package, "Failed" if failed else "Completed", body)

    def _write(self, package: Resource, status: str, body: Mapping[str, Any]) -> None:
        """Write a status, unless the package was changed meanwhile: that change comes here too."""
        wanted = replace(package, status=status, body={**body, "ModelPackageStatus": status})
        self._ports.store.modify(
            PACKAGE,
            package.name,
            lambda present: wanted if present.same_as(package) else present,
        )


def validate(
    config: Config, objects: ObjectStore, package: Mapping[str, Any]
) -> list[dict[str, str]]:
    """ValidationStatuses of a package: for each container one of its image and one of its data."""
    items = []
    for where, name, container in containers(package):
        if "Image" in container:
            items.append(_item(f"{name}-image", _image_problem(config, where, container["Image"])))
        if uri := _data_uri(container):
            source = container.get("ModelDataSource", {}).get("S3DataSource", {})
            prefix = source.get("S3DataType") == "S3Prefix"
            items.append(_item(f"{name}-model-data", _data_problem(objects, where, uri, prefix)))
    return items


def _item(name: str, problem: str) -> dict[str, str]:
    if problem:
        return {"Name": name, "Status": "Failed", "FailureReason": problem}
    return {"Name": name, "Status": "Completed"}


def _image_problem(config: Config, where: str, image: str) -> str:
    try:
        resolve(config, image)
    except UnsupportedImage as error:
        return f"{where}.Image: {error}"
    return ""


def _data_uri(container: Mapping[str, Any]) -> str:
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    return str(container.get("ModelDataUrl") or source.get("S3Uri", ""))


def _data_problem(objects: ObjectStore, where: str, uri: str, prefix: bool) -> str:
    try:
        bucket, key = s3_uris.split(uri)
        if prefix:
            if not objects.page(bucket, prefix=key, limit=1).objects:
                return f"{where}: there is no model data under {uri}."
        else:
            objects.info(bucket, key)
    except ValidationException as error:
        return f"{where}: {error.message}"
    except (BucketMissing, ObjectMissing):
        return f"{where}: could not find model data at {uri}."
    return ""
