"""Answering requests with a Seq2Seq model."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms.base import RequestError
from bottega.algorithms.deep.device import serving_device
from bottega.algorithms.readers.record_protobuf import (
    MalformedRecord,
    decode_record,
    encode_record,
)
from bottega.algorithms.readers.recordio import MalformedRecordIO, frame, read_records
from bottega.algorithms.records.media_types import (
    JSON,
    JSONLINES,
    RECORDIO,
    media_of,
    wanted_media,
)
from bottega.algorithms.seq2seq import artifact
from bottega.algorithms.seq2seq.corpus import bare
from bottega.algorithms.seq2seq.network import Network
from bottega.algorithms.seq2seq.search import Translation, translate
from bottega.algorithms.seq2seq.settings import ModelSettings
from bottega.algorithms.seq2seq.vocabulary import PAD, Vocabulary

_MEDIA = (JSON, JSONLINES, RECORDIO)
_AT_ONCE = 128
"""Sequences that are translated together."""


@dataclass(frozen=True)
class Model:
    """A loaded model; never changed, so that threads can share it."""

    network: Network
    settings: ModelSettings
    source: Vocabulary
    target: Vocabulary

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str]) -> Model:
        """Load a model folder onto the GPU where there is one.

        Raises:
            CustomerError: it holds no model of this algorithm.
        """
        return cls(*artifact.load(folder, serving_device(environment)))

    def translate(self, sources: list[list[int]], *, attention: bool) -> list[Translation]:
        """The best target of each source, in their order."""
        found: list[Any] = [None] * len(sources)
        order = sorted(range(len(sources)), key=lambda index: len(sources[index]))
        for start in range(0, len(order), _AT_ONCE):
            which = order[start : start + _AT_ONCE]
            lengths = np.array([len(sources[index]) for index in which], dtype=np.int64)
            rows = np.full((len(which), int(lengths.max())), PAD, dtype=np.int64)
            for row, index in enumerate(which):
                rows[row, : lengths[row]] = sources[index]
            answers = translate(
                self.network,
                self.settings,
                rows,
                lengths,
                beam_size=self.settings.beam_size,
                attention=attention,
            )
            for index, answer in zip(which, answers, strict=True):
                found[index] = answer
        return found


@dataclass(frozen=True)
class _Question:
    ids: list[int]
    attention: bool = False


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    media = media_of(content_type, _MEDIA)
    readers = {JSON: _from_json, JSONLINES: _from_jsonlines, RECORDIO: _from_recordio}
    kind = wanted_media(accept, media, _MEDIA)
    questions = list(readers[media](model, body))
    if not questions:
        raise RequestError(400, "The request has no sequence to translate.")
    longest = model.settings.network.max_seq_len_source
    for number, question in enumerate(questions, start=1):
        if not question.ids:
            raise RequestError(400, f"Sequence {number} has no token.")
        if len(question.ids) > longest:
            raise RequestError(
                400,
                f"Sequence {number} has {len(question.ids)} tokens; this model reads at most "
                f"{longest} (max_seq_len_source). Split it.",
            )
    attention = kind == JSON and any(question.attention for question in questions)
    answers = model.translate([question.ids for question in questions], attention=attention)
    return _write(model, questions, answers, kind), kind


def _from_json(model: Model, body: bytes) -> Iterator[_Question]:
    document = _json(body, "The body")
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        raise RequestError(
            400, 'The body must be {"instances": [{"data": "token token ..."}, ...]}.'
        )
    for number, instance in enumerate(instances, start=1):
        yield _question(model, instance, f"Instance {number}", ("data", "source"))


def _from_jsonlines(model: Model, body: bytes) -> Iterator[_Question]:
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            instance = _json(line, f"Line {number}")
            yield _question(model, instance, f"Line {number}", ("source", "data"))


def _from_recordio(model: Model, body: bytes) -> Iterator[_Question]:
    number = 0
    try:
        for number, payload in enumerate(read_records(io.BytesIO(body)), start=1):  # noqa: B007
            values = decode_record(payload).features.get("source")
            if values is None or values.dtype != np.int32:
                raise MalformedRecord("has no int32 feature source")
            words = model.settings.source_words
            if values.size and (values.min() < 0 or values.max() >= words):
                raise MalformedRecord(f"has an id that is not in 0 to {words - 1}")
            yield _Question(bare(values).tolist())
    except MalformedRecordIO as error:
        raise RequestError(415, f"The body is no RecordIO: {error}") from error
    except MalformedRecord as error:
        raise RequestError(400, f"Record {number} {error}.") from error


def _json(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(415, f"{what} is no JSON: {error}.") from error


def _question(model: Model, instance: Any, what: str, names: tuple[str, str]) -> _Question:
    instance = instance if isinstance(instance, dict) else {}
    data = next((instance[name] for name in names if name in instance), None)
    if not isinstance(data, str):
        raise RequestError(
            400, f'{what} must be an object with tokens as "{names[0]}": "token token ...".'
        )
    configuration = instance.get("configuration")
    wanted = configuration.get("attention_matrix") if isinstance(configuration, dict) else None
    ids = bare(np.array(model.source.encode(data.split()), dtype=np.int32)).tolist()
    return _Question(ids, str(wanted).lower() == "true")


def _write(
    model: Model, questions: list[_Question], answers: list[Translation], kind: str
) -> bytes:
    if kind == RECORDIO:
        return b"".join(
            frame(encode_record({"target": np.array(answer.ids, dtype=np.int32)}))
            for answer in answers
        )
    rows: list[dict[str, Any]] = []
    for question, answer in zip(questions, answers, strict=True):
        row: dict[str, Any] = {"target": " ".join(model.target.decode(answer.ids))}
        if question.attention and kind == JSON:
            row["matrix"] = answer.attention
        rows.append(row)
    if kind == JSONLINES:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return json.dumps({"predictions": rows}, ensure_ascii=False).encode()
