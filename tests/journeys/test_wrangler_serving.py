"""What was prepared is what is served: from raw rows to a model's answers, through the wire.

A flow runs as a processing job, a model learns from its table, and the fitted flow stands in front
of that model. For the same raw rows the endpoint computes exactly the job's features, and predicts
what the model predicts of them.
"""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import bottega
from bottega.sdk.session import Session
from bottega.testing.daemon import TestDaemon, eventually
from bottega.testing.requests import (
    XGBOOST_IMAGE,
    channel,
    processing_input,
    processing_job,
    training_job,
)
from bottega.testing.wrangler_flows import step_node

# A job, a training and two or three model servers each.
pytestmark = pytest.mark.slow

WRANGLER = "663277389841.dkr.ecr.us-east-1.amazonaws.com/sagemaker-data-wrangler-container:1.x"
PARAMETERS = {"objective": "binary:logistic", "num_round": "10", "max_depth": "4"}


class Bench:
    """A daemon and what these journeys ask of it."""

    def __init__(self, daemon: TestDaemon) -> None:
        self.daemon = daemon
        self.config = daemon.config
        self.s3, self.sagemaker = daemon.client("s3"), daemon.client("sagemaker")
        self.runtime = daemon.client("sagemaker-runtime")

    def put(self, key: str, text: str) -> str:
        self.s3.put_object(Bucket=self.config.bucket, Key=key, Body=text.encode())
        return f"s3://{self.config.bucket}/{key}"

    def text(self, prefix_uri: str) -> str:
        """The only object below a prefix."""
        bucket, _, prefix = prefix_uri.removeprefix("s3://").partition("/")
        (found,) = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        return str(self.s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read().decode())

    def processed(self, name: str) -> dict[str, Any]:
        def describe() -> dict[str, Any]:
            found = self.sagemaker.describe_processing_job(ProcessingJobName=name)
            return dict(found) if found["ProcessingJobStatus"] != "InProgress" else {}

        job: dict[str, Any] = eventually(describe, f"{name} has ended")
        assert job["ProcessingJobStatus"] == "Completed", job
        return job

    def train(self, name: str, data_uri: str) -> str:
        """Train XGBoost; returns its model's URI."""
        request = training_job(
            name,
            self.config.bucket,
            self.config.role_arn,
            HyperParameters=PARAMETERS,
            InputDataConfig=[channel("train", data_uri, "text/csv")],
        )
        self.sagemaker.create_training_job(**request)

        def describe() -> dict[str, Any]:
            found = self.sagemaker.describe_training_job(TrainingJobName=name)
            return dict(found) if found["TrainingJobStatus"] != "InProgress" else {}

        job = eventually(describe, f"{name} has ended")
        assert job["TrainingJobStatus"] == "Completed", job
        return str(job["ModelArtifacts"]["S3ModelArtifacts"])

    def deploy(self, name: str, *containers: tuple[str, str]) -> None:
        """Serve containers, each an image and its data, one after the other."""
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.config.role_arn,
            Containers=[{"Image": image, "ModelDataUrl": uri} for image, uri in containers],
        )
        variant = {"VariantName": "AllTraffic", "ModelName": name}
        variant |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    def ask(self, name: str, body: str, kind: str = "text/csv") -> str:
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, Body=body.encode(), ContentType=kind, Accept="text/csv"
        )
        return str(answer["Body"].read().decode())

    def assert_no_skew(self, name: str, raw: list[list[str]], table: str, model: str) -> None:
        """Serve the features alone, the model alone, and both, and hold them to the job's table.

        Args:
            raw: rows as they were before, without the label, of all that are in the table.
            table: what the job wrote, the label first, without names.
            model: the URI of the model that learnt from it.
        """
        rows = [line.partition(",")[2] for line in table.splitlines()]
        assert len(rows) == len(raw)
        fitted = self.fitted(name)
        self.deploy(f"{name}-features", (WRANGLER, fitted))
        self.deploy(f"{name}-model", (XGBOOST_IMAGE, model))
        self.deploy(f"{name}-pipeline", (WRANGLER, fitted), (XGBOOST_IMAGE, model))
        features = self.ask(f"{name}-features", as_csv(raw)).splitlines()
        assert features == rows
        for number in (0, len(raw) // 2, len(raw) - 1):  # few rows go another way than many
            alone = self.ask(f"{name}-features", as_csv([raw[number]])).splitlines()
            assert alone == [rows[number]]
        wanted = self.ask(f"{name}-model", "\n".join(rows))
        assert self.ask(f"{name}-pipeline", as_csv(raw)) == wanted
        assert len({*wanted.replace("\n", ",").split(",")}) > 10

    def fitted(self, job: str) -> str:
        """The model archive that a job left beside its fitted flow."""
        outputs = self.sagemaker.describe_processing_job(ProcessingJobName=job)
        for output in outputs["ProcessingOutputConfig"]["Outputs"]:
            if output["OutputName"] == "fitted_flow":
                return f"{output['S3Output']['S3Uri']}/model.tar.gz"
        raise AssertionError(outputs)


def as_csv(rows: list[list[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def chain(source: dict[str, Any], *steps: tuple[str, str, dict[str, Any]]) -> str:
    above, nodes = source["node_id"], [source]
    for number, (group, name, values) in enumerate(steps, 1):
        nodes.append(step_node(f"step-{number}", above, group, name, values))
        above = f"step-{number}"
    return json.dumps({"metadata": {"version": 1}, "parameters": [], "nodes": nodes})


@pytest.fixture(scope="module")
def bench(plain_daemon: TestDaemon) -> Bench:
    return Bench(plain_daemon)


@pytest.fixture(scope="module")
def session(plain_daemon: TestDaemon) -> Session:
    return bottega.connect(plain_daemon.home)


def starts_with(column: str, prefix: str, output: str) -> tuple[str, str, dict[str, Any]]:
    values = {"input_column": column, "prefix": prefix, "output_column": output}
    return "Validate string", "Starts with", values


def test_telco_churn_from_a_file_of_this_machine(
    bench: Bench, session: Session, shared_data: Path, tmp_path: Path
) -> None:
    path = next((shared_data / "telco-churn").glob("*.csv"))
    shutil.copy(path, tmp_path / "churn.csv")
    records = list(csv.reader(io.StringIO(path.read_text())))
    names, raw = records[0], records[1:]
    kinds = ["InternetService", "Contract", "PaymentMethod"]
    texts = ["gender", "Partner", "Dependents", "PhoneService", "MultipleLines",
             "OnlineSecurity", "OnlineBackup", "DeviceProtection", "TechSupport", "StreamingTV",
             "StreamingMovies", "PaperlessBilling"]  # fmt: skip
    source = {
        "node_id": "churn",
        "type": "SOURCE",
        "operator": "bottega.file_source_0.1",
        "parameters": {"path": "churn.csv"},
        "inputs": [],
        "outputs": [{"name": "default"}],
    }
    scaled = ["tenure", "MonthlyCharges", "TotalCharges"]
    flow = chain(
        source,
        ("Manage rows", "Sort", {"column": ["tenure"]}),
        ("Manage columns", "Drop column", {"column_to_drop": ["customerID"]}),
        starts_with("Churn", "Yes", "target"),
        ("Manage columns", "Drop column", {"column_to_drop": ["Churn"]}),
        ("Parse column as type", "Parse value as type",
         {"column": "TotalCharges", "data_type": "float"}),
        ("Handle missing", "Impute", {"input_column": ["TotalCharges"]}),
        ("Encode categorical", "One-hot encode", {"input_column": kinds}),
        ("Encode categorical", "Ordinal encode", {"input_column": texts[:8]}),
        ("Manage columns", "Drop column", {"column_to_drop": texts[8:]}),
        ("Process numeric", "Scale values",
         {"scaler": "Standard scaler", "standard_scaler_input_column": scaled}),
    )  # fmt: skip
    last = json.loads(flow)["nodes"][-1]["node_id"]
    answer = session.client.call(
        "bottega",
        "RunFlow",
        {
            "Flow": flow,
            "NodeId": last,
            "Folder": str(tmp_path),
            "Name": "churn",
            "Header": False,
            "Label": "target",
        },
    )
    job = bench.processed("churn")
    assert job["ProcessingJobArn"] == answer["ProcessingJobArn"]
    assert "7043 rows" in job["ExitMessage"]
    table = bench.text(f"{answer['OutputS3Uri']}/")
    model = bench.train("churn", answer["OutputS3Uri"])
    tenure, churn = names.index("tenure"), names.index("Churn")
    raw.sort(key=lambda row: int(row[tenure]))  # the job's table is sorted, a request is not
    without = [[cell for place, cell in enumerate(row) if place != churn] for row in raw]
    bench.assert_no_skew("churn", without, table, model)
    # By name, in any order, and without the columns that no feature needs.
    row = dict(zip(names, raw[7], strict=True))
    del row["Churn"], row["customerID"], row["TechSupport"]
    by_name = bench.ask("churn-pipeline", json.dumps(row), "application/json")
    assert by_name == bench.ask("churn-pipeline", as_csv([without[7]]))
    with pytest.raises(bench.runtime.exceptions.ModelError, match=r"Container 1.*'MonthlyCharges'"):
        bench.ask(
            "churn-pipeline", json.dumps({**row, "MonthlyCharges": "much"}), "application/json"
        )


def passengers(count: int) -> list[list[str]]:
    """Rows with the columns of the Titanic's list, made up; who was rich lived more often."""
    chance = random.Random(7)
    rows = [["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Ticket",
             "Fare", "Cabin", "Embarked"]]  # fmt: skip
    for number in range(1, count + 1):
        grade, sex = chance.choice("1233"), chance.choice(["male", "female"])
        fare = chance.uniform(5, 40) * (4 - int(grade))
        lived = chance.random() < 0.2 + 0.4 * (sex == "female") + 0.1 * (3 - int(grade))
        age = "" if chance.random() < 0.2 else str(chance.choice([0.42, 22, 28.5, 35, 61]))
        port = "" if chance.random() < 0.02 else chance.choice("SCQ")
        cabin = f"C{chance.randint(1, 99)}" if chance.random() < 0.2 else ""
        survived = "" if chance.random() < 0.05 else str(int(lived))
        name = f'O"Neil, {"Mr." if sex == "male" else "Mrs."} {number}'
        family = [str(chance.randint(0, 3)), str(chance.randint(0, 2))]
        ticket = [f"A/5 {number}", f"{fare:.4f}", cabin, port]
        rows.append([str(number), survived, grade, name, sex, age, *family, *ticket])
    return rows


def test_passengers_from_a_bucket_through_boto3_alone(bench: Bench) -> None:
    rows = passengers(900)
    uri = bench.put("titanic/raw.csv", as_csv(rows))
    source = {
        "node_id": "titanic",
        "type": "SOURCE",
        "operator": "sagemaker.s3_source_0.1",
        "parameters": {
            "dataset_definition": {
                "datasetSourceType": "S3",
                "name": "titanic.csv",
                "s3ExecutionContext": {
                    "s3Uri": uri,
                    "s3ContentType": "csv",
                    "s3HasHeader": True,
                    "s3FieldDelimiter": ",",
                },
            }
        },
        "inputs": [],
        "outputs": [{"name": "default"}],
    }
    flow = chain(
        source,
        ("Manage rows", "Drop duplicates", {"columns": ["PassengerId"]}),
        ("Handle missing", "Drop missing", {"input_column": ["Survived"]}),
        ("Handle missing", "Drop missing",
         {"dimension": "Drop Columns", "missing_percentage": 50}),
        ("Handle missing", "Add indicator for missing", {"input_column": ["Age"]}),
        ("Handle missing", "Impute", {"input_column": ["Age"]}),
        ("Handle missing", "Impute",
         {"column_type": "Categorical", "input_column": ["Embarked"]}),
        starts_with("Sex", "female", "woman"),
        starts_with("Embarked", "C", "from Cherbourg"),
        ("Handle outliers", "Quantile numeric outliers",
         {"input_column": ["Fare"], "fix_method": "Clip", "lower_quantile": 0.05,
          "upper_quantile": 0.95}),
        ("Process numeric", "Scale values",
         {"scaler": "Min-max scaler", "min_max_scaler_input_column": ["Fare", "Age"]}),
        ("Manage columns", "Drop column",
         {"column_to_drop": ["PassengerId", "Name", "Sex", "Ticket", "Embarked"]}),
    )  # fmt: skip
    last = json.loads(flow)["nodes"][-1]["node_id"]
    bucket = bench.config.bucket
    table_name = f"{last}.default"
    config = {table_name: {"content_type": "CSV", "header": False, "label": "Survived"}}
    request = processing_job(
        "titanic",
        bucket,
        bench.config.role_arn,
        [],
        WRANGLER,
        ProcessingInputs=[
            processing_input(
                "flow", bench.put("titanic/titanic.flow", flow), "/opt/ml/processing/flow"
            ),
            processing_input("titanic.csv", uri, "/opt/ml/processing/titanic.csv"),
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": name,
                    "S3Output": {
                        "S3Uri": f"s3://{bucket}/titanic/{folder}",
                        "LocalPath": f"/opt/ml/processing/{folder}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for name, folder in ((table_name, "table"), ("fitted_flow", "fitted"))
            ]
        },
    )
    request["AppSpecification"]["ContainerArguments"] = [f"--output-config '{json.dumps(config)}'"]
    bench.sagemaker.create_processing_job(**request)
    bench.processed("titanic")
    table = bench.text(f"s3://{bucket}/titanic/table/")
    model = bench.train("titanic", f"s3://{bucket}/titanic/table")
    label = rows[0].index("Survived")
    known = [row for row in rows[1:] if row[label]]
    assert len(known) < len(rows) - 1
    raw = [[cell for place, cell in enumerate(row) if place != label] for row in known]
    bench.assert_no_skew("titanic", raw, table, model)


def test_a_step_that_fails_tells_the_job_which(bench: Bench, session: Session, tmp_path: Path):
    (tmp_path / "empty.csv").write_text("age,name\n,Ann\n,Bob\n")
    source = {
        "node_id": "s",
        "type": "SOURCE",
        "operator": "bottega.file_source_0.1",
        "parameters": {"path": str(tmp_path / "empty.csv"), "options": {"Types": {"age": "float"}}},
    }
    flow = chain(source, ("Handle missing", "Impute", {"input_column": ["age"]}))
    session.client.call("bottega", "RunFlow", {"Flow": flow, "NodeId": "step-1", "Name": "fails"})

    def describe() -> dict[str, Any]:
        found = bench.sagemaker.describe_processing_job(ProcessingJobName="fails")
        return dict(found) if found["ProcessingJobStatus"] != "InProgress" else {}

    job = eventually(describe, "the job has ended")
    assert job["ProcessingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert reason.startswith("ClientError: Impute (step-1): Column 'age' has no finite value")
