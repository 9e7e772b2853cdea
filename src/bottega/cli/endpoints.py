"""`bottega endpoints list|show|invoke|delete`."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import BinaryIO

import click

from bottega.cli.options import home_option, json_option
from bottega.cli.tables import print_table, when


@click.group()
def endpoints() -> None:
    """Endpoints."""


@endpoints.command("list")
@home_option
@json_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
def list_endpoints(home: Path | None, as_json: bool, limit: int) -> None:
    """List endpoints, newest first."""
    from bottega.sdk.session import connect

    found = list(itertools.islice(connect(home).endpoints(), limit))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    rows = [
        (item["EndpointName"], item["EndpointStatus"], when(item["CreationTime"])) for item in found
    ]
    print_table(("Name", "Status", "Created"), rows, "No endpoints.")


@endpoints.command()
@home_option
@json_option
@click.argument("name")
def show(home: Path | None, as_json: bool, name: str) -> None:
    """Show one endpoint and its variants."""
    from bottega.sdk.session import connect

    endpoint = connect(home).endpoint(name).describe()
    if as_json:
        click.echo(json.dumps(endpoint, indent=2))
        return
    click.echo(f"{name}: {endpoint['EndpointStatus']} ({endpoint['EndpointConfigName']})")
    if "FailureReason" in endpoint:
        click.echo(f"\n{endpoint['FailureReason']}\n")
    rows = [
        (
            variant["VariantName"],
            f"{variant.get('CurrentWeight', 0):g}",
            f"{variant.get('CurrentInstanceCount', 0)}/{variant.get('DesiredInstanceCount', 0)}",
        )
        for variant in endpoint.get("ProductionVariants", [])
    ]
    print_table(("Variant", "Weight", "Instances"), rows, "No variants.")


@endpoints.command()
@home_option
@click.argument("name")
@click.argument("body", type=click.File("rb"), default="-")
@click.option("--content-type", default="text/csv", show_default=True)
@click.option("--accept", default="*/*", show_default=True)
def invoke(home: Path | None, name: str, body: BinaryIO, content_type: str, accept: str) -> None:
    """Send a file (or standard input) to an endpoint and print its answer."""
    from bottega.sdk.session import connect

    session = connect(home)
    answer, _ = session.client.invoke(name, body.read(), content_type=content_type, accept=accept)
    sys.stdout.buffer.write(answer)
    if not answer.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")


@endpoints.command()
@home_option
@click.argument("name")
def delete(home: Path | None, name: str) -> None:
    """Delete an endpoint, and the model and configuration `deploy` made for it."""
    from bottega.sdk.session import connect

    connect(home).endpoint(name).delete()
    click.echo(f"deleted the endpoint {name}")
