"""What the store knows about a job's code and data, read only when a rule asks for it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from bottega.context import Context
from bottega.errors import ClientFault
from bottega.jobs.hyperparameters import plain_text
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing
from bottega.tar_archives import tarfile

LARGEST_ARCHIVE = 20_000_000
"""Bytes of a code archive whose files are looked through."""
LARGEST_CONTENT = 200_000_000
"""Bytes of its files that are passed over in looking."""
MOST_FILES = 2000


def columns(context: Context, request: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The names of the columns of the first table of each channel that has names.

    A channel that cannot be shown, or is gone, is left out: its absence is told elsewhere.
    """
    found: dict[str, Sequence[str]] = {}
    for channel in request.get("InputDataConfig", ()):
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        if channel["ChannelName"] == "code" or source.get("S3DataType") != "S3Prefix":
            continue
        wanted = {"S3Uri": source["S3Uri"], "MaxRows": 1}
        if media := channel.get("ContentType"):
            wanted["ContentType"] = media
        try:
            shown = context.call("bottega", "PreviewData", wanted)
        except ClientFault:
            continue
        # What a preview takes for a line of data, pandas may have taken for a header.
        names = [str(column["Name"]) for column in shown.get("Columns", ())]
        if not shown.get("HasHeader"):
            names = [str(cell) for row in shown.get("Rows", ())[:1] for cell in row]
        found[channel["ChannelName"]] = names
    return found


def code_files(ports: Ports, request: Mapping[str, Any]) -> Sequence[str]:
    """The names of the files in a job's code; none where that is gone or too large."""
    uri = plain_text(request.get("HyperParameters", {}).get("sagemaker_submit_directory", ""))
    if not uri.startswith("s3://"):
        return ()
    bucket, key = s3_uris.split(uri)
    try:
        if ports.objects.info(bucket, key).size > LARGEST_ARCHIVE:
            return ()
        with ports.objects.open(bucket, key) as stream:
            body = stream.read(LARGEST_ARCHIVE)
    except (BucketMissing, ObjectMissing):
        return ()
    names: list[str] = []
    passed = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            for member in tar:
                passed += member.size
                if member.isfile():
                    names.append(member.name.removeprefix("./"))
                if len(names) == MOST_FILES or passed > LARGEST_CONTENT:
                    break
    except (tarfile.TarError, EOFError, OSError):
        return ()  # it is no archive, which the job itself has said
    return names
