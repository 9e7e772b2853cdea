"""Endpoints that really serve: creation, repair, failure, update, rollback, deletion."""

from __future__ import annotations

import glob
import io
import socket
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bottega.compute.runner import Phase
from bottega.errors import ModelError
from bottega.features.hosting.instances import run_folders
from bottega.serving.sockets import instance_folders
from bottega.testing.daemon import eventually
from bottega.testing.hosting import ECHO, HostingStudio, until

PING = (
    "The primary container for production variant v0 did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


def runs(hosting: HostingStudio, endpoint: str) -> list[Any]:
    """The folder of every start of every server of an endpoint."""
    root = hosting.studio.ports.config.home / "work" / "endpoints" / endpoint
    # Unlike a path's glob, this one bears that folders are removed meanwhile.
    instances = glob.glob("*/*", root_dir=root, include_hidden=True)
    return [run for instance in instances for run in run_folders(root / instance)]


def log_of(hosting: HostingStudio, endpoint: str) -> str:
    logs, group = hosting.studio.ports.logs, f"/aws/sagemaker/Endpoints/{endpoint}"
    events = [e for s in logs.streams(group) for e in logs.read(group, s.name).events]
    return "\n".join(event.message for event in events)


def test_an_endpoint_serves_and_is_described(hosting: HostingStudio) -> None:
    described = hosting.deploy("serves")

    answer = hosting.invoke("serves", "hello", Accept="text/plain", CustomAttributes="trace=1")

    assert answer == {
        "Body": b"serves: hello",
        "ContentType": "text/plain",
        "InvokedProductionVariant": "v0",
        "CustomAttributes": "trace=1",
    }
    (variant,) = described["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1
    assert variant["DeployedImages"][0]["SpecifiedImage"] == "python"
    assert "FailureReason" not in described
    assert "PendingDeploymentSummary" not in described


def test_a_deleted_endpoint_leaves_nothing(hosting: HostingStudio) -> None:
    hosting.deploy("leaves", instances=2)
    before = [p for p in hosting.work if "leaves" in p.parts]
    sockets = set(instance_folders(hosting.studio.ports.config.home))
    started = runs(hosting, "leaves")

    hosting.delete("leaves")

    assert before
    assert len(started) == 2
    assert not [p for p in hosting.work if "leaves" in str(p)]
    assert len(sockets - set(instance_folders(hosting.studio.ports.config.home))) == 2
    assert hosting.studio.ports.routes.get("leaves") is None
    runner = hosting.studio.ports.runner
    assert all(runner.state(run).phase is Phase.ABSENT for run in started)


def test_a_name_can_be_used_again(hosting: HostingStudio) -> None:
    hosting.deploy("again")
    hosting.delete("again")
    hosting.call("CreateEndpoint", EndpointName="again", EndpointConfigName="again")
    hosting.wait("again", "InService")
    assert hosting.invoke("again", "x")["Body"] == b"again: x"


def test_each_variant_serves_its_own_model(hosting: HostingStudio) -> None:
    hosting.config("two", hosting.echo_model("one"), hosting.echo_model("other"))
    hosting.call("CreateEndpoint", EndpointName="two", EndpointConfigName="two")
    hosting.wait("two", "InService")

    bodies = {
        variant: hosting.invoke("two", "x", TargetVariant=variant)["Body"]
        for variant in ("v0", "v1")
    }
    assert bodies == {"v0": b"one: x", "v1": b"other: x"}


def test_an_error_of_the_script_is_a_model_error_and_its_traceback_is_logged(
    hosting: HostingStudio,
) -> None:
    hosting.deploy("raises")

    with pytest.raises(ModelError) as caught:
        hosting.invoke("raises", "raise")

    error = caught.value
    assert error.status == 424
    assert error.message.startswith('Received server error (500) from primary with message "')
    assert error.message.endswith(
        "See /aws/sagemaker/Endpoints/raises in account 000000000000 for more information."
    )
    assert error.members["OriginalStatusCode"] == 500
    assert "no such customer" in error.members["OriginalMessage"]
    stream = error.members["LogStreamArn"].rpartition(":log-stream:")[2]
    logs = hosting.studio.ports.logs

    def lines() -> list[str]:
        return [e.message for e in logs.read("/aws/sagemaker/Endpoints/raises", stream).events]

    # The server's output reaches its log beside the answer, not before it.
    eventually(lambda: "LookupError: no such customer" in lines(), "the traceback is in the log")
    assert lines().count("LookupError: no such customer") == 1
    assert hosting.invoke("raises", "next")["Body"] == b"raises: next"


def test_a_server_that_dies_is_replaced_while_the_endpoint_stays_in_service(
    hosting: HostingStudio,
) -> None:
    hosting.deploy("dies")
    seen: set[str] = set()

    with pytest.raises(ModelError) as caught:
        hosting.invoke("dies", "die")
    for _ in range(20):
        seen.add(hosting.describe("dies")["EndpointStatus"])
        assert hosting.invoke("dies", "x")["Body"] == b"dies: x"

    assert caught.value.members["OriginalStatusCode"] == 0
    assert seen == {"InService"}
    assert len(runs(hosting, "dies")) >= 2


def test_a_server_that_hangs_is_replaced(
    hosting: HostingStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bottega.features.hosting import fleets, instances
    from bottega.model_servers import health

    monkeypatch.setattr(health, "PING_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(instances, "PING_INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(instances, "MISS_INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(instances, "_HUNG_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(fleets, "LONGEST_ANSWER_SECONDS", 1.0)  # silent longer than a request lasts
    holds_the_interpreter = "import ctypes; ctypes.PyDLL(None).sleep(600)"
    script = ECHO.replace(
        'if data == "raise":',
        f'if data == "hang": {holds_the_interpreter}\n    if data == "raise":',
    )
    hosting.config("hangs", hosting.echo_model("hangs", script))
    hosting.call("CreateEndpoint", EndpointName="hangs", EndpointConfigName="hangs")
    hosting.wait("hangs", "InService")

    with pytest.raises(ModelError):
        hosting.invoke("hangs", "hang")

    assert hosting.invoke("hangs", "back")["Body"] == b"hangs: back"
    assert hosting.describe("hangs")["EndpointStatus"] == "InService"


def test_a_server_that_is_silent_while_it_works_is_left_alone(
    hosting: HostingStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bottega.features.hosting import instances
    from bottega.model_servers import health

    monkeypatch.setattr(health, "PING_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(instances, "PING_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(instances, "MISS_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(instances, "_HUNG_GRACE_SECONDS", 0.1)
    holds_the_interpreter = "import ctypes; ctypes.PyDLL(None).sleep(2)"
    script = ECHO.replace(
        'if data == "raise":',
        f'if data == "think": {holds_the_interpreter}\n    if data == "raise":',
    )
    hosting.config("thinks", hosting.echo_model("thinks", script))
    hosting.call("CreateEndpoint", EndpointName="thinks", EndpointConfigName="thinks")
    hosting.wait("thinks", "InService")

    assert hosting.invoke("thinks", "think")["Body"] == b"thinks: think"
    assert len(runs(hosting, "thinks")) == 1


def test_a_model_that_cannot_be_loaded_fails_the_endpoint_with_its_traceback(
    hosting: HostingStudio,
) -> None:
    script = "def model_fn(model_dir):\n    raise ValueError('weights are missing')\n"
    hosting.config("fails", hosting.echo_model("fails", script))
    hosting.call("CreateEndpoint", EndpointName="fails", EndpointConfigName="fails")

    described = hosting.wait("fails", "Failed")

    assert described["FailureReason"].startswith(PING)
    assert "ValueError: weights are missing" in described["FailureReason"]
    assert len(described["FailureReason"]) <= 1024
    assert "ValueError: weights are missing" in log_of(hosting, "fails")
    until(lambda: not runs(hosting, "fails"))
    hosting.delete("fails")


def test_a_model_that_is_not_ready_in_time_fails_the_endpoint(hosting: HostingStudio) -> None:
    from dataclasses import replace

    from bottega.features.hosting.deployments import EndpointPlans

    hosting.config("slow", hosting.echo_model("slow", "import time\ntime.sleep(600)\n" + ECHO))
    store = hosting.studio.ports.store
    hosting.call("CreateEndpoint", EndpointName="slow", EndpointConfigName="slow")

    def impatient(present: Any) -> Any:
        plans = EndpointPlans.of(present)
        assert plans.target is not None
        (variant,) = plans.target.variants
        shorter = replace(plans.target, variants=(replace(variant, startup_timeout=0.5),))
        return replace(present, private=EndpointPlans(None, replace(shorter, id="d-0")).to_json())

    store.modify("Endpoint", "slow", impatient)

    assert hosting.wait("slow", "Failed")["FailureReason"].startswith(PING)
    until(lambda: not runs(hosting, "slow"))


def link_out() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo("answer")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    return stream.getvalue()


def hard_link_to_nothing() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo("answer")
        member.type, member.linkname = tarfile.LNKTYPE, "not-there"
        tar.addfile(member)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("dangling", hard_link_to_nothing(), "cannot be unpacked"),
        ("traversal", {"../../escaped": "x"}, "not safe to unpack"),
        ("absolute", {"/escaped": "x"}, "not safe to unpack"),
        ("link", link_out(), "not safe to unpack"),
        ("no-tar", b"this is no archive", "must be a tar.gz"),
    ],
    ids=["dangling", "traversal", "absolute", "link", "no-tar"],
)
def test_a_bad_archive_fails_the_endpoint(
    hosting: HostingStudio, name: str, content: Any, words: str
) -> None:
    hosting.config(name, hosting.echo_model(name))
    if isinstance(content, bytes):
        bucket = hosting.studio.ports.config.bucket
        hosting.studio.ports.objects.put(bucket, f"{name}.tar.gz", content)
    else:
        hosting.put_model(f"{name}.tar.gz", content)
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)

    described = hosting.wait(name, "Failed")

    assert words in described["FailureReason"]
    assert not [path for path in hosting.work if path.name == "escaped"]
    assert not Path("/escaped").exists()
    until(lambda: not [p for p in hosting.work if p.parent.name == name])


def test_an_environment_that_no_program_can_have_fails_the_endpoint(hosting: HostingStudio) -> None:
    hosting.config("nul", hosting.echo_model("nul", Environment={"A": "half\0"}))
    hosting.call("CreateEndpoint", EndpointName="nul", EndpointConfigName="nul")
    assert "cannot be an environment variable" in hosting.wait("nul", "Failed")["FailureReason"]


def test_an_update_switches_without_losing_a_request(hosting: HostingStudio) -> None:
    hosting.deploy("old")
    hosting.config("new", hosting.echo_model("new"), instances=2)

    hosting.call("UpdateEndpoint", EndpointName="old", EndpointConfigName="new")
    during = hosting.describe("old")
    bodies = [hosting.invoke("old", "x")["Body"]]
    while hosting.describe("old")["EndpointStatus"] == "Updating":
        bodies.append(hosting.invoke("old", "x")["Body"])
    described = hosting.wait("old", "InService")

    assert hosting.invoke("old", "x")["Body"] == b"new: x"
    assert set(bodies) <= {b"old: x", b"new: x"}
    assert bodies == sorted(bodies, key=[b"old: x", b"new: x"].index)
    assert during["EndpointConfigName"] == "old"
    if during["EndpointStatus"] == "Updating":
        assert during["PendingDeploymentSummary"]["EndpointConfigName"] == "new"
    assert described["EndpointConfigName"] == "new"
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    until(lambda: len(runs(hosting, "old")) == 2)


def test_an_update_that_fails_is_rolled_back(hosting: HostingStudio) -> None:
    hosting.deploy("stays")
    bad = "def model_fn(model_dir):\n    raise ValueError('wrong weights')\n"
    hosting.config("bad", hosting.echo_model("bad", bad))

    hosting.call("UpdateEndpoint", EndpointName="stays", EndpointConfigName="bad")
    described = hosting.wait("stays", "InService")

    assert described["EndpointConfigName"] == "stays"
    assert "ValueError: wrong weights" in described["FailureReason"]
    assert hosting.invoke("stays", "x")["Body"] == b"stays: x"
    until(lambda: len(runs(hosting, "stays")) == 1)

    hosting.config("good", hosting.echo_model("good"))
    hosting.call("UpdateEndpoint", EndpointName="stays", EndpointConfigName="good")
    assert "FailureReason" not in hosting.wait("stays", "InService")


def test_an_update_may_keep_the_weights_and_counts(hosting: HostingStudio) -> None:
    hosting.deploy("keeps", instances=2)
    hosting.config("kept", hosting.echo_model("kept"), instances=1, InitialVariantWeight=5.0)

    hosting.call(
        "UpdateEndpoint",
        EndpointName="keeps",
        EndpointConfigName="kept",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    (variant,) = hosting.wait("keeps", "InService")["ProductionVariants"]

    assert variant["DesiredInstanceCount"] == 2
    assert variant["DesiredWeight"] == 5.0


def test_a_model_that_is_deleted_goes_on_serving(hosting: HostingStudio) -> None:
    hosting.deploy("deleted")
    hosting.call("DeleteModel", ModelName="deleted")
    hosting.call("DeleteEndpointConfig", EndpointConfigName="deleted")
    config = hosting.studio.ports.config
    hosting.studio.ports.objects.delete(config.bucket, ["deleted.tar.gz"])

    with pytest.raises(ModelError):
        hosting.invoke("deleted", "die")
    assert hosting.invoke("deleted", "x")["Body"] == b"deleted: x"


def test_the_model_of_one_instance_cannot_be_changed_by_its_script(hosting: HostingStudio) -> None:
    script = ECHO.replace(
        'if data == "raise":',
        'if data == "write":\n        open("/opt/ml/model/answer", "w").write("hacked")\n'
        '    if data == "raise":',
    )
    hosting.config("writes", hosting.echo_model("writes", script))
    hosting.call("CreateEndpoint", EndpointName="writes", EndpointConfigName="writes")
    hosting.wait("writes", "InService")
    if hosting.studio.ports.runner.describe()["isolation"] == "process":
        pytest.skip("there is no isolation here, so /opt/ml is not the model server's own")

    with pytest.raises(ModelError, match="Read-only file system"):
        hosting.invoke("writes", "write")


def test_scripts_in_an_archive_of_their_own_are_used(hosting: HostingStudio) -> None:
    code = hosting.put_model("code.tar.gz", {"serve.py": ECHO})
    data = hosting.put_model("data.tar.gz", {"answer": "data"})
    container = {
        "Image": "python",
        "ModelDataUrl": data,
        "Environment": {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": code},
    }
    hosting.call("CreateModel", ModelName="apart", PrimaryContainer=container)
    hosting.config("apart", "apart")
    hosting.call("CreateEndpoint", EndpointName="apart", EndpointConfigName="apart")
    hosting.wait("apart", "InService")
    assert hosting.invoke("apart", "x")["Body"] == b"data: x"


def test_model_data_may_be_plain_objects(hosting: HostingStudio) -> None:
    config = hosting.studio.ports.config
    for key, content in (("plain/answer", b"plain"), ("plain/code/inference.py", ECHO.encode())):
        hosting.studio.ports.objects.put(config.bucket, key, content)
    source = {
        "S3Uri": f"s3://{config.bucket}/plain/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    container = {"Image": "python", "ModelDataSource": {"S3DataSource": source}}
    hosting.call("CreateModel", ModelName="plain", PrimaryContainer=container)
    hosting.config("plain", "plain")
    hosting.call("CreateEndpoint", EndpointName="plain", EndpointConfigName="plain")
    hosting.wait("plain", "InService")
    assert hosting.invoke("plain", "x")["Body"] == b"plain: x"


@pytest.mark.parametrize("alone", [False, True])
def test_a_model_without_network_answers_and_reaches_nobody(
    hosting: HostingStudio, alone: bool
) -> None:
    if hosting.studio.ports.runner.describe()["isolation"] == "process":
        pytest.skip("there is no isolation here, so the network cannot be taken away")
    name = f"alone-{alone}".lower()
    reach = "__import__('socket').create_connection(('127.0.0.1', int(data)), timeout=5).close()"
    script = ECHO.replace('if data == "raise":', f'{reach}\n    if data == "raise":')
    uri = hosting.put_model(f"{name}.tar.gz", {"answer": "it", "code/inference.py": script})
    container = {"Image": "python", "ModelDataUrl": uri}
    hosting.call(
        "CreateModel", ModelName=name, PrimaryContainer=container, EnableNetworkIsolation=alone
    )
    hosting.config(name, name)
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    hosting.wait(name, "InService")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        if alone:
            with pytest.raises(ModelError, match=r"ConnectionRefusedError|Network is unreachable"):
                hosting.invoke(name, port)
        else:
            assert hosting.invoke(name, port)["Body"] == f"it: {port}".encode()


def test_many_requests_at_once_get_their_own_answers(hosting: HostingStudio) -> None:
    hosting.deploy("many", instances=2)
    answers = hosting.invoke_together("many", [str(n) for n in range(200)])
    assert [answer["Body"] for answer in answers] == [f"many: {n}".encode() for n in range(200)]
