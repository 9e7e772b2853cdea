"""Lineage: what clients make, what follows from jobs, and following the graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.errors import ResourceNotFound, ValidationException
from bottega.features.lineage import actions, artifacts, associations, contexts, query
from bottega.features.lineage.entities import Edge
from bottega.features.lineage.graph import Graph, Piece
from bottega.registry import Registry, operation
from bottega.storage.metadata import Resource
from bottega.testing.operations import Operations

START = 1_700_000_000.0
ARN = "arn:aws:sagemaker:us-east-1:000000000000:"
MODULES = (actions, artifacts, associations, contexts, query)


class Sagemaker:
    """The operations, by their names as methods of a client."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.store = operations.ports.store

    def __getattr__(self, name: str) -> Any:
        operation = "".join(word.title() for word in name.split("_"))
        return lambda **request: self.operations.call("sagemaker", operation, **request)

    def put(self, kind: str, name: str, path: str, status: str = "", **body: Any) -> Resource:
        now = self.operations.ports.clock.now()
        arn = f"{ARN}{path}/{name}"
        return self.store.create(Resource(kind, name, arn, status, now, now, body))


@pytest.fixture
def sagemaker(tmp_path: Path) -> Iterator[Sagemaker]:
    with Operations(tmp_path, *MODULES, clock=ManualClock(START)) as operations:
        yield Sagemaker(operations)


def artifact(sagemaker: Sagemaker, uri: str, kind: str = "DataSet", **members: Any) -> str:
    made = sagemaker.create_artifact(Source={"SourceUri": uri}, ArtifactType=kind, **members)
    return str(made["ArtifactArn"])


def test_a_source_has_one_artifact(sagemaker: Sagemaker) -> None:
    arn = artifact(sagemaker, "s3://b/data", ArtifactName="mine", Properties={"rows": "3"})
    assert artifact(sagemaker, "s3://b/data", "Model", ArtifactName="other") == arn
    assert artifact(sagemaker, "s3://b/other") != arn
    found = sagemaker.describe_artifact(ArtifactArn=arn)
    assert found["ArtifactName"] == "mine"
    assert found["ArtifactType"] == "DataSet"
    assert found["Source"] == {"SourceUri": "s3://b/data"}
    assert found["CreationTime"] == START
    assert found["CreatedBy"]["IamIdentity"]["Arn"] == sagemaker.operations.context.caller.arn


def test_properties_are_merged_and_removed(sagemaker: Sagemaker) -> None:
    arn = artifact(sagemaker, "s3://b/data", Properties={"a": "1", "b": "2"})
    clock = sagemaker.operations.ports.clock
    assert isinstance(clock, ManualClock)
    clock.advance(5)
    sagemaker.update_artifact(
        ArtifactArn=arn, ArtifactName="new", Properties={"b": "3"}, PropertiesToRemove=["a"]
    )
    found = sagemaker.describe_artifact(ArtifactArn=arn)
    assert found["Properties"] == {"b": "3"}
    assert (found["ArtifactName"], found["LastModifiedTime"]) == ("new", START + 5)
    many = {f"p{number}": "" for number in range(30)}
    with pytest.raises(ValidationException, match="would have 31 properties"):
        sagemaker.update_artifact(ArtifactArn=arn, Properties=many)


