"""The forms in which texts come, and the numbers of their words."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.base import CustomerError
from bottega.algorithms.blazingtext import text as module
from bottega.algorithms.blazingtext import vocabulary as words
from bottega.algorithms.blazingtext.kernels import LONGEST_LINE
from bottega.algorithms.blazingtext.text import text_blocks
from bottega.algorithms.blazingtext.vocabulary import Numbers, Vocabulary
from bottega.algorithms.readers.recordio import write_records
from bottega.testing.job_folder import JobFolder

LABELLED = "__label__1 one two\n__label__1 __label__3 three\n"
MANIFEST = [{"source": "one two", "label": 1}, {"source": "three", "label": [1, 3]}]


def read(
    folder: Path,
    content: bytes | str | dict[str, bytes],
    content_type: str | None = None,
    *,
    labelled: bool = True,
) -> str:
    job = JobFolder(folder, {}, image="blazingtext")
    files = content if isinstance(content, dict) else {"part": content}
    job.channel("train", content_type, files)
    return b"".join(text_blocks(job.read(), "train", labelled=labelled)).decode()


def read_pipe(folder: Path, content: bytes, *, labelled: bool = True) -> str:
    job = JobFolder(folder, {}, image="blazingtext").channel("train", None, {})
    config = {"TrainingInputMode": "Pipe", "S3DistributionType": "FullyReplicated"}
    job.config("inputdataconfig", {"train": config})
    path = folder / "input" / "data" / "train_0"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    try:
        return b"".join(text_blocks(job.read(), "train", labelled=labelled)).decode()
    finally:
        writer.join(timeout=10)


def records(*payloads: bytes) -> bytes:
    stream = io.BytesIO()
    write_records(stream, payloads)
    return stream.getvalue()


def values_of(manifest: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(line[name]).encode() for line in manifest for name in ("source", "label")]


LINES = "\n".join(map(json.dumps, MANIFEST))


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (LABELLED, None),
        (LABELLED, "text/plain; charset=utf-8"),
        (LABELLED.removesuffix("\n"), "text/plain"),
        (gzip.compress(LABELLED.encode()), "text/plain"),
        (LINES, "application/jsonlines"),
        (LINES, "text/plain"),
        (records(*values_of(MANIFEST)), "application/x-recordio"),
        (records(b"one two", b"1", b"three", b"[1,3]"), None),
        (records(LABELLED.encode()), None),
        (records(*LABELLED.encode().splitlines()), None),
    ],
)
def test_the_same_texts_in_every_form(
    content: bytes | str, content_type: str | None, tmp_path: Path
) -> None:
    assert read(tmp_path, content, content_type) == LABELLED


@pytest.mark.parametrize(
    "content",
    [
        LABELLED.encode(),
        gzip.compress(LABELLED.encode()),
        LINES.encode(),
        records(*values_of(MANIFEST)),
        b"".join(values_of(MANIFEST)),
    ],
)
def test_the_same_texts_through_a_pipe(content: bytes, tmp_path: Path) -> None:
    assert read_pipe(tmp_path, content) == LABELLED


@pytest.mark.parametrize("block", [3, 64])
@pytest.mark.parametrize("piped", [False, True])
def test_blocks_may_end_anywhere(
    block: int, piped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = [{"source": f"été {'x' * n} {n}", "label": n} for n in range(40)]
    expected = "".join(f"__label__{n} été {'x' * n} {n}\n" for n in range(40)).replace("  ", " ")
    unwrapped = "".join(
        json.dumps(line[name], ensure_ascii=False) for line in manifest for name in line
    )
    lines = "\n".join(map(json.dumps, manifest))
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)  # The first look needs more than 3 bytes.
    found = read_pipe(tmp_path, unwrapped.encode()) if piped else read(tmp_path / "a", lines)
    assert found.replace("  ", " ") == expected
    monkeypatch.setattr(module, "BLOCK_BYTES", block)
    assert read(tmp_path / "b", expected) == expected


def test_texts_without_labels(tmp_path: Path) -> None:
    expected = "one two\nthree\n"
    assert read(tmp_path / "a", LINES, labelled=False) == expected
    wrapped = records(*values_of(MANIFEST))
    assert read(tmp_path / "b", wrapped, labelled=False) == expected
    unwrapped = b"".join(values_of(MANIFEST))
    assert read_pipe(tmp_path / "c", unwrapped, labelled=False) == expected
    assert read_pipe(tmp_path / "d", b'"one two""three"', labelled=False) == expected


def test_text_that_only_looks_like_a_manifest(tmp_path: Path) -> None:
    text = '"hello" she said\n{ 1 2 }\n'
    assert read_pipe(tmp_path / "a", text.encode(), labelled=False) == text
    assert read(tmp_path / "b", '{"a": 1}\nx\n', labelled=False) == '{"a": 1}\nx\n'


def test_all_files_but_the_word_pairs_are_text(tmp_path: Path) -> None:
    files = {"b.txt": b"b", "a/c.txt.gz": gzip.compress(b"c\n"), "EN-WS-353-ALL.txt": b"x y 1\n"}
    assert read(tmp_path, files, labelled=False) == "c\nb\n"


def test_a_long_line_comes_in_parts_of_whole_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 100)
    line = " ".join(f"word{n}" for n in range(500))
    job = JobFolder(tmp_path, {}).channel("train", None, {"part": line})
    blocks = list(text_blocks(job.read(), "train", labelled=False))
    assert len(blocks) > 30
    assert [word for block in blocks for word in block.split()] == line.encode().split()
    assert b"".join(blocks).count(b"\n") == 1


def test_white_space_and_odd_bytes(tmp_path: Path) -> None:
    content = {"a": b"x" * 5000 + b" a\0b\r\nc\xff\td"}
    assert read(tmp_path / "a", {"a": b"one\r\n\n two"}, labelled=False) == "one\r\n\n two\n"
    job = JobFolder(tmp_path / "b", {}).channel("train", None, content)
    found = b"".join(text_blocks(job.read(), "train", labelled=False)).split()
    assert found[1:] == [b"a", b"b", b"c\xff", b"d"]


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        ("x", "text/csv", "content type 'text/csv' of the channel train cannot be read"),
        ({}, None, "The channel train has no data"),
        (b"PK\3\4\0\0\0", None, "part is no text: it has bytes of 0"),
        (gzip.compress(b"x" * 5000)[:-9], None, "part is damaged gzip"),
        (records(b"a", b"b")[:-1], None, "part is damaged RecordIO"),
        ('{"source": "a", "label": 1}\n{"source": "b"}', None, 'Line 2 of part has no "label"'),
        ('{"source": "a", "label": 1}\n\n{"text": "b"}', None, "Line 3 of part must be a JSON"),
        ('{"source": "a", "label": 1}\noops', None, "Line 2 of part is no JSON"),
        ('{"source": "a", "label": 1.5}', None, "the label 1.5 must be a whole number"),
        ('{"source": "a", "label": true}', None, "the label True must be a whole number"),
        ('{"source": "a", "label": "x y"}', None, "the label 'x y' must be a whole number"),
        (records(b'"a"', b"1", b'"b"'), None, "Text 2 of part is not a text and its label"),
        (records(b"a", b"1", b"b", b"oops"), None, "the record b'oops' is no JSON"),
    ],
)
def test_what_is_refused(
    content: Any, content_type: str | None, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(CustomerError) as error:
        read(tmp_path, content, content_type)
    assert reason in str(error.value)


def test_a_manifest_in_a_pipe_that_ends_early(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match="no row of JSON values"):
        read_pipe(tmp_path, b'"a"1"b')


def test_a_file_of_one_endless_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 100)
    monkeypatch.setattr(module, "_LONGEST_WORD", 1 << 20)
    with pytest.raises(CustomerError, match="without any white space"):
        read(tmp_path, "x" * (3 << 20))


TOKENS = st.sampled_from([b"a", b"b", b"c", b"__label__x", b"__label__y", b"</s>", b"d"])
TEXTS = st.lists(st.lists(TOKENS, max_size=6), max_size=12)


@given(TEXTS, st.integers(0, 3), st.integers(1, 50))
def test_words_as_numbers(texts: list[list[bytes]], min_count: int, block: int) -> None:
    content = b"".join(b" ".join(text) + b"\n" for text in texts)
    numbers = Numbers()
    cut = [content[i : i + block] for i in range(0, len(content), block)]
    tokens = numbers.encode(_between_words(cut))
    plain = content.replace(b"\n", b" </s> ").split()
    assert [list(numbers)[number] for number in tokens.values] == plain
    counts = tokens.counts(len(numbers))
    assert counts.tolist() == [plain.count(word) for word in numbers]

    vocabulary = Vocabulary.of(list(numbers), counts, min_count, labelled=True)
    often = [w for w in numbers if plain.count(w) >= max(1, min_count)]
    assert sorted(vocabulary.words) == sorted(w for w in often if b"label" not in w)
    assert sorted(vocabulary.labels) == sorted(w for w in set(plain) if b"label" in w)
    assert vocabulary.counts.tolist() == sorted(map(plain.count, vocabulary.words), reverse=True)
    assert len(tokens.texts()) == plain.count(b"</s>") + 1

    vocabulary = Vocabulary.of(list(numbers), counts, min_count, labelled=False)
    assert sorted(vocabulary.words) == sorted(w for w in often if w != b"</s>")
    kept, offsets = tokens.keep(vocabulary.ranks(numbers))
    lines = [
        [vocabulary.words[rank] for rank in kept[begin:end]] for begin, end in pairwise(offsets)
    ]
    sentences = b" ".join(plain).split(b"</s>")
    expected = [[w for w in line.split() if w in vocabulary.words] for line in sentences]
    assert lines == [line for line in expected if line]


def _between_words(parts: list[bytes]) -> list[bytes]:
    """Move cuts to where a word ends."""
    found, rest = [], b""
    for part in parts:
        whole = rest + part
        end = max(whole.rfind(b" "), whole.rfind(b"\n")) + 1
        found.append(whole[:end])
        rest = whole[end:]
    return [*found, rest]


def test_long_lines_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_CHUNK", 999)
    lengths = [1, 3 * LONGEST_LINE, 5, 2 * LONGEST_LINE + 7]
    numbers = Numbers()
    tokens = numbers.encode(b"x " * length + b"\n" for length in lengths)
    assert tokens.counts(2).tolist() == [4, sum(lengths)]
    kept, offsets = tokens.keep(np.array([-1, 0], np.int32))
    assert len(kept) == sum(lengths)
    full = LONGEST_LINE
    assert np.diff(offsets).tolist() == [1, full, full, full, 5, full, full, 7]
