"""Training jobs as a user lives with them: scripts, failures, stops, hosts, queues, networks."""

from __future__ import annotations

import io
import itertools
import json
import pathlib
import tarfile

import botocore.exceptions
import pytest

from bottega.testing.daemon import TestDaemon, eventually
from bottega.testing.requests import channel, code_archive, script_job, training_job

_numbers = itertools.count()


class User:
    """What a user does again and again with one daemon."""

    def __init__(self, daemon: TestDaemon) -> None:
        self.daemon = daemon
        self.bucket = daemon.config.bucket
        self.role = daemon.config.role_arn
        self.sagemaker = daemon.client("sagemaker")
        self.s3 = daemon.client("s3")
        self.logs_client = daemon.client("logs")

    def put(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def script(self, text: str, name: str = "", **changes) -> str:
        """Start a script job; returns its name."""
        name = name or f"script-{next(_numbers)}"
        uri = self.put(f"code/{name}.tar.gz", code_archive(train__py=text))
        request = script_job(name, self.bucket, self.role, uri, **changes)
        self.sagemaker.create_training_job(**request)
        return name

    def describe(self, name: str) -> dict:
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def ended(self, name: str) -> dict:
        def over() -> dict | None:
            job = self.describe(name)
            return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return eventually(over, f"{name} ends")

    def log(self, name: str, host: str = "algo-1") -> list[str]:
        group = "/aws/sagemaker/TrainingJobs"
        found = self.logs_client.describe_log_streams(
            logGroupName=group, logStreamNamePrefix=f"{name}/{host}"
        )
        events = self.logs_client.get_log_events(
            logGroupName=group,
            logStreamName=found["logStreams"][0]["logStreamName"],
            startFromHead=True,
        )
        return [event["message"] for event in events["events"]]

    def archive(self, name: str, file: str = "model") -> dict[str, bytes]:
        """The files of model.tar.gz or output.tar.gz."""
        key = f"output/{name}/output/{file}.tar.gz"
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}


@pytest.fixture(scope="module")
def user(plain_daemon: TestDaemon) -> User:
    return User(plain_daemon)


