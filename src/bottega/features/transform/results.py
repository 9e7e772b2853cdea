"""What a job leaves: an object for each object of its input, manifests, and a reason to fail."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bottega.features.transform.entities import Instance, JobFolders, TransformJob
from bottega.features.transform.launch import objects_of
from bottega.features.transform.progress import Progress
from bottega.features.transform.sources import InputObject, result_uri
from bottega.ports import Ports
from bottega.storage import s3_uris

_DEFAULT_TYPE = "binary/octet-stream"


def upload_results(ports: Ports, job: TransformJob, instance: Instance) -> None:
    """Put the results that are complete by now into the store, and remove them here.

    Raises:
        BucketMissing: the bucket is gone.
    """
    media_type = job.body["TransformOutput"].get("Accept") or _DEFAULT_TYPE
    done = Progress.load(instance.driver.progress).index
    waiting = [name for name in _names(instance) if int(name) < done]
    if not waiting:
        return
    found = objects_of(instance)
    for index in sorted(map(int, waiting)):
        bucket, key = result_uri(job.output_path, found[index].name)
        path = instance.driver.output(index)
        ports.objects.put(bucket, key, path, content_type=media_type)
        path.unlink()  # it is there for as long as it is not in the store


def _names(instance: Instance) -> list[str]:
    return [path.name for path in instance.driver.outputs.iterdir() if path.name.isdigit()]


def failures(folders: JobFolders) -> list[tuple[InputObject, str]]:
    """The objects that could not be transformed, in the order of their keys, and why."""
    found = []
    for instance in folders.instances:
        faults = Progress.load(instance.driver.progress).faults
        objects = objects_of(instance) if faults else []
        found += [(objects[fault.index], fault.reason) for fault in faults]
    return sorted(found, key=lambda one: one[0].key.encode())


def failure_reason(found: Sequence[tuple[InputObject, str]], total: int) -> str:
    """What the description of a job says of its failed objects: the first, and how many more."""
    first, reason = found[0]
    more = f" ({len(found)} of {total} objects failed.)" if len(found) > 1 else ""
    return f"AlgorithmError: {first.uri}: {reason}{more}"


def done_objects(folders: JobFolders) -> Iterator[InputObject]:
    """The objects that have a result, in the order of their keys."""
    failed = {one.key for one, _ in failures(folders)}
    done = []
    for instance in folders.instances:
        count = Progress.load(instance.driver.progress).index
        done += [one for one in objects_of(instance)[:count] if one.key not in failed]
    return iter(sorted(done, key=lambda one: one.key.encode()))


def capture(ports: Ports, job: TransformJob, folders: JobFolders) -> None:
    """Write the manifests that DataCaptureConfig asks for: what was read, and what came of it.

    Their names follow from the job, so that writing them again changes nothing.

    Raises:
        BucketMissing: the bucket is gone.
    """
    config = job.member("DataCaptureConfig")
    done = list(done_objects(folders)) if config else []
    if not done:
        return
    bucket, prefix = s3_uris.split(config["DestinationS3Uri"])
    hour = datetime.fromtimestamp(job.finished, UTC).strftime("%Y/%m/%d/%H")
    results = [result_uri(job.output_path, one.name) for one in done]
    for part, places in (("input", [(one.bucket, one.key) for one in done]), ("output", results)):
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{job.resource.arn}/{job.resource.created}/{part}")
        key = "/".join(filter(None, (prefix.rstrip("/"), part, hour, str(name))))
        manifest = json.dumps(_manifest(places)).encode()
        ports.objects.put(bucket, key, manifest, content_type="application/json")


def _manifest(places: Sequence[tuple[str, str]]) -> list[object]:
    bucket = places[0][0]
    keys = [key for _, key in places]
    first, last = min(keys), max(keys)
    same = next(
        (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
    shared = first[: first[:same].rfind("/") + 1]
    return [{"prefix": f"s3://{bucket}/{shared}"}, *(key[len(shared) :] for key in keys)]
