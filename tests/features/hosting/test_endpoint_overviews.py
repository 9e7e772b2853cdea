"""The endpoints as a table shows them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.hosting.deployments import EndpointPlans
from bottega.storage.metadata import Resource
from bottega.testing.hosting import HostingStudio

NAMES = ("churn-a", "churn-b", "Fraud-a", "fraud-b", "plain")


@pytest.fixture
def five(still: HostingStudio) -> HostingStudio:
    """Five endpoints; churn-b and plain serve, Fraud-a has failed."""
    still.config("c", still.echo_model("m"), instances=2)
    for name in NAMES:
        still.call("CreateEndpoint", EndpointName=name, EndpointConfigName="c")
    for name in ("churn-b", "plain"):
        still.studio.ports.store.modify("Endpoint", name, serving)
    still.studio.ports.store.modify("Endpoint", "Fraud-a", failed)
    return still


def serving(present: Resource) -> Resource:
    plans = EndpointPlans(active=EndpointPlans.of(present).target, target=None)
    return dataclasses.replace(present, status="InService", private=plans.to_json())


def failed(present: Resource) -> Resource:
    return dataclasses.replace(
        present,
        status="Failed",
        body={**present.body, "FailureReason": "no memory"},
        private=EndpointPlans(None, None).to_json(),
    )


def overviews(studio: HostingStudio, **request: Any) -> tuple[list[str], int]:
    answer = studio.ask("ListEndpointOverviews", **request)
    return [endpoint["EndpointName"] for endpoint in answer["Endpoints"]], answer["Total"]


def test_no_endpoints_are_an_empty_window(still: HostingStudio) -> None:
    assert overviews(still) == ([], 0)
    assert overviews(still, Filter="a", Offset=10) == ([], 0)


def test_an_endpoint_is_shown_with_its_variants(five: HostingStudio) -> None:
    answer = five.ask("ListEndpointOverviews", Filter="churn-b")
    (shown,) = answer["Endpoints"]
    described = five.describe("churn-b")
    for member in ("EndpointName", "EndpointArn", "EndpointConfigName", "CreationTime"):
        assert shown[member] == described[member]
    assert shown["LastModifiedTime"] == described["LastModifiedTime"]
    assert shown["Status"] == "InService"
    assert "FailureReason" not in shown
    assert shown["Kind"] == "RealTime"
    assert "Progress" not in shown
    nothing = {"RequestsPerSecond": 0.0, "Requests": 0, "Errors": 0}
    assert shown["Traffic"] == nothing
    assert shown["Variants"] == [
        {
            "VariantName": "v0",
            "ModelName": "m",
            "Image": "python",
            "InstanceType": "ml.m5.large",
            "Weight": 1.0,
            "CurrentInstanceCount": 0,
            "DesiredInstanceCount": 2,
            "Traffic": nothing,
        }
    ]


def test_one_that_is_being_created_shows_what_it_shall_have(five: HostingStudio) -> None:
    (shown,) = five.ask("ListEndpointOverviews", Filter="churn-a")["Endpoints"]
    assert shown["Status"] == "Creating"
    assert shown["Variants"][0]["DesiredInstanceCount"] == 2


def test_one_that_failed_says_why(five: HostingStudio) -> None:
    (shown,) = five.ask("ListEndpointOverviews", Filter="status:Failed")["Endpoints"]
    assert (shown["FailureReason"], shown["Variants"]) == ("no memory", [])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {*NAMES}),
        ("CHURN", {"churn-a", "churn-b"}),
        ("fraud -a", {"Fraud-a"}),
        ("name:plain,-b", {"churn-b", "fraud-b", "plain"}),
        ("name:b status:creating", {"fraud-b"}),
        ("status:InService,Failed", {"churn-b", "plain", "Fraud-a"}),
        ("status:InService,Failed status:failed", {"Fraud-a"}),
        ("status:InService status:Failed", set()),
        ("none", set()),
    ],
)
def test_a_filter_keeps_what_meets_all_of_it(
    five: HostingStudio, text: str, names: set[str]
) -> None:
    found, total = overviews(five, Filter=text)
    assert set(found) == names
    assert total == len(names)


def test_the_window_moves_over_the_order(five: HostingStudio) -> None:
    by_name = sorted(NAMES)
    for text in ("", "a status:Creating,InService,Failed"):
        matching = [name for name in by_name if not text or "a" in name]
        more = {"Filter": text, "SortBy": "Name", "SortOrder": "Ascending"}
        for offset in range(6):
            found, total = overviews(five, Offset=offset, MaxResults=2, **more)
            assert found == matching[offset : offset + 2]
            assert total == len(matching)
    assert overviews(five, SortBy="Name")[0] == by_name[::-1]
    assert overviews(five, SortBy="Status", SortOrder="Ascending")[0][-2:] == ["churn-b", "plain"]
    assert set(overviews(five, MaxResults=3)[0]) | set(overviews(five, Offset=3)[0]) == {*NAMES}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind:Endpoint", "'kind' is not a key of this list. Its keys are name:, status:."),
        ("status:Broken", "there is no status 'broken'. Known are OutOfService, Creating"),
        ("status:", "without a value"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    still: HostingStudio, text: str, says: str
) -> None:
    with pytest.raises(ValidationException) as refused:
        overviews(still, Filter=text)
    assert says in refused.value.message
