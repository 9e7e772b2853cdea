"""The process that evaluates a training's rules: what it is given, and how it is run."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from bottega.compute.runner import HostSpec, Mount, Program, WorkloadSpec
from bottega.debugger.evaluation.plan import EvaluationPlan, RulePlan, Training
from bottega.jobs.debugging.configuration import RuleConfiguration, rule_configurations, tensors_uri
from bottega.jobs.debugging.outputs import link_objects, session_name
from bottega.jobs.debugging.places import EvaluationPlaces, host_names
from bottega.jobs.debugging.session import TRAINING
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.storage.objects import BucketMissing, ObjectMissing

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_STOP_SECONDS = 5.0


def log_stream(training: Resource) -> str:
    """The stream of what the process says, such as what users' rules print."""
    return f"{training.name}-rules/algo-1-{int(training.created)}"


def prepare(ports: Ports, training: Resource) -> EvaluationPlaces:
    """Lay out the process's folder; again is no harm."""
    places = EvaluationPlaces.of(ports.config, session_name(training))
    for folder in (places.tensors, places.profile, places.host / "output"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return places


def plan(
    ports: Ports,
    training: Resource,
    places: EvaluationPlaces,
    *,
    over: bool,
    stopped: Iterable[str],
) -> EvaluationPlan:
    """What the process is told now, with the files that its rules need."""
    body = training.body
    rules = []
    for number, rule in enumerate(rule_configurations(body)):
        rules.append(
            RulePlan(
                name=rule.name,
                rule=rule.rule,
                kind=rule.kind,
                parameters=dict(rule.parameters),
                source=_source(ports, rule, places.input, number),
                others=tuple(_others(ports, rule, places.input, number)),
                output=output_name(number),
            )
        )
    return EvaluationPlan(
        training=Training(
            name=training.name,
            arn=training.arn,
            status=training.status,
            started=body.get("TrainingStartTime"),
            ended=body.get("TrainingEndTime"),
            hosts=host_names(training),
            instance_type=body["ResourceConfig"].get("InstanceType", ""),
            hyperparameters=dict(body.get("HyperParameters", {})),
        ),
        rules=tuple(rules),
        over=over,
        stopped=tuple(sorted(stopped)),
    )


def output_name(number: int) -> str:
    """The folder below the process's output for what a rule writes, by the rule's place."""
    return f"rules/{number}"


def _source(ports: Ports, rule: RuleConfiguration, folder: Path, number: int) -> str:
    if not rule.source:
        return ""
    bucket, key = s3_uris.split(rule.source)
    name = f"code/{number}/{key.rpartition('/')[2]}"
    target = folder / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            ports.objects.download(bucket, key, target)
        except (BucketMissing, ObjectMissing):
            # The process says of the rule that its file is not there.
            log.warning("the rule %s is gone: there is no %s", rule.name, rule.source)
    return name


def _others(ports: Ports, rule: RuleConfiguration, folder: Path, number: int) -> Iterable[str]:
    for index, other in enumerate(rule.other_trials):
        name = f"others/{number}-{index}"
        if not (folder / name).exists():
            try:
                link_objects(
                    ports.objects,
                    _address(ports, other),
                    folder / name,
                    link=ports.runner.shows_mounts(),
                )
            except BucketMissing:
                log.warning("the rule %s compares with %s, which is gone", rule.name, other)
        yield name


def _address(ports: Ports, other: str) -> str:
    """Where other tensors are: at an address, or those of a job by its name."""
    if other.startswith("s3://"):
        return other
    try:
        return tensors_uri(ports.store.get(TRAINING, other).body) or f"s3://{other}"
    except ResourceMissing:
        return f"s3://{other}"


def workload(
    ports: Ports, training: Resource, places: EvaluationPlaces, attempt: int
) -> WorkloadSpec:
    """What the runner shall run. It reads files of the training and runs rules of users: it gets
    neither network nor keys where the machine can keep them from it."""
    isolated = ports.runner.shows_mounts()
    mounts = [Mount(places.host, "/opt/ml")]
    if isolated:
        mounts.append(Mount(places.input, "/opt/ml/input", read_only=True))
    return WorkloadSpec(
        directory=places.supervisor(attempt),
        program=Program(module="bottega.debugger.evaluation.program"),
        hosts=(
            HostSpec(
                name="algo-1",
                log=ports.logs.path(LOG_GROUP, log_stream(training)),
                mounts=tuple(mounts),
            ),
        ),
        environment={"PYTHONUNBUFFERED": "1", **dict.fromkeys(_THREADS, "1")},
        network=not isolated,
        stop_grace_seconds=_STOP_SECONDS,
        hidden=ports.config.private_folders,
    )
