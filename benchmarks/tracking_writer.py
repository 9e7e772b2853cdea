"""One of the writers of `tracking_ingestion.py`, in a process of its own.

``python tracking_writer.py WAY TARGET POINTS SECONDS`` says ``ready``, waits for a line, and writes
points as fast as it can for so many seconds, each call with other values; then it prints how many
points were acknowledged, and the processor time that it took itself, as JSON.

WAY is ``mlflow`` (``MlflowClient.log_batch``; TARGET is a run) or ``put`` (BatchPutMetrics; TARGET
is a trial component). The latter signs as boto3 does and sends by the standard library, since
building a request costs boto3 more than answering it costs the service.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

METRICS = 20
"""Names; every call has a further step of each, or of some."""

Write = Callable[[int, int], int]
"""Writes so many points, the first of them with this number; returns how many."""


def by_mlflow(run: str) -> Write:
    """Writes to a run by the mlflow client."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient()

    def write(first: int, count: int) -> int:
        now = time.time_ns() // 1_000_000
        numbers = range(first, first + count)
        client.log_batch(
            run, [Metric(f"m{n % METRICS}", float(n), now, n // METRICS) for n in numbers]
        )
        return count

    return write


def by_put(component: str) -> Write:
    """Writes to a trial component by BatchPutMetrics."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    address = os.environ["AWS_ENDPOINT_URL"]
    url = f"{address}/BatchPutMetrics"
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    signer = SigV4Auth(keys, "sagemaker", os.environ["AWS_DEFAULT_REGION"])

    def write(first: int, count: int) -> int:
        now = int(time.time())
        data = [
            {
                "MetricName": f"m{n % METRICS}",
                "Value": float(n),
                "Timestamp": now,
                "Step": n // METRICS,
            }
            for n in range(first, first + count)
        ]
        body = json.dumps({"TrialComponentName": component, "MetricData": data}).encode()
        request = AWSRequest("PUT", url, {"Content-Type": "application/json"}, body)
        signer.add_auth(request)
        connection.request("PUT", "/BatchPutMetrics", body, dict(request.headers.items()))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200 or json.loads(text).get("Errors"):
            raise SystemExit(f"refused with {answer.status}: {text.decode()}")
        return count

    return write


def main() -> None:
    way, target, points, seconds = sys.argv[1:]
    write = {"mlflow": by_mlflow, "put": by_put}[way](target)
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.monotonic(), time.process_time()
    written = 0
    while time.monotonic() - began < float(seconds):
        written += write(written, int(points))
    took = time.monotonic() - began
    result = {"points": written, "seconds": took, "cpu": time.process_time() - cpu}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
