"""Training BlazingText on the channels of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.blazingtext import classifier, fasttext_file, word_vectors
from bottega.algorithms.blazingtext.evaluation import NO_PAIRS, as_json, evaluate, word_pairs
from bottega.algorithms.blazingtext.exchange import Exchange
from bottega.algorithms.blazingtext.schema import SCHEMA, SUPERVISED
from bottega.algorithms.blazingtext.text import is_sharded, text_blocks
from bottega.algorithms.blazingtext.vectors_file import write_vectors
from bottega.algorithms.blazingtext.vocabulary import Numbers, Vocabulary
from bottega.algorithms.cluster import joined
from bottega.algorithms.reports import Reporter

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train`` and leave ``model.bin``, or ``vectors.txt`` and ``vectors.bin``.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data are at fault.
    """
    found = SCHEMA.check(environment.raw_hyperparameters)
    settings = {name: SCHEMA[name].convert(text) for name, text in SCHEMA.defaults().items()}
    settings |= found
    if "train" not in environment.input_data_config:
        raise CustomerError("The job has no channel 'train'; BlazingText trains on that channel.")
    hosts, mode = len(environment.hosts), settings["mode"]
    if hosts > 1 and not word_vectors.may_be_shared(mode):
        raise CustomerError(
            f"Hyperparameter mode: {mode} trains on one instance, and the job has {hosts}. Use one "
            "instance, or batch_skipgram."
        )
    reporter = Reporter("BlazingText", environment.current_host, speaks=environment.is_master)
    machines = "single machine" if hosts == 1 else f"{hosts} machines"
    reporter.info(f"Running {machines} CPU BlazingText training using {mode} mode.")
    try:
        if mode == SUPERVISED:
            classifier.train(environment, settings)
        else:
            _train_vectors(environment, settings, reporter)
    except MemoryError as error:
        raise CustomerError(
            f"There is not enough memory for {settings['buckets']} buckets and the words, of "
            f"{settings['vector_dim']} dimensions each; use fewer buckets or a smaller vector_dim."
        ) from error


def _train_vectors(
    environment: TrainingEnvironment, settings: Mapping[str, Any], reporter: Reporter
) -> None:
    judged = settings["evaluation"] and environment.is_master
    pairs = word_pairs(environment) if judged else {}
    numbers = Numbers()
    tokens = numbers.encode(text_blocks(environment, "train", labelled=False))
    with joined(environment) as cluster:
        exchange = Exchange(cluster, sharded=is_sharded(environment, "train"))
        seen, counts = exchange.counts(numbers, tokens.counts(len(numbers)))
        vocabulary = Vocabulary.of(seen, counts, settings["min_count"], labelled=False)
        _check(vocabulary, settings)
        if exchange.leads:
            print(f"Number of words:  {len(vocabulary.words)}", flush=True)
        words, offsets = tokens.keep(vocabulary.ranks(numbers))
        model = word_vectors.WordVectors.start(vocabulary, settings)
        exchange.begin(model.input, model.output)
        word_vectors.learn(model, vocabulary, words, offsets, settings, environment.cpus, exchange)
        if exchange.leads:
            _save_vectors(environment, settings, vocabulary, model)
    if not judged:
        return
    if not pairs:
        reporter.warning(NO_PAIRS)
        return
    print("Evaluating word embeddings....")
    print(f"Vectors read from: {environment.paths.model / 'vectors.txt'} ")
    result = evaluate(pairs, vocabulary.words, model.of_words())
    print(as_json(result), flush=True)
    reporter.info(f"#mean_rho: {result['mean_rho']}")
    (environment.paths.model / "eval.json").write_text(as_json(result))


def _check(vocabulary: Vocabulary, settings: Mapping[str, Any]) -> None:
    if not vocabulary.tokens:
        raise CustomerError("The channel train has no words; it needs a text a line.")
    if not vocabulary.words:
        raise CustomerError(
            f"No word of the channel train occurs min_count ({settings['min_count']}) times or "
            "more; use a smaller min_count, or more text."
        )
    if len(vocabulary.words) < 2:
        word = vocabulary.words[0].decode("utf-8", "replace")
        raise CustomerError(
            f"Only one word of the channel train, {word!r}, occurs min_count "
            f"({settings['min_count']}) times or more; vectors need at least two words."
        )


def _save_vectors(
    environment: TrainingEnvironment,
    settings: Mapping[str, Any],
    vocabulary: Vocabulary,
    model: word_vectors.WordVectors,
) -> None:
    write_vectors(environment.paths.model / "vectors.txt", vocabulary.words, model.of_words())
    subwords = settings["subwords"]
    content = fasttext_file.FastTextModel(
        settings=fasttext_file.Settings(
            dimensions=settings["vector_dim"],
            window=settings["window_size"],
            epochs=settings["epochs"],
            min_count=settings["min_count"],
            negatives=settings["negative_samples"],
            word_ngrams=1,
            loss=fasttext_file.NEGATIVE_SAMPLING,
            kind=fasttext_file.CBOW if settings["mode"] == "cbow" else fasttext_file.SKIPGRAM,
            buckets=settings["buckets"] if subwords else 0,
            min_char=settings["min_char"] if subwords else 0,
            max_char=settings["max_char"] if subwords else 0,
            threshold=settings["sampling_threshold"],
        ),
        words=vocabulary.words,
        word_counts=vocabulary.counts,
        labels=[],
        label_counts=np.empty(0, np.int64),
        tokens=vocabulary.tokens,
        input=model.input,
        output=model.output,
    )
    fasttext_file.write(environment.paths.model / "vectors.bin", content, model.used)
