"""The ``/models`` part of the contract of multi-model containers."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

from bottega.container.inference import InferenceError, InferenceHandler, InferenceResponse
from bottega.container.multi_model import ModelMissing, MultiModelHandler
from bottega.serving.server_connection import Exchange

PREFIX = b"/models"


def answer(handler: InferenceHandler, exchange: Exchange) -> InferenceResponse:
    """Answer a request for ``/models`` or what is below it.

    Raises:
        InferenceError: 404 where there is no such model or path, 405, 409 for a model that is
            loaded already, 400 for a body that is not understood, 500 where it cannot be loaded.
    """
    if not isinstance(handler, MultiModelHandler):
        raise InferenceError(404, "this server has one model: there is /invocations")
    method = exchange.method.decode("latin-1")
    parts = [unquote(part) for part in exchange.path.decode("latin-1").split("/")[2:] if part]
    known = handler.names()
    if not parts:
        if method == "GET":
            return _json({"models": [_item(name, known[name]) for name in known]})
        if method == "POST":
            return _load(handler, exchange.body)
        raise InferenceError(405, "use GET or POST")
    name, *action = parts
    if action == ["invoke"] and method == "POST":
        if name not in known:
            raise ModelMissing(404, f"The model {name} is not loaded.")
        return handler.loaded(name, known[name]).transform(
            exchange.body, exchange.header(b"content-type"), exchange.header(b"accept")
        )
    if action or method not in ("GET", "DELETE"):
        raise InferenceError(405 if not action else 404, "use GET, DELETE or POST .../invoke")
    if name not in known or (method == "DELETE" and not handler.unload(name)):
        raise ModelMissing(404, f"The model {name} is not loaded.")
    return _json(_item(name, known[name]))


def _load(handler: MultiModelHandler, body: bytes) -> InferenceResponse:
    try:
        wanted = json.loads(body)
        name, url = str(wanted["model_name"]), str(wanted["url"])
    except (ValueError, KeyError, TypeError) as error:
        raise InferenceError(400, 'the body has to be {"model_name": ..., "url": ...}') from error
    if name in handler.names():
        raise InferenceError(409, f"The model {name} is loaded already.")
    handler.loaded(name, Path(url))
    return _json(_item(name, Path(url)))


def _item(name: str, folder: Path) -> dict[str, str]:
    return {"modelName": name, "modelUrl": str(folder)}


def _json(value: object) -> InferenceResponse:
    return InferenceResponse(200, json.dumps(value).encode(), "application/json")
