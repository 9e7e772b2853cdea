"""Jobs that learn word vectors, on small made texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.blazingtext import evaluation, fasttext_file
from bottega.algorithms.blazingtext.evaluation import evaluate
from bottega.algorithms.blazingtext.vectors_file import read_vectors, write_vectors
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

MODES = ["skipgram", "cbow", "batch_skipgram"]
Job = Callable[..., JobFolder]
Topics = dict[str, list[str]]
# A text so small needs many passes, and all of its words.
LEARNING = {"epochs": "30", "sampling_threshold": "0", "learning_rate": "0.1"}
PAIRS = (
    "ship\twave\t9\nship\tsailor\t8.5\ncloud wing 8\nforest hill 7.5\nship cloud 1\nhill kite 0\n"
)


def train(folder: JobFolder) -> tuple[list[str], np.ndarray]:
    """Train in this process; the words and their vectors."""
    algorithm("blazingtext").train(folder.read())
    words, vectors = read_vectors(folder.root / "model" / "vectors.txt")
    return [word.decode("utf-8", "replace") for word in words], vectors


def refused(folder: JobFolder) -> str:
    with pytest.raises((CustomerError, HyperparameterError)) as error:
        algorithm("blazingtext").train(folder.read())
    assert not list((folder.root / "model").iterdir())
    return str(error.value)


def closeness(topics: Topics, words: list[str], vectors: np.ndarray) -> tuple[float, float]:
    """The mean cosine of words of the same topic, and of different ones."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = {topic: unit[[words.index(word) for word in of]] for topic, of in topics.items()}
    same = [(found @ found.T)[np.triu_indices(len(found), 1)].mean() for found in rows.values()]
    others = [
        (rows[a] @ rows[b].T).mean() for a, b in (("sea", "sky"), ("sea", "land"), ("sky", "land"))
    ]
    return float(np.mean(same)), float(np.mean(others))


@pytest.mark.parametrize("mode", MODES)
def test_words_of_a_topic_are_alike(mode: str, job: Job, plain: str, topics: Topics) -> None:
    folder = job(mode=mode, **LEARNING).channel("train", None, {"a.txt": plain})
    words, vectors = train(folder)
    assert sorted(words) == sorted(set(plain.split()))
    same, others = closeness(topics, words, vectors)
    assert same > 0.8
    assert same - others > 0.1


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_subwords_give_unknown_words_a_vector(
    mode: str, job: Job, plain: str, topics: Topics
) -> None:
    folder = job(mode=mode, subwords="True", buckets="5000", **LEARNING)
    words, vectors = train(folder.channel("train", None, {"a.txt": plain}))
    same, others = closeness(topics, words, vectors)
    assert same > 0.8
    assert same - others > 0.1
    model = algorithm("blazingtext").load(folder.root / "model", {})
    for word in ("ship", "étoile"):
        np.testing.assert_allclose(
            model.vector(word.encode()), vectors[words.index(word)], atol=1e-5
        )
    known, typo = vectors[words.index("harbour")], np.array(model.vector(b"harbourr"))
    assert known @ typo / np.linalg.norm(known) / np.linalg.norm(typo) > 0.8
    assert not any(model.vector(b"q"))


def test_artifacts(job: Job, plain: str) -> None:
    folder = job(mode="skipgram", min_count="10", epochs="1", window_size="4")
    words, vectors = train(folder.channel("train", None, {"a.txt": plain + "rare words\n"}))
    assert {path.name for path in (folder.root / "model").iterdir()} == {
        "vectors.txt",
        "vectors.bin",
    }
    first = (folder.root / "model" / "vectors.txt").read_text().splitlines()[0]
    assert first == f"{len(words)} 16"
    text = plain.split()
    assert words == sorted(words, key=text.count, reverse=True)
    assert "rare" not in words
    model = fasttext_file.read(folder.root / "model" / "vectors.bin")
    assert [word.decode() for word in model.words] == words
    assert model.word_counts.tolist() == [text.count(word) for word in words]
    assert model.tokens == len(text) + 2
    np.testing.assert_array_equal(model.input, vectors)
    assert (model.settings.kind, model.settings.window) == (fasttext_file.SKIPGRAM, 4)


