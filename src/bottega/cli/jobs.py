"""`bottega jobs list|show|explain|logs|stop`."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import click

from bottega.cli.options import home_option, json_option
from bottega.cli.tables import duration, print_table, when


@click.group()
def jobs() -> None:
    """Training jobs."""


@jobs.command("list")
@home_option
@json_option
@click.option("--status", help="Only jobs in this status, such as Failed.")
@click.option("--name", "contains", help="Only jobs whose name contains this.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
def list_jobs(
    home: Path | None, as_json: bool, status: str | None, contains: str | None, limit: int
) -> None:
    """List jobs, newest first."""
    from bottega.sdk.session import connect

    filters = {"StatusEquals": status, "NameContains": contains}
    found = connect(home).jobs(**{key: value for key, value in filters.items() if value})
    summaries = list(itertools.islice(found, limit))
    if as_json:
        click.echo(json.dumps(summaries, indent=2))
        return
    rows = [
        (
            item["TrainingJobName"],
            item["SecondaryStatus"],
            when(item["CreationTime"]),
            duration(_seconds(item)),
        )
        for item in summaries
    ]
    print_table(("Name", "Status", "Created", "Took"), rows, "No training jobs.")


def _seconds(item: dict[str, Any]) -> float | None:
    ended = item.get("TrainingEndTime")
    return None if ended is None else float(ended) - float(item["CreationTime"])


@jobs.command()
@home_option
@json_option
@click.argument("name")
def show(home: Path | None, as_json: bool, name: str) -> None:
    """Show one job: its way so far, metrics, hyperparameters and artifact."""
    from bottega.sdk.session import connect

    handle = connect(home).job(name)
    job = handle.describe()
    if as_json:
        click.echo(json.dumps(job, indent=2))
        return
    click.echo(f"{job['TrainingJobName']}: {job['SecondaryStatus']}")
    if "FailureReason" in job:
        click.echo(f"\n{job['FailureReason']}\n")
    for step in job["SecondaryStatusTransitions"]:
        took = duration(step["EndTime"] - step["StartTime"]) if "EndTime" in step else "..."
        click.echo(f"  {step['Status']:<20} {took:>12}  {step['StatusMessage'].splitlines()[0]}")
    metrics = [(m["MetricName"], f"{m['Value']:.6g}") for m in job.get("FinalMetricDataList", [])]
    print_table(("Metric", "Last value"), metrics, "No metrics.")
    values = sorted(job.get("HyperParameters", {}).items())
    print_table(("Hyperparameter", "Value"), values, "No hyperparameters.")
    click.echo(f"Model: {job['ModelArtifacts']['S3ModelArtifacts']}")
    if run := handle.run_url:
        click.echo(f"Run:   {run}")


@jobs.command()
@home_option
@json_option
@click.argument("name")
def explain(home: Path | None, as_json: bool, name: str) -> None:
    """Say why a job failed, and what to do."""
    from bottega.sdk.session import connect

    found = connect(home).job(name).explain()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    cause = found["Cause"]
    likely = " (likely)" if found["Known"] and cause["Confidence"] == "likely" else ""
    click.echo(f"{cause['Code']}{likely}: {cause['Sentence']}")
    evidence = cause.get("Evidence", {})
    if words := evidence.get("Text", "").strip():
        line = f"line {evidence['Line'] + 1}: " if "Line" in evidence else ""
        click.echo(f"\n  {line}{words}")
    for number, step in enumerate(cause["Advice"], start=1):
        click.echo(f"\n{number}. {step['Text']}")
        for line in step.get("Code", "").splitlines():
            click.echo(f"     {line}")
    if not found["Known"]:
        for line in found["Traceback"]["Lines"] or [one["Text"] for one in found["LastLines"]]:
            click.echo(f"  {line}")


@jobs.command()
@home_option
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
def logs(home: Path | None, name: str, follow: bool) -> None:
    """Print a job's output."""
    from bottega.sdk.session import connect

    for line in connect(home).job(name).logs(follow=follow):
        click.echo(line)


@jobs.command()
@home_option
@click.argument("name")
@click.option("--wait", is_flag=True, help="Return when it has stopped.")
def stop(home: Path | None, name: str, wait: bool) -> None:
    """Stop a job; what it saved so far is uploaded."""
    import time

    from bottega.sdk.session import connect

    job = connect(home).job(name)
    job.stop()
    while (status := job.status) == "Stopping" and wait:
        time.sleep(0.1)
    click.echo(f"{name}: {status}")
