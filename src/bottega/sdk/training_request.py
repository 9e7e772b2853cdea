"""What a person says about a training, as the request that the API takes."""

from __future__ import annotations

import inspect
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.algorithms import registry
from bottega.algorithms.base import Algorithm
from bottega.config import Config
from bottega.errors import ClientFault
from bottega.nearest import nearest
from bottega.sdk.client import Client
from bottega.sdk.data import ChannelSource, ChannelWriter, DataError, PreparedChannel
from bottega.sdk.endpoint import COLUMNS
from bottega.sdk.source import Source

DEFAULT_INSTANCE = "ml.m5.large"
FEATURE_DIM = "feature_dim"
"""The hyperparameter that says how many features there are."""


@dataclass(frozen=True)
class Training:
    """One training, or each of those of a tuning job. The arguments of ``Session.train`` say what
    the members mean.

    Attributes:
        tuned: the hyperparameters whose values tuning finds; they are not in the request.
        make_name: gives a free name from what is trained, where ``name`` is None.
    """

    algorithm: str | None = None
    data: ChannelSource | None = None
    target: str | None = None
    validation: ChannelSource | None = None
    channels: Mapping[str, ChannelSource] = field(default_factory=dict)
    content_type: str = ""
    script: str | os.PathLike[str] | None = None
    source_dir: str | os.PathLike[str] | None = None
    image: str = "scikit-learn"
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    tuned: Collection[str] = ()
    name: str | None = None
    make_name: Callable[[str], str] = field(default_factory=lambda: job_name)
    metrics: Mapping[str, str] = field(default_factory=dict)
    instance_type: str = DEFAULT_INSTANCE
    instance_count: int = 1
    max_runtime: int = 86_400
    environment: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def builtin(self) -> Algorithm | None:
        """The built-in algorithm that trains; None for scripts and foreign images."""
        known = short_name(self.algorithm or "")
        return registry.algorithm(known) if known in registry.names() else None

    def request(self, client: Client, config: Config, reserved: Collection[str]) -> dict[str, Any]:
        """CreateTrainingJob's request; data and code are brought into the store for it.

        Args:
            client: of the studio.
            config: of the studio.
            reserved: the names of the caller's own arguments, for a hint at one misspelt.

        Raises:
            ClientFault: what was said contradicts itself, or a value cannot be sent.
            DataError: the data cannot be sent as it is.
        """
        if (self.algorithm is None) == (self.script is None):
            raise ClientFault(
                'give either a built-in algorithm, such as "xgboost", or script="train.py"'
            )
        sources = self._sources()
        values = hyperparameter_texts(self.hyperparameters, self.script is not None, reserved)
        if self.script is not None:
            program = Path(os.fspath(self.script)).expanduser()
            folder = None if self.source_dir is None else Path(self.source_dir).expanduser()
            code = Source.of(program, folder)
            if self.target is not None:
                raise DataError(
                    "target is for built-in algorithms; a script gets all columns by name. Where "
                    "it should know the label, give "
                    f"hyperparameters={{'target': {self.target!r}}}"
                )
            name = self.name or self.make_name(Path(code.program).stem)
            uri = code.upload(client, config.bucket, f"{name}/source/sourcedir.tar.gz")
            values |= {"sagemaker_program": code.program, "sagemaker_submit_directory": uri}
        else:
            name = self.name or self.make_name(short_name(self.algorithm or ""))
        builtin = self.builtin
        if builtin is not None:
            values = self._untuned(builtin.starting_values) | values
            if builtin.supervised and self.target is None:
                for channel, source in sources.items():
                    _refuse_unlabelled(channel, source)
        request = self._frame(config)
        tags = dict(self.tags)
        writer = ChannelWriter(
            client,
            config.bucket,
            f"{name}/input",
            target=self.target,
            for_script=self.script is not None,
            content_type=self.content_type,
            algorithm=builtin,
        )
        if prepared := _prepare(writer, sources):
            request["InputDataConfig"] = [channel.as_input() for channel in prepared]
            if builtin is not None:
                values = self._untuned(_told_by_data(builtin, prepared)) | values
            tags |= _remember_columns(client, config, name, prepared)
        if tags:
            request["Tags"] = [{"Key": k, "Value": v} for k, v in tags.items()]
        return request | {"TrainingJobName": name, "HyperParameters": values}

    def _sources(self) -> dict[str, ChannelSource]:
        sources = dict(self.channels)
        for key, source in (("train", self.data), ("validation", self.validation)):
            if source is None:
                continue
            if key in sources:
                raise DataError(f"the channel {key!r} is given twice; name it once")
            sources[key] = source
        return sources

    def _untuned(self, values: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in values.items() if name not in self.tuned}

    def _frame(self, config: Config) -> dict[str, Any]:
        """The members that need nothing from the store."""
        request: dict[str, Any] = {
            "RoleArn": config.role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": self.algorithm or self.image,
                "TrainingInputMode": "File",
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{config.bucket}/"},
            "ResourceConfig": {
                "InstanceType": self.instance_type,
                "InstanceCount": self.instance_count,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": self.max_runtime},
        }
        if self.metrics:
            request["AlgorithmSpecification"]["MetricDefinitions"] = [
                {"Name": key, "Regex": expression} for key, expression in self.metrics.items()
            ]
        if self.environment:
            request["Environment"] = dict(self.environment)
        return request


def reserved(method: Callable[..., Any]) -> list[str]:
    """The names of a method's own arguments."""
    return list(inspect.signature(method).parameters)


def hyperparameter_texts(
    values: Mapping[str, Any], for_script: bool, reserved: Collection[str] = ()
) -> dict[str, str]:
    """Hyperparameters as the text the API takes; lists for scripts as JSON, else with commas.

    Raises:
        ClientFault: a value cannot be sent.
    """
    found: dict[str, str] = {}
    for name, value in values.items():
        if hasattr(value, "item") and not getattr(value, "shape", None):
            value = value.item()  # a number of numpy's
        if value is None:
            continue
        if isinstance(value, bool):
            found[name] = str(value).lower()
        elif isinstance(value, (str, int, float)):
            found[name] = str(value)
        elif isinstance(value, (list, tuple)) and not for_script:
            found[name] = ",".join(map(str, value))
        elif isinstance(value, (list, tuple, dict)):
            found[name] = json.dumps(value)
        else:
            close = nearest(name, reserved)
            meant = f"; did you mean the argument {close!r}?" if close else ""
            raise ClientFault(
                f"the hyperparameter {name!r} is a {type(value).__name__}, which cannot be sent"
                + meant
            )
    return found


def short_name(image: str) -> str:
    """``xgboost`` for ``683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1``."""
    return image.rpartition("/")[2].partition(":")[0].removeprefix("sagemaker-")


def job_name(base: str) -> str:
    """A name nobody else takes, however many sessions make one in the same second."""
    slug = re.sub(r"[^a-zA-Z0-9]+", "-", base).strip("-")[:32].rstrip("-") or "job"
    return f"{slug}-{time.strftime('%Y-%m-%d-%H-%M-%S')}-{secrets.token_hex(3)}"


def _prepare(writer: ChannelWriter, sources: Mapping[str, ChannelSource]) -> list[PreparedChannel]:
    """Bring every channel to the store; the train channel first, as it says the columns' order."""
    prepared: list[PreparedChannel] = []
    columns: tuple[str, ...] = ()
    for name in sorted(sources, key=lambda name: name != "train"):
        channel = writer.prepare(name, sources[name], columns)
        if name == "train":
            columns = channel.columns
        prepared.append(channel)
    return prepared


def _told_by_data(algorithm: Algorithm, prepared: Sequence[PreparedChannel]) -> dict[str, str]:
    """Hyperparameters that the algorithm requires and a table tells: how many features it has."""
    schema = algorithm.hyperparameters
    columns = next((channel.columns for channel in prepared if channel.name == "train"), ())
    if not columns or FEATURE_DIM not in schema or not schema[FEATURE_DIM].required:
        return {}
    return {FEATURE_DIM: str(len(columns))}


def _remember_columns(
    client: Client, config: Config, name: str, prepared: Sequence[PreparedChannel]
) -> dict[str, str]:
    """Keep the order of the feature columns beside the data, so that predictions can use it.

    Returns:
        The tag that says where.
    """
    columns = next((channel.columns for channel in prepared if channel.name == "train"), ())
    if not columns:
        return {}
    key = f"{name}/input/columns.json"
    return {COLUMNS: client.put_object(config.bucket, key, json.dumps(columns).encode())}


def _refuse_unlabelled(channel: str, source: ChannelSource) -> None:
    if hasattr(source, "columns"):
        raise DataError(
            f"channel {channel!r}: say which column of the frame is to be predicted: target=..."
        )
