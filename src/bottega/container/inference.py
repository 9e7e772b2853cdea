"""Answering inference requests inside a model server: a built-in algorithm or the user's script.

>>> handler = load_handler("xgboost", Path("/opt/ml/model"), os.environ)  # doctest: +SKIP
>>> handler.transform(b"1.0,2.0", "text/csv", "application/json").body  # doctest: +SKIP
b'{"predictions": [{"score": 0.25}]}'
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bottega.algorithms import registry
from bottega.algorithms.base import Algorithm, CustomerError, RequestError
from bottega.algorithms.images import DATA_WRANGLER
from bottega.container import encodings, inference_script
from bottega.container.failure import print_traceback, user_traceback
from bottega.container.formats import loading as formats
from bottega.container.formats.recognition import KNOWN
from bottega.container.inference_pipeline import PIPELINE_IMAGE, containers

_LOADING = threading.Lock()


class InferenceError(Exception):
    """A request that gets no prediction; ``message`` is the body of the answer.

    Attributes:
        status: 400, 406 or 415 where the request is at fault, 500 where the script is.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class InferenceResponse:
    """An answer of a model."""

    status: int
    """200, or 204 when there is nothing to say."""
    body: bytes
    content_type: str
    pieces: Iterator[bytes] | None = None
    """What follows the body, as it is made; whoever iterates may get what the script raises."""
    model_missing: bool = False
    """Of a server of many models: whether it has not got the one that was named."""


class InferenceHandler(ABC):
    """Answers requests; may be called from several threads."""

    quick: bool = False
    """Whether a prediction is so short that a thread need not take it, and cannot hang: no code of
    the user runs."""

    @abstractmethod
    def transform(self, body: bytes, content_type: str, accept: str) -> InferenceResponse:
        """Answer one request.

        Args:
            body: as it came.
            content_type: of the request; empty when it had none.
            accept: of the request; empty when it had none.

        Raises:
            InferenceError: there is no prediction.
        """

    def target(self, model: str, container: str) -> InferenceHandler:
        """Who answers a request; loads it where that has to be done.

        Args:
            model: the model that the request names; empty when it names none.
            container: the container of a pipeline that it names; empty when it names none.

        Raises:
            InferenceError: there is no such container or model, or it cannot be loaded.
        """
        return self

    def at_once(self, model: str, container: str) -> InferenceHandler | None:
        """Who answers a request without a thread: one that is ``quick`` and loaded; else None."""
        return self if self.quick else None

    @property
    def joins(self) -> bool:
        """Whether requests that come together are answered faster by :meth:`transform_many`."""
        return False

    def transform_many(
        self, bodies: Sequence[bytes], content_type: str, accept: str
    ) -> list[InferenceResponse | InferenceError]:
        """Answer several requests of one kind, each exactly as :meth:`transform` would."""
        found: list[InferenceResponse | InferenceError] = []
        for body in bodies:
            try:
                found.append(self.transform(body, content_type, accept))
            except InferenceError as error:
                found.append(error)
        return found

    def compile(self) -> str:
        """Make predictions faster, while requests are answered, without a difference in any answer.

        Returns:
            What predicts now, for the log; empty when there is nothing to say.
        """
        return ""

    def near(self) -> bytes:
        """What a compiled model leaves to be predicted with by :func:`near_model` elsewhere; empty
        where there is nothing."""
        return b""


def load_handler(
    image: str,
    model_dir: Path,
    environment: Mapping[str, str],
    *,
    restart_module: str = "bottega.serving.server",
) -> InferenceHandler:
    """Load a model, ready to answer.

    The user's script answers when the model brings one (``SAGEMAKER_PROGRAM`` or
    ``code/inference.py``); without one, what the model folder has decides
    (:mod:`.formats.recognition`). When its ``requirements.txt`` had to be installed, this function
    does not return: the process is replaced by a fresh interpreter that runs ``restart_module``
    with the same arguments.

    Args:
        image: ``Image.name``.
        model_dir: the unpacked model.
        environment: the variables of the model's container.
        restart_module: see above.

    Raises:
        CustomerError: the model cannot be loaded; the message says why, with the script's
        traceback.
    """
    if image == PIPELINE_IMAGE:
        return _load_pipeline(model_dir.parent, environment, restart_module)
    if image == DATA_WRANGLER:
        return _FlowHandler(model_dir)
    folder = inference_script.code_folder(model_dir, environment)
    if folder is not None:
        # Workers load at the same time; imports and installations are of the whole process.
        with _LOADING:
            script = inference_script.load(
                folder, model_dir, environment, _framework_defaults(image), restart_module
            )
        kind = encodings.CSV if image == "xgboost" else encodings.JSON
        accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or kind
        return _ScriptHandler(script, default_content_type=kind, default_accept=accept)
    if image in registry.names():
        algorithm = registry.algorithm(image)
        return _AlgorithmHandler(algorithm, algorithm.load(model_dir, environment))
    with _LOADING:
        model = formats.load(model_dir, environment)
    if model is not None:
        accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or encodings.JSON
        return _ScriptHandler(
            inference_script.of_model(model, model_dir),
            default_content_type=encodings.JSON,
            default_accept=accept,
        )
    raise CustomerError(
        f"The image {image} needs an inference script with model_fn: put it into the model as "
        "code/inference.py, or set SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY. Without a "
        f"script it serves a model folder with one of: {KNOWN}."
    )


