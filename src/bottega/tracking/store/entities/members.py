"""How the members of a trial component are kept in MLflow's tables, both ways.

Parameters are params, artifacts are tags ``bottega.input.<name>`` and ``bottega.output.<name>``,
SageMaker's tags are tags, the display name is the run's name. What MLflow has no place for is in
the component's *facts*: which parameters are texts though they look like numbers, media types, the
message of a status.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from bottega.tracking.experiments import ARN_TAG, INPUT_TAG, KIND_TAG, OUTPUT_TAG
from bottega.tracking.store.entities.experiments import is_users

SOURCE_TYPE = "SageMaker"
"""Before the kind of a job, in a Source's SourceType."""
USER_TAG = "mlflow.user"
ARTIFACT_PREFIXES: Mapping[str, str] = {
    "InputArtifacts": INPUT_TAG,
    "OutputArtifacts": OUTPUT_TAG,
}
METADATA_TAGS: Mapping[str, str] = {
    "CommitId": "mlflow.source.git.commit",
    "Repository": "mlflow.source.git.repoURL",
    "GeneratedBy": "bottega.generatedBy",
    "ProjectId": "bottega.projectId",
}
RUN_STATUS: Mapping[str, str] = {
    "InProgress": "RUNNING",
    "Stopping": "RUNNING",
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Stopped": "KILLED",
}
"""The status of a run by that of its component. One that has none yet is SCHEDULED."""
PRIMARY_STATUS: Mapping[str, str] = {
    "RUNNING": "InProgress",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Stopped",
}

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def as_number(text: str) -> float | None:
    """The finite number that a param is, if it is one.

    >>> as_number("1e-3"), as_number("nan"), as_number("1_000")
    (0.001, None, None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def as_param(value: Mapping[str, Any]) -> tuple[str, bool]:
    """(the text that a parameter is as a param, whether it is a text that looks like a number)."""
    if "NumberValue" in value:
        return number_text(float(value["NumberValue"])), False
    text = str(value.get("StringValue", ""))
    return text, as_number(text) is not None


def number_text(number: float) -> str:
    """The shortest text that is this number again; whole numbers without a point.

    >>> number_text(8.0), number_text(0.1), number_text(1e300)
    ('8', '0.1', '1e+300')
    """
    if number.is_integer() and abs(number) < 2**53 and str(number) != "-0.0":
        return str(int(number))
    return repr(number)


def parameter(text: str, *, is_text: bool) -> dict[str, Any]:
    """A param as a parameter.

    Args:
        is_text: it is one even where it looks like a number.
    """
    number = None if is_text else as_number(text)
    return {"StringValue": text} if number is None else {"NumberValue": number}


def status(run_status: str, facts: Mapping[str, Any]) -> dict[str, str] | None:
    """A component's Status; None for one that has none yet."""
    primary = PRIMARY_STATUS.get(run_status)
    if primary is None:
        return None
    if primary == "InProgress" and facts.get("stopping"):
        primary = "Stopping"
    about, message = facts.get("message", ("", ""))
    # A message is about one status: an mlflow client that ends the run leaves it behind.
    return {"PrimaryStatus": primary, **({"Message": message} if about == primary else {})}


def status_facts(given: Mapping[str, str]) -> dict[str, Any]:
    """The facts that a Status leaves, beside that of the run."""
    primary = given.get("PrimaryStatus", "InProgress")
    message = given.get("Message")
    return {
        "stopping": True if primary == "Stopping" else None,
        "message": None if message is None else [primary, message],
    }


def from_tags(tags: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a component that are kept as tags of its run; ``Tags`` as a mapping."""
    found: dict[str, Any] = {"Tags": {key: tags[key] for key in tags if is_users(key)}}
    media = facts.get("media", {})
    for member, prefix in ARTIFACT_PREFIXES.items():
        found[member] = {
            key.removeprefix(prefix): {
                **({"MediaType": media[key]} if key in media else {}),
                "Value": value,
            }
            for key, value in tags.items()
            if key.startswith(prefix)
        }
    if metadata := {name: tags[tag] for name, tag in METADATA_TAGS.items() if tag in tags}:
        found["MetadataProperties"] = metadata
    if arn := tags.get(ARN_TAG):
        found["Source"] = {"SourceArn": arn}
        if kind := tags.get(KIND_TAG):
            found["Source"]["SourceType"] = f"{SOURCE_TYPE}{kind}"
    return found
