"""``POST /bottega/channels``: bring data into the store in the form that a job wants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega.errors import ValidationException
from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.fields import Fields
from bottega_jupyter.local_files import local_path

if TYPE_CHECKING:
    from pathlib import Path

    from bottega.sdk.session import Session


class ChannelHandler(BottegaHandler):
    """The data of one channel: a file of the file browser, or what an S3 URI names."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer ``{"channel", "columns", "columns_uri"}``; ``channel`` is for InputDataConfig."""
        fields = self.read_fields(
            *("source", "name", "target", "prefix", "columns", "for_script", "content_type"),
            "algorithm",
        )
        source = fields.object("source", "path", "uri")
        data: Path | str
        if source.one_of("path", "uri") == "path":
            data = await local_path(self, source.text("path"))
        else:
            data = source.text("uri")
            if not data.startswith("s3://"):
                raise ValidationException("source.uri must begin with s3://.")
        answer = await self.bottega.in_session(
            self.person, lambda session: _prepare(session, fields, data)
        )
        await self.finish(json.dumps(answer))


def _prepare(session: Session, fields: Fields, data: Path | str) -> dict[str, Any]:
    from bottega.algorithms import registry
    from bottega.sdk.data import ChannelWriter

    algorithm = fields.optional_text("algorithm")
    if algorithm is not None and algorithm not in registry.names():
        raise ValidationException(f"algorithm {algorithm!r} is none of {registry.names()}.")
    name, prefix = fields.text("name"), fields.text("prefix").strip("/")
    client, bucket = session.client, session.config.bucket
    writer = ChannelWriter(
        client,
        bucket,
        prefix,
        target=fields.optional_text("target"),
        for_script=fields.flag("for_script"),
        content_type=fields.optional_text("content_type") or "",
        algorithm=registry.algorithm(algorithm) if algorithm is not None else None,
    )
    prepared = writer.prepare(name, data, tuple(fields.texts("columns")))
    uri = None
    if name == "train" and prepared.columns:
        text = json.dumps(prepared.columns).encode()
        uri = client.put_object(bucket, f"{prefix}/columns.json", text)
    return {
        "channel": prepared.as_input(),
        "columns": list(prepared.columns),
        "columns_uri": uri,
    }


routes = [(r"/bottega/channels", ChannelHandler)]