@pytest.mark.parametrize(
    ("kind", "operations"),
    [
        (
            "Action",
            ("CreateAction", "DescribeAction", "UpdateAction", "DeleteAction", "ListActions"),
        ),
        (
            "Context",
            ("CreateContext", "DescribeContext", "UpdateContext", "DeleteContext", "ListContexts"),
        ),
    ],
)
def test_actions_and_contexts_are_made_changed_listed_and_removed(
    sagemaker: Sagemaker, kind: str, operations: tuple[str, ...]
) -> None:
    def call(verb: str, **request: Any) -> Any:
        (name,) = (one for one in operations if one.startswith(verb))
        named = {} if verb == "List" else {f"{kind}Name": "Mine"}
        return sagemaker.operations.call("sagemaker", name, **named, **request)

    source = {"SourceUri": "s3://b/x", "SourceType": "S3"}
    made = call("Create", Source=source, **{f"{kind}Type": "Kind"})
    assert made == {f"{kind}Arn": f"{ARN}{kind.lower()}/mine"}
    with pytest.raises(ValidationException, match="already exists"):
        call("Create", Source=source, **{f"{kind}Type": "Other"})
    call("Update", Description="words", Properties={"k": "v"})
    found = call("Describe")
    assert found["Description"] == "words"
    assert found["Properties"] == {"k": "v"}
    listed = call("List", SourceUri="s3://b/x", **{f"{kind}Type": "Kind"})
    (summary,) = listed[f"{kind}Summaries"]
    assert summary[f"{kind}Name"] == "Mine"
    assert call("List", SourceUri="s3://b")[f"{kind}Summaries"] == []
    call("Delete")
    for verb in ("Describe", "Delete", "Update"):
        with pytest.raises(ResourceNotFound, match="does not exist"):
            call(verb)


def test_associations_are_between_what_is_there_and_once(sagemaker: Sagemaker) -> None:
    data, model = artifact(sagemaker, "s3://b/data"), artifact(sagemaker, "s3://b/model", "Model")
    ends = {"SourceArn": data, "DestinationArn": model}
    assert sagemaker.add_association(**ends, AssociationType="DerivedFrom") == ends
    with pytest.raises(ValidationException, match="already exists"):
        sagemaker.add_association(**ends)
    with pytest.raises(ValidationException, match="with itself"):
        sagemaker.add_association(SourceArn=data, DestinationArn=data)
    with pytest.raises(ResourceNotFound, match="artifact/none does not exist"):
        sagemaker.add_association(SourceArn=data, DestinationArn=f"{ARN}artifact/none")
    (found,) = sagemaker.list_associations(SourceArn=data)["AssociationSummaries"]
    assert (found["SourceType"], found["DestinationType"]) == ("DataSet", "Model")
    assert found["AssociationType"] == "DerivedFrom"
    for matching in (
        {"DestinationType": "Model"},
        {"DestinationType": "Artifact"},
        {"SourceArn": data},
    ):
        assert len(sagemaker.list_associations(**matching)["AssociationSummaries"]) == 1
    assert not sagemaker.list_associations(AssociationType="Produced")["AssociationSummaries"]
    with pytest.raises(ValidationException, match="has 1 associations"):
        sagemaker.delete_artifact(ArtifactArn=data)
    assert sagemaker.delete_association(**ends) == ends
    with pytest.raises(ResourceNotFound, match="does not exist"):
        sagemaker.delete_association(**ends)
    with pytest.raises(ValidationException, match="either"):
        sagemaker.delete_artifact(ArtifactArn=model, Source={"SourceUri": "s3://b/data"})
    assert sagemaker.delete_artifact(Source={"SourceUri": "s3://b/data"}) == {"ArtifactArn": data}
    both = {"ArtifactArn": model, "Source": {"SourceUri": "s3://b/model"}}
    assert sagemaker.delete_artifact(**both) == {"ArtifactArn": model}
    with pytest.raises(ValidationException, match="either"):
        sagemaker.delete_artifact()


def test_a_component_may_be_an_end_if_it_is_there(tmp_path: Path) -> None:
    with Operations(tmp_path, *MODULES) as operations:
        sagemaker = Sagemaker(operations)

        @operation("DescribeTrialComponent")
        def describe(context: Any, request: Mapping[str, Any]) -> Mapping[str, Any]:
            if request["TrialComponentName"] != "run":
                raise ResourceNotFound("TrialComponent does not exist.")
            return {}

        found = list(operations._registry.operations())
        found.append(describe.__bottega_operation__)  # type: ignore[attr-defined]
        operations._registry = Registry(found)
        data = artifact(sagemaker, "s3://b/curve")
        run = f"{ARN}experiment-trial-component/run"
        sagemaker.add_association(SourceArn=run, DestinationArn=data, AssociationType="Produced")
        with pytest.raises(ResourceNotFound):
            sagemaker.add_association(SourceArn=f"{run}-other", DestinationArn=data)
        answer = sagemaker.query_lineage(StartArns=[data])
        assert answer["Vertices"] == [{"Arn": run, "LineageType": "TrialComponent"}]