def test_a_script_sees_the_container_contract(user: User):
    user.put("contract/train/a.csv", b"1,2\n")
    name = user.script(
        """
import json, os, pathlib, sys
seen = {key: value for key, value in os.environ.items() if key.startswith("SM_")}
seen["argv"] = sys.argv[1:]
seen["job"] = os.environ["TRAINING_JOB_NAME"]
seen["custom"] = os.environ["CUSTOM"]
root = pathlib.Path("/opt/ml/input")
seen["hyperparameters"] = json.loads((root / "config/hyperparameters.json").read_text())
seen["channels"] = json.loads((root / "config/inputdataconfig.json").read_text())
seen["resources"] = json.loads((root / "config/resourceconfig.json").read_text())
seen["data"] = (root / "data/train/a.csv").read_text()
pathlib.Path(os.environ["SM_MODEL_DIR"], "seen.json").write_text(json.dumps(seen))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "extra.txt").write_text("extra")
print("loss=0.5"); print("loss=0.25")
""",
        HyperParameters={"depth": "7", "name": '"quoted"'},
        InputDataConfig=[channel("train", f"s3://{user.bucket}/contract/train", "text/csv")],
        Environment={"CUSTOM": "mine"},
        AlgorithmSpecification={
            "TrainingImage": "scikit-learn",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
    )
    job = user.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    seen = json.loads(user.archive(name)["seen.json"])
    assert seen["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert json.loads(seen["SM_HPS"]) == {"depth": 7, "name": "quoted"}
    assert seen["SM_HOSTS"] == '["algo-1"]'
    assert seen["SM_CURRENT_HOST"] == "algo-1"
    assert seen["argv"] == ["--depth", "7", "--name", "quoted"]
    assert (seen["job"], seen["custom"], seen["data"]) == (name, "mine", "1,2\n")
    assert all(isinstance(value, str) for value in seen["hyperparameters"].values())
    assert seen["channels"]["train"]["ContentType"] == "text/csv"
    assert seen["resources"]["hosts"] == ["algo-1"]
    assert user.archive(name, "output") == {"extra.txt": b"extra"}
    assert [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]] == [("loss", 0.25)]


def test_a_failure_tells_the_users_own_traceback(user: User):
    name = user.script("def deep():\n    raise ValueError('the boat is full')\n\ndeep()\n")
    job = user.ended(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ExecuteUserScriptError:")
    assert "ValueError: the boat is full" in job["FailureReason"]
    log = "\n".join(user.log(name))
    assert 'train.py", line 4, in <module>' in log
    assert 'train.py", line 2, in deep' in log
    assert "bottega" not in log.partition("Traceback")[2]


def test_an_exit_code_is_a_failure(user: User):
    job = user.ended(user.script("import sys; sys.exit(7)"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "7" in job["FailureReason"]


def test_two_hosts_know_each_other(user: User):
    user.put("shards/a", b"a")
    user.put("shards/b", b"b")
    name = user.script(
        """
import json, os, socket, pathlib
host = os.environ["SM_CURRENT_HOST"]
hosts = json.loads(os.environ["SM_HOSTS"])
if host == "algo-1":
    with socket.create_server((host, 7777)) as server:
        connection, _ = server.accept()
        text = connection.recv(100).decode()
    pathlib.Path("/opt/ml/model/heard").write_text(text)
else:
    import time
    for _ in range(200):
        try:
            with socket.create_connection((hosts[0], 7777)) as connection:
                connection.sendall(("hello from " + host).encode())
            break
        except OSError:
            time.sleep(0.05)
print("files", sorted(os.listdir("/opt/ml/input/data/train")))
""",
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        InputDataConfig=[
            channel(
                "train",
                f"s3://{user.bucket}/shards/",
                S3DataDistributionType="ShardedByS3Key",
            )
        ],
    )
    job = user.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert user.archive(name) == {"heard": b"hello from algo-2"}
    assert "files ['a']" in user.log(name, "algo-1")
    assert "files ['b']" in user.log(name, "algo-2")


def test_one_host_failing_fails_the_job(user: User):
    name = user.script(
        "import os, time\n"
        "if os.environ['SM_CURRENT_HOST'] == 'algo-2': raise SystemExit(3)\n"
        "time.sleep(600)\n",
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
    )
    job = user.ended(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert "exit code: 3" in job["FailureReason"] or "ExitCode 3" in job["FailureReason"]


def test_a_stopped_job_keeps_what_it_saved(user: User):
    name = user.script(
        """
import pathlib, signal, sys, time
def leave(*_):
    pathlib.Path("/opt/ml/model/partial").write_text("kept")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
time.sleep(600)
"""
    )
    eventually(lambda: "ready" in _log_or_nothing(user, name), "the script is ready")
    user.sagemaker.stop_training_job(TrainingJobName=name)
    job = user.ended(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert user.archive(name) == {"partial": b"kept"}
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        user.sagemaker.stop_training_job(TrainingJobName=name)
    assert caught.value.response["Error"]["Message"] == (
        "The request was rejected because the training job is in status Stopped."
    )


def _log_or_nothing(user: User, name: str) -> list[str]:
    try:
        return user.log(name)
    except (user.logs_client.exceptions.ResourceNotFoundException, IndexError):
        return []


def test_time_runs_out(user: User):
    name = user.script("import time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = user.ended(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_no_network_means_no_network(user: User):
    port = user.daemon.url.rpartition(":")[2]
    name = user.script(
        """
import os, socket
host, port = "127.0.0.1", PORT
try:
    socket.create_connection((host, port), timeout=5)
    raise SystemExit("reached the daemon")
except OSError as error:
    print("no network:", error)
assert "AWS_SECRET_ACCESS_KEY" not in os.environ
""".replace("PORT", port),
        EnableNetworkIsolation=True,
    )
    job = user.ended(name)
    if "isolation" in job.get("FailureReason", "") and "ClientError" in job["FailureReason"]:
        pytest.skip(f"this machine cannot isolate: {job['FailureReason']}")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_job_cannot_see_the_home_or_other_jobs(user: User):
    name = user.script(
        """
import os, pathlib
home = pathlib.Path("HOME")
visible = [str(path) for path in home.rglob("*")] if home.exists() else []
assert not visible, visible
assert sorted(os.listdir("/opt/ml")), "its own /opt/ml is there"
for path in ("/etc/shadow", "/etc/gshadow"):
    try:
        assert not pathlib.Path(path).read_text(), path
    except OSError as error:
        print(path, error)
users_home = pathlib.Path("USER")
assert not [path for path in users_home.glob(".*") if path.is_file()], "the user's own files"
""".replace("HOME", str(user.daemon.home)).replace("USER", str(pathlib.Path.home()))
    )
    job = user.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_script_talks_to_s3_with_keys_of_its_own(user: User):
    user.put("own/hello", b"hello")
    name = user.script(
        "import boto3, os\n"
        f"body = boto3.client('s3').get_object(Bucket={user.bucket!r}, Key='own/hello')['Body']\n"
        "print('read', body.read().decode())\n"
        "print('as', boto3.client('sts').get_caller_identity()['Arn'])\n"
    )
    assert user.ended(name)["TrainingJobStatus"] == "Completed"
    log = user.log(name)
    assert "read hello" in log
    assert any(line.startswith("as arn:aws:sts::") and name in line for line in log)


def test_checkpoints_outlive_the_job(user: User):
    text = """
import pathlib, time
folder = pathlib.Path("/opt/ml/checkpoints")
before = sorted(path.name for path in folder.iterdir())
print("found", before)
(folder / f"step-{len(before)}").write_text("x")
"""
    config = {"S3Uri": f"s3://{user.bucket}/checkpoints/run"}
    first = user.script(text, CheckpointConfig=config)
    assert user.ended(first)["TrainingJobStatus"] == "Completed"
    second = user.script(text, CheckpointConfig=config)
    assert user.ended(second)["TrainingJobStatus"] == "Completed"
    assert "found []" in user.log(first)
    assert "found ['step-0']" in user.log(second)


def test_an_entrypoint_of_ones_own(user: User):
    user.put("entry/run.sh", b"echo from the channel; cp $0 /opt/ml/model/copy\n")
    name = f"entry-{next(_numbers)}"
    user.sagemaker.create_training_job(
        **training_job(
            name,
            user.bucket,
            user.role,
            "python",
            AlgorithmSpecification={
                "TrainingImage": "python",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["/bin/bash"],
                "ContainerArguments": ["/opt/ml/input/data/code/run.sh"],
            },
            InputDataConfig=[channel("code", f"s3://{user.bucket}/entry/")],
        )
    )
    assert user.ended(name)["TrainingJobStatus"] == "Completed"
    assert "from the channel" in user.log(name)
    assert set(user.archive(name)) == {"copy"}


def test_lists_searches_and_tags(user: User):
    name = user.script("print('x')", Tags=[{"Key": "colour", "Value": "green"}])
    arn = user.ended(name)["TrainingJobArn"]
    listed = user.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == [name]
    paginator = user.sagemaker.get_paginator("list_training_jobs")
    names = [
        job["TrainingJobName"]
        for page in paginator.paginate(PaginationConfig={"PageSize": 2})
        for job in page["TrainingJobSummaries"]
    ]
    assert name in names
    assert len(names) == len(set(names))
    expression = {"Filters": [{"Name": "Tags.colour", "Operator": "Equals", "Value": "green"}]}
    found = user.sagemaker.search(Resource="TrainingJob", SearchExpression=expression)
    assert [r["TrainingJob"]["TrainingJobName"] for r in found["Results"]] == [name]
    user.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["colour"])
    assert user.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    user.sagemaker.delete_training_job(TrainingJobName=name)
    with pytest.raises(botocore.exceptions.ClientError, match="Requested resource not found"):
        user.describe(name)


def test_a_name_is_given_once(user: User):
    name = user.script("print('x')")
    with pytest.raises(user.sagemaker.exceptions.ResourceInUse, match="must be unique"):
        user.script("print('x')", name)
    user.ended(name)
