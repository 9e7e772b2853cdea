"""Who is let through to MLflow, and that what goes through arrives whole."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from bottega.testing.tracker import TOKEN, Tracker

LIST = "/mlflow/api/2.0/mlflow/experiments/search?max_results=1"
CREATE = "/mlflow/api/2.0/mlflow/experiments/create"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def basic(user: str, password: str) -> dict[str, str]:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def ask(
    tracker: Tracker, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        method, tracker.address + path, headers=headers or {}, redirect=False, retries=False
    )


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"Authorization": f"bearer {TOKEN}"},
        basic("ada", TOKEN),
        basic("", TOKEN),
        {"Cookie": f"other=1; bottega-tracking={TOKEN}"},
    ],
)
def test_the_token_opens(tracker: Tracker, headers: dict[str, str]) -> None:
    answer = ask(tracker, LIST, headers)
    assert answer.status == 200
    assert answer.json()["experiments"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer \u00fc"},
        {"Authorization": TOKEN},
        {"Authorization": f"Digest {TOKEN}"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        basic(TOKEN, "wrong"),
        {"Cookie": "bottega-tracking=wrong"},
        {"Cookie": 'bottega-tracking="'},
        {"Cookie": f"tracking={TOKEN}"},
    ],
)
@pytest.mark.parametrize("path", [LIST, "/mlflow/", "/mlflow/static-files/x.js", "/mlflow/health"])
def test_nothing_else_does(tracker: Tracker, path: str, headers: dict[str, str]) -> None:
    answer = ask(tracker, path, headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.json()["error_code"] == "UNAUTHENTICATED"


def test_a_link_with_the_token_logs_a_browser_in(tracker: Tracker) -> None:
    answer = ask(tracker, f"/mlflow/?token={TOKEN}&theme=dark")
    assert answer.status == 303
    assert answer.headers["Location"] == "/mlflow/?theme=dark"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/mlflow"} <= set(attributes)
    page = ask(tracker, answer.headers["Location"], {"Cookie": cookie})
    assert page.status == 200
    assert "<html" in page.data.decode()


def test_a_link_with_another_token_does_not(tracker: Tracker) -> None:
    answer = ask(tracker, "/mlflow/?token=wrong", BEARER)
    assert answer.status == 401
    assert "Set-Cookie" not in answer.headers


def test_the_address_without_its_slash_leads_on(tracker: Tracker) -> None:
    answer = ask(tracker, "/mlflow?a=b")
    assert (answer.status, answer.headers["Location"]) == (303, "/mlflow/?a=b")


@pytest.mark.parametrize("login", [basic("", TOKEN), {"Cookie": f"bottega-tracking={TOKEN}"}])
@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:1", "http://localhost:8888", "https://evil.example", "null"]
)
def test_pages_of_other_origins_cannot_use_a_login(
    tracker: Tracker, login: dict[str, str], origin: str
) -> None:
    answer = ask(tracker, CREATE, login | {"Origin": origin}, "POST")
    assert answer.status == 403
    assert ask(tracker, LIST, login | {"Origin": origin}).status == 403


def test_the_own_pages_can(tracker: Tracker) -> None:
    login = {"Cookie": f"bottega-tracking={TOKEN}", "Origin": tracker.address}
    assert ask(tracker, LIST, login).status == 200


def test_a_name_that_only_pretends_to_be_this_machine_is_refused(tracker: Tracker) -> None:
    answer = ask(tracker, LIST, BEARER | {"Host": "rebound.example"})
    assert answer.status == 403
    assert b"Host" in answer.data


def test_errors_of_mlflow_come_through(tracker: Tracker) -> None:
    answer = ask(tracker, "/mlflow/api/2.0/mlflow/runs/get?run_id=none", BEARER)
    assert answer.status == 404
    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_the_path_goes_through_as_it_came(tracker: Tracker) -> None:
    path = "/mlflow/api/2.0/mlflow-artifacts/artifacts/exact/all%20done%20%C3%BC.txt"
    put = urllib3.request("PUT", tracker.address + path, headers=BEARER, body=b"content")
    assert put.status == 200
    folder = tracker.config.home / "mlflow" / "artifacts" / "exact"
    assert [entry.name for entry in folder.iterdir()] == ["all done ü.txt"]
    assert ask(tracker, path, BEARER).data == b"content"


def test_paths_that_climb_are_refused(tracker: Tracker) -> None:
    (tracker.config.home / "secret").write_text("secret")
    for climb in ("../../secret", "..%2F..%2Fsecret", "%2e%2e/%2e%2e/secret", "a/../../../secret"):
        connection = http.client.HTTPConnection(urlsplit(tracker.address).netloc, timeout=30)
        connection.request(
            "GET", f"/mlflow/api/2.0/mlflow-artifacts/artifacts/{climb}", headers=BEARER
        )
        answer = connection.getresponse()
        assert answer.status in (400, 404), climb
        assert b"secret\n" not in answer.read()
        connection.close()


@pytest.mark.parametrize("api", ["api", "ajax-api"])
@pytest.mark.parametrize("chunked", [False, True])
def test_large_artifacts_stream_both_ways(tracker: Tracker, api: str, chunked: bool) -> None:
    piece, count = bytes(range(256)) * 4096, 48

    def pieces() -> Iterator[bytes]:
        for _ in range(count):
            yield piece

    expected = hashlib.sha256(piece * count).hexdigest()
    url = f"{tracker.address}/mlflow/{api}/2.0/mlflow-artifacts/artifacts/large/{api}-{chunked}.bin"
    length = {} if chunked else {"Content-Length": str(len(piece) * count)}
    put = urllib3.request("PUT", url, headers=BEARER | length, body=pieces(), retries=False)
    assert put.status == 200, put.data
    answer = urllib3.request("GET", url, headers=BEARER, preload_content=False)
    assert int(answer.headers["Content-Length"]) == len(piece) * count
    digest = hashlib.sha256()
    for chunk in answer.stream(65536):
        digest.update(chunk)
    assert digest.hexdigest() == expected


def test_an_upload_that_breaks_off_leaves_nothing(tracker: Tracker) -> None:
    host, port = urlsplit(tracker.address).netloc.split(":")
    folder = tracker.config.home / "mlflow" / "artifacts" / "broken"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"PUT /mlflow/api/2.0/mlflow-artifacts/artifacts/broken/half.bin HTTP/1.1\r\n"
            b"Host: 127.0.0.1\r\nContent-Length: 1000000\r\n"
            + f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
            + b"x" * 5000
        )
    # What comes after on another connection is answered as ever.
    assert ask(tracker, LIST, BEARER).status == 200
    assert not (folder / "half.bin").exists()


def test_a_tracker_that_is_not_there_yet_asks_for_patience(
    short_folder: Path, listen: Callable[[Path], str]
) -> None:
    address = listen(short_folder / "not-there.sock")
    for method, body in (("GET", None), ("POST", b"{}")):
        answer = urllib3.request(method, address + LIST, headers=BEARER, body=body, retries=False)
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert urllib3.request("GET", address + LIST, retries=False).status == 401


def test_an_answer_that_breaks_off_is_not_taken_for_whole(
    short_folder: Path, listen: Callable[[Path], str]
) -> None:
    path = short_folder / "breaking.sock"
    upstream = socket.socket(socket.AF_UNIX)
    upstream.bind(str(path))
    upstream.listen()

    def break_off() -> None:
        connection, _ = upstream.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        connection.close()

    breaker = threading.Thread(target=break_off)
    breaker.start()
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", listen(path) + LIST, headers=BEARER, retries=False)
    breaker.join()
    upstream.close()


def test_the_tokens_stay_here(short_folder: Path, listen: Callable[[Path], str]) -> None:
    path = short_folder / "curious.sock"
    upstream = socket.socket(socket.AF_UNIX)
    upstream.bind(str(path))
    upstream.listen()
    seen: list[bytes] = []

    def look() -> None:
        connection, _ = upstream.accept()
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        connection.close()

    looker = threading.Thread(target=look)
    looker.start()
    headers = BEARER | {"Cookie": f"bottega-tracking={TOKEN}", "X-Kept": "yes"}
    answer = urllib3.request("GET", listen(path) + LIST, headers=headers, retries=False)
    looker.join()
    upstream.close()
    assert answer.status == 204
    assert TOKEN.encode() not in seen[0]
    assert b"x-kept: yes" in seen[0].lower()