def channel(name: str, uri: str) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": uri}}}


@pytest.fixture
def pipeline(sagemaker: Sagemaker) -> Sagemaker:
    """Data is prepared, a model trained, packaged and deployed."""
    sagemaker.put(
        "ProcessingJob",
        "prepare",
        "processing-job",
        AppSpecification={"ImageUri": "tools:1"},
        ProcessingInputs=[{"InputName": "raw", "S3Input": {"S3Uri": "s3://b/raw"}}],
        ProcessingOutputConfig={
            "Outputs": [{"OutputName": "clean", "S3Output": {"S3Uri": "s3://b/clean"}}]
        },
    )
    sagemaker.put(
        "TrainingJob",
        "train",
        "training-job",
        AlgorithmSpecification={"TrainingImage": "xgboost:1"},
        InputDataConfig=[channel("train", "s3://b/clean"), channel("test", "s3://b/test")],
        CheckpointConfig={"S3Uri": "s3://b/checkpoints"},
        ModelArtifacts={"S3ModelArtifacts": "s3://b/model.tar.gz"},
    )
    container = {"Image": "xgboost:1", "ModelDataUrl": "s3://b/model.tar.gz"}
    sagemaker.put("ModelPackageGroup", "group", "model-package-group")
    sagemaker.put(
        "ModelPackage",
        "group/1",
        "model-package",
        "Completed",
        ModelPackageGroupName="group",
        ModelApprovalStatus="Approved",
        InferenceSpecification={"Containers": [container]},
    )
    sagemaker.put("Model", "model", "model", PrimaryContainer=container)
    sagemaker.put(
        "EndpointConfig", "config", "endpoint-config", ProductionVariants=[{"ModelName": "model"}]
    )
    sagemaker.put("Endpoint", "e", "endpoint", "InService", EndpointConfigName="config")
    sagemaker.put(
        "TransformJob",
        "predict",
        "transform-job",
        ModelName="model",
        TransformInput={"DataSource": {"S3DataSource": {"S3Uri": "s3://b/new"}}},
        TransformOutput={"S3OutputPath": "s3://b/predicted"},
    )
    return sagemaker


def names(sagemaker: Sagemaker, answer: Mapping[str, Any]) -> set[str]:
    """Sources of artifacts, and names of everything else."""
    found = set()
    for vertex in answer["Vertices"]:
        if vertex["LineageType"] == "Artifact":
            shown = sagemaker.describe_artifact(ArtifactArn=vertex["Arn"])
            found.add(shown["Source"]["SourceUri"].rpartition("/")[2])
        else:
            found.add(vertex["Arn"].rpartition("/")[2])
    return found


BEFORE_THE_MODEL = {
    *("raw", "tools:1", "prepare-aws-processing-job", "clean", "test", "xgboost:1"),
    *("train-aws-training-job", "model.tar.gz"),
}


def test_the_endpoint_knows_what_it_was_made_of(pipeline: Sagemaker) -> None:
    context = f"{ARN}context/e-aws-endpoint"
    answer = pipeline.query_lineage(StartArns=[context], Direction="Ascendants")
    assert names(pipeline, answer) == BEFORE_THE_MODEL | {"e-aws-model-deployment"}
    onwards = pipeline.query_lineage(StartArns=[context], Direction="Descendants")
    assert names(pipeline, onwards) == {"e-aws-model-deployment", "model.tar.gz"}
    data = pipeline.query_lineage(
        StartArns=[context], Filters={"Types": ["DataSet"], "LineageTypes": ["Artifact"]}
    )
    assert names(pipeline, data) == {"raw", "clean", "test"}
    near = pipeline.query_lineage(StartArns=[context], MaxDepth=2, IncludeEdges=False)
    assert names(pipeline, near) == {"e-aws-model-deployment", "xgboost:1", "model.tar.gz"}
    assert near["Edges"] == []


