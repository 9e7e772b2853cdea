"""Reading pairs, and making batches of them."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.record_protobuf import encode_record
from bottega.algorithms.readers.recordio import frame
from bottega.algorithms.seq2seq.corpus import Corpus, corpus_of, read_corpus
from bottega.algorithms.seq2seq.vocabulary import BEGIN, END, PAD
from bottega.testing.job_folder import JobFolder

Pairs = list[tuple[list[int], list[int]]]
SEQUENCES = st.lists(st.integers(4, 15), min_size=1, max_size=12)
PAIRS = st.lists(st.tuples(SEQUENCES, SEQUENCES), min_size=1, max_size=40)


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def record(**features: np.ndarray) -> bytes:
    return frame(encode_record(features))


def read(tmp_path, *files: bytes, longest: tuple[int, int] = (10, 10)) -> Corpus:
    job = JobFolder(tmp_path / "ml", image="seq2seq")
    job.channel("train", None, {f"{n}.rec": content for n, content in enumerate(files)})
    return read_corpus(job.read(), "train", words=(16, 12), longest=longest)


def everything(corpus: Corpus) -> Pairs:
    return [
        (corpus.source.sequence(index), corpus.target.sequence(index))
        for index in range(corpus.pairs)
    ]


def test_records_of_all_files_are_read_in_order(tmp_path, records: Callable[[Pairs], bytes]):
    first, second = [([4, 5], [6]), ([15], [11])], [([7, 7, 7], [8, 9])]
    corpus = read(tmp_path, records(first), records(second))
    assert everything(corpus) == first + second


def test_symbols_around_a_sequence_are_no_part_of_it(tmp_path):
    content = record(source=ids(2, 4, 1, 5, 3, 0), target=ids(2, 6, 3))
    assert everything(read(tmp_path, content)) == [([4, 1, 5], [6])]


def test_long_sequences_are_cut_and_counted(tmp_path, records: Callable[[Pairs], bytes]):
    pairs = [([4] * 5, [5] * 2), ([4] * 2, [5] * 9), ([4] * 3, [5] * 3)]
    corpus = read(tmp_path, records(pairs), longest=(3, 4))
    assert (corpus.cut_sources, corpus.cut_targets) == (1, 1)
    assert everything(corpus) == [([4] * 3, [5] * 2), ([4] * 2, [5] * 4), ([4] * 3, [5] * 3)]


def test_empty_sides_are_left_out_and_counted(tmp_path):
    content = (
        record(source=ids(4), target=ids())
        + record(source=ids(4), target=ids(5))
        + record(source=ids(2, 3), target=ids(5))
    )
    corpus = read(tmp_path, content)
    assert everything(corpus) == [([4], [5])]
    assert corpus.empty == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (record(source=ids(4), target=ids(12)), "record 1 has the id 12 as target"),
        (
            record(source=ids(4), target=ids(4)) + record(source=ids(-1), target=ids(4)),
            "record 2 has the id -1 as source",
        ),
        (record(source=ids(4)), "no feature 'target' but source"),
        (record(values=ids(4)), "no feature 'source' but values"),
        (record(source=np.array([4.0], np.float32), target=ids(4)), "must be an int32 tensor"),
        (record(source=ids(), target=ids()), "1 records, each with an empty source or target"),
        (b"w4 w5\tw6\n", "no RecordIO"),
        (frame(b"\xff\xff\xff"), "record 1"),
        (record(source=ids(4), target=ids(4))[:-4], "the data end at byte"),
        (struct.pack("<II", 0xCED7230A, 1 << 28), "the data end at byte 8"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content: bytes, words: str):
    with pytest.raises(CustomerError) as raised:
        read(tmp_path, content)
    assert words in str(raised.value)
    if "each with an empty" not in words:
        assert "0.rec" in str(raised.value)


def test_another_content_type_is_refused(tmp_path):
    job = JobFolder(tmp_path / "ml", image="seq2seq").channel("train", "text/csv", {"a": "4,5"})
    with pytest.raises(CustomerError, match="content type text/csv; Seq2Seq reads application/x-"):
        read_corpus(job.read(), "train", words=(16, 12), longest=(9, 9))


def test_a_pipe_is_read_as_a_file_is(tmp_path, records: Callable[[Pairs], bytes]):
    pairs = [([4 + n % 9, 5], [6]) for n in range(500)]
    content = records(pairs)
    job = JobFolder(tmp_path / "ml", image="seq2seq").channel("train", None, {})
    job.config("inputdataconfig", {"train": {"TrainingInputMode": "Pipe"}})
    fifo = tmp_path / "ml" / "input" / "data" / "train_0"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(content,))
    writer.start()
    corpus = read_corpus(job.read(), "train", words=(16, 12), longest=(9, 9))
    writer.join()
    assert everything(corpus) == pairs


def test_a_channel_without_records_is_refused(tmp_path):
    with pytest.raises(CustomerError, match="channel train has no records"):
        read(tmp_path)


@given(PAIRS, st.integers(1, 9), st.booleans())
def test_an_epoch_is_every_pair_once(pairs: Pairs, size: int, bucketing: bool):
    corpus = corpus_of(pairs)
    buckets = corpus.buckets(4, 12, 12) if bucketing else None
    found = []
    for batch in corpus.epoch(size, np.random.default_rng(0), buckets):
        assert 1 <= batch.pairs <= size
        for row in range(batch.pairs):
            length = batch.source_lengths[row]
            assert not batch.source[row, length:].any()
            target = [int(number) for number in batch.target_output[row] if number != PAD]
            assert target[-1] == END
            entered = [int(number) for number in batch.target_input[row] if number != PAD]
            assert entered == [BEGIN, *target[:-1]]
            found.append((batch.source[row, :length].tolist(), target[:-1]))
    assert sorted(found) == sorted(pairs)


@given(PAIRS)
def test_batches_of_buckets_hold_similar_lengths(pairs: Pairs):
    corpus = corpus_of(pairs)
    buckets = corpus.buckets(4, 12, 12)
    ratio = corpus.ratio()[0]
    steps = (
        4 if ratio <= 1 else max(1, round(4 / ratio)),
        4 if ratio >= 1 else max(1, round(4 * ratio)),
    )
    for bucket in np.unique(buckets):
        inside = buckets == bucket
        assert corpus.source.lengths[inside].max() <= bucket * steps[0]
        assert corpus.target.lengths[inside].max() <= bucket * steps[1]


def test_epochs_differ_and_are_the_same_with_the_same_seed():
    corpus = corpus_of([([4 + n % 10], [5]) for n in range(50)])

    def two(seed: int) -> list[list[int]]:
        generator = np.random.default_rng(seed)
        return [
            [int(n) for batch in corpus.epoch(8, generator) for n in batch.source[:, 0]]
            for _ in range(2)
        ]

    assert two(0) == two(0)
    assert two(0)[0] != two(0)[1]


@given(PAIRS, st.integers(1, 50))
def test_samples_are_pairs_of_the_corpus(pairs: Pairs, size: int):
    sample = corpus_of(pairs).sample(size, np.random.default_rng(1))
    assert sample.pairs == min(size, len(pairs))
    left = list(pairs)
    for pair in everything(sample):
        left.remove(pair)


def test_the_ratio_of_lengths_is_of_the_pairs():
    assert corpus_of([([4, 4], [5]), ([4], [5])]).ratio() == (0.75, 0.25)
