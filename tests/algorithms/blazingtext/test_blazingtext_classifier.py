"""Jobs that learn to classify, on small made texts."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable

import numpy as np
import pytest

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.blazingtext import fasttext_file
from bottega.algorithms.blazingtext.serving import Classifier
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

LEARNING = {"mode": "supervised", "learning_rate": "0.5", "epochs": "10"}
Job = Callable[..., JobFolder]
Labelled = tuple[str, str]
Texts = list[tuple[str, str]]


def train(folder: JobFolder) -> Classifier:
    algorithm("blazingtext").train(folder.read())
    model = algorithm("blazingtext").load(folder.root / "model", {})
    assert isinstance(model, Classifier)
    return model


def refused(folder: JobFolder) -> str:
    with pytest.raises((CustomerError, HyperparameterError)) as error:
        algorithm("blazingtext").train(folder.read())
    assert not list((folder.root / "model").iterdir())
    return str(error.value)


def accuracy(model: Classifier, lines: str) -> float:
    """Of single labels, through what answers requests."""
    pairs = [line.split(" ", 1) for line in lines.splitlines()]
    right = [model.predict(text.encode(), 1)[0][0] == label for label, text in pairs]
    return float(np.mean(right))


@pytest.mark.parametrize("ngrams", ["1", "2", "3"])
def test_it_learns_and_the_log_tells(
    ngrams: str, job: Job, labelled: Labelled, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(**LEARNING, word_ngrams=ngrams).channel("train", None, {"a": labelled[0]})
    model = train(folder.channel("validation", "text/plain", {"b": labelled[1]}))
    output = capsys.readouterr().out
    assert "Number of words:  30\n" in output  # with the end of a text
    assert "Number of labels:  3\n" in output
    assert re.search(r"##### Alpha: 0\.0000  Progress: 100\.00%  Million Words/sec: \S+ #####",
                     output)  # fmt: skip
    assert "\nTraining finished.\nAverage throughput in Million words/sec: " in output
    assert "\nNumber of train examples: 400\n" in output
    assert "\nNumber of validation examples: 100\n" in output
    found = float(re.findall(r"^#train_accuracy: (\d\.\d{4})$", output, re.MULTILINE)[0])
    assert found == pytest.approx(accuracy(model, labelled[0]), abs=1e-4)
    definition = algorithm("blazingtext").metric_definitions[1]
    assert definition.name == "validation:accuracy"
    (found_there,) = re.findall(definition.regex, output)
    assert float(found_there) == pytest.approx(accuracy(model, labelled[1]), abs=1e-4)
    assert float(found_there) > 0.97


def test_artifact(job: Job, labelled: Labelled) -> None:
    folder = job(**LEARNING, min_count="3").channel("train", None, {"a": labelled[0]})
    train(folder)
    assert [path.name for path in (folder.root / "model").iterdir()] == ["model.bin"]
    model = fasttext_file.read(folder.root / "model" / "model.bin")
    text = labelled[0].split()
    assert model.labels == sorted(model.labels, key=lambda x: -text.count(x.decode()))
    assert model.label_counts.tolist() == [text.count(label.decode()) for label in model.labels]
    # Each of the 400 texts has an end.
    assert model.words[model.word_counts.tolist().index(400)] == b"</s>"
    assert model.tokens == len(text) + 400
    settings = model.settings
    assert (settings.kind, settings.loss) == (fasttext_file.SUPERVISED, fasttext_file.SOFTMAX)
    assert (settings.word_ngrams, settings.buckets, settings.dimensions) == (2, 1000, 16)


def test_the_same_text_gives_the_same_model(job: Job, labelled: Labelled) -> None:
    found = []
    for name in ("a", "b"):
        folder = job(name, **LEARNING).channel("train", None, {"a": labelled[0]})
        train(folder)
        found.append((folder.root / "model" / "model.bin").read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": "4"},
        {"learning_rate": "0.2"},
        {"min_count": "50"},
        {"vector_dim": "8"},
        {"word_ngrams": "3"},
        {"buckets": "77"},
    ],
    ids=str,
)
def test_every_hyperparameter_matters(values: dict[str, str], job: Job, labelled: Labelled) -> None:
    found = []
    for name, settings in (("a", {}), ("b", values)):
        folder = job(name, **{**LEARNING, **settings}).channel("train", None, {"a": labelled[0]})
        train(folder)
        found.append((folder.root / "model" / "model.bin").read_bytes())
    assert found[0] != found[1]


def test_word_order_is_seen_by_ngrams_only(job: Job) -> None:
    text = "__label__yes good not bad\n__label__no bad not good\n" * 100
    found = []
    for ngrams in ("1", "2"):
        folder = job(ngrams, **LEARNING, word_ngrams=ngrams).channel("train", None, {"a": text})
        found.append(accuracy(train(folder), text))
    assert found == [0.5, 1.0]


def test_several_labels(job: Job, texts: Texts) -> None:
    lines = "".join(f"__label__{topic} __label__any {text}\n" for topic, text in texts)
    model = train(job(**LEARNING).channel("train", None, {"a": lines}))
    for topic, text in texts[:50]:
        labels, probabilities = model.predict(text.encode(), 2)
        assert set(labels) == {f"__label__{topic}", "__label__any"}
        assert sum(probabilities) == pytest.approx(1, abs=0.1)
        assert min(probabilities) > 0.2


def test_manifests_of_augmented_data(
    job: Job, texts: Texts, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = {"sea": 1, "sky": [2], "land": 3}
    lines = [json.dumps({"source": text, "label": numbers[topic]}) for topic, text in texts]
    folder = job(**LEARNING)
    folder.channel("train", "application/jsonlines", {"a.manifest": "\n".join(lines)})
    model = train(folder)
    assert "#train_accuracy: 1.0000" in capsys.readouterr().out
    assert model.predict(b"whale tide ship", 1)[0] == ["__label__1"]
    assert model.predict(b"cloud wing", 1)[0] == ["__label__2"]


def test_pipes(job: Job, labelled: Labelled, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job(**LEARNING)
    config = {"TrainingInputMode": "Pipe", "S3DistributionType": "FullyReplicated"}
    folder.config("inputdataconfig", {"train": config, "validation": config})
    writers = []
    for channel, text in zip(("train", "validation"), labelled, strict=True):
        path = folder.root / "input" / "data" / f"{channel}_0"
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path)
        writers.append(threading.Thread(target=path.write_text, args=(text,)))
    for writer in writers:
        writer.start()
    train(folder)
    for writer in writers:
        writer.join(timeout=10)
    assert "Number of validation examples: 100\n" in capsys.readouterr().out


def test_early_stopping_keeps_the_best_model(
    job: Job, labelled: Labelled, capsys: pytest.CaptureFixture[str]
) -> None:
    # Wrong labels in the training data are learned by heart, which costs accuracy elsewhere.
    lines = labelled[0].splitlines()
    wrong = [line.replace("__label__sea", "__label__sky") for line in lines[::3]]
    folder = job(
        mode="supervised", learning_rate="0.5", epochs="60", word_ngrams="3", buckets="50000",
        early_stopping="true", patience="2", min_epochs="4",
    )  # fmt: skip
    folder.channel("train", None, {"a": "\n".join([*lines[1::3], *lines[2::3], *wrong])})
    folder.channel("validation", None, {"a": labelled[1]})
    model = train(folder)
    output = capsys.readouterr().out
    reached = [float(x) for x in re.findall(r"Validation accuracy: (\d\.\d{6})", output)]
    epochs = [int(x) for x in re.findall(r"-------------- End of epoch: (\d+)", output)]
    assert epochs == list(range(1, len(reached) + 1))
    assert output.count("Validation accuracy improved! Storing best weights...") >= 1
    assert 4 <= len(reached) < 60
    best = reached.index(max(reached))
    assert len(reached) - 1 - best >= 2
    assert f"Stopping early after {len(reached)} epochs." in output
    assert accuracy(model, labelled[1]) == pytest.approx(max(reached), abs=1e-5)
    assert f"#validation_accuracy: {max(reached):.4f}" in output


def test_min_epochs_come_before_patience(
    job: Job, labelled: Labelled, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(**{**LEARNING, "epochs": "12"}, early_stopping="True", patience="1",
                 min_epochs="9")  # fmt: skip
    folder.channel("train", None, {"a": labelled[0]})
    train(folder.channel("validation", None, {"a": labelled[1]}))
    assert "Stopping early after 9 epochs." in capsys.readouterr().out


def test_texts_without_label_or_word_are_left_out(
    job: Job, labelled: Labelled, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "no label here\n\n__label__sea\n"
    folder = job(**LEARNING, min_count="2").channel("train", None, {"a": labelled[0] + more})
    train(folder.channel("validation", None, {"a": labelled[1] + "__label__new ship wave\n"}))
    output = capsys.readouterr().out
    # A label alone has the end of its text as a word, as in fastText.
    assert "Number of train examples: 401\n" in output
    assert "1 lines of the channel train have no label or no known word" in output
    # A label that was never learned is there to be predicted, and is not.
    assert "Number of validation examples: 101\n" in output
    assert "#validation_accuracy: 0.9901\n" in output


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("\n \n", {}, "No text of the channel train has a label"),
        ("a b c\n" * 9, {}, "No text of the channel train has a label. Each line must begin"),
        ("__label__a b\n" * 9, {}, "All texts of the channel train have the label __label__a"),
        ("__label__a x\n__label__b y\n", {"min_count": "5"}, "occurs min_count (5) times"),
        ("__label__a x\n__label__b y\n" * 99, {"learning_rate": "1e38"}, "became infinite"),
        ("__label__a x\n", {"early_stopping": "True"}, "needs a channel 'validation'"),
        ("__label__a x\n", {"word_ngrams": "0"}, "0 is not in [1,∞)"),
        ("__label__a x\n", {"word_gram": "2"}, "Did you mean word_ngrams?"),
        ("__label__a x\n", {"buckets": "1e12"}, "Hyperparameter buckets"),
    ],
)
def test_what_is_refused(text: str, values: dict[str, str], reason: str, job: Job) -> None:
    folder = job(**{"mode": "supervised", **values}).channel("train", None, {"a": text})
    assert reason in refused(folder)


def test_a_validation_channel_without_texts(job: Job, labelled: Labelled) -> None:
    folder = job(**LEARNING).channel("train", None, {"a": labelled[0]})
    assert "The channel validation has no data" in refused(folder.channel("validation", None, {}))
    folder.channel("validation", None, {"a": "no label\n"})
    assert "No text of the channel validation has a label" in refused(folder)


def test_a_process_trains_and_says_what_went_wrong(job: Job, labelled: Labelled) -> None:
    folder = job("good", **LEARNING).channel("train", None, {"a": labelled[0]})
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    assert "#train_accuracy: " in ended.stdout
    folder = job("bad", **LEARNING).channel("train", None, {"a": "no label\n"})
    assert folder.run().returncode == 1
    assert folder.failure.startswith("ClientError: No text of the channel train has a label.")
