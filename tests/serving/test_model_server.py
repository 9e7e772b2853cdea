"""The model server as a process: contract, errors, scripts of the user, draining."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.testing.model_servers import ServerProcess, ask, route_to

Start = Callable[..., ServerProcess]
MakeScript = Callable[[str], Path]

ECHO = """
import json, time

def model_fn(model_dir):
    return "loaded"

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    text = data if isinstance(data, str) else data.decode()
    if text == "raise":
        raise LookupError("no such customer")
    if text == "exit":
        raise SystemExit(3)
    if text.startswith("sleep "):
        time.sleep(float(text.split()[1]))
    return text

def output_fn(prediction, accept):
    return prediction
"""


def rows_as_csv(rows: np.ndarray) -> bytes:
    return "\n".join(",".join(repr(float(x)) for x in row) for row in rows).encode()


def post(body: bytes, content_type: str = "text/plain", *, close: bool = True) -> bytes:
    ending = "connection: close\r\n" if close else ""
    head = f"POST /invocations HTTP/1.1\r\ncontent-type: {content_type}\r\n{ending}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def test_built_in_predictions_equal_the_model_s_own(
    servers: Start, xgboost_root: tuple[Path, Any, np.ndarray]
) -> None:
    root, booster, rows = xgboost_root
    server = servers("xgboost", root).wait_ready()
    expected = booster.inplace_predict(rows)

    invoked = ask(route_to(server.socket), rows_as_csv(rows))

    assert invoked.answer.status == 200
    scores = [float(x) for x in invoked.answer.body.decode().split()]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_concurrent_requests_each_get_their_own_answer(
    servers: Start, xgboost_root: tuple[Path, Any, np.ndarray]
) -> None:
    root, booster, rows = xgboost_root
    table = route_to(servers("xgboost", root).wait_ready().socket)
    expected = booster.inplace_predict(rows)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: ask(table, rows_as_csv(row[None])), rows))

    scores = [float(x.answer.body) for x in answers]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_ping_is_503_until_the_model_is_loaded_and_200_afterwards(
    servers: Start, script_root: MakeScript, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
    server = servers("python", script_root(ECHO + waits))
    ping = b"GET /ping HTTP/1.1\r\nconnection: close\r\n\r\n"
    while not (early := server.request(ping)):
        time.sleep(0.01)
    refused = server.request(post(b"too early"))
    gate.touch()
    server.wait_ready()

    assert early.startswith(b"HTTP/1.1 503 ")
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert ask(route_to(server.socket), b"now", "text/plain").answer.body == b"now"


def test_ping_answers_while_the_script_is_busy(servers: Start, script_root: MakeScript) -> None:
    server = servers("python", script_root(ECHO)).wait_ready()
    busy = threading.Thread(target=ask, args=(route_to(server.socket), b"sleep 1", "text/plain"))
    busy.start()

    answer = server.request(b"GET /ping HTTP/1.1\r\nconnection: close\r\n\r\n")
    still_busy = busy.is_alive()
    busy.join()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert still_busy


def test_an_exception_of_the_script_is_a_500_with_its_traceback_in_the_log(
    servers: Start, script_root: MakeScript
) -> None:
    server = servers("python", script_root(ECHO)).wait_ready()
    table = route_to(server.socket)

    answer = ask(table, b"raise", "text/plain").answer

    assert answer.status == 500
    assert b"no such customer" in answer.body
    assert server.log.count("Traceback (most recent call last):") == 1
    assert "LookupError: no such customer" in server.log
    assert ask(table, b"next", "text/plain").answer.body == b"next"


def test_a_script_that_calls_exit_does_not_end_the_server(
    servers: Start, script_root: MakeScript
) -> None:
    server = servers("python", script_root(ECHO)).wait_ready()
    table = route_to(server.socket)

    assert ask(table, b"exit", "text/plain").answer.status == 500
    assert ask(table, b"next", "text/plain").answer.body == b"next"


def test_bad_input_of_a_built_in_is_the_client_s_fault(
    servers: Start, xgboost_root: tuple[Path, Any, np.ndarray]
) -> None:
    table = route_to(servers("xgboost", xgboost_root[0]).wait_ready().socket)

    assert ask(table, b"a,b,c", "text/csv").answer.status == 415
    assert ask(table, b"1,2,3,4,5,6", "image/png").answer.status == 415
    assert ask(table, b"1,2,3,4,5,6", accept="image/png").answer.status == 406


def test_custom_attributes_come_back(servers: Start, script_root: MakeScript) -> None:
    server = servers("python", script_root(ECHO)).wait_ready()
    invoked = ask(route_to(server.socket), b"x", "text/plain", custom_attributes="trace=7")
    assert invoked.answer.custom_attributes == "trace=7"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"GET /invocations HTTP/1.1\r\nconnection: close\r\n\r\n", 405),
        (b"POST /ping HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 405),
        (b"GET /etc/passwd HTTP/1.1\r\nconnection: close\r\n\r\n", 404),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\ncontent-length: -5\r\n\r\n", 400),
        (
            b"POST /invocations HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
            + b"".join([b"10000\r\n", b"x" * 0x10000, b"\r\n"] * 20)
            + b"0\r\n\r\n",
            413,
        ),
        (b"POST /invocations HTTP/1.1\r\ncontent-length: 2000000\r\n\r\n" + b"x" * 2000000, 413),
    ],
    ids=["get", "post-ping", "other-path", "no-http", "negative", "chunked", "large"],
)
def test_what_is_not_the_contract_is_refused(
    servers: Start, script_root: MakeScript, message: bytes, status: int
) -> None:
    server = servers("python", script_root(ECHO), SAGEMAKER_MAX_PAYLOAD_IN_MB="1").wait_ready()

    answer = server.request(message)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert ask(route_to(server.socket), b"next", "text/plain").answer.body == b"next"


def test_pipelined_requests_are_answered_in_order(servers: Start, script_root: MakeScript) -> None:
    server = servers("python", script_root(ECHO)).wait_ready()
    sent = [f"request {number}".encode() for number in range(5)]
    messages = b"".join(post(body, close=body is sent[-1]) for body in sent)

    answers = server.request(messages).split(b"HTTP/1.1 200 OK\r\n")[1:]

    assert [answer.partition(b"\r\n\r\n")[2] for answer in answers] == sent


def test_a_request_may_come_byte_by_byte(servers: Start, script_root: MakeScript) -> None:
    import socket

    server = servers("python", script_root(ECHO)).wait_ready()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket))
        for byte in post(b"slow"):
            connection.sendall(bytes([byte]))
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.endswith(b"\r\n\r\nslow")


def test_sigterm_finishes_what_is_being_served_and_exits_with_0(
    servers: Start, script_root: MakeScript
) -> None:
    server = servers("python", script_root(ECHO), SAGEMAKER_MODEL_SERVER_WORKERS="4").wait_ready()
    table = route_to(server.socket)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(ask, table, b"sleep 0.7", "text/plain") for _ in range(4)]
        while len(open_connections(server)) < 4:
            time.sleep(0.01)
        status = server.terminate()
        bodies = [answer.result().answer.body for answer in answers]

    assert bodies == [b"sleep 0.7"] * 4
    assert status == 0
    assert not server.socket.exists()


def open_connections(server: ServerProcess) -> list[str]:
    """The server's ends of established connections, as the kernel lists them."""
    table = Path("/proc/net/unix").read_text().splitlines()
    ends = [line.split() for line in table if line.endswith(str(server.socket))]
    return [fields[6] for fields in ends if fields[5] == "03"]


