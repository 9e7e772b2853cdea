"""The operation that registers the model of a run."""

from __future__ import annotations

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.experiments.catalogue import catalogue_of
from bottega.registry import operation
from bottega.specs.generated.experiments import RegisterRunModelRequest, RegisterRunModelResponse
from bottega.tracking.catalogue import RunDetails, RunModel


@operation("RegisterRunModel", service="bottega")
def register_run_model(
    context: Context, request: RegisterRunModelRequest
) -> RegisterRunModelResponse:
    """Puts the model of a run into the tracker's registry, as the next version under a name."""
    with catalogue_of(context) as catalogue:
        run = catalogue.describe(request["RunId"])
        model = _chosen(run, request.get("ArtifactPath", ""))
        version = catalogue.register(run, model, request["ModelName"])
    return {"ModelName": request["ModelName"], "Version": version}


def _chosen(run: RunDetails, path: str) -> RunModel:
    paths = ", ".join(model.path for model in run.models)
    if not run.models:
        raise ValidationException(
            f"Run {run.run.run_id} has logged no model, so there is nothing to register. Log one "
            "with mlflow.<flavor>.log_model, or take the run of a training job that has completed."
        )
    if path:
        for model in run.models:
            if model.path == path:
                return model
        raise ValidationException(
            f"Run {run.run.run_id} has no model {path!r}; ArtifactPath must be one of: {paths}."
        )
    if len(run.models) > 1:
        raise ValidationException(
            f"Run {run.run.run_id} has several models; say which in ArtifactPath: {paths}."
        )
    return run.models[0]
