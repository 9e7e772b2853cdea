"""CheckModel: what would keep a model from being served, before it is deployed."""

from __future__ import annotations

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.resources import MODEL
from bottega.model_servers.plans import plan_model
from bottega.model_servers.preflight import Finding, check
from bottega.registry import operation
from bottega.specs.generated.hosting import CheckModelRequest, CheckModelResponse
from bottega.storage import s3_uris


@operation(
    "CheckModel",
    service="bottega",
    note="From the listing of the model's archive; nothing is unpacked or run.",
)
def check_model(context: Context, request: CheckModelRequest) -> CheckModelResponse:
    """Look at a model, or at a container as CreateModel would take it."""
    name, container = request.get("ModelName"), request.get("Container")
    if (name is None) == (container is None):
        raise ValidationException("Give either ModelName or Container: one of them is checked.")
    if name is not None:
        model = resources.find(context, MODEL, name).body
    else:
        if container is not None and (url := container.get("ModelDataUrl")):
            s3_uris.split(url)
        model = {
            "ModelName": "unnamed",
            "PrimaryContainer": container,
            "EnableNetworkIsolation": False,
        }
    try:
        plan = plan_model(context.ports.config, model)
    except ValidationException as error:  # the image runs nowhere here
        found = [Finding("Error", "Image", str(error))]
    else:
        found = check(context.ports.objects, plan)
    return {
        "Findings": [
            {"Severity": one.severity, "Where": one.where, "Message": one.message} for one in found
        ]
    }
