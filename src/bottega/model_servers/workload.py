"""A model's server as a workload of the runner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bottega.algorithms.kernel_cache import KernelCache
from bottega.algorithms.registry import algorithm, names
from bottega.compute.docker.container import PLAN_VARIABLE, ContainerRun
from bottega.compute.docker.engine import address
from bottega.compute.runner import HostSpec, Mount, Program, WorkloadSpec
from bottega.container.inference_pipeline import PIPELINE_FILE, PIPELINE_FOLDER, PIPELINE_IMAGE
from bottega.model_servers.plans import ContainerPlan, ModelPlan
from bottega.model_servers.staging import MODELS_FOLDER, code_folder
from bottega.ports import Ports
from bottega.serving.sockets import runtime_folder, socket_path

HOST = "model"
_ANSWER_SECONDS = 60.0
STOP_GRACE_SECONDS = 30.0
"""Seconds from SIGTERM to SIGKILL, as SageMaker gives them."""


def server_workload(
    ports: Ports,
    model: ModelPlan,
    *,
    directory: Path,
    ml_root: Path,
    socket_folder: Path,
    log: Path,
    owner_arn: str,
    environment: Mapping[str, str] | None = None,
    metrics: Path | None = None,
) -> WorkloadSpec:
    """Describe one server of a model, ready for ``runner.start``.

    Args:
        directory: the run's folder; a fresh one for each start.
        ml_root: what the server sees as ``/opt/ml``, laid out by :func:`.staging.lay_out`.
        socket_folder: private folder of the socket it listens on (``sockets.socket_path``).
        log: where its output goes.
        owner_arn: whose session it acts in: the ARN of the endpoint or job.
        environment: variables on top of the model's.
        metrics: where samples go of what it uses of the machine; None for nowhere.
    """
    config = ports.config
    if model.last.docker:
        return _attended(
            ports,
            model,
            directory=directory,
            ml_root=ml_root,
            socket_folder=socket_folder,
            log=log,
            metrics=metrics,
            environment={**_environment(ports, model, ml_root, owner_arn), **(environment or {})},
        )
    if any(_has_kernels(container) for container in model.containers):
        KernelCache().copy(ml_root)
    parts = ("model", PIPELINE_FOLDER, PIPELINE_FILE) if model.pipeline else ("model",)
    if model.multi_model:
        parts = (*parts, MODELS_FOLDER)
    return WorkloadSpec(
        directory=directory,
        program=Program(module="bottega.serving.server"),
        hosts=(
            HostSpec(
                name=HOST,
                log=log,
                metrics=metrics,
                mounts=(
                    Mount(ml_root, "/opt/ml"),
                    *(Mount(ml_root / part, f"/opt/ml/{part}", read_only=True) for part in parts),
                ),
            ),
        ),
        environment={
            **_environment(ports, model, ml_root, owner_arn),
            **(environment or {}),
            "BOTTEGA_IMAGE": PIPELINE_IMAGE if model.pipeline else model.last.runtime,
            "BOTTEGA_SOCKET": str(socket_path(socket_folder)),
        },
        network=model.network,
        stop_grace_seconds=STOP_GRACE_SECONDS,
        hidden=(*config.private_folders, runtime_folder(config.home)),
        sockets=(socket_folder,),
    )


def _attended(
    ports: Ports,
    model: ModelPlan,
    *,
    directory: Path,
    ml_root: Path,
    socket_folder: Path,
    log: Path,
    metrics: Path | None,
    environment: Mapping[str, str],
) -> WorkloadSpec:
    """A server that is a container of the Docker engine's: the workload is who attends it."""
    config = ports.config
    run = ContainerRun(
        engine=address(config.docker),
        image=model.last.image,
        environment={
            name: value for name, value in environment.items() if not name.startswith("BOTTEGA_")
        },
        mounts=((str(ml_root / "model"), "/opt/ml/model"),),
        network=model.network,
        server=str(socket_folder),
        home=str(config.home),
        workload=str(directory),
        answer_seconds=_answer_seconds(environment),
    )
    return WorkloadSpec(
        directory=directory,
        program=Program(module="bottega.compute.docker.attendant"),
        hosts=(HostSpec(name=HOST, log=log, metrics=metrics),),
        environment={
            "PYTHONUNBUFFERED": "1",
            "BOTTEGA_SOCKET": str(socket_path(socket_folder)),
            PLAN_VARIABLE: run.dumps(),
        },
        stop_grace_seconds=STOP_GRACE_SECONDS,
        aftermath=Program(
            module="bottega.compute.docker.remover", arguments=(run.engine, run.workload)
        ),
        trusted=True,
    )


def _answer_seconds(environment: Mapping[str, str]) -> float:
    try:
        return float(environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", ""))
    except ValueError:  # the variable is the container's, which may read it in another way
        return _ANSWER_SECONDS


def _has_kernels(container: ContainerPlan) -> bool:
    """Whether compiled loops can predict, of which a server then gets its own copy."""
    return container.runtime in names() and algorithm(container.runtime).compiled_serving


def _environment(ports: Ports, model: ModelPlan, ml_root: Path, owner_arn: str) -> dict[str, str]:
    config = ports.config
    values = {
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
        "SAGEMAKER_REGION": config.region,
        "PYTHONUNBUFFERED": "1",
    }
    if model.network:
        keys = ports.credentials.session(owner_arn)
        values |= {
            "AWS_ENDPOINT_URL": f"http://{config.host}:{config.port}",
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
        }
    for container in model.containers:  # one process serves them all; a later one's value holds
        values |= dict(container.environment)
    if model.pipeline:
        values.pop("SAGEMAKER_SUBMIT_DIRECTORY", None)
    elif model.last.code_uri:
        values["SAGEMAKER_SUBMIT_DIRECTORY"] = code_folder(ml_root)
    return values
