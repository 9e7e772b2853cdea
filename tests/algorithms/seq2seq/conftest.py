"""A made language: a target is its source turned round."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from bottega.algorithms.seq2seq.prepare import write_pairs
from bottega.algorithms.seq2seq.vocabulary import SYMBOLS, Vocabulary
from bottega.testing.job_folder import JobFolder

WORDS = 12
RECORDIO = "application/x-recordio-protobuf"
SMALL = {
    "rnn_num_hidden": "32",
    "cnn_num_hidden": "32",
    "num_embed_source": "16",
    "num_embed_target": "16",
    "learning_rate": "0.01",
    "batch_size": "32",
    "checkpoint_frequency_num_batches": "10",
    "max_num_batches": "20",
}

Pairs = list[tuple[list[int], list[int]]]
Job = Callable[..., JobFolder]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks are fastest on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary((*SYMBOLS, *(f"w{number}" for number in range(WORDS))))


@pytest.fixture(scope="session")
def turned() -> Callable[[int, int], Pairs]:
    """Makes pairs: how many, and from which seed."""

    def make(count: int, seed: int) -> Pairs:
        draw = random.Random(seed)
        pairs = []
        for _ in range(count):
            source = [draw.randrange(4, 4 + WORDS) for _ in range(draw.randint(2, 6))]
            pairs.append((source, source[::-1]))
        return pairs

    return make


@pytest.fixture
def records(tmp_path: Path) -> Callable[[Pairs], bytes]:
    """The RecordIO file of some pairs."""

    def make(pairs: Pairs) -> bytes:
        path = tmp_path / "pairs.rec"
        write_pairs(path, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
        return path.read_bytes()

    return make


@pytest.fixture
def job(
    tmp_path: Path,
    vocabulary: Vocabulary,
    turned: Callable[[int, int], Pairs],
    records: Callable[[Pairs], bytes],
) -> Job:
    """Makes a job of 640 pairs to train on; hyperparameters and files may be others."""

    def make(
        name: str = "ml",
        *,
        train: bytes | None = None,
        validation: bytes | None = None,
        words: dict[str, str] | None = None,
        leave_out: str = "",
        hosts: tuple[str, ...] = ("algo-1",),
        **hyperparameters: str,
    ) -> JobFolder:
        found = JobFolder(
            tmp_path / name,
            {**SMALL, **hyperparameters},
            image="seq2seq",
            hosts=hosts,
            environment={"BOTTEGA_CPUS": "1"},
        )
        both = {f"vocab.{side}.json": vocabulary.to_json() for side in ("src", "trg")}
        channels = {
            "train": {"train.rec": train if train is not None else records(turned(640, 1))},
            "validation": {
                "val.rec": validation if validation is not None else records(turned(60, 2))
            },
            "vocab": words if words is not None else both,
        }
        for channel, files in channels.items():
            if channel != leave_out:
                kind = "application/json" if channel == "vocab" else RECORDIO
                found.channel(channel, kind, files)
        return found

    return make