def _load_pipeline(
    ml_root: Path, environment: Mapping[str, str], restart_module: str
) -> InferenceHandler:
    loaded = []
    for name, image, model_dir, own, hostname in containers(ml_root):
        variables = {
            **environment,
            "SAGEMAKER_SUBMIT_DIRECTORY": "",
            "SAGEMAKER_PROGRAM": "",
            **own,
        }
        try:
            handler = load_handler(image, model_dir, variables, restart_module=restart_module)
        except CustomerError as error:
            raise CustomerError(f"{name}: {error.message}") from error
        accept = own.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")
        loaded.append(_Stage(name, handler, accept, hostname))
    return _PipelineHandler(loaded)


@dataclass(frozen=True)
class _Stage:
    name: str
    handler: InferenceHandler
    accept: str
    """In what form the next container wants the answer; empty for the container's own choice."""
    hostname: str = ""


class _PipelineHandler(InferenceHandler):
    def __init__(self, stages: Sequence[_Stage]) -> None:
        self.quick = all(stage.handler.quick for stage in stages)
        self._stages = stages

    def target(self, model: str, container: str) -> InferenceHandler:
        if not container:
            return self
        for stage in self._stages:
            if stage.hostname == container:
                return stage.handler.target(model, "")
        known = ", ".join(stage.hostname for stage in self._stages if stage.hostname)
        raise InferenceError(400, f"There is no container {container!r}, only: {known or 'none'}.")

    def at_once(self, model: str, container: str) -> InferenceHandler | None:
        if not container:
            return super().at_once(model, container)
        found = [stage.handler for stage in self._stages if stage.hostname == container]
        return found[0].at_once(model, "") if found else None

    def transform(self, body: bytes, content_type: str, accept: str) -> InferenceResponse:
        *others, last = self._stages
        answer = InferenceResponse(200, body, content_type)
        for stage in others:
            answer = _whole(_through(stage, answer, stage.accept))
            if answer.status != 200:  # nothing to say, so nothing for the next one
                return answer
        return _through(last, answer, accept)


def _through(stage: _Stage, request: InferenceResponse, accept: str) -> InferenceResponse:
    try:
        return stage.handler.transform(request.body, request.content_type, accept)
    except InferenceError as error:
        raise InferenceError(error.status, f"{stage.name}: {error.message}") from error


def _whole(answer: InferenceResponse) -> InferenceResponse:
    """The answer with its pieces in its body: the next container wants all of it."""
    if answer.pieces is None:
        return answer
    return replace(answer, body=answer.body + b"".join(answer.pieces), pieces=None)


class _FlowHandler(InferenceHandler):
    """A fitted flow. It runs what code came with it: what an endpoint serves has been read."""

    def __init__(self, model_dir: Path) -> None:
        from bottega.wrangler.errors import FlowError
        from bottega.wrangler.serving.endpoint import FlowEndpoint

        try:
            self._endpoint = FlowEndpoint.load(model_dir)
        except FlowError as error:
            raise CustomerError(error.message) from error

    def transform(self, body: bytes, content_type: str, accept: str) -> InferenceResponse:
        from bottega.wrangler.errors import FlowError
        from bottega.wrangler.serving.requests import UnsupportedType, wanted_type

        try:
            wanted_type(accept)
        except UnsupportedType as error:
            raise InferenceError(406, str(error)) from error
        try:
            answer, kind = self._endpoint.features(body, content_type, accept)
        except UnsupportedType as error:
            raise InferenceError(415, str(error)) from error
        except FlowError as error:
            raise InferenceError(400, error.message) from error
        return InferenceResponse(200 if answer else 204, answer, kind)


