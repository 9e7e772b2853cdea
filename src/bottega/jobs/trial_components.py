"""The trial component that every job has: what SageMaker says of the job in its experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.tracking.experiments import INPUT_TAG, JOB_SUFFIXES, OUTPUT_TAG

IMAGE = "SageMaker.ImageUri"


@dataclass(frozen=True)
class Placement:
    """Which component the run of a job is, and where it belongs."""

    experiment: str
    component: str
    reused: bool
    """Whether a component of this name is taken, where there is one."""
    trial: str | None
    """Empty for the experiment's default trial, None for none."""
    run_name: str


def placement(kind: str, job: str, config: Mapping[str, Any], default_experiment: str) -> Placement:
    """Where the component of a job belongs.

    Args:
        kind: ``TrainingJob`` and its like.
        job: its name.
        config: its ExperimentConfig, or nothing.
        default_experiment: MLflow's, of jobs that name none.
    """
    run = config.get("RunName", "")
    named = "ExperimentName" in config or "TrialName" in config
    return Placement(
        experiment=config.get("ExperimentName", default_experiment),
        component=run or f"{job}{JOB_SUFFIXES[kind]}",
        reused=bool(run),
        trial=config.get("TrialName", "") if named else None,
        run_name=config.get("TrialComponentDisplayName") or run or job,
    )


def cluster_parameters(cluster: Mapping[str, Any]) -> dict[str, str]:
    """What a job runs on, as SageMaker names it among a component's parameters.

    Args:
        cluster: its ResourceConfig, ClusterConfig or TransformResources.
    """
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
    return {
        f"SageMaker.{member}": str(cluster[member]) for member in members if cluster.get(member)
    }


def training_facts(body: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The parameters of a training job's component, and the tags that are its artifacts.

    Args:
        body: what DescribeTrainingJob shows.
    """
    specification = body["AlgorithmSpecification"]
    image = specification.get("TrainingImage") or specification.get("AlgorithmName", "")
    parameters = {
        **body.get("HyperParameters", {}),
        **cluster_parameters(body.get("ResourceConfig", {})),
        IMAGE: image,
    }
    channels = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
        for channel in body.get("InputDataConfig", [])
        if "S3DataSource" in channel["DataSource"]
    }
    outputs = {"SageMaker.ModelArtifact": body.get("ModelArtifacts", {}).get("S3ModelArtifacts")}
    outputs["SageMaker.DebugHookOutput"] = body.get("DebugHookConfig", {}).get("S3OutputPath")
    return parameters, _artifacts({**channels, IMAGE: image}, outputs)


def processing_facts(body: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The same of a processing job: its command line options are parameters, too.

    Args:
        body: what DescribeProcessingJob shows.
    """
    specification = body["AppSpecification"]
    image = specification.get("ImageUri", "")
    parameters = {
        **options(specification.get("ContainerArguments", ())),
        **cluster_parameters(body.get("ProcessingResources", {}).get("ClusterConfig", {})),
        IMAGE: image,
    }
    inputs = {
        entry["InputName"]: entry["S3Input"]["S3Uri"]
        for entry in body.get("ProcessingInputs", [])
        if "S3Input" in entry
    }
    outputs = {
        entry["OutputName"]: entry["S3Output"]["S3Uri"]
        for entry in body.get("ProcessingOutputConfig", {}).get("Outputs", [])
        if "S3Output" in entry
    }
    return parameters, _artifacts({**inputs, IMAGE: image}, outputs)


def transform_facts(body: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The same of a transform job.

    Args:
        body: what DescribeTransformJob shows.
    """
    members = ("ModelName", "BatchStrategy", "MaxConcurrentTransforms", "MaxPayloadInMB")
    parameters = {
        **{f"SageMaker.{member}": str(body[member]) for member in members if member in body},
        **cluster_parameters(body["TransformResources"]),
    }
    source = body["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    outputs = {"SageMaker.TransformOutput": body["TransformOutput"]["S3OutputPath"]}
    return parameters, _artifacts({"SageMaker.TransformInput": source}, outputs)


def _artifacts(
    inputs: Mapping[str, str | None], outputs: Mapping[str, str | None]
) -> dict[str, str]:
    return {
        f"{prefix}{name}": value
        for prefix, artifacts in ((INPUT_TAG, inputs), (OUTPUT_TAG, outputs))
        for name, value in artifacts.items()
        if value
    }


def options(arguments: Sequence[str]) -> dict[str, str]:
    """Command line options as parameters: ``--name value``, ``--name=value``, ``--flag``.

    >>> options(["--rows", "10", "--mode=fast", "train.csv", "--quiet"])
    {'rows': '10', 'mode': 'fast', 'quiet': 'true'}
    """
    found: dict[str, str] = {}
    waiting = ""
    for argument in arguments:
        if not argument.startswith("--"):
            if waiting:
                found[waiting] = argument
            waiting = ""
            continue
        name, equals, value = argument[2:].partition("=")
        if name:
            found[name] = value if equals else "true"
        waiting = "" if equals else name
    return found
