"""`bottega quickstart`: train, track, deploy and predict on real data, in a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottega.cli.options import home_option

if TYPE_CHECKING:
    from bottega.sdk.training_job import TrainingJob

ROUNDS = 60
RUN_WAIT_SECONDS = 60.0
HELD_OUT = 114
"""Rows kept for the test: a fifth of the data set."""


class Stopwatch:
    """Names each step and keeps how long it took."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float]] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        click.secho(f"\n{len(self.steps) + 1}. {title}", bold=True)
        started = time.perf_counter()
        yield
        self.steps.append((title, time.perf_counter() - started))


@click.command()
@home_option
@click.option("--keep/--no-keep", default=True, help="Leave the endpoint in service afterwards.")
def quickstart(home: Path | None, keep: bool) -> None:
    """Train XGBoost on scikit-learn's breast cancer data, track, deploy and predict."""
    watch = Stopwatch()
    with watch.step("Start the service"):
        import bottega

        studio = bottega.connect(home)
        click.echo(f"   it keeps everything in {studio.describe()['Home']}")
    with watch.step("Load real data: 569 tumours, 30 measurements each, benign or malignant"):
        from sklearn.datasets import load_breast_cancer

        frame = load_breast_cancer(as_frame=True).frame.sample(frac=1, random_state=0)
        test, rest = frame[:HELD_OUT], frame[HELD_OUT:]
        validation, train = rest[:HELD_OUT], rest[HELD_OUT:]
        click.echo(
            f"   {len(train)} rows to train, {len(validation)} to validate, {len(test)} to test"
        )
    with watch.step("Train XGBoost (a SageMaker training job)"):
        job = studio.train(
            "xgboost",
            data=train,
            target="target",
            validation=validation,
            experiment="quickstart",
            objective="binary:logistic",
            eval_metric="auc,logloss",
            num_round=ROUNDS,
            max_depth=3,
            eta=0.2,
        )
    with watch.step("Find the run in MLflow"):
        run = _tracked(job)
        click.echo(f"   {run}" if run else "   tracking is switched off")
    with watch.step("Deploy the model to an endpoint"):
        endpoint = job.deploy()
        click.echo(f"   {endpoint.name} is in service")
    with watch.step("Predict the rows the model has never seen"):
        scores = endpoint.predict(test)
        hits = int(((scores > 0.5) == (test["target"] == 1)).sum())
        metrics = job.metrics
        click.echo(
            f"   {'malignant' if scores[0] < 0.5 else 'benign'} for the first tumour "
            f"(probability of benign {scores[0]:.3f}; truth: "
            f"{'malignant' if test['target'].iloc[0] == 0 else 'benign'})"
        )
        click.echo(
            f"   {hits} of {len(test)} right ({hits / len(test):.1%}); "
            f"validation AUC {metrics['validation:auc']:.4f}, "
            f"log loss {metrics['validation:logloss']:.4f}"
        )
    if not keep:
        endpoint.delete()
    _summary(watch, home, job.name, endpoint.name, run, keep)


def _tracked(job: TrainingJob) -> str | None:
    """The run's address. MLflow starts beside the service and takes some seconds the first time."""
    deadline = time.monotonic() + RUN_WAIT_SECONDS
    while (url := job.run_url) is None and time.monotonic() < deadline:
        if "TrackingUri" not in job.client.call("bottega", "DescribeStudio"):
            return None
        time.sleep(0.1)
    return url


def _summary(
    watch: Stopwatch, home: Path | None, job: str, endpoint: str, run: str | None, keep: bool
) -> None:
    click.secho("\nSeconds", bold=True)
    for title, seconds in watch.steps:
        click.echo(f"   {seconds:7.2f}  {title}")
    click.echo(f"   {sum(seconds for _, seconds in watch.steps):7.2f}  altogether")
    option = f" --home {home}" if home else ""
    click.secho("\nWhat next", bold=True)
    click.echo(f"   bottega jobs show {job}{option}")
    if keep:
        click.echo(f"   bottega endpoints show {endpoint}{option}")
    if run:
        click.echo(f"   open {run}")
        click.echo(
            f"      any user name; the password is MLFLOW_TRACKING_TOKEN in `bottega env{option}`"
        )
    click.echo(f'   eval "$(bottega env{option})" - then any boto3 SageMaker code runs against it')
    click.echo(f"   bottega stop{option}")
