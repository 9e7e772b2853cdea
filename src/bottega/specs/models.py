"""Service models: botocore's own, and the one of the operations that AWS does not have.

Models are read when the first call for their service comes, and kept; shapes are resolved by
botocore as they are asked for. Reading SageMaker's (2.6 MB of JSON) takes 50 to 100 ms, the other
services' less than 20 ms.

Only the data that botocore ships is read. A user's own files in ``~/.aws/models`` describe what a
client may call, not what this service answers.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

OWN_SERVICE = "bottega"
"""The name of the service that holds operations AWS does not have."""

_OWN_FOLDER = Path(__file__).parent / "bottega"
_OWN_MODEL = _OWN_FOLDER / "service-2.json"
"""The service itself, and the shapes that features share; each feature has a file beside it."""

_TARGETS = MappingProxyType(
    {
        "AWSEvents": "events",
        "AWSGlue": "glue",
        "AWSStepFunctions": "stepfunctions",
        "AmazonAthena": "athena",
        "AmazonEC2ContainerRegistry_V20150921": "ecr",
        "AmazonSQS": "sqs",
        "AmazonSSM": "ssm",
        "AnyScaleFrontendService": "application-autoscaling",
        "Bottega": OWN_SERVICE,
        "CodeBuild_20161006": "codebuild",
        "DynamoDB_20120810": "dynamodb",
        "GraniteServiceVersion20100801": "cloudwatch",
        "Kinesis_20131202": "kinesis",
        "Logs_20140328": "logs",
        "ResourceGroupsTaggingAPI_20170126": "resourcegroupstaggingapi",
        "SageMaker": "sagemaker",
        "TrentService": "kms",
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
        "secretsmanager": "secretsmanager",
    }
)
"""``X-Amz-Target`` prefixes that code beside SageMaker's is likely to send, implemented or not."""


class UnknownService(LookupError):
    """No model is known under this name."""


class UnknownOperation(LookupError):
    """The service's model has no such operation."""


_lock = threading.RLock()
_models: dict[str, ServiceModel] = {}
_loader = Loader(
    extra_search_paths=[Loader.BUILTIN_DATA_PATH],
    include_default_search_paths=False,
)


def service_model(name: str) -> ServiceModel:
    """The model of a service by boto3's name for it, or of :data:`OWN_SERVICE`.

    Raises:
        UnknownService: there is no such service.
    """
    if model := _models.get(name):
        return model
    with _lock:  # botocore's loader caches without a lock of its own.
        if name not in _models:
            _models[name] = ServiceModel(_read(name), service_name=name)
        return _models[name]


def _read(name: str) -> Any:
    if name == OWN_SERVICE:
        return _own_model()
    try:
        return _loader.load_service_model(name, "service-2")
    except UnknownServiceError as error:
        raise UnknownService(f"There is no service {name!r}.") from error


def _own_model() -> Any:
    """Our own model, put together from its files.

    Raises:
        ValueError: two of the files define the same operation or shape.
    """
    model = json.loads(_OWN_MODEL.read_text(encoding="utf-8"))
    for file in sorted(_OWN_FOLDER.glob("*.json")):
        if file == _OWN_MODEL:
            continue
        part = json.loads(file.read_text(encoding="utf-8"))
        for section in ("operations", "shapes"):
            if twice := model[section].keys() & part[section].keys():
                raise ValueError(f"{file.name} defines {', '.join(sorted(twice))} again.")
            model[section] |= part[section]
    return model


def exists(service: str, operation: str) -> bool:
    """Whether AWS, or our own service, has this operation, implemented here or not."""
    try:
        return operation in service_model(service).operation_names
    except UnknownService:
        return False


def operation_model(service: str, operation: str) -> OperationModel:
    """The model of one operation.

    Raises:
        UnknownService: there is no such service.
        UnknownOperation: the service has no such operation.
    """
    model = service_model(service)
    # botocore's own exception for this is one that clients use for transport trouble.
    if operation not in model.operation_names:
        raise UnknownOperation(f"{service} has no operation {operation!r}.")
    return model.operation_model(operation)


def signing_name(service: str) -> str:
    """The service's name in a SigV4 credential scope and in IAM actions (``sagemaker``, ``s3``)."""
    return str(service_model(service).signing_name)


def service_for_target(prefix: str) -> str | None:
    """The service that an ``X-Amz-Target`` prefix stands for, or None for one we never heard of.

    >>> service_for_target("Logs_20140328")
    'logs'
    """
    return _TARGETS.get(prefix)