def test_sigterm_during_loading_ends_the_server_at_once(
    servers: Start, script_root: MakeScript
) -> None:
    server = servers("python", script_root(ECHO + "time.sleep(60)\n"))
    while not server.request(b"GET /ping HTTP/1.1\r\nconnection: close\r\n\r\n"):
        time.sleep(0.01)

    assert server.terminate() == 0


def test_a_model_that_cannot_be_loaded_ends_the_server_with_the_traceback(
    servers: Start, script_root: MakeScript
) -> None:
    root = script_root("def model_fn(model_dir):\n    raise ValueError('weights are missing')\n")
    server = servers("python", root)

    assert server.process.wait(60) == 1
    assert "ValueError: weights are missing" in server.log
    assert "inference.py" in server.log


def test_a_prediction_that_never_ends_ends_the_server(
    servers: Start, script_root: MakeScript
) -> None:
    server = servers("python", script_root(ECHO), SAGEMAKER_MODEL_SERVER_TIMEOUT="0.2").wait_ready()

    answer = server.request(post(b"sleep 60"))

    assert answer == b""
    assert server.process.wait(30) == 1
    assert "did not end within 0.2 seconds" in server.log


def test_the_socket_is_for_its_owner_only(servers: Start, script_root: MakeScript) -> None:
    server = servers("python", script_root(ECHO)).wait_ready()
    assert server.socket.stat().st_mode & 0o777 == 0o600


def test_importing_the_server_starts_no_thread_and_loads_no_model(tmp_path: Path) -> None:
    """The fork server preloads it and must stay single-threaded."""
    import subprocess
    import sys

    program = (
        "import bottega.serving.server, os, json;"
        "print(json.dumps(len(os.listdir('/proc/self/task'))))"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env=environment
    )
    assert json.loads(done.stdout) == 1


def test_a_killed_server_leaves_a_socket_that_the_next_one_replaces(
    servers: Start, script_root: MakeScript
) -> None:
    root = script_root(ECHO)
    first = servers("python", root).wait_ready()
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = ServerProcess(first.socket.parent, "python", root)
    try:
        second.wait_ready()
        assert ask(route_to(second.socket), b"back", "text/plain").answer.body == b"back"
    finally:
        second.close()
