"""Which variant is asked, which shadow is told, and what is kept of it, by both ways in."""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.boto_hosting import BotoHosting
from bottega.testing.daemon import eventually, running_daemon

REQUESTS = 400
"""By each way."""
WEIGHTS = {"heavy": 3.0, "light": 1.0}
NOTING = """
def model_fn(model_dir):
    return open(model_dir + "/answer").read()

def transform_fn(model, data, content_type, accept):
    text = data if isinstance(data, str) else bytes(data).decode()
    print("asked", text, flush=True)
    return f"{model}: {text}"
"""


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotoHosting]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as daemon:
        yield BotoHosting(daemon)


@pytest.fixture(scope="module")
def split(hosting: BotoHosting) -> str:
    """An endpoint with two variants, everything captured."""
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{hosting.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    variants = [
        {"VariantName": name, "ModelName": hosting.script(name), "InitialVariantWeight": weight}
        for name, weight in WEIGHTS.items()
    ]
    return hosting.endpoint("split", *variants, DataCaptureConfig=capture)


def asked(hosting: BotoHosting, endpoint: str, bodies: list[str], **more: Any) -> dict[str, str]:
    """Invoke with each body, which is the InferenceId as well; returns the variants by body."""

    def ask(body: str) -> tuple[str, str]:
        told = hosting.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=body, ContentType="text/csv", InferenceId=body, **more
        )
        variant = str(told["InvokedProductionVariant"])
        assert told["Body"].read().decode().endswith(f": {body}")
        return body, variant

    with ThreadPoolExecutor(6) as pool:
        return dict(pool.map(ask, bodies))


def detour(request: Any, **_: Any) -> None:
    request.headers.add_header("x-detour", "1")


def within(found: int, of: int, share: float) -> bool:
    """Whether a count lies within six standard deviations of what is expected."""
    return abs(found - of * share) <= 6 * math.sqrt(of * share * (1 - share))


@pytest.mark.slow
def test_variants_get_their_share_and_every_record_is_true(
    hosting: BotoHosting, split: str
) -> None:
    share = WEIGHTS["heavy"] / sum(WEIGHTS.values())
    found: dict[str, str] = {}
    for lane in ("short", "operation"):
        bodies = [f"{lane}-{number},{number}" for number in range(REQUESTS)]
        if lane == "operation":
            # A header that the listener's short lane does not know sends a request the other way.
            hosting.runtime.meta.events.register("before-sign.*.InvokeEndpoint", detour)
        try:
            answered = asked(hosting, split, bodies)
        finally:
            hosting.runtime.meta.events.unregister("before-sign.*.InvokeEndpoint", detour)
        counted = Counter(answered.values())
        assert within(counted["heavy"], REQUESTS, share), (lane, counted)
        found |= answered

    records: dict[str, tuple[str, dict[str, Any]]] = {}
    read: set[str] = set()

    def all_there() -> bool:
        for key in set(hosting.keys("captured/split/")) - read:
            read.add(key)
            for line in hosting.read(key).splitlines():
                record = json.loads(line)
                name = record["eventMetadata"]["inferenceId"]
                assert name not in records, "captured twice"
                records[name] = key.split("/")[2], record
        return len(records) >= len(found)

    eventually(all_there, "every request is captured", 40)
    assert set(records) == set(found)
    for body, (variant, record) in records.items():
        sides = record["captureData"]
        assert variant == found[body]
        assert sides["endpointInput"]["data"] == body
        assert sides["endpointInput"]["encoding"] == "CSV"
        output = sides["endpointOutput"]
        text = output["data"]
        if output["encoding"] == "BASE64":
            text = base64.b64decode(text).decode()
        assert text == f"{variant}: {body}"


def test_a_variant_that_is_named(hosting: BotoHosting, split: str) -> None:
    found = asked(hosting, split, [f"named-{n}" for n in range(20)], TargetVariant="light")
    assert set(found.values()) == {"light"}
    with pytest.raises(ClientError) as caught:
        asked(hosting, split, ["x"], TargetVariant="absent")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=split,
        DesiredWeightsAndCapacities=[{"VariantName": "light", "DesiredWeight": 0.0}],
    )
    hosting.settled(split)
    found = asked(hosting, split, [f"all-{n}" for n in range(40)])
    assert set(found.values()) == {"heavy"}


def test_a_shadow_is_told_what_the_variant_is_asked(hosting: BotoHosting) -> None:
    hosting.endpoint(
        "watched",
        {"VariantName": "real", "ModelName": hosting.script("real", NOTING)},
        ShadowProductionVariants=[
            {
                "VariantName": "shadow",
                "ModelName": hosting.script("shadow", NOTING),
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        ],
    )
    bodies = [f"copy-{number}" for number in range(50)]
    assert set(asked(hosting, "watched", bodies).values()) == {"real"}

    def heard() -> Counter[str]:
        lines = hosting.log("watched").splitlines()
        return Counter(line.rpartition(" ")[2] for line in lines if "asked copy-" in line)

    eventually(lambda: sum(heard().values()) == 2 * len(bodies), "each was heard twice", 20)
    assert heard() == Counter(dict.fromkeys(bodies, 2))
