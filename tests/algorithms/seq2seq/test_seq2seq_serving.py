"""Requests to Seq2Seq models."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.readers.record_protobuf import decode_record, encode_record
from bottega.algorithms.readers.recordio import frame, read_records
from bottega.algorithms.registry import algorithm
from bottega.algorithms.seq2seq import artifact, settings
from bottega.algorithms.seq2seq.network import Network, initialize
from bottega.algorithms.seq2seq.vocabulary import Vocabulary

JSON, JSONLINES = "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"

Answer = Callable[..., tuple[bytes, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, vocabulary: Vocabulary) -> Path:
    """A model that was not trained: it says something, which is all that is needed here."""
    given = {
        "rnn_num_hidden": "16",
        "num_embed_source": "8",
        "num_embed_target": "8",
        "max_seq_len_source": "9",
    }
    network, course = settings.read({**given, "weight_init_scale": "30"})
    words = len(vocabulary)
    model = settings.ModelSettings(network, words, words, course.beam_size, 1.0, 0.2)
    torch.manual_seed(5)
    found = Network(model)
    initialize(found, course)
    path = tmp_path_factory.mktemp("model")
    artifact.save_facts(path, model, vocabulary, vocabulary)
    artifact.save_weights(path, found)
    return path


@pytest.fixture(scope="module")
def answer(folder: Path) -> Answer:
    model = algorithm("seq2seq").load(folder, {})

    def ask(body: object, content_type: str = JSON, accept: str = "") -> tuple[bytes, str]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return algorithm("seq2seq").predict(model, data, content_type, accept)

    return ask


def instances(*texts: str, **configuration: str) -> dict:
    more = {"configuration": configuration} if configuration else {}
    return {"instances": [{"data": text, **more} for text in texts]}


def targets(answer: bytes) -> list[str]:
    return [prediction["target"] for prediction in json.loads(answer)["predictions"]]


def test_json_gives_a_target_for_each_instance(answer: Answer, vocabulary: Vocabulary):
    body, kind = answer(instances("w0 w1 w2", "w5"))
    assert kind == JSON
    found = targets(body)
    assert len(found) == 2
    for target in found:
        assert set(target.split()) <= {*vocabulary.tokens[4:], "<unk>"}
    assert all(row.keys() == {"target"} for row in json.loads(body)["predictions"])


def test_the_matrix_comes_for_those_who_ask_for_it(answer: Answer):
    asked = instances("w0 w1 w2", attention_matrix="true")
    asked["instances"] += instances("w3 w4")["instances"]
    asked["instances"] += instances("w3 w4", attention_matrix="false")["instances"]
    found = json.loads(answer(asked)[0])["predictions"]
    assert [set(row) for row in found] == [{"target", "matrix"}, {"target"}, {"target"}]
    matrix = np.array(found[0]["matrix"])
    assert matrix.shape == (len(found[0]["target"].split()), 3)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)


def test_every_format_gives_the_same(answer: Answer, vocabulary: Vocabulary):
    texts = ["w0 w1 w2", "w11", "w3 w3 w3 w3"]
    expected = targets(answer(instances(*texts))[0])
    lines = "".join(json.dumps({"source": text}) + "\n" for text in texts).encode()
    body, kind = answer(lines, JSONLINES)
    assert kind == JSONLINES
    assert [json.loads(line) for line in body.splitlines()] == [{"target": t} for t in expected]
    records = b"".join(
        frame(encode_record({"source": np.array(vocabulary.encode(text.split()), np.int32)}))
        for text in texts
    )
    body, kind = answer(records, RECORDIO)
    assert kind == RECORDIO
    found = [
        decode_record(payload).features["target"] for payload in read_records(io.BytesIO(body))
    ]
    assert [" ".join(vocabulary.decode(ids)) for ids in found] == expected
    assert targets(answer(records, RECORDIO, JSON)[0]) == expected
    assert answer(lines, "application/jsonlines; charset=utf-8")[1] == JSONLINES
    assert answer(instances(*texts), "", RECORDIO)[0] == body


def test_words_that_are_not_known_are_read_as_unknown(answer: Answer):
    assert targets(answer(instances("w0 nonsense"))[0]) == targets(answer(instances("w0 <unk>"))[0])


def test_symbols_around_ids_are_no_part_of_them(answer: Answer):
    bare, full = (
        frame(encode_record({"source": np.array(ids, np.int32)}))
        for ids in ([4, 5], [2, 4, 5, 3, 0])
    )
    assert answer(bare, RECORDIO) == answer(full, RECORDIO)


def test_more_sequences_than_are_translated_at_once(answer: Answer):
    texts = [f"w{n % 12} w{n % 7}" for n in range(300)]
    found = targets(answer(instances(*texts))[0])
    assert len(found) == 300
    for number in (0, 127, 128, 299):
        assert [found[number]] == targets(answer(instances(texts[number]))[0])


def test_threads_share_a_model(answer: Answer):
    texts = [f"w{n % 12} w{(n * 5) % 12} w{n % 5}" for n in range(24)]
    expected = [answer(instances(text)) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: answer(instances(text)), texts)) == expected


def source(*ids: int) -> bytes:
    return frame(encode_record({"source": np.array(ids, np.int32)}))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"w0 w1", JSON, 415, "The body is no JSON"),
        (b"", JSON, 415, "no JSON"),
        (b"\xff\xfe", JSON, 415, "no JSON"),
        (b"[" * 100_000, JSON, 415, "no JSON"),
        ({"data": "w0"}, JSON, 400, '{"instances": [{"data"'),
        ({"instances": []}, JSON, 400, "no sequence"),
        ({"instances": ["w0"]}, JSON, 400, "Instance 1 must be an object"),
        ({"instances": [{"data": "w0"}, {"data": 3}]}, JSON, 400, "Instance 2 must be"),
        ({"instances": [{"data": "  "}]}, JSON, 400, "Sequence 1 has no token"),
        (instances("w0", "w0 " * 10), JSON, 400, "Sequence 2 has 10 tokens"),
        (b'{"source": "w0"}\n{"source"', JSONLINES, 415, "Line 2 is no JSON"),
        (b'{"source": ["w0"]}', JSONLINES, 400, "Line 1 must be"),
        (b"\n", JSONLINES, 400, "no sequence"),
        (b"no records", RECORDIO, 415, "no RecordIO"),
        (b"", RECORDIO, 400, "no sequence"),
        (source(4) + source(99), RECORDIO, 400, "Record 2 has an id that is not in 0 to 15"),
        (source(), RECORDIO, 400, "Sequence 1 has no token"),
        (frame(encode_record({"values": np.array([4], np.int32)})), RECORDIO, 400, "no int32"),
        (frame(encode_record({"source": [4.0]})), RECORDIO, 400, "no int32"),
        (frame(b"\xff\xff"), RECORDIO, 400, "Record 1"),
        (b"w0", "text/csv", 415, "text/csv is not supported"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(
    body: object, content_type: str, status: int, words: str, answer: Answer
):
    with pytest.raises(RequestError) as raised:
        answer(body, content_type)
    assert raised.value.status == status
    assert words in raised.value.message


def test_answers_that_cannot_be_given_are_refused(answer: Answer):
    with pytest.raises(RequestError) as raised:
        answer(instances("w0"), JSON, "text/csv")
    assert raised.value.status == 406


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: (path / "config.json").unlink(), "config.json cannot be used"),
        (lambda path: (path / "config.json").write_text("{}"), "config.json cannot be used"),
        (lambda path: (path / "model.best").unlink(), "model.best"),
        (lambda path: (path / "model.best").write_bytes(b"nothing"), "model.best"),
        (lambda path: (path / "vocab.src.json").unlink(), "vocab.src.json is missing"),
        (
            lambda path: (path / "vocab.trg.json").write_text(Vocabulary.build([]).to_json()),
            "trained with 16 ids, and its vocab.trg.json has 4",
        ),
        (
            lambda path: torch.save({"output.bias": torch.zeros(3)}, path / "model.best"),
            "model.best has no weights",
        ),
    ],
)
def test_folders_that_are_no_model_are_refused(
    change: Callable[[Path], object], words: str, folder: Path, tmp_path: Path
):
    shutil.copytree(folder, tmp_path / "model")
    change(tmp_path / "model")
    with pytest.raises(CustomerError) as raised:
        algorithm("seq2seq").load(tmp_path / "model", {})
    assert words in str(raised.value)
