"""Very many training jobs, written straight into the metadata store, and questions to Search."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bottega.clock import SystemClock
from bottega.events import EventBus
from bottega.storage.sql import SqlMetadataStore

METRICS = 20
DEPTHS = 8
START = 1_760_000_000.0
PAGE = 50

_INSERT = (
    "INSERT INTO resources (kind, name, arn, status, created, modified, version, body, private)"
    " VALUES ('TrainingJob', ?, ?, 'Completed', ?, ?, 1, ?, '{}')"
)


def fill(home: Path, jobs: int) -> None:
    """Put completed training jobs into the store of a home that no daemon has open.

    Each has 10 hyperparameters, 20 final metrics, two channels and two tags.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = home / "metadata.sqlite"
    SqlMetadataStore(f"sqlite:///{database}", EventBus(), SystemClock()).close()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany(_INSERT, _rows(jobs))
        connection.executemany(
            "INSERT INTO tags (arn, key, value) VALUES (?, ?, ?)",
            (
                (arn(number), *tag)
                for number in range(jobs)
                for tag in (("team", f"team-{number % 5}"), ("project", "grid"))
            ),
        )
        connection.commit()


def question(query: str, number: int) -> dict[str, Any]:
    """A request of Search; no two of a run ask the same, but for the newest."""
    asked: dict[str, Any] = {"Resource": "TrainingJob", "MaxResults": PAGE}
    if query == "newest":
        return {**asked, "SortBy": "CreationTime"}
    metric = f"Metrics.metric_{number % METRICS}"
    if query == "sort by a metric":
        return {**asked, "SortBy": metric}
    bound = {"Name": metric, "Operator": "GreaterThan", "Value": str(0.8 + number / 1000)}
    depth = {"Name": "HyperParameters.depth", "Value": str(number % DEPTHS)}
    return {**asked, "SearchExpression": {"Filters": [bound, depth]}}


def name(number: int) -> str:
    """Of a job."""
    return f"job-{number:06d}"


def arn(number: int) -> str:
    """Of a job."""
    return f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name(number)}"


def _rows(jobs: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(13)
    for number in range(jobs):
        created = START + number
        body = {
            "TrainingJobName": name(number),
            "TrainingJobArn": arn(number),
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "CreationTime": created,
            "TrainingEndTime": created + 60,
            "RoleArn": "arn:aws:iam::000000000000:role/BottegaExecutionRole",
            "AlgorithmSpecification": {"TrainingImage": "xgboost:1.7-1"},
            "HyperParameters": {
                "depth": str(number % DEPTHS),
                "eta": f"{chance.random():.6f}",
                **{f"p{each}": str(each) for each in range(8)},
            },
            "InputDataConfig": [
                {
                    "ChannelName": channel,
                    "DataSource": {"S3DataSource": {"S3Uri": f"s3://data/{number}/{channel}"}},
                }
                for channel in ("train", "validation")
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://models/"},
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://models/{name(number)}/model.tar.gz"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            "FinalMetricDataList": [
                {
                    "MetricName": f"metric_{each}",
                    "Value": chance.random(),
                    "Timestamp": created + 50,
                }
                for each in range(METRICS)
            ],
        }
        yield name(number), arn(number), created, created + 60, json.dumps(body)
