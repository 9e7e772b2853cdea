"""Experiments, trials and components as they are made and changed from both sides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.entities import Param

from bottega.testing.entities import Entities
from bottega.testing.run_samples import SampleRun
from bottega.tracking.store.catalogue import Exists, Missing, Refusal
from bottega.tracking.store.entities import tables

KEYS = st.text(min_size=1, max_size=4)
PARAMETERS = st.dictionaries(
    KEYS,
    st.one_of(
        st.builds(lambda n: {"NumberValue": n}, st.floats(allow_nan=False, allow_infinity=False)),
        st.builds(lambda t: {"StringValue": t}, st.text(max_size=6)),
        st.builds(lambda n: {"StringValue": str(n)}, st.integers()),
    ),
    max_size=4,
)
ARTIFACTS = st.dictionaries(
    KEYS,
    st.fixed_dictionaries(
        {"Value": st.text(max_size=6)}, optional={"MediaType": st.just("text/csv")}
    ),
    max_size=3,
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "Parameters": PARAMETERS,
        "InputArtifacts": ARTIFACTS,
        "OutputArtifacts": ARTIFACTS,
        "ParametersToRemove": st.lists(KEYS, max_size=2),
        "InputArtifactsToRemove": st.lists(KEYS, max_size=2),
        "OutputArtifactsToRemove": st.lists(KEYS, max_size=2),
        "DisplayName": st.sampled_from(["one", "two"]),
        "StartTime": st.integers(0, 10**9).map(float),
        "EndTime": st.integers(0, 10**9).map(float),
        "Status": st.fixed_dictionaries(
            {"PrimaryStatus": st.sampled_from(["InProgress", "Stopping", "Completed", "Failed"])},
            optional={"Message": st.text(max_size=5)},
        ),
    },
)


def merged(model: dict[str, Any], changes: dict[str, Any]) -> None:
    """What UpdateTrialComponent means, on a plain dictionary."""
    for member, value in changes.items():
        if member in ("Parameters", "InputArtifacts", "OutputArtifacts"):
            for key in changes.get(f"{member}ToRemove", []):
                model[member].pop(key, None)
            model[member] = {**model[member], **value}
        elif member.endswith("ToRemove"):
            of = member.removesuffix("ToRemove")
            if of not in changes:
                for key in value:
                    model[of].pop(key, None)
        else:
            model[member] = value


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGES, min_size=1, max_size=4))
def test_a_component_shows_what_was_written(entities: Entities, steps: list[Any]) -> None:
    name = f"c{entities.find(limit=1)['total']}"
    model: dict[str, Any] = {"Parameters": {}, "InputArtifacts": {}, "OutputArtifacts": {}}
    entities.create("TrialComponent", name)
    model["DisplayName"] = name
    for changes in steps:
        entities.change("update", kind="TrialComponent", name=name, document=changes)
        merged(model, changes)
    shown = entities.describe("TrialComponent", name)
    members = ("StartTime", "EndTime", "Status", *model)
    assert {k: shown[k] for k in members if k in shown} == model
    run = entities.samples.store.get_run(shown["RunId"])
    assert run.data.params.keys() == model["Parameters"].keys()
    assert run.info.run_name == model["DisplayName"]


def test_runs_of_any_writer_are_components_of_the_default_trial(entities: Entities) -> None:
    entities.create("Experiment", "exp")
    (number,) = entities.execute("SELECT experiment_id FROM experiments WHERE name = 'exp'")[0]
    assert entities.names("Trial") == []
    first, second = entities.samples.add(
        SampleRun(experiment=number, name="a"), SampleRun(experiment=number, name="a")
    )
    assert entities.names("Trial") == ["Default-Run-Group-exp"]
    assert sorted(entities.names()) == sorted([first, second])
    parents = entities.describe("TrialComponent", first)["Parents"]
    assert parents == [{"TrialName": "Default-Run-Group-exp", "ExperimentName": "exp"}]
    with pytest.raises(Exists):
        entities.create("Trial", "default-run-group-EXP", experiment="exp")


def test_names_that_sagemaker_does_not_allow_have_one_that_it_does(entities: Entities) -> None:
    (run,) = entities.samples.add(SampleRun(experiment=7, name="a run, by hand"))
    experiment = "mlflow-experiment-7"
    assert sorted(entities.names("Experiment")) == ["Default", experiment]
    shown = entities.describe("Experiment", experiment)
    assert shown["DisplayName"] == "experiment 7"
    assert entities.describe("TrialComponent", run)["DisplayName"] == "a run, by hand"
    (trial,) = entities.names("Trial")
    assert trial == "Default-Run-Group-mlflow-7"
    assert entities.describe("Trial", trial)["ExperimentName"] == experiment


def test_no_run_is_refused_because_of_the_name_of_a_trial(entities: Entities) -> None:
    entities.create("Experiment", "other")
    for name in ("Default-Run-Group-experiment", "default-run-group-mlflow-7"):
        entities.create("Trial", name, experiment="other")
    (run,) = entities.samples.add(SampleRun(experiment=7))
    assert "Parents" not in entities.describe("TrialComponent", run)
    assert len(entities.names("Trial")) == 2


def test_names_are_told_apart_without_regard_to_case(entities: Entities) -> None:
    entities.create("Experiment", "Exp")
    entities.create("Trial", "Trial", experiment="eXP")
    entities.create("TrialComponent", "Part")
    for kind, name in (("Experiment", "EXP"), ("Trial", "TRIAL"), ("TrialComponent", "PART")):
        with pytest.raises(Exists):
            entities.create(kind, name, experiment="exp")
        assert entities.describe(kind, name)[f"{kind}Name"] == name.capitalize()


def test_a_component_moves_to_the_experiment_of_its_first_trial(entities: Entities) -> None:
    for name in ("one", "two"):
        entities.create("Experiment", name)
        entities.create("Trial", f"trial-{name}", experiment=name)
    entities.create("TrialComponent", "part")
    run = entities.describe("TrialComponent", "part")["RunId"]
    assert entities.samples.store.get_run(run).info.experiment_id == "0"
    for name in ("one", "two"):
        entities.change("associate", component="part", trial=f"trial-{name}")
    number = entities.samples.store.get_experiment_by_name("one").experiment_id
    assert entities.samples.store.get_run(run).info.experiment_id == number
    parents = entities.describe("TrialComponent", "part")["Parents"]
    assert [parent["ExperimentName"] for parent in parents] == ["one", "two"]
    entities.change("disassociate", component="part", trial="trial-one")
    entities.change("delete", kind="Trial", name="trial-one")
    entities.change("delete", kind="Experiment", name="one")  # the run is kept
    number = entities.samples.store.get_experiment_by_name("two").experiment_id
    assert entities.samples.store.get_run(run).info.experiment_id == number
    assert entities.names() == ["part"]


def test_what_is_deleted_in_mlflow_is_gone_until_it_comes_back(entities: Entities) -> None:
    store = entities.samples.store
    entities.create("Experiment", "exp")
    entities.create("Trial", "trial", experiment="exp")
    entities.create("TrialComponent", "part")
    entities.change("associate", component="part", trial="trial")
    experiment = store.get_experiment_by_name("exp").experiment_id
    run = entities.describe("TrialComponent", "part")["RunId"]
    store.delete_run(run)
    with pytest.raises(Missing, match="TrialComponent 'part' does not exist"):
        entities.describe("TrialComponent", "part")
    store.restore_run(run)
    assert entities.describe("TrialComponent", "part")["Parents"][0]["TrialName"] == "trial"
    store.delete_experiment(experiment)
    assert [entities.names(kind) for kind in ("Experiment", "Trial", "TrialComponent")] == [
        ["Default"],
        [],
        [],
    ]
    entities.create("Experiment", "exp")
    assert store.get_experiment(experiment).name == f"exp (deleted {experiment})"
    entities.create("Trial", "trial", experiment="exp")  # nobody's any more
    entities.create("TrialComponent", "part")
    store.restore_experiment(experiment)
    assert sorted(entities.names()) == sorted(["part", run])


def test_a_deleted_component_is_a_deleted_run(entities: Entities) -> None:
    entities.create("TrialComponent", "part")
    run = entities.describe("TrialComponent", "part")["RunId"]
    entities.change("delete", kind="TrialComponent", name="part")
    assert entities.samples.store.get_run(run).info.lifecycle_stage == "deleted"
    entities.create("TrialComponent", "part")
    entities.samples.store.restore_run(run)
    assert entities.describe("TrialComponent", run)["RunId"] == run
    entities.samples.store.delete_run(run)
    entities.samples.store._hard_delete_run(run)
    assert entities.execute("SELECT name FROM bottega_components") == [("part",)]


def test_a_param_of_a_client_joins_those_of_sagemaker(entities: Entities) -> None:
    entities.create("TrialComponent", "part", Parameters={"a": {"StringValue": "5"}})
    run = entities.describe("TrialComponent", "part")["RunId"]
    entities.samples.store.log_param(run, Param("b", "5"))
    shown = entities.describe("TrialComponent", "part")
    assert shown["Parameters"] == {"a": {"StringValue": "5"}, "b": {"NumberValue": 5.0}}


def test_a_message_alone_is_about_the_status_that_is_there(entities: Entities) -> None:
    for primary in ("Completed", "Stopping"):
        entities.create("TrialComponent", primary, Status={"PrimaryStatus": primary})
        document = {"Status": {"Message": "noted"}}
        entities.change("update", kind="TrialComponent", name=primary, document=document)
        shown = entities.describe("TrialComponent", primary)["Status"]
        assert shown == {"PrimaryStatus": primary, "Message": "noted"}


def test_any_name_of_an_artifact_is_found_by_its_media_type(entities: Entities) -> None:
    names = ('say "a".csv', "a\\b", "a.b", "it's")
    artifacts = {name: {"Value": "s3://a", "MediaType": "text/csv"} for name in names}
    entities.create("TrialComponent", "part", InputArtifacts=artifacts)
    entities.create("TrialComponent", "other")
    for name in names:
        item = {"Name": f"InputArtifacts.{name}.MediaType", "Value": "text/csv"}
        assert entities.names(expression={"Filters": [item]}) == ["part"]


def test_a_reused_run_is_found_by_its_name_and_any_other_by_its_job(entities: Entities) -> None:
    entities.create("Experiment", "exp")
    entities.create("TrialComponent", "exp-run")
    job: dict[str, Any] = {
        "experiment": "exp",
        "name": "job",
        "arn": "arn:job",
        "started": 1000,
        "tags": {"bottega.kind": "TrainingJob"},
        "parameters": {"eta": "0.1"},
        "component": "exp-run",
        "reused": True,
        "trial": "",
    }
    run = entities.describe("TrialComponent", "exp-run")["RunId"]
    for _ in range(2):
        assert entities.change("open-run", **job)["run_id"] == run
    shown = entities.describe("TrialComponent", "exp-run")
    assert shown["Source"] == {"SourceArn": "arn:job", "SourceType": "SageMakerTrainingJob"}
    assert shown["Parents"] == [{"TrialName": "Default-Run-Group-exp", "ExperimentName": "exp"}]
    own = {**job, "component": "job-aws-training-job", "reused": False, "trial": None}
    first = entities.change("open-run", **own)["run_id"]
    assert entities.change("open-run", **own)["run_id"] == first != run
    second = entities.change("open-run", **{**own, "started": 2000})["run_id"]
    assert entities.describe("TrialComponent", "job-aws-training-job")["RunId"] == second
    assert entities.describe("TrialComponent", first)["RunId"] == first


def test_tags_of_the_trackers_own_cannot_be_set(entities: Entities) -> None:
    entities.create("TrialComponent", "part", tags={"a": "b"})
    with pytest.raises(Refusal, match="bottega"):
        entities.change(
            "set-tags", kind="TrialComponent", name="part", tags={"mlflow.user": "x"}, limit=50
        )
    with pytest.raises(Refusal, match="more than 1"):
        entities.change("set-tags", kind="TrialComponent", name="part", tags={"c": "d"}, limit=1)
    assert entities.ask("tags", kind="TrialComponent", name="part") == {"a": "b"}


def test_runs_from_before_are_taken_up(entities: Entities) -> None:
    tables.drop_triggers(entities.database)
    job = {"bottega.job": "j", "bottega.kind": "TrainingJob", "bottega.arn": "arn:j"}
    plain, old, new = entities.samples.add(
        SampleRun(experiment=3),
        SampleRun(experiment=3, start=1, tags=job),
        SampleRun(experiment=3, start=2, tags=job),
    )
    assert entities.names() == []
    for _ in range(2):
        tables.prepare(entities.database)
        assert sorted(entities.names()) == sorted([plain, old, "j-aws-training-job"])
    assert entities.describe("TrialComponent", "j-aws-training-job")["RunId"] == new
    assert "Parents" not in entities.describe("TrialComponent", old)
    assert len(entities.describe("TrialComponent", plain)["Parents"]) == 1