def test_an_endpoint_leads_to_its_models(pipeline: Sagemaker) -> None:
    """As ``EndpointContext.models()`` and ``models_v2()`` of the SDK ask."""
    context = f"{ARN}context/e-aws-endpoint"
    (deployment,) = pipeline.list_associations(
        SourceArn=context, DestinationType="ModelDeployment"
    )["AssociationSummaries"]
    assert deployment["DestinationName"] == "e-aws-model-deployment"
    (model,) = pipeline.list_associations(
        SourceArn=deployment["DestinationArn"], DestinationType="Model"
    )["AssociationSummaries"]
    (made,) = pipeline.list_artifacts(SourceUri="s3://b/model.tar.gz")["ArtifactSummaries"]
    assert model["DestinationArn"] == made["ArtifactArn"]
    for start, kind in ((context, "ModelDeployment"), (deployment["DestinationArn"], "Model")):
        found = pipeline.query_lineage(
            StartArns=[start], Direction="Descendants", Filters={"Types": [kind]}
        )
        assert len(found["Vertices"]) == 1


def test_what_became_of_a_model_is_no_other_model_of_its_endpoint(pipeline: Sagemaker) -> None:
    container = {"ModelDataUrl": "s3://b/other.tar.gz"}
    pipeline.put("Model", "other", "model", PrimaryContainer=container)
    variants = [{"ModelName": "model"}, {"ModelName": "other"}]
    pipeline.put("EndpointConfig", "both", "endpoint-config", ProductionVariants=variants)
    pipeline.put("Endpoint", "two", "endpoint", "InService", EndpointConfigName="both")
    (other,) = pipeline.list_artifacts(SourceUri="s3://b/other.tar.gz")["ArtifactSummaries"]
    start = {"StartArns": [other["ArtifactArn"]]}
    onwards = pipeline.query_lineage(**start, Direction="Descendants")
    assert names(pipeline, onwards) == {"two-aws-model-deployment", "two-aws-endpoint"}
    assert pipeline.query_lineage(**start, Direction="Ascendants")["Vertices"] == []


def test_data_knows_what_became_of_it(pipeline: Sagemaker) -> None:
    (raw,) = pipeline.list_artifacts(SourceUri="s3://b/raw")["ArtifactSummaries"]
    answer = pipeline.query_lineage(StartArns=[raw["ArtifactArn"]], Direction="Descendants")
    assert names(pipeline, answer) == {
        *("prepare-aws-processing-job", "clean", "train-aws-training-job", "model.tar.gz"),
        *("checkpoints", "e-aws-model-deployment", "e-aws-endpoint", "1", "predicted"),
        *("group-1-aws-model-package", "group-aws-model-package-group"),
        "predict-aws-transform-job",
    }
    edges = {(edge["SourceArn"], edge["AssociationType"]) for edge in answer["Edges"]}
    train = f"{ARN}experiment-trial-component/train-aws-training-job"
    assert (raw["ArtifactArn"], "ContributedTo") in edges
    assert (train, "Produced") in edges


