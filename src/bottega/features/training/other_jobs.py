"""Processing and transform jobs as a list of jobs shows them.

Their features keep them in the store under SageMaker's names; of their documents only what Describe
shows is read here, and the phase of a job in progress.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, Literal

from bottega.specs.generated.training import JobOverview
from bottega.storage.metadata import Resource

OtherKind = Literal["Processing", "Transform"]


def overview(kind: OtherKind, job: Resource) -> JobOverview:
    """What a table shows of a processing or transform job."""
    body = job.body
    if kind == "Processing":
        resources = body["ProcessingResources"]["ClusterConfig"]
    else:
        resources = body["TransformResources"]
    found: JobOverview = {
        "JobName": job.name,
        "JobArn": job.arn,
        "Kind": kind,
        "Status": job.status,
        "SecondaryStatus": _secondary(job),
        "Algorithm": _program(body) if kind == "Processing" else str(body["ModelName"]),
        "CreationTime": job.created,
        "LastModifiedTime": job.modified,
        "InstanceType": str(resources["InstanceType"]),
        "InstanceCount": int(resources["InstanceCount"]),
    }
    if kind == "Processing":
        found["Image"] = body["AppSpecification"]["ImageUri"]
    if (started := body.get(f"{kind}StartTime")) is not None:
        found["StartTime"] = started
    if (ended := body.get(f"{kind}EndTime")) is not None:
        found["EndTime"] = ended
    if "FailureReason" in body:
        found["FailureReason"] = body["FailureReason"]
    if experiment := body.get("ExperimentConfig", {}).get("ExperimentName"):
        found["ExperimentName"] = experiment
    return found


def _secondary(job: Resource) -> str:
    return str(job.private["phase"]) if job.status == "InProgress" else job.status


def _program(body: Mapping[str, Any]) -> str:
    """What runs: the script, else the command, else the image."""
    specification = body["AppSpecification"]
    command: list[str] = list(specification.get("ContainerEntrypoint", ()))
    scripts = [part for part in command if part.startswith("/opt/ml/")]
    for part in (*scripts[-1:], *command[:1]):
        return posixpath.basename(part) or part
    image = str(specification["ImageUri"])
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
