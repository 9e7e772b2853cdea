"""UpdateEndpointWeightsAndCapacities, on servers that really serve."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.hosting.instances import run_folders
from bottega.testing.hosting import ECHO, HostingStudio, until


def resize(hosting: HostingStudio, endpoint: str, *entries: dict[str, Any]) -> Any:
    return hosting.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=list(entries),
    )


def v0(**more: Any) -> dict[str, Any]:
    return {"VariantName": "v0", **more}


def servers(hosting: HostingStudio, endpoint: str) -> int:
    root = hosting.studio.ports.config.home / "work" / "endpoints" / endpoint
    return sum(bool(run_folders(instance)) for instance in root.glob("*/*"))


def test_instances_come_and_go_without_a_lost_request(hosting: HostingStudio) -> None:
    slow = ECHO.replace("    return f", "    import time; time.sleep(0.03)\n    return f")
    hosting.config("sizes", hosting.echo_model("sizes", slow))
    hosting.call("CreateEndpoint", EndpointName="sizes", EndpointConfigName="sizes")
    hosting.wait("sizes", "InService")

    with hosting.under_load("sizes") as answers:
        for count in (3, 1, 2):
            resize(hosting, "sizes", v0(DesiredInstanceCount=count))
            during = hosting.describe("sizes")
            (variant,) = hosting.wait("sizes", "InService")["ProductionVariants"]
            assert variant["CurrentInstanceCount"] == count
            assert variant["DesiredInstanceCount"] == count
            assert servers(hosting, "sizes") == count
            if during["EndpointStatus"] == "Updating":
                assert during["ProductionVariants"][0]["DesiredInstanceCount"] == count

    assert len(answers) > 10
    assert set(answers) == {b"sizes: x"}


def test_weights_change_at_once(hosting: HostingStudio) -> None:
    hosting.config("weighs", hosting.echo_model("weighs"), hosting.echo_model("weighs-2"))
    hosting.call("CreateEndpoint", EndpointName="weighs", EndpointConfigName="weighs")
    hosting.wait("weighs", "InService")
    resize(hosting, "weighs", v0(DesiredWeight=0.0))
    first, second = hosting.wait("weighs", "InService")["ProductionVariants"]
    assert (first["CurrentWeight"], first["DesiredWeight"]) == (0.0, 0.0)
    assert second["CurrentWeight"] == 1.0
    bodies = hosting.invoke_together("weighs", ["x"] * 20)
    assert {answer["Body"] for answer in bodies} == {b"weighs-2: x"}
    with pytest.raises(ValidationException, match="every variant a weight of 0"):
        resize(hosting, "weighs", {"VariantName": "v1", "DesiredWeight": 0.0})


def test_instances_that_do_not_come_up_leave_things_as_they_were(hosting: HostingStudio) -> None:
    script = ECHO.replace(
        "def model_fn(model_dir):\n",
        "def model_fn(model_dir):\n"
        "    import os\n"
        "    if os.path.exists('/opt/ml/model/../second'): raise ValueError('no room')\n",
    )
    hosting.config("fits", hosting.echo_model("fits", script))
    hosting.call("CreateEndpoint", EndpointName="fits", EndpointConfigName="fits")
    hosting.wait("fits", "InService")
    # Whatever is started from now on finds the file that the script looks for.
    root = hosting.studio.ports.config.home / "work" / "endpoints" / "fits"
    (staged,) = root.glob("*/.models/v0")
    (staged / "second").write_text("")

    resize(hosting, "fits", v0(DesiredInstanceCount=2))
    described = hosting.wait("fits", "InService")

    assert "ValueError: no room" in described["FailureReason"]
    (variant,) = described["ProductionVariants"]
    assert variant["DesiredInstanceCount"] == variant["CurrentInstanceCount"] == 1
    assert hosting.invoke("fits", "x")["Body"] == b"fits: x"
    until(lambda: servers(hosting, "fits") == 1)


@pytest.mark.parametrize(
    ("entries", "error", "words"),
    [
        ([{"VariantName": "other"}], ValidationException, "the endpoint's variants are v0"),
        ([v0(), v0()], ValidationException, "names 'v0' twice"),
        ([v0(DesiredInstanceCount=0)], ValidationException, "must be at least 1"),
        ([v0(DesiredInstanceCount=65)], ResourceLimitExceeded, "more than 64 instances"),
        (
            [v0(ServerlessUpdateConfig={"MaxConcurrency": 2})],
            ValidationException,
            "which has instances; use DesiredInstanceCount",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(
    hosting: HostingStudio, entries: list[Any], error: type[Exception], words: str
) -> None:
    if hosting.gone("refuses"):
        hosting.deploy("refuses")
    before = hosting.describe("refuses")
    with pytest.raises(error, match=words):
        resize(hosting, "refuses", *entries)
    assert hosting.describe("refuses") == before


def test_an_endpoint_that_is_not_there_or_not_settled_is_left_alone(still: HostingStudio) -> None:
    with pytest.raises(ValidationException, match="Could not find endpoint"):
        resize(still, "e", v0(DesiredWeight=1.0))
    still.config("c", still.echo_model("m"))
    still.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    with pytest.raises(ValidationException, match="Cannot update in-progress endpoint"):
        resize(still, "e", v0(DesiredWeight=1.0))