class _AlgorithmHandler(InferenceHandler):
    def __init__(self, algorithm: Algorithm, model: Any) -> None:
        self.quick = algorithm.quick
        self._algorithm = algorithm
        self._model = model

    def transform(self, body: bytes, content_type: str, accept: str) -> InferenceResponse:
        try:
            answer, kind = self._algorithm.predict(self._model, body, content_type, accept)
        except RequestError as error:
            raise InferenceError(error.status, error.message) from error
        return InferenceResponse(200 if answer else 204, answer, kind)

    @property
    def joins(self) -> bool:
        return self._algorithm.joins(self._model)

    def transform_many(
        self, bodies: Sequence[bytes], content_type: str, accept: str
    ) -> list[InferenceResponse | InferenceError]:
        return [
            InferenceError(answer.status, answer.message)
            if isinstance(answer, RequestError)
            else InferenceResponse(200 if answer[0] else 204, *answer)
            for answer in self._algorithm.predict_many(self._model, bodies, content_type, accept)
        ]

    def compile(self) -> str:
        return self._algorithm.compile(self._model)

    def near(self) -> bytes:
        content = self._algorithm.near(self._model)
        return self._algorithm.name.encode() + b"\n" + content if content else b""


class _ScriptHandler(InferenceHandler):
    """One request at a time: scripts are written for a process that has one thread."""

    def __init__(
        self, script: inference_script.Script, *, default_content_type: str, default_accept: str
    ) -> None:
        self._script = script
        self._default_content_type = default_content_type
        self._default_accept = default_accept
        self._lock = threading.Lock()

    def transform(self, body: bytes, content_type: str, accept: str) -> InferenceResponse:
        content_type = content_type or self._default_content_type
        accept = self._default_accept if accept in ("", "*/*") else accept
        try:
            with self._lock:
                answer = self._answer(body, content_type, accept)
            return _response(answer, accept)
        except RequestError as error:
            raise InferenceError(error.status, error.message) from error
        except encodings.Undecodable as error:
            raise InferenceError(400, str(error)) from error
        except Exception as error:
            print_traceback(error)
            raise InferenceError(500, user_traceback(error)) from error

    def _answer(self, body: bytes, content_type: str, accept: str) -> Any:
        script = self._script
        context = replace(script.context, content_type=content_type, accept=accept)
        if script.transform is not None:
            data = _as_text(body, content_type)
            return script.transform(script.model, data, content_type, accept, context)
        try:
            data = script.read(
                body if script.decodes else _as_text(body, content_type), content_type, context
            )
        except encodings.UnsupportedFormat as error:
            raise RequestError(415, str(error)) from error
        prediction = script.predict(data, script.model, context)
        try:
            return script.write(prediction, accept, context)
        except encodings.UnsupportedFormat as error:
            raise RequestError(406, str(error)) from error


def _as_text(body: bytes, content_type: str) -> str | bytes:
    if encodings.media_type(content_type) not in encodings.TEXT_TYPES:
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise encodings.Undecodable(f"The body is not UTF-8: {error}") from error


def _response(answer: Any, accept: str) -> InferenceResponse:
    """What a script may return: bytes or text, alone or with its media type, or a plain value."""
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], str):
        answer, kind = answer
    else:
        kind = accept.partition(",")[0].strip()
    if isinstance(answer, Iterator):
        return InferenceResponse(200, b"", kind, _pieces(answer))
    if isinstance(answer, str):
        answer = answer.encode()
    if not isinstance(answer, (bytes, bytearray, memoryview)):
        answer, kind = encodings.encode(answer, kind)
    return InferenceResponse(200, bytes(answer), kind)


def _pieces(made: Iterator[Any]) -> Iterator[bytes]:
    """What a script yields, as bytes.

    Raises:
        InferenceError: it raised something, or yielded neither bytes nor text.
    """
    try:
        for piece in made:
            if not isinstance(piece, (str, bytes, bytearray, memoryview)):
                raise TypeError(
                    f"the answer has a piece of {type(piece).__name__}; yield bytes or str"
                )
            yield piece.encode() if isinstance(piece, str) else bytes(piece)
    except Exception as error:
        print_traceback(error)
        raise InferenceError(500, user_traceback(error)) from error


def _framework_defaults(image: str) -> Mapping[str, Callable[..., Any]]:
    """What a framework image does where the script has no function for it."""
    if image != "xgboost":
        return {}
    from bottega.algorithms.xgboost import framework

    return {
        "model_fn": framework.model_fn,
        "input_fn": framework.input_fn,
        "predict_fn": framework.predict_fn,
    }
