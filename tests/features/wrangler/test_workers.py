"""Workers: one a folder, gone without a loss, and nobody's way out of a sandbox."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bottega.context import Context
from bottega.errors import AccessDeniedException, ValidationException
from bottega.features.wrangler import workers
from bottega.features.wrangler.asking import pool_of
from bottega.features.wrangler.workers import WorkerEnded, WorkerPool
from bottega.studio import Studio
from bottega.testing.wrangler_flows import step_node

Call = Callable[..., Any]


def only_worker(context: Context) -> workers.Worker:
    (found,) = (w for w in pool_of(context)._workers.values() if w.is_alive)
    return found


def test_a_killed_worker_loses_nothing(
    call: Call, context: Context, source: dict[str, Any]
) -> None:
    before = call("PreviewFlow", **source)
    worker = only_worker(context)
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()
    assert call("PreviewFlow", **source) == before


def test_a_call_under_way_is_told_that_the_worker_ended(
    context: Context, source: dict[str, Any], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("PreviewFlow", **source)
    worker = only_worker(context)
    send = worker._channel.send

    def send_and_die(message: dict[str, Any]) -> None:
        os.kill(worker._process.pid, signal.SIGSTOP)
        send(message)
        os.kill(worker._process.pid, signal.SIGKILL)

    monkeypatch.setattr(worker._channel, "send", send_and_die)
    with pytest.raises(WorkerEnded, match=r"ended with signal 9\. It may have used more memory"):
        call("PreviewFlow", **source)
    assert call("PreviewFlow", **source)["TotalRows"] == 2


def test_a_refusal_comes_with_its_node(call: Call, source: dict[str, Any]) -> None:
    flow = json.loads(source["Flow"])
    values = {"input_column": ["prize"], "fill_value": 1}
    flow["nodes"].append(step_node("s", source["NodeId"], "Handle missing", "Fill missing", values))
    asked = source | {"Flow": json.dumps(flow), "NodeId": "s"}
    with pytest.raises(ValidationException, match="did you mean 'price'") as caught:
        call("PreviewFlow", **asked)
    assert caught.value.members == {"NodeId": "s", "Parameter": "input_column"}


@pytest.mark.parametrize(
    ("folder_text", "message"),
    [("relative", "is no absolute path"), ("/no/such/folder", "is not there on this machine")],
)
def test_a_folder_that_is_none_is_refused(
    call: Call, source: dict[str, Any], folder_text: str, message: str
) -> None:
    with pytest.raises(ValidationException, match=message):
        call("PreviewFlow", **(source | {"Folder": folder_text}))


def test_objects_are_read_from_the_store(call: Call, context: Context) -> None:
    objects, bucket = context.ports.objects, context.ports.config.bucket
    objects.put(bucket, "tables/1.csv", b"a,b\n1,2\n")
    objects.put(bucket, "tables/2.csv", b"a,b\n3,4\n")
    uri = f"s3://{bucket}/tables/"
    edit = {"Kind": "add_source", "Source": {"Kind": "s3", "Uri": uri}}
    answer = call("EditFlow", Flow="", Edit=edit)
    asked = {"Flow": answer["Flow"], "NodeId": answer["NodeId"]}
    assert call("PreviewFlow", **asked)["Rows"] == [[1, 2], [3, 4]]
    objects.put(bucket, "tables/2.csv", b"a,b\n5,6\n")
    assert call("PreviewFlow", **asked)["Rows"] == [[1, 2], [5, 6]]


def test_a_job_gets_nothing_that_its_sandbox_keeps_from_it(
    studio: Studio, context: Context, source: dict[str, Any]
) -> None:
    arn = context.caller.arn.rpartition("/")[0] + "/training-job=evil"
    job = dataclasses.replace(context, caller=dataclasses.replace(context.caller, arn=arn))
    assert job.caller.is_workload
    flow_only = {name: source[name] for name in ("Flow", "NodeId")}
    for request in (source, flow_only, flow_only | {"Trusted": True}):
        with pytest.raises(AccessDeniedException, match="A job may"):
            studio.registry.call("bottega", "PreviewFlow", request, job)
    database = {"Kind": "sql", "Uri": "sqlite:////etc/x.db", "Query": "SELECT 1"}
    for operation, request in (
        ("DetectSource", {"Source": database}),
        ("EditFlow", {"Flow": "", "Edit": {"Kind": "add_source", "Source": database}}),
    ):
        with pytest.raises(AccessDeniedException, match="A job may"):
            studio.registry.call("bottega", operation, request, job)


def test_folders_make_room_for_one_another(tmp_path: Path) -> None:
    pool = WorkerPool(tmp_path / "work")
    try:
        for number in range(workers.MOST_WORKERS + 1):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "rows.csv").write_text(f"a\n{number}\n")
            source = {"Kind": "file", "Uri": "rows.csv"}
            answer = pool.call("me", str(folder), "detect", {"source": source, "objects": {}})
            assert answer["Rows"] == [[number]]
        assert len(pool._workers) == workers.MOST_WORKERS
        ready = 1
        assert len(list((tmp_path / "work").iterdir())) == workers.MOST_WORKERS + ready
    finally:
        pool.close()
    assert list((tmp_path / "work").iterdir()) == []


def test_a_draft_is_kept_and_replaced(call: Call) -> None:
    first = '{"metadata": {"version": 1}, "nodes": []}'
    assert call("PutDraftFlow", DraftId="d1", Flow=first)["Version"] == 1
    assert call("PutDraftFlow", DraftId="d1", Flow=first + "\n")["Version"] == 2
    assert call("GetDraftFlow", DraftId="d1") == {"Flow": first + "\n", "Version": 2}
    with pytest.raises(ValidationException, match="no JSON"):
        call("PutDraftFlow", DraftId="d1", Flow="{")
    assert call("GetDraftFlow", DraftId="d1")["Version"] == 2


def test_a_key_that_names_no_file_is_read(call: Call, context: Context) -> None:
    objects, bucket = context.ports.objects, context.ports.config.bucket
    objects.put(bucket, "odd/..", b"a\n1\n")
    source = {"Kind": "s3", "Uri": f"s3://{bucket}/odd/..", "Options": {"ContentType": "csv"}}
    assert call("DetectSource", Source=source)["Rows"] == [[1]]
