"""What a model server does besides one whole answer of one model: many models, single containers of
a pipeline, streams, batches, refusals when it is overloaded."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.container.multi_model import folder_name
from bottega.testing.model_servers import ServerProcess

Start = Callable[..., ServerProcess]
MakeScript = Callable[[str], Path]

NAMED = """
import os

def model_fn(model_dir):
    with open(os.path.join(model_dir, "loads"), "a") as file:
        file.write("x")
    with open(os.path.join(model_dir, "name")) as file:
        name = file.read()
    if name == "broken":
        raise ValueError("no such weights")
    return name

def predict_fn(data, model):
    return {"model": model}
"""

STREAMS = """
import time

def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    def pieces():
        for number in range(3):
            yield f"piece {number};"
        if data == "break":
            raise LookupError("in the middle")
        yield b"end"
    if data == "slow":
        time.sleep(1)
    return pieces()
"""


def message(body: bytes, path: str = "/invocations", method: str = "POST", **headers: str) -> bytes:
    lines = {"content-type": "application/json", "connection": "close", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body


def ask(server: ServerProcess, *arguments: Any, **headers: str) -> tuple[int, bytes, bytes]:
    """Status, head and body of an answer."""
    head, _, body = server.request(message(*arguments, **headers)).partition(b"\r\n\r\n")
    return int(head.split()[1]), head.lower(), body


def put_model(root: Path, name: str, content: str | None = None) -> Path:
    folder = root / "models" / folder_name(name)
    folder.mkdir(parents=True)
    (folder / "name").write_text(content or name)
    return folder


@pytest.fixture
def many(servers: Start, script_root: MakeScript) -> tuple[ServerProcess, Path]:
    root = script_root(NAMED)
    server = servers(
        "python",
        root,
        SAGEMAKER_MULTI_MODEL="true",
        SAGEMAKER_MODEL_SERVER_WORKERS="3",
        BOTTEGA_MULTI_MODEL_COUNT="2",
    )
    return server.wait_ready(), root


def invoke(server: ServerProcess, model: str) -> tuple[int, bytes, bytes]:
    return ask(server, b"[1]", x_amzn_sagemaker_target_model=model)


def test_a_model_is_loaded_when_it_is_first_asked_for(many: tuple[ServerProcess, Path]) -> None:
    server, root = many
    status, head, _ = invoke(server, "a/b.tar.gz")
    folder = put_model(root, "a/b.tar.gz")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: invoke(server, "a/b.tar.gz"), range(6)))

    assert status == 404
    assert b"x-bottega-model-missing: 1" in head
    assert {(status, body) for status, _, body in answers} == {(200, b'{"model": "a/b.tar.gz"}')}
    assert (folder / "loads").read_text() == "x"


def test_a_model_that_cannot_be_loaded_leaves_the_others_alone(
    many: tuple[ServerProcess, Path],
) -> None:
    server, root = many
    put_model(root, "good")
    put_model(root, "bad", "broken")

    status, _, body = invoke(server, "bad")

    assert status == 500
    assert b"no such weights" in body
    assert invoke(server, "good")[0] == 200
    assert ask(server, b"[1]")[0] == 400


def test_the_model_used_longest_ago_is_dropped_and_a_removed_one_is_missing(
    many: tuple[ServerProcess, Path],
) -> None:
    server, root = many
    folders = {name: put_model(root, name) for name in ("a", "b", "c")}
    for name in ("a", "b", "a", "c"):
        assert invoke(server, name)[0] == 200

    listed = json.loads(ask(server, b"", "/models", "GET")[2])["models"]
    shutil.rmtree(folders["c"])

    assert [one["modelName"] for one in listed] == ["a", "c"]
    assert invoke(server, "c")[0] == 404
    assert invoke(server, "b")[0] == 200
    assert (folders["b"] / "loads").read_text() == "xx"


def test_the_api_of_multi_model_containers(many: tuple[ServerProcess, Path]) -> None:
    server, root = many
    folder = put_model(root, "m")
    wanted = json.dumps({"model_name": "m", "url": str(folder)}).encode()
    item = {"modelName": "m", "modelUrl": str(folder)}

    assert ask(server, b"[1]", "/models/m/invoke")[0] == 404
    assert json.loads(ask(server, wanted, "/models")[2]) == item
    assert ask(server, wanted, "/models")[0] == 409
    assert json.loads(ask(server, b"", "/models/m", "GET")[2]) == item
    assert ask(server, b"[1]", "/models/m/invoke")[2] == b'{"model": "m"}'
    assert ask(server, b"", "/models/m", "DELETE")[0] == 200
    assert ask(server, b"", "/models/m", "DELETE")[0] == 404
    assert ask(server, b"{}", "/models")[0] == 400


def test_a_request_can_name_one_container(
    servers: Start, xgboost_root: tuple[Path, Any, np.ndarray], tmp_path: Path
) -> None:
    root, booster, rows = xgboost_root
    entries = []
    for number, hostname in enumerate(("first", "second"), 1):
        shutil.copytree(root / "model", tmp_path / "containers" / str(number) / "model")
        environment = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json"}
        entries.append({"image": "xgboost", "environment": environment, "hostname": hostname})
    (tmp_path / "pipeline.json").write_text(json.dumps(entries))
    server = servers("inference-pipeline", tmp_path).wait_ready()
    body = ",".join(repr(float(cell)) for cell in rows[0]).encode()
    headers = {"content-type": "text/csv", "accept": "text/csv"}

    one = ask(server, body, x_amzn_sagemaker_target_container_hostname="second", **headers)
    none = ask(server, body, x_amzn_sagemaker_target_container_hostname="third", **headers)

    assert one[0] == 200
    np.testing.assert_allclose(float(one[2]), booster.inplace_predict(rows[:1])[0], rtol=1e-6)
    assert none[0] == 400
    assert b"first, second" in none[2]


def test_answers_in_pieces_are_streamed_or_joined(servers: Start, script_root: MakeScript) -> None:
    server = servers("python", script_root(STREAMS)).wait_ready()

    streamed = ask(server, b"all", x_bottega_stream="1", **{"content-type": "text/csv"})
    joined = ask(server, b"all", **{"content-type": "text/csv"})

    assert b"transfer-encoding: chunked" in streamed[1]
    assert streamed[2] == b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece)
        for piece in (b"piece 0;", b"piece 1;", b"piece 2;", b"end", b"")
    )
    assert joined[2] == b"piece 0;piece 1;piece 2;end"


def test_an_exception_in_the_middle_breaks_a_stream_and_fails_a_whole_answer(
    servers: Start, script_root: MakeScript
) -> None:
    server = servers("python", script_root(STREAMS)).wait_ready()

    streamed = ask(server, b"break", x_bottega_stream="1", **{"content-type": "text/csv"})
    joined = ask(server, b"break", **{"content-type": "text/csv"})

    assert streamed[2].endswith(b"piece 2;\r\n")  # no last chunk
    assert joined[0] == 500
    assert b"in the middle" in joined[2]
    assert server.log.count("LookupError: in the middle") == 2


def test_more_waiting_requests_than_the_queue_holds_are_refused_at_once(
    servers: Start, script_root: MakeScript
) -> None:
    server = servers("python", script_root(STREAMS), BOTTEGA_MODEL_SERVER_QUEUE="1").wait_ready()
    found: list[int] = []

    def slow() -> None:
        found.append(ask(server, b"slow", **{"content-type": "text/csv"})[0])

    threads = [threading.Thread(target=slow) for _ in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)  # the first has to be in the worker before the next one comes
    status, _, _ = ask(server, b"", "/ping", "GET")
    for thread in threads:
        thread.join()

    assert status == 200
    assert sorted(found) == [200, 200, 503, 503]


def test_execution_parameters_are_told(servers: Start, script_root: MakeScript) -> None:
    server = servers("python", script_root(STREAMS), SAGEMAKER_MODEL_SERVER_WORKERS="2")

    _, _, body = ask(server.wait_ready(), b"", "/execution-parameters", "GET")

    assert json.loads(body) == {
        "MaxConcurrentTransforms": 2,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


def test_requests_that_come_together_get_their_own_answers_in_order(
    servers: Start, xgboost_root: tuple[Path, Any, np.ndarray]
) -> None:
    root, booster, rows = xgboost_root
    server = servers("xgboost", root).wait_ready()
    bodies = [",".join(repr(float(cell)) for cell in row).encode() for row in rows[:20]]
    bodies[7] = b"nonsense,1,2,3,4,5"
    text = b"".join(
        message(body, connection="keep-alive", **{"content-type": "text/csv"}) for body in bodies
    )
    last = message(b"", "/ping", "GET")

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket))
        connection.sendall(text + last)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    parts = answer.split(b"HTTP/1.1 ")[1:]
    expected = booster.inplace_predict(rows[:20])
    assert [int(part[:3]) for part in parts] == [415 if i == 7 else 200 for i in range(20)] + [200]
    for number, part in enumerate(parts[:-1]):
        if number != 7:
            score = float(part.partition(b"\r\n\r\n")[2])
            np.testing.assert_allclose(score, expected[number], rtol=1e-6)
