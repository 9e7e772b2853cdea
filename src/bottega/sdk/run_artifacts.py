"""Fetches what a run logged, over MLflow's REST API; needs no mlflow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

from bottega.errors import ClientFault, ServiceUnavailable, from_code
from bottega.sdk.client import patience

_API = "api/2.0/mlflow/"
_ARTIFACTS = "api/2.0/mlflow-artifacts/artifacts"


@dataclass
class RunArtifacts:
    """The artifacts that a studio's tracker keeps."""

    uri: str
    """The tracker's address."""
    token: str = field(repr=False)
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=4, retries=False), repr=False
    )

    def model_location(self, run_id: str, name: str) -> str:
        """The folder of a model that a run logged, as a URI of the tracker's."""
        run = self._get(f"{_API}runs/get?run_id={quote(run_id, safe='')}")["run"]
        location = f"{run['info']['artifact_uri']}/{name}"
        for output in run.get("outputs", {}).get("model_outputs", []):
            model = self._get(f"{_API}logged-models/{quote(output['model_id'], safe='')}")["model"]
            if model["info"]["name"] == name:
                location = model["info"]["artifact_uri"]  # of several the one logged last
        return str(location)

    def download(self, location: str, target: Path) -> None:
        """Fetch a folder of artifacts.

        Args:
            location: its URI, ``mlflow-artifacts:/...``.
            target: a folder that is made.

        Raises:
            ClientFault: the artifacts are kept elsewhere, or there are none.
        """
        address = urlsplit(location)
        if address.scheme != "mlflow-artifacts":
            raise ClientFault(
                f"{location} is not kept by this studio's tracker; download it with mlflow and "
                "deploy it from its files"
            )
        root = address.path.strip("/")
        found = False
        for path in self._files(root, ""):
            file = _inside(target, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            self._fetch(f"{_ARTIFACTS}/{quote(f'{root}/{path}')}", file)
            found = True
        if not found:
            raise ClientFault(f"there is nothing at {location}")

    def _files(self, root: str, folder: str) -> Iterator[str]:
        """The paths of all files, relative to the root."""
        path = f"{root}/{folder}".rstrip("/")
        for item in self._get(f"{_ARTIFACTS}?path={quote(path, safe='')}").get("files", []):
            below = f"{folder}/{item['path'].rpartition('/')[2]}".lstrip("/")
            if item.get("is_dir"):
                yield from self._files(root, below)
            else:
                yield below

    def _get(self, path: str) -> dict[str, Any]:
        return dict(json.loads(self._send(path).data))

    def _fetch(self, path: str, file: Path) -> None:
        answer = self._send(path, stream=True)
        try:
            with file.open("wb") as out:
                shutil.copyfileobj(answer, out, 1 << 20)
        finally:
            answer.close()  # one that was not read to its end must not be used again

    def _send(self, path: str, *, stream: bool = False) -> urllib3.BaseHTTPResponse:
        url = f"{self.uri.rstrip('/')}/{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = self._pool.request(
                "GET",
                url,
                headers=headers,
                preload_content=not stream,
                timeout=patience(stream=stream),
            )
        except urllib3.exceptions.HTTPError as error:
            raise ServiceUnavailable(
                f"the tracker at {self.uri} does not answer: {error}"
            ) from error
        if answer.status < 400:
            return answer
        raise _refusal(answer)


def _refusal(answer: urllib3.BaseHTTPResponse) -> Exception:
    try:
        details = json.loads(answer.data)
        code, message = details["error_code"], details["message"]
    except (ValueError, TypeError, KeyError):
        code, message = "TrackerRefused", f"the tracker answers {answer.status}"
    return from_code(str(code), str(message), status=answer.status)


def _inside(folder: Path, path: str) -> Path:
    """A file in a folder by a path that somebody else chose."""
    file = folder / path
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ClientFault(f"an artifact has the path {path!r}, which leads out of its folder")
    return file
