"""Quality on real data: news topics, and how alike people find words."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder


def words(text: str) -> str:
    """Lower case, punctuation as words of its own."""
    return " ".join(re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()))


def test_news_topics(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sklearn.model_selection import train_test_split

    with (shared_data / "ag-news" / "ag_news.csv").open(encoding="utf-8") as file:
        lines = [f"__label__{row[0]} {words(' '.join(row[1:]))}\n" for row in csv.reader(file)]
    parts = train_test_split(
        lines, test_size=0.2, random_state=0, stratify=[line.split()[0] for line in lines]
    )
    values = {
        "mode": "supervised", "min_count": "1", "learning_rate": "0.5", "epochs": "10",
        "vector_dim": "20", "buckets": "500000",
    }  # fmt: skip
    folder = JobFolder(tmp_path, values, "blazingtext")
    for name, part in zip(("train", "validation"), parts, strict=True):
        folder.channel(name, "text/plain", {f"{name}.txt": "".join(part)})
    algorithm("blazingtext").train(folder.read())
    output = capsys.readouterr().out
    reached = float(re.findall(r"#validation_accuracy: (\S+)", output)[0])
    # fastText reaches 0.87 with the same settings on the same split.
    assert reached > 0.86

    model = algorithm("blazingtext").load(tmp_path / "model", {})
    body = "".join(json.dumps({"source": line.split(" ", 1)[1]}) + "\n" for line in parts[1])
    answer, _ = algorithm("blazingtext").predict(model, body.encode(), "application/jsonlines", "")
    found = [json.loads(line)["label"][0] for line in answer.splitlines()]
    right = [label == line.split()[0] for label, line in zip(found, parts[1], strict=True)]
    assert sum(right) / len(right) == pytest.approx(reached, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["skipgram", "batch_skipgram"])
def test_words_that_people_find_alike(mode: str, shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "word2vec-corpus"
    with gzip.open(data / "corpus.txt.gz", "rt", encoding="utf-8") as file:
        text = "".join(" ".join(re.findall("[a-z]+", line.lower())) + "\n" for line in file)
    folder = JobFolder(tmp_path, {"mode": mode}, "blazingtext")
    folder.channel("train", "text/plain", {"corpus.txt": text})
    pairs = {path.name: path.read_bytes() for path in data.glob("EN-WS-353-*.txt")}
    algorithm("blazingtext").train(folder.channel("eval", None, pairs).read())
    found = json.loads((tmp_path / "model" / "eval.json").read_text())
    assert [found[name]["not_found"] for name in sorted(pairs)] == [69, 43, 40]
    # gensim reaches 0.37 to 0.39 with the same settings on all of them, and 0.32 with its own.
    assert found["EN-WS-353-ALL.txt"]["spearmans_rho"] > 0.33
    assert found["mean_rho"] > 0.31
