"""How long a model takes until it answers: deployed to an instance, and waking up serverless.

    python benchmarks/deployment.py [--rounds 10]

The same small XGBoost model each time, through boto3, as a user calls; beside it ``mlflow models
serve`` from its start to its first answer.
"""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from invocations import RawClient, TrainedModel, csv_row, deploy, mlflow_server, train
from measurement import Ratio, Result, Table, finish, milliseconds, options, scratch

from bottega.testing.daemon import TestDaemon, eventually, running_daemon

IDLE_SECONDS = 0.5
PATIENCE_SECONDS = 30.0


def deployments(daemon: TestDaemon, rounds: int) -> list[float]:
    """Seconds from CreateEndpoint to the answer that says InService, asked every 10 ms."""
    sagemaker, found = daemon.client("sagemaker"), []
    for number in range(rounds):
        name = f"deployed-{number}"
        began = time.perf_counter()
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="c")
        while sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] != "InService":
            assert time.perf_counter() - began < PATIENCE_SECONDS, name
            time.sleep(0.01)
        found.append(time.perf_counter() - began)
        sagemaker.delete_endpoint(EndpointName=name)
    return found


def wakings(daemon: TestDaemon, body: bytes, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of the first invocation of an endpoint that has no server, and of the one after."""
    sagemaker, runtime = daemon.client("sagemaker"), daemon.client("sagemaker-runtime")
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    variant = {"VariantName": "v", "ModelName": "m", "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName="s", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="s", EndpointConfigName="s")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="s")
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(rounds):
        await_no_server(daemon)
        for times in (cold, warm):
            began = time.perf_counter()
            runtime.invoke_endpoint(EndpointName="s", Body=body, ContentType="text/csv")
            times.append(time.perf_counter() - began)
    return cold, warm


def await_no_server(daemon: TestDaemon) -> None:
    """Wait until the serverless endpoint, the only one, has let its server go."""
    assert daemon.process is not None
    service = psutil.Process(daemon.process.pid)
    eventually(
        lambda: not any(map(_serves, service.children(recursive=True))),
        "the server has ended",
        PATIENCE_SECONDS,
    )
    time.sleep(IDLE_SECONDS)


def _serves(process: psutil.Process) -> bool:
    sockets = "/model-"
    try:
        return any(sockets in str(one.laddr) for one in process.net_connections("unix"))
    except psutil.NoSuchProcess:
        return False


def mlflow_starts(folder: Path, model: TrainedModel, rounds: int) -> list[float]:
    """Seconds from starting ``mlflow models serve`` to its first answer."""
    found = []
    for number in range(rounds):
        place = folder / f"mlflow-{number}"
        place.mkdir()
        began = time.perf_counter()
        with mlflow_server(model, place) as (address, message):
            client = RawClient(address, message)
            client.ask()
            found.append(time.perf_counter() - began)
            client.close()
    return found


def run(rounds: int) -> Result:
    """Measure everything."""
    model = train()
    with scratch() as folder:
        with running_daemon(
            folder / "h", tracking=False, serverless_idle_seconds=IDLE_SECONDS
        ) as daemon:
            deploy(daemon, model, folder)  # the first one of a service is not measured
            daemon.client("sagemaker").delete_endpoint(EndpointName="e")
            deployed = deployments(daemon, rounds)
            cold, warm = wakings(daemon, csv_row(model), rounds)
        peer = mlflow_starts(folder, model, max(2, rounds // 4))
    rows = {
        "bottega, CreateEndpoint to InService": deployed,
        "bottega, serverless, first invocation": cold,
        "bottega, serverless, the one after": warm,
        "mlflow models serve, start to first answer": peer,
    }
    table = {name: milliseconds(times, 50, 100) for name, times in rows.items()}
    names = list(table)
    return Result(
        name="deployment",
        title="From a model to its first answer",
        method=(
            "An XGBoost model of 100 trees of depth 6. Deployments are asked for and followed with "
            "boto3, every 10 ms; the serverless endpoint is invoked with boto3 when it has no "
            "server left. One after the other on an otherwise idle service."
        ),
        tables=[Table(f"{rounds} rounds", ("p50 ms", "longest ms"), table)],
        ratios=[
            Ratio("mlflow models serve / bottega's deployment, p50",
                  table[names[3]][0] / table[names[0]][0]),
            Ratio("mlflow models serve / bottega's cold start, p50",
                  table[names[3]][0] / table[names[1]][0]),
        ],
        packages=("mlflow", "xgboost", "boto3"),
    )  # fmt: skip


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    finish(run(arguments.rounds), arguments.results)


if __name__ == "__main__":
    main()
