"""Each rule over real trainings, through the whole studio: one that must make it fire, one that
must not.

Rows of ``trainings.toml`` that are the same training are one job with several rules.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bottega.debugger.rules import registry
from bottega.testing.debugging import DebuggingStudio, rule
from bottega.testing.requests import script_job

HERE = Path(__file__).parent
SCRIPTS = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("test_"))
TRAININGS: list[dict[str, Any]] = [
    {"place": place, **row}
    for place, row in enumerate(tomllib.loads((HERE / "trainings.toml").read_text())["training"])
]
OWN_COLLECTIONS = {"tanh_input": ".*tanh_input", "conv_input": ".*conv_input"}
EACH = {"save_interval": "1"}
CODE = "code/trainings.tar.gz"
PATIENCE_SECONDS = 1500.0
"""For the last of all jobs, which wait for one another."""
BUSY = ("InProgress", "Stopping")


def name_of(row: Mapping[str, Any]) -> str:
    """The rule's RuleConfigurationName, and the row's in the test's."""
    return f"{row['rule']}-{'fires' if row['fires'] else 'sound'}-{row['place']}"


def collections(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the rules of a job look at, at every step."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if not row.get("profile"):
            for name, parameters in registry.BUILT_IN[row["rule"]].collections.items():
                each = {} if "save_steps" in parameters else EACH
                found[name] = {**parameters, **each}
        for name in row.get("collections", ()):
            pattern = OWN_COLLECTIONS.get(name)
            found[name] = {**EACH, **({"include_regex": pattern} if pattern else {})}
    return [
        {"CollectionName": name, "CollectionParameters": parameters}
        for name, parameters in found.items()
    ]


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path in SCRIPTS:
            tar.add(path, path.name)
    return buffer.getvalue()


class Trainings:
    """The jobs of the rows that are tested, created at once: the studio lets them wait."""

    def __init__(self, studio: DebuggingStudio, rows: Sequence[Mapping[str, Any]]) -> None:
        self._studio = studio
        self._jobs: dict[str, str] = {}
        studio.ports.objects.put(studio.bucket, CODE, archive())
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            if "other" in row:
                groups.setdefault(self._training(row, row["other"]), []).append(row)
            else:
                groups.setdefault(self._training(row), []).append(row)
        for training, group in groups.items():
            self._jobs[training] = self._create(group[0]["script"], json.loads(training)[1], group)

    def status(self, row: Mapping[str, Any]) -> Any:
        """The entry of a row's rule in DescribeTrainingJob, once it is settled."""
        if "other" not in row:
            return self._settled(self._jobs[self._training(row)], row)
        other = self._jobs[self._training(row, row["other"])]
        self._settled(other)
        compared = self._create(row["script"], row.get("hyperparameters", {}), [row], other)
        return self._settled(compared, row)

    @staticmethod
    def _training(row: Mapping[str, Any], knobs: Mapping[str, Any] | None = None) -> str:
        """What makes two rows the same training."""
        own = row.get("hyperparameters", {}) if knobs is None else knobs
        return json.dumps([row["script"], own], sort_keys=True)

    def _create(
        self,
        script: str,
        knobs: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        other: str = "",
    ) -> str:
        studio, name = self._studio, f"training-{len(self._jobs)}{'-compared' if other else ''}"
        if other:
            name = f"{name}-{rows[0]['place']}"
        rules: dict[str, list[Any]] = {}
        for row in rows:
            if "other" in row and not other:
                continue  # the training to compare with has no rule of its own
            parameters = row.get("parameters", {}) | ({"other_trial": other} if other else {})
            kind = "ProfilerRule" if row.get("profile") else "DebugRule"
            entry = rule(name_of(row), row["rule"], **parameters)
            rules.setdefault(f"{kind}Configurations", []).append(entry)
        output = f"s3://{studio.bucket}/debug"
        request = script_job(
            name,
            studio.bucket,
            studio.role,
            f"s3://{studio.bucket}/{CODE}",
            HyperParameters={
                "sagemaker_program": script,
                **{key: json.dumps(value) for key, value in knobs.items()},
            },
            DebugHookConfig={
                "S3OutputPath": output,
                "CollectionConfigurations": collections(rows),
            },
            ProfilerConfig={"S3OutputPath": output, "ProfilingIntervalInMilliseconds": 500},
            **rules,
        )
        studio.call("CreateTrainingJob", **request)
        return name

    def _settled(self, job: str, row: Mapping[str, Any] | None = None) -> Any:
        """Wait until a job has ended, and a row's rule with it; returns the rule's entry."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = self._studio.describe(job)
            if found["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
                assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
                if row is None:
                    return None
                entry = self._studio.status(job, name_of(row))
                if entry["RuleEvaluationStatus"] not in BUSY:
                    return entry
            time.sleep(0.2)
        raise AssertionError(f"{job} has not ended: {found}")


@pytest.fixture(scope="module")
def trainings(request: pytest.FixtureRequest) -> Iterator[Trainings]:
    rows = [
        item.callspec.params["row"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        if item.path == request.path
    ]
    with DebuggingStudio.opened() as studio:
        yield Trainings(studio, rows)


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS + 60)
@pytest.mark.parametrize("row", [pytest.param(row, id=name_of(row)) for row in TRAININGS])
def test_a_rule_fires_for_the_training_that_is_ill(
    trainings: Trainings, row: dict[str, Any]
) -> None:
    entry = trainings.status(row)
    expected = "IssuesFound" if row["fires"] else "NoIssuesFound"
    assert entry["RuleEvaluationStatus"] == expected, entry
    # One that saw nothing of what it looks at says so.
    if not row["fires"]:
        assert not entry.get("StatusDetails"), entry


def test_each_rule_has_a_training_that_is_ill_and_one_that_is_sound() -> None:
    has = {(row["rule"], row["fires"]) for row in TRAININGS}
    for name in registry.BUILT_IN:
        assert (name, False) in has
        assert (name, True) in has or name == "CreateXgboostReport"
    assert {row["script"] for row in TRAININGS} == {path.name for path in SCRIPTS}
