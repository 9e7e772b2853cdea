"""CheckTrainingJob: what would become of a request, told before anything is created."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from bottega.algorithms.hyperparameters import HyperparameterError
from bottega.algorithms.images import Image
from bottega.algorithms.registry import algorithm
from bottega.context import Context
from bottega.errors import ClientFault, ValidationException
from bottega.features.training import rules
from bottega.features.training.data_checks import Sample
from bottega.features.training.debug_rules import check_debugger
from bottega.features.training.entities import KIND
from bottega.features.training.input_modes import mode_of
from bottega.jobs.hyperparameters import plain_text
from bottega.jobs.input_sources import (
    InputError,
    channel_files,
    channel_objects,
)
from bottega.ports import Ports
from bottega.registry import operation
from bottega.specs.generated.training import (
    CheckTrainingJobRequest,
    CheckTrainingJobResponse,
    Finding,
    FindingSeverity,
)
from bottega.specs.validation import broken_constraints
from bottega.storage import s3_uris
from bottega.storage.metadata import ResourceQuery
from bottega.storage.objects import BucketMissing, ObjectMissing
from bottega.storage.previews.source import ObjectSource

_DRIVER = "/dev/nvidiactl"
_ORDER: tuple[FindingSeverity, ...] = ("Error", "Warning", "Information")


@operation("CheckTrainingJob", service="bottega")
def check_training_job(
    context: Context, request: CheckTrainingJobRequest
) -> CheckTrainingJobResponse:
    """Look at a CreateTrainingJob request from every side; nothing is refused, all is told."""
    wanted: Any = request["Request"]
    findings = _Findings()
    try:
        for path, constraint in broken_constraints("sagemaker", "CreateTrainingJob", wanted):
            findings.add("Error", _place(path, wanted), f"{constraint}.")
    except ClientFault as error:
        findings.add("Error", "", error.message)
    if findings.found:  # what follows relies on the shape
        return {"Findings": findings.sorted()}
    check = _Check(context.ports, wanted, findings, inspect_data=request.get("InspectData", True))
    check.run()
    ports = context.ports
    return {
        "Findings": findings.sorted(),
        "SlotsWanted": check.slots,
        "SlotsFree": max(0, ports.capacity.slots - ports.capacity.in_use),
        "JobsAhead": ports.capacity.waiting,
        "InputBytes": sum(check.sizes.values()),
    }


class _Findings:
    def __init__(self) -> None:
        self.found: list[Finding] = []

    def add(self, severity: FindingSeverity, field: str, message: str) -> None:
        self.found.append({"Severity": severity, "Field": field, "Message": message})

    def attempt(self, field: str, check: Callable[[], object]) -> bool:
        """Note what a rule refuses; returns whether it refused nothing."""
        try:
            check()
        except ValidationException as error:
            self.add("Error", field, error.message)
            return False
        return True

    def sorted(self) -> list[Finding]:
        """Errors first."""
        return sorted(self.found, key=lambda finding: _ORDER.index(finding["Severity"]))


class _Check:
    """The checks of one request whose shape is right."""

    def __init__(
        self, ports: Ports, request: Mapping[str, Any], findings: _Findings, *, inspect_data: bool
    ) -> None:
        self._ports = ports
        self._inspect_data = inspect_data
        self._request = request
        self._findings = findings
        self._image: Image | None = None
        self.slots = request.get("ResourceConfig", {}).get("InstanceCount", 0)
        self.sizes: dict[str, int] = {}
        """Bytes of each channel."""
        self.copied = 0
        """Bytes of the channels that are copied before the job starts."""

    def run(self) -> None:
        request, attempt = self._request, self._findings.attempt
        self._check_name()
        self._check_role()
        attempt("AlgorithmSpecification", self._resolve_image)
        attempt("ResourceConfig", lambda: rules.check_resources(request))
        if self._image is not None:
            self._check_hyperparameters(self._image)
        attempt("Environment", lambda: rules.check_environment(request.get("Environment", {})))
        attempt("OutputDataConfig", lambda: rules.check_output(self._ports, request))
        attempt("DebugHookConfig", lambda: check_debugger(self._ports, request, rules.TAKEN))
        self._check_channels()
        self._check_capacity()
        self._check_disk()

    def _resolve_image(self) -> None:
        self._image = rules.check_image(self._request)

    def _check_name(self) -> None:
        name = self._request["TrainingJobName"]
        alike = self._ports.store.outlines(ResourceQuery(KIND, name_contains=name))
        # Names that differ in case alone have the same ARN.
        taken = next((found.name for found in alike if found.name.lower() == name.lower()), None)
        if taken is not None:
            self._findings.add(
                "Error",
                "TrainingJobName",
                f"There is a training job {taken!r}: choose another name.",
            )

    def _check_role(self) -> None:
        account = self._ports.config.account
        role = self._request["RoleArn"]
        if role.split(":")[4] != account:
            self._findings.add(
                "Warning",
                "RoleArn",
                f"The role {role} is of another account than {account}. Jobs run for the owner of "
                f"this studio whatever the role; {self._ports.config.role_arn} is its own.",
            )

    def _check_hyperparameters(self, image: Image) -> None:
        request = self._request
        values = request.get("HyperParameters", {})
        if rules.script_mode(image, request):
            field = "AlgorithmSpecification"
            self._findings.attempt(field, lambda: rules.check_hyperparameters(image, request))
            self._check_code(values)
            return
        problems = algorithm(image.name).hyperparameters.problems(values)
        for problem in problems:
            self._findings.add("Error", f"HyperParameters.{problem.name}", str(problem))
        try:
            rules.check_hyperparameters(image, request)
        except ValidationException as error:
            if not isinstance(error.__cause__, HyperparameterError):
                metrics = "MetricDefinitions" in request["AlgorithmSpecification"]
                field = "AlgorithmSpecification.MetricDefinitions" if metrics else "InputDataConfig"
                self._findings.add("Error", field, error.message)

    def _check_code(self, values: Mapping[str, str]) -> None:
        uri = plain_text(values.get("sagemaker_submit_directory", ""))
        if not uri.startswith("s3://"):
            return
        try:
            self._ports.objects.info(*s3_uris.split(uri))
        except (BucketMissing, ObjectMissing, ValidationException):
            self._findings.add(
                "Error",
                "HyperParameters.sagemaker_submit_directory",
                f"The archive with the code, {uri}, does not exist. Upload it first.",
            )

    def _check_channels(self) -> None:
        request = self._request
        channels = request.get("InputDataConfig", [])
        self._findings.attempt("InputDataConfig", lambda: rules.check_channels(request))
        widths: dict[str, int] = {}
        for channel in channels:
            field = f"InputDataConfig.{channel['ChannelName']}"
            if not self._findings.attempt(field, partial(rules.check_channel, channel, request)):
                continue
            readable = partial(rules.check_readable, self._ports, request, channel)
            if self._findings.attempt(field, readable) and self._inspect_data:
                width = self._check_data(channel, field)
                if width is not None:
                    widths[channel["ChannelName"]] = width
        if len(set(widths.values())) > 1:
            told = ", ".join(f"{name} has {width}" for name, width in widths.items())
            self._findings.add(
                "Error",
                "InputDataConfig",
                f"The channels have different numbers of columns: {told}. All need the same.",
            )

    def _check_data(self, channel: Mapping[str, Any], field: str) -> int | None:
        """Look at a channel's files; returns how many columns the first has, if that is known."""
        objects = self._ports.objects
        mode = mode_of(channel, self._request)
        augmented = channel["DataSource"]["S3DataSource"]["S3DataType"] == "AugmentedManifestFile"
        try:
            find = channel_objects if mode == "Pipe" else channel_files
            files = find(objects, channel)
        except (InputError, BucketMissing, ObjectMissing) as error:
            self._findings.add("Error", field, f"{error}.")
            return None
        size = self.sizes[channel["ChannelName"]] = sum(file.size for file in files)
        if mode == "File":
            self.copied += size
        if augmented:
            return None
        self._check_share(channel, len(files), field)
        if not any(file.size for file in files):
            self._findings.add("Error", field, "The channel has files, but all of them are empty.")
            return None
        image = self._image
        wrapped = channel.get("RecordWrapperType") == "RecordIO"
        if image is None or rules.script_mode(image, self._request) or wrapped:
            return None
        readable = [
            file
            for file in files
            if file.size and not PurePosixPath(file.name).name.startswith((".", "_"))
        ]
        if not readable:
            self._findings.add("Error", field, "Every file of the channel is empty or hidden.")
            return None
        builtin, name = algorithm(image.name), channel["ChannelName"]
        described = next((found for found in builtin.channels if found.name == name), None)
        if described is None:
            known = ", ".join(found.name for found in builtin.channels)
            text = f"{builtin.title} reads no channel {name!r}; it reads {known}."
            self._findings.add("Warning", field, text)
            return None
        source = ObjectSource(objects, readable[0].bucket, readable[0].key)
        sample = Sample(source, builtin, described, channel.get("ContentType", ""))
        values = self._request.get("HyperParameters", {})
        for problem in sample.problems(values):
            self._findings.add("Error", field, problem)
        return sample.columns

    def _check_share(self, channel: Mapping[str, Any], files: int, field: str) -> None:
        source = channel["DataSource"]["S3DataSource"]
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        if sharded and files < self.slots:
            self._findings.add(
                "Warning",
                field,
                f"The channel has {files} object(s) for {self.slots} instances: some get none. "
                " Use more objects, or FullyReplicated.",
            )

    def _check_capacity(self) -> None:
        capacity = self._ports.capacity
        add, field = self._findings.add, "ResourceConfig.InstanceCount"
        if self.slots > capacity.slots:
            add(
                "Warning",
                field,
                f"{self.slots} instances are wanted, and this machine runs {capacity.slots} at "
                "once: the job waits until nothing else runs, and its instances share all of it.",
            )
        elif capacity.waiting or self.slots > capacity.slots - capacity.in_use:
            add(
                "Information",
                field,
                f"The job will wait: {capacity.in_use} of {capacity.slots} slots are in use and "
                f"{capacity.waiting} job(s) are waiting.",
            )
        instance_type = self._request.get("ResourceConfig", {}).get("InstanceType", "")
        if instance_type.startswith(("ml.p", "ml.g")) and not os.path.exists(_DRIVER):
            add(
                "Warning",
                "ResourceConfig.InstanceType",
                f"{instance_type} stands for a machine with GPUs, and this one has no NVIDIA "
                "driver: the job runs on its processors.",
            )

    def _check_disk(self) -> None:
        wanted = self.copied
        free = shutil.disk_usage(self._ports.config.home).free
        if wanted > free:
            self._findings.add(
                "Warning",
                "InputDataConfig",
                f"The channels in File mode hold {wanted} bytes and the disk of the studio's home "
                f"has {free} bytes left: copying them may fill it.",
            )


def _place(path: Any, request: Mapping[str, Any]) -> str:
    """Where something stands in a request; channels by their names."""
    steps: list[str | int | tuple[str]] = []
    while path:
        path, step = path
        steps.append(step)
    words: list[str] = []
    value: Any = request
    for step in reversed(steps):
        key: Any = (
            step[0] if isinstance(step, tuple) else step - 1 if isinstance(step, int) else step
        )
        try:
            value = value[key]
        except (LookupError, TypeError):
            value = None
        named = value.get("ChannelName") if isinstance(value, dict) else None
        words.append(str(named) if isinstance(step, int) and named else str(key))
    return ".".join(words)
