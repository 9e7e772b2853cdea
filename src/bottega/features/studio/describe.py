"""DescribeStudio: the facts a client needs before anything else."""

from __future__ import annotations

from typing import Any

import bottega
from bottega.context import Context
from bottega.registry import operation


@operation("DescribeStudio", service="bottega")
def describe_studio(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Version, home, account, region, default bucket and role, capacity, and where MLflow
    answers.
    """
    ports = context.ports
    config = ports.config
    answer = {
        "Version": bottega.__version__,
        "Home": str(config.home),
        "AccountId": config.account,
        "Region": config.region,
        "DefaultBucket": config.bucket,
        "RoleArn": config.role_arn,
        "Slots": ports.capacity.slots,
        "SlotsInUse": ports.capacity.in_use,
    }
    if ports.tracking is not None:
        answer["TrackingUri"] = ports.tracking.client_environment["MLFLOW_TRACKING_URI"]
    return answer
