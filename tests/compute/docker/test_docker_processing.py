"""Processing jobs whose image is one that a Docker engine runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bottega.compute.docker.container import HOME_LABEL
from bottega.compute.docker.engine import Engine
from bottega.errors import ValidationException
from bottega.studio import Studio
from bottega.testing.hosting import until
from bottega.testing.requests import processing_input, processing_job, processing_outputs

pytestmark = pytest.mark.slow

IMAGE = "tests/answers:1"
"""What the fixture ``engine`` has: Python, and an ENTRYPOINT that serves."""
PROGRAM = """
import json, os, socket, sys
root = "/opt/ml/processing"
host = json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"]
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))["hosts"]
facts = {
    "arguments": sys.argv[1:],
    "interfaces": sorted(os.listdir("/sys/class/net")),
    "rows": open(root + "/input/data/a.csv").read(),
    "variable": os.environ["GREETING"],
    "own": sorted(name for name in os.environ if name.startswith("BOTTEGA_")),
    "hosts": len({socket.gethostbyname(name) for name in hosts}) if len(hosts) > 1 else 1,
}
open(f"{root}/result/{host}.json", "w").write(json.dumps(facts))
os.makedirs("/opt/ml/output", exist_ok=True)
open("/opt/ml/output/message", "w").write("all well")
print("from", host, flush=True)
"""


class Jobs:
    def __init__(self, studio: Studio) -> None:
        self.studio, self.config = studio, studio.ports.config
        self.put("data/a.csv", "1,2\n")

    def put(self, key: str, text: str) -> str:
        self.studio.ports.objects.put(self.config.bucket, key, text.encode())
        return f"s3://{self.config.bucket}/{key}"

    def call(self, operation: str, **request: Any) -> Any:
        return self.studio.registry.call("sagemaker", operation, request, self.studio.owner("sdk"))

    def create(self, name: str, program: str, *arguments: str, hosts: int = 1, **changes: Any):
        bucket = self.config.bucket
        request = processing_job(
            name,
            bucket,
            self.config.role_arn,
            ["/bin/python3", "/opt/ml/processing/input/code/program.py"],
            IMAGE,
            ProcessingInputs=[
                processing_input("code", self.put(f"{name}/code/program.py", program)),
                processing_input("data", f"s3://{bucket}/data/"),
            ],
            ProcessingOutputConfig=processing_outputs(result=f"s3://{bucket}/{name}/out"),
            Environment={"GREETING": "good day"},
            **changes,
        )
        if arguments:
            request["AppSpecification"]["ContainerArguments"] = list(arguments)
        request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = hosts
        self.call("CreateProcessingJob", **request)

    def describe(self, name: str) -> Any:
        return self.call("DescribeProcessingJob", ProcessingJobName=name)

    def wait(self, name: str) -> Any:
        ended = ("Completed", "Failed", "Stopped")
        until(lambda: self.describe(name)["ProcessingJobStatus"] in ended)
        return self.describe(name)

    def facts(self, key: str) -> Any:
        with self.studio.ports.objects.open(self.config.bucket, key) as stream:
            return json.loads(stream.read())

    def said(self, text: str) -> bool:
        files = (self.config.home / "logs").rglob("*")
        return any(text.encode() in path.read_bytes() for path in files if path.is_file())


@pytest.fixture(scope="module")
def jobs(engine: Engine) -> Iterator[Jobs]:
    studio = Studio.temporary(preload=False, docker=engine.url)
    studio.start()
    yield Jobs(studio)
    with engine.client() as client:
        label = f"{HOME_LABEL}={studio.ports.config.home}"
        assert client.containers(all=True, filters={"label": label}) == []
    studio.close()


def test_a_program_in_an_image_of_ones_own(jobs: Jobs) -> None:
    jobs.create(
        "alone",
        PROGRAM,
        "--fast",
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    job = jobs.wait("alone")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["ExitMessage"] == "all well"
    assert jobs.facts("alone/out/algo-1.json") == {
        "arguments": ["--fast"],
        "interfaces": ["lo"],
        "rows": "1,2\n",
        "variable": "good day",
        "own": [],
        "hosts": 1,
    }
    assert jobs.said("from algo-1")


def test_containers_of_one_job_know_one_another(jobs: Jobs) -> None:
    jobs.create("both", PROGRAM, hosts=2)
    job = jobs.wait("both")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert [jobs.facts(f"both/out/algo-{n}.json")["hosts"] for n in (1, 2)] == [2, 2]


def test_a_program_that_fails_and_an_entrypoint_that_is_not_there(jobs: Jobs) -> None:
    jobs.create("fails", "import sys; print('no rows', flush=True); sys.exit(3)")
    reason = jobs.wait("fails")["FailureReason"]
    assert reason == "AlgorithmError: no rows, exit code: 3"
    request = processing_job(
        "nothing", jobs.config.bucket, jobs.config.role_arn, ["/bin/nothing"], IMAGE
    )
    jobs.call("CreateProcessingJob", **request)
    reason = jobs.wait("nothing")["FailureReason"]
    assert reason.startswith("ClientError: The container cannot be started")


def test_a_container_is_stopped(jobs: Jobs) -> None:
    jobs.create(
        "stops",
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    open('/opt/ml/processing/result/part', 'w').write('some')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('it waits', flush=True)\n"
        "time.sleep(600)\n",
    )
    until(lambda: jobs.said("it waits"))
    jobs.call("StopProcessingJob", ProcessingJobName="stops")
    assert jobs.wait("stops")["ProcessingJobStatus"] == "Stopped"
    objects = jobs.studio.ports.objects
    assert objects.info(jobs.config.bucket, "stops/out/part").size == 4


def test_what_containers_cannot_do_is_refused(jobs: Jobs) -> None:
    with pytest.raises(ValidationException, match="cannot reach one another"):
        jobs.create("far", PROGRAM, hosts=2, NetworkConfig={"EnableNetworkIsolation": True})
    image = "nobody/nothing:1"
    request = processing_job("none", jobs.config.bucket, jobs.config.role_arn, [], image)
    with pytest.raises(ValidationException, match=f"has no image '{image}'"):
        jobs.call("CreateProcessingJob", **request)
