"""Experiments and lineage as resources of version 3."""

from __future__ import annotations

import time

import botocore.exceptions
import pytest
from sagemaker.core.resources import (
    Action,
    Artifact,
    Association,
    Context,
    Experiment,
    Trial,
    TrialComponent,
)
from sagemaker.core.shapes import (
    ActionSource,
    ArtifactSource,
    ContextSource,
    RawMetricData,
    TrialComponentStatus,
)


def test_an_artifact_an_action_and_a_context_are_associated() -> None:
    data = Artifact.create(
        artifact_name="bells", source=ArtifactSource(source_uri="s3://b/v3"), artifact_type="Data"
    )
    context = Context.create(
        context_name="place",
        source=ContextSource(source_uri="s3://b/place"),
        context_type="Endpoint",
    )
    action = Action.create(
        action_name="ring", source=ActionSource(source_uri="s3://b/ring"), action_type="Ringing"
    )
    for made, kind, arn in (
        (data, Artifact, "artifact_arn"),
        (context, Context, "context_arn"),
        (action, Action, "action_arn"),
    ):
        made.update(properties={"tone": "c"})
        made.refresh()
        assert made.properties == {"tone": "c"}
        assert getattr(made, arn) in {getattr(one, arn) for one in kind.get_all()}
    assert Artifact.get(data.artifact_arn).artifact_name == "bells"
    assert Context.get("place").context_type == "Endpoint"
    assert Action.get("ring").action_type == "Ringing"
    edge = Association(source_arn=data.artifact_arn, destination_arn=action.action_arn)
    edge.add(
        source_arn=data.artifact_arn,
        destination_arn=action.action_arn,
        association_type="ContributedTo",
    )
    (found,) = Association.get_all(source_arn=data.artifact_arn)
    assert found.destination_arn == action.action_arn
    found.delete()
    for made in (data, context, action):
        made.delete()
    assert list(Artifact.get_all(source_uri="s3://b/v3")) == []


def test_an_experiment_with_a_trial_and_its_component() -> None:
    experiment = Experiment.create(experiment_name="v3-bells", description="which tone")
    trial = Trial.create(trial_name="v3-trial", experiment_name="v3-bells")
    component = TrialComponent.create(
        trial_component_name="v3-run",
        status=TrialComponentStatus(primary_status="InProgress"),
    )
    component.associate_trail(trial_name="v3-trial")
    component.batch_put_metrics(
        metric_data=[
            RawMetricData(
                metric_name="tone", timestamp=time.time(), step=step, value=(step + 1) / 2
            )
            for step in range(4)
        ]
    )
    component.update(status=TrialComponentStatus(primary_status="Completed"))
    component.wait_for_status("Completed", poll=1)
    (metric,) = TrialComponent.get("v3-run").metrics
    assert (metric.metric_name, metric.max, metric.last, metric.count) == ("tone", 2.0, 2.0, 4)
    for made, members in (
        (experiment, {"description": "high"}),
        (trial, {"display_name": "first"}),
    ):
        made.update(**members)
        made.refresh()
        assert {name: getattr(made, name) for name in members} == members
    assert "v3-bells" in {one.experiment_name for one in Experiment.get_all()}
    assert [one.trial_name for one in Trial.get_all(experiment_name="v3-bells")] == ["v3-trial"]
    listed = TrialComponent.get_all(trial_name="v3-trial")
    assert [one.trial_component_name for one in listed] == ["v3-run"]
    with pytest.raises(botocore.exceptions.ClientError, match="trial"):
        component.delete()
    component.disassociate_trail(trial_name="v3-trial")
    for made in (component, trial, experiment):
        made.delete()
    with pytest.raises(botocore.exceptions.ClientError, match="does not exist"):
        Trial.get("v3-trial")
