"""Word vectors and text classification beside gensim and fastText."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

_WORDS, _QUICK_WORDS = 1_000_000, 4_000
_VOCABULARY, _QUICK_VOCABULARY = 40_000, 200
_LINE = 200
_EPOCHS = 3
_LABELS = 4

TITLE = "BlazingText: 1,000,000 words, 3 epochs"
METHOD = (
    "A text of 1,000,000 words of 40,000 different ones, drawn by Zipf's law with exponent 1, 200 "
    "a line. Words a second are those of the text times the epochs, divided by the time of "
    "everything: reading the file, the vocabulary, the training and, for bottega, the artifact of "
    "a whole job. All have 100 dimensions, a window of 5, 5 negative samples, min_count 5, a "
    "sampling threshold of 0.0001, a learning rate of 0.05 and a thread a core; subwords are "
    "character n-grams of 3 to 6 in 2,000,000 buckets. gensim reads with `corpus_file`, its "
    "fastest way. Classification has 4 labels and word n-grams up to 2 in 200,000 buckets. "
    "All libraries are imported before, and bottega's loops are compiled."
)
PACKAGES = ("gensim", "fasttext-community")
COLUMNS = ("million words/s",)
ROUNDS = 3


def prepare(folder: Path, quick: bool) -> None:
    """Write the text, with and without labels, and compile.

    Little of it in this process: what a process has at its peak counts for those that it starts.
    """
    kernels = ("kernels", "text_kernels")
    modules = ", ".join(f"bottega.algorithms.blazingtext.{name}" for name in kernels)
    subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)
    count, size = (_QUICK_WORDS, _QUICK_VOCABULARY) if quick else (_WORDS, _VOCABULARY)
    random = np.random.default_rng(0)
    chances = 1 / np.arange(1, size + 1)
    chances /= chances.sum()
    with (folder / "plain.txt").open("w") as plain, (folder / "labelled.txt").open("w") as labelled:
        for _ in range(0, count, _LINE):
            line = " ".join(f"w{number:x}" for number in random.choice(size, _LINE, p=chances))
            plain.write(f"{line}\n")
            labelled.write(f"__label__{random.integers(_LABELS)} {line}\n")


def _timed(quick: bool, learn: Callable[[], object]) -> Sequence[float]:
    began = time.perf_counter()
    learn()
    seconds = time.perf_counter() - began
    return [(_QUICK_WORDS if quick else _WORDS) * _EPOCHS / seconds / 1e6]


def _threads() -> int:
    return len(os.sched_getaffinity(0))


def _ours(mode: str, **values: str) -> Callable[[Path, bool], Sequence[float]]:
    def run(folder: Path, quick: bool) -> Sequence[float]:
        import bottega.algorithms.blazingtext.training  # noqa: F401 - before the clock starts
        from bottega.algorithms.registry import algorithm
        from bottega.testing.job_folder import JobFolder

        settings = {"mode": mode, "epochs": str(_EPOCHS), "evaluation": "False", **values}
        name = "-".join((mode, *values))
        job = JobFolder(folder / name, settings, "blazingtext").channel("train", None, {})
        text = folder / ("labelled.txt" if mode == "supervised" else "plain.txt")
        link = folder / name / "input" / "data" / "train" / "text.txt"
        link.unlink(missing_ok=True)
        link.symlink_to(text)

        def learn() -> None:
            with contextlib.redirect_stdout(io.StringIO()):
                algorithm("blazingtext").train(job.read())

        return _timed(quick, learn)

    return run


def _gensim(*, skipgram: bool, subwords: bool = False) -> Callable[[Path, bool], Sequence[float]]:
    def run(folder: Path, quick: bool) -> Sequence[float]:
        from gensim.models import FastText, Word2Vec

        kind = FastText if subwords else Word2Vec
        return _timed(
            quick,
            lambda: kind(
                corpus_file=str(folder / "plain.txt"), vector_size=100, window=5, min_count=5,
                negative=5, sample=1e-4, alpha=0.05, sg=int(skipgram), epochs=_EPOCHS,
                workers=_threads(),
            ),
        )  # fmt: skip

    return run


def _fasttext(model: str, *, subwords: bool = False) -> Callable[[Path, bool], Sequence[float]]:
    def run(folder: Path, quick: bool) -> Sequence[float]:
        import fasttext

        grams = {"minn": 3, "maxn": 6} if subwords else {"minn": 0, "maxn": 0, "bucket": 0}
        return _timed(
            quick,
            lambda: fasttext.train_unsupervised(
                str(folder / "plain.txt"), model=model, dim=100, ws=5, minCount=5, neg=5, t=1e-4,
                lr=0.05, epoch=_EPOCHS, thread=_threads(), verbose=0, **grams,
            ),
        )  # fmt: skip

    return run


def _fasttext_classifier(folder: Path, quick: bool) -> Sequence[float]:
    import fasttext

    return _timed(
        quick,
        lambda: fasttext.train_supervised(
            str(folder / "labelled.txt"), dim=100, minCount=5, lr=0.05, epoch=_EPOCHS, wordNgrams=2,
            bucket=200_000, thread=_threads(), verbose=0,
        ),
    )  # fmt: skip


CONTESTANTS = {
    "bottega, skipgram": _ours("skipgram"),
    "bottega, batch_skipgram": _ours("batch_skipgram"),
    "gensim, skip-gram": _gensim(skipgram=True),
    "fastText, skip-gram": _fasttext("skipgram"),
    "bottega, cbow": _ours("cbow"),
    "gensim, CBOW": _gensim(skipgram=False),
    "fastText, CBOW": _fasttext("cbow"),
    "bottega, skipgram with subwords": _ours("skipgram", subwords="True"),
    "gensim, skip-gram with subwords": _gensim(skipgram=True, subwords=True),
    "fastText, skip-gram with subwords": _fasttext("skipgram", subwords=True),
    "bottega, supervised": _ours("supervised", buckets="200000"),
    "fastText, supervised": _fasttext_classifier,
}
RATIOS = (
    ("bottega beside gensim, skip-gram, words a second", "bottega, skipgram",
     "gensim, skip-gram", COLUMNS[0]),
    ("bottega in batches beside gensim, skip-gram, words a second", "bottega, batch_skipgram",
     "gensim, skip-gram", COLUMNS[0]),
    ("bottega beside fastText, skip-gram, words a second", "bottega, skipgram",
     "fastText, skip-gram", COLUMNS[0]),
    ("bottega beside gensim, CBOW, words a second", "bottega, cbow", "gensim, CBOW", COLUMNS[0]),
    ("bottega beside fastText, CBOW, words a second", "bottega, cbow", "fastText, CBOW",
     COLUMNS[0]),
    ("bottega beside gensim, skip-gram with subwords, words a second",
     "bottega, skipgram with subwords", "gensim, skip-gram with subwords", COLUMNS[0]),
    ("bottega beside fastText, skip-gram with subwords, words a second",
     "bottega, skipgram with subwords", "fastText, skip-gram with subwords", COLUMNS[0]),
    ("bottega beside fastText, classification, words a second", "bottega, supervised",
     "fastText, supervised", COLUMNS[0]),
)  # fmt: skip
