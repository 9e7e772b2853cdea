"""Files of the file browser: looked at, brought into the store, and never beyond its rules."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.services.contents.manager import AsyncContentsManager
from tornado.httpclient import HTTPClientError

from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon

Fetch = Callable[..., Any]
TABLE = "size,kind,churn\n1,2,0\n3,4,1\n5,6,1\n"


@pytest.fixture
def root(jp_root_dir: Path) -> Path:
    (jp_root_dir / "data").mkdir()
    (jp_root_dir / "data" / "table.csv").write_text(TABLE)
    return jp_root_dir


async def post(jp_fetch: Fetch, *path: str, **body: Any) -> Any:
    answer = await jp_fetch("bottega", *path, method="POST", body=json.dumps(body))
    return json.loads(answer.body)


async def refused(jp_fetch: Fetch, *path: str, **body: Any) -> tuple[int, str, str]:
    with pytest.raises(HTTPClientError) as found:
        await post(jp_fetch, *path, **body)
    assert found.value.response is not None
    described = json.loads(found.value.response.body)
    return found.value.code, described["code"], described["message"]


def stored(studio: TestDaemon, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = studio.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


async def test_a_preview_has_the_shape_of_preview_data(jp_fetch: Fetch, root: Path) -> None:
    found = await post(jp_fetch, "files", "preview", path="data/table.csv", max_rows=2)
    assert found == {
        "S3Uri": "data/table.csv",
        "Objects": 1,
        "TotalBytes": len(TABLE),
        "Format": "csv",
        "HasHeader": True,
        "Columns": [
            {"Name": name, "Type": "integer", "Missing": 0} for name in ("size", "kind", "churn")
        ],
        "Rows": [["1", "2", "0"], ["3", "4", "1"]],
        "Truncated": True,
    }


async def test_what_the_file_browser_does_not_show_is_not_given(
    jp_fetch: Fetch, root: Path
) -> None:
    (root / ".secret").mkdir()
    (root / ".secret" / "key.csv").write_text(TABLE)
    (root / ".hidden.csv").write_text(TABLE)
    (root.parent / "outside.csv").write_text(TABLE)
    paths = (".hidden.csv", ".secret/key.csv", "../outside.csv", "data/../../outside.csv")
    for path in (*paths, "nothing.csv", str(root.parent / "outside.csv"), "a\0b"):
        for route, body in (
            (("files", "preview"), {"path": path}),
            (("channels",), {"source": {"path": path}, "name": "train", "prefix": "x"}),
            (("sources",), {"path": path, "prefix": "x"}),
            (("notebook-jobs",), {"path": path}),
        ):
            status, _, _ = await refused(jp_fetch, *route, **body)
            assert status == 404, (route, path)


async def test_who_may_not_read_the_files_does_not(
    jp_fetch: Fetch, jp_serverapp: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_authorized(_handler: Any, _user: Any, _action: str, resource: str) -> bool:
        return resource == "bottega"

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    status, code, _ = await refused(jp_fetch, "files", "preview", path="data/table.csv")
    assert (status, code) == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "path is missing"),
        ({"path": 1}, "path must be a text"),
        ({"path": "data/table.csv", "max_rows": 0}, "from 1 to 1000"),
        ({"path": "data/table.csv", "max_rows": True}, "from 1 to 1000"),
        ({"path": "data/table.csv", "rows": 5}, "no member rows"),
        ({"path": "data"}, "is no file"),
    ],
)
async def test_a_bad_body_is_told_what_is_wrong(
    jp_fetch: Fetch, root: Path, body: dict[str, Any], text: str
) -> None:
    status, _, message = await refused(jp_fetch, "files", "preview", **body)
    assert status == 400
    assert text in message


class TestFilesThatAreNotOfThisMachine:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        class Elsewhere(AsyncContentsManager):
            """Keeps its files in no folder."""

        jp_server_config["ServerApp"]["contents_manager_class"] = Elsewhere
        return jp_server_config

    async def test_it_says_so(self, jp_fetch: Fetch) -> None:
        status, _, message = await refused(jp_fetch, "files", "preview", path="table.csv")
        assert status == 400
        assert "Elsewhere" in message


async def test_a_channel_is_made_of_a_file(jp_fetch: Fetch, root: Path, studio: TestDaemon) -> None:
    made = await post(
        jp_fetch,
        "channels",
        source={"path": "data/table.csv"},
        name="train",
        target="churn",
        prefix="channel-route/input",
    )
    assert made["columns"] == ["size", "kind"]
    assert json.loads(stored(studio, made["columns_uri"])) == made["columns"]
    channel = made["channel"]
    assert (channel["ChannelName"], channel["ContentType"]) == ("train", "text/csv")
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    assert stored(studio, uri) == b"0,1,2\n1,3,4\n1,5,6\n"
    status, code, message = await refused(
        jp_fetch,
        "channels",
        source={"path": "data/table.csv"},
        name="validation",
        target="chrn",
        prefix="channel-route/input",
    )
    assert (status, code) == (400, "DataError")
    assert "did you mean 'churn'" in message


async def test_a_channel_is_made_of_a_uri(jp_fetch: Fetch) -> None:
    source = {"uri": "s3://somewhere/data/"}
    made = await post(
        jp_fetch, "channels", source=source, name="train", prefix="p", content_type="text/csv"
    )
    assert made["channel"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://somewhere/data/"
    assert (made["columns"], made["columns_uri"]) == ([], None)
    for wrong in ({"uri": "/etc/passwd"}, {}, {"uri": "s3://a/b", "path": "data"}):
        status, _, message = await refused(
            jp_fetch, "channels", source=wrong, name="train", prefix="p"
        )
        assert status == 400
        assert "source." in message


async def test_a_script_goes_with_its_folder(
    jp_fetch: Fetch, root: Path, studio: TestDaemon
) -> None:
    (root / "code").mkdir()
    (root / "code" / "train.py").write_text("print()")
    (root / "code" / "more.py").write_text("")
    alone = await post(jp_fetch, "sources", path="code/train.py", prefix="source-route/source")
    assert alone["program"] == "train.py"
    both = await post(
        jp_fetch, "sources", path="code/train.py", source_dir="code", prefix="source-route/source"
    )
    with tarfile.open(fileobj=io.BytesIO(stored(studio, both["uri"]))) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
    assert {"train.py", "more.py"} <= names