@pytest.mark.parametrize("mode", MODES)
def test_the_same_text_gives_the_same_vectors(mode: str, job: Job, plain: str) -> None:
    found = []
    for name in ("a", "b"):
        folder = job(name, mode=mode, epochs="2").channel("train", None, {"a.txt": plain})
        train(folder)
        found.append((folder.root / "model" / "vectors.bin").read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "values",
    [
        {"window_size": "1"},
        {"negative_samples": "12"},
        {"sampling_threshold": "0.001"},
        {"learning_rate": "0.02"},
        {"epochs": "3"},
        {"vector_dim": "8"},
        {"min_count": "450"},
        {"mode": "batch_skipgram", "batch_size": "3"},
        {"subwords": "True"},
        {"subwords": "True", "min_char": "2"},
        {"subwords": "True", "max_char": "4"},
        {"subwords": "True", "buckets": "500"},
    ],
    ids=str,
)
def test_every_hyperparameter_matters(values: dict[str, str], job: Job, plain: str) -> None:
    base = {"mode": "skipgram", "epochs": "2"}
    if values.get("mode"):
        base["mode"] = values["mode"]
    if len(values) > 1 and "subwords" in values:
        base["subwords"] = "True"
    found = []
    for name, settings in (("a", base), ("b", base | values)):
        folder = job(name, **settings).channel("train", None, {"a.txt": plain})
        train(folder)
        found.append((folder.root / "model" / "vectors.txt").read_bytes())
    assert found[0] != found[1]


def test_several_threads_learn_the_same_things(job: Job, plain: str, topics: Topics) -> None:
    # More text than one thread takes alone.
    folder = job(mode="skipgram", **{**LEARNING, "epochs": "3"})
    words, vectors = train(folder.channel("train", None, {"a.txt": plain * 10}))
    same, others = closeness(topics, words, vectors)
    assert same > 0.8
    assert same - others > 0.1


def test_the_log(job: Job, plain: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job(mode="batch_skipgram").channel("train", "text/plain", {"a.txt": plain})
    folder.channel("eval", None, {"EN-WS-353-ALL.txt": PAIRS, "EN-WS-353-SIM.txt": PAIRS})
    train(folder)
    output = capsys.readouterr().out
    assert "Running single machine CPU BlazingText training using batch_skipgram mode." in output
    assert "Number of words:  29\n" in output
    progress = re.findall(
        r"##### Alpha: (\d\.\d{4})  Progress: (\d+\.\d\d)%  Million Words/sec: \d+\.\d\d #####",
        output,
    )
    assert len(progress) == 20
    assert progress[-1] == ("0.0000", "100.00")
    alphas = [float(alpha) for alpha, _ in progress]
    assert alphas == sorted(alphas, reverse=True)
    assert re.search(r"^Training finished!\nAverage throughput in Million words/sec: \S+$", output,
                     re.MULTILINE)  # fmt: skip
    found = json.loads((folder.root / "model" / "eval.json").read_text())
    assert json.dumps(found, indent=4) in output
    assert list(found) == ["EN-WS-353-ALL.txt", "EN-WS-353-SIM.txt", "mean_rho"]
    definition = algorithm("blazingtext").metric_definitions[0]
    assert definition.name == "train:mean_rho"
    matches = re.findall(definition.regex, output)
    assert [float(value) for value in matches] == [found["mean_rho"]]


def test_evaluation_is_the_rank_correlation(job: Job, plain: str) -> None:
    pairs = PAIRS + "Ship WAVE 9\nship unknown 3\n"
    folder = job(mode="skipgram", **LEARNING)
    folder.channel("train", None, {"a.txt": plain, "EN-WS-353-ALL.txt": pairs})
    words, _ = train(folder)
    assert "unknown" not in words
    found = json.loads((folder.root / "model" / "eval.json").read_text())
    facts = found["EN-WS-353-ALL.txt"]
    assert (facts["not_found"], facts["total_pairs"]) == (1, 8)
    assert found["mean_rho"] == facts["spearmans_rho"] > 0.6


def test_evaluation_of_given_vectors() -> None:
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [-1, 0]], np.float32)
    pairs = [("a", "b", 10.0), ("a", "c", 5.0), ("a", "d", 1.0)]
    words = [b"a", b"B", b"c", b"d"]
    found = evaluate({"up": pairs, "down": [(a, b, -s) for a, b, s in pairs]}, words, vectors)
    assert found["up"]["spearmans_rho"] == pytest.approx(1)
    assert found["down"]["spearmans_rho"] == pytest.approx(-1)
    assert found["mean_rho"] == pytest.approx(0)
    nothing = evaluate({"one": [*pairs[:1], ("a", "x", 1.0)]}, words, vectors)
    assert nothing["one"] == {"not_found": 1, "spearmans_rho": 0.0, "total_pairs": 2}