def test_pages_of_a_query_come_one_after_the_other(pipeline: Sagemaker) -> None:
    start = {"StartArns": [f"{ARN}context/e-aws-endpoint"], "Direction": "Ascendants"}
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = pipeline.query_lineage(**start, MaxResults=2, **token)
        found += [vertex["Arn"] for vertex in page["Vertices"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    whole = [vertex["Arn"] for vertex in pipeline.query_lineage(**start)["Vertices"]]
    assert found == whole


def test_what_follows_from_a_job_goes_with_it_and_not_alone(pipeline: Sagemaker) -> None:
    (made,) = pipeline.list_artifacts(SourceUri="s3://b/test")["ArtifactSummaries"]
    arn = made["ArtifactArn"]
    with pytest.raises(ValidationException, match=r"follows from .*training-job/train"):
        pipeline.delete_artifact(ArtifactArn=arn)
    train = f"{ARN}experiment-trial-component/train-aws-training-job"
    with pytest.raises(ValidationException, match="follows from a resource"):
        pipeline.delete_association(SourceArn=arn, DestinationArn=train)
    pipeline.update_artifact(ArtifactArn=arn, Properties={"checked": "yes"})
    pipeline.store.delete("TrainingJob", "train")
    assert pipeline.describe_artifact(ArtifactArn=arn)["Properties"] == {"checked": "yes"}
    assert pipeline.list_artifacts(SourceUri="s3://b/checkpoints")["ArtifactSummaries"] == []
    assert pipeline.list_associations(SourceArn=arn)["AssociationSummaries"] == []
    assert pipeline.delete_artifact(ArtifactArn=arn) == {"ArtifactArn": arn}


def test_an_endpoint_follows_its_configuration(pipeline: Sagemaker) -> None:
    action = f"{ARN}action/e-aws-model-deployment"
    made_of = {"DestinationArn": action, "AssociationType": "ContributedTo"}
    assert len(pipeline.list_associations(**made_of)["AssociationSummaries"]) == 2
    container = {"ModelDataUrl": "s3://b/second.tar.gz"}
    pipeline.put("Model", "second", "model", PrimaryContainer=container)
    pipeline.put(
        "EndpointConfig", "next", "endpoint-config", ProductionVariants=[{"ModelName": "second"}]
    )
    endpoint = pipeline.store.get("Endpoint", "e")
    pipeline.store.update(dataclasses.replace(endpoint, body={"EndpointConfigName": "next"}))
    (edge,) = pipeline.list_associations(**made_of)["AssociationSummaries"]
    assert edge["SourceType"] == "Model"


def test_lists_are_sorted_and_paged(sagemaker: Sagemaker) -> None:
    clock = sagemaker.operations.ports.clock
    assert isinstance(clock, ManualClock)
    source = {"SourceUri": "u"}
    for name in ("b", "c", "a"):
        sagemaker.create_context(ContextName=name, Source=source, ContextType="T")
        clock.advance(1)

    def listed(**request: Any) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = sagemaker.list_contexts(MaxResults=2, **request, **token)
            found += [each["ContextName"] for each in page["ContextSummaries"]]
            if "NextToken" not in page:
                return found
            token = {"NextToken": page["NextToken"]}

    assert listed() == ["a", "c", "b"]
    assert listed(SortBy="Name", SortOrder="Ascending") == ["a", "b", "c"]
    assert listed(CreatedAfter=START + 0.5, SortOrder="Ascending") == ["c", "a"]


LETTERS = [f"{ARN}artifact/{letter}" for letter in "abcdef"]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pairs=st.sets(st.tuples(st.sampled_from(LETTERS), st.sampled_from(LETTERS)), max_size=12),
    depth=st.integers(1, 4),
)
def test_the_walk_reaches_what_is_near_enough(pairs: set[tuple[str, str]], depth: int) -> None:
    edges = [Edge(source, destination, "Produced", 0.0) for source, destination in pairs]
    graph = Graph([Piece(edges=edges)])
    start = LETTERS[0]
    distances = {start: 0}
    for step in range(1, depth + 1):
        for source, destination in pairs:
            if distances.get(source) == step - 1 and destination not in distances:
                distances[destination] = step
    found: dict[str, int] = {}
    for arn, distance, _ in query._walk(graph, [start], "Descendants", depth):
        found.setdefault(arn, distance)
    found.pop(start, None)
    del distances[start]
    assert found == distances