@pytest.mark.parametrize("wanted", ["True", "false"])
def test_without_word_pairs_the_log_says_so(
    wanted: str, job: Job, plain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(mode="skipgram", evaluation=wanted).channel("train", None, {"a.txt": plain})
    train(folder)
    assert (evaluation.NO_PAIRS in capsys.readouterr().out) == (wanted == "True")
    assert not (folder.root / "model" / "eval.json").exists()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"pairs.txt": PAIRS}, "needs EN-WS-353-ALL.txt or"),
        ({"EN-WS-353-ALL.txt": "a b 1\na b\n"}, "Line 2 of EN-WS-353-ALL.txt must be two words"),
        ({"EN-WS-353-ALL.txt": "a b c\n"}, "Line 1 of EN-WS-353-ALL.txt must be two words"),
    ],
)
def test_wrong_word_pairs_are_refused(
    files: dict[str, str], reason: str, job: Job, plain: str
) -> None:
    folder = job(mode="skipgram").channel("train", None, {"a.txt": plain})
    assert reason in refused(folder.channel("eval", None, files))


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        (" \n\n ", {}, "The channel train has no words"),
        ("a b c\n", {"min_count": "5"}, "No word of the channel train occurs min_count (5)"),
        ("a a a a a b\n", {"min_count": "5"}, "Only one word of the channel train, 'a', occurs"),
        ("a b " * 5000, {"learning_rate": "1e30"}, "became infinite with learning_rate 1e+30"),
        ("a b " * 50, {"subwords": "True", "mode": "batch_skipgram"}, "use skipgram or cbow"),
        ("a b " * 50, {"subwords": "True", "min_char": "7"}, "7 is more than max_char"),
        ("a b " * 50, {"mode": "sentence"}, "'sentence' is not one of batch_skipgram, skipgram"),
        ("a b " * 50, {"evaluation": "maybe"}, "'maybe' is not one of True, False"),
    ],
)
def test_what_is_refused(text: str, values: dict[str, str], reason: str, job: Job) -> None:
    folder = job(**{"mode": "skipgram", **values}).channel("train", None, {"a.txt": text})
    assert reason in refused(folder)


def test_a_job_without_its_channel(job: Job) -> None:
    assert "no channel 'train'" in refused(job(mode="skipgram"))


@pytest.mark.parametrize("mode", MODES)
def test_odd_texts_do_no_harm(mode: str, job: Job) -> None:
    text = "one\n\ntwo two\n" + "three " * 3000 + "\n\xff\xfe four é\n </s> <unk> one four\n"
    folder = job(mode=mode, epochs="2", subwords=str(mode != "batch_skipgram"))
    words, vectors = train(folder.channel("train", None, {"a.txt": text.encode("latin-1")}))
    assert np.isfinite(vectors).all()
    assert set(words) >= {"one", "two", "three", "four", "<unk>"}
    assert "</s>" not in words


def test_vectors_as_text_and_back(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    vectors[1, 2] = 1e-20
    words = [b'"quoted"', b"a,b", "é;".encode()]
    path = tmp_path / "vectors.txt"
    write_vectors(path, words, vectors)
    found, values = read_vectors(path)
    assert found == words
    np.testing.assert_array_equal(values, vectors)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Line 1 of vectors.txt must be how many"),
        ("-1 2\n", "Line 1 of vectors.txt must be how many"),
        ("2 2\na 1 2\n", "has 1 words where 2 are announced"),
        ("1 2\na 1 2\nb 1 2\n", "Line 3 of vectors.txt must be a word and 2 numbers"),
        ("1 2\na 1\n", "Line 2 of vectors.txt must be a word and 2 numbers"),
        ("1 2\na 1 x\n", "Line 2 of vectors.txt must be a word and 2 numbers"),
    ],
)
def test_damaged_text_of_vectors(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(content)
    with pytest.raises(CustomerError, match=reason):
        read_vectors(path)
