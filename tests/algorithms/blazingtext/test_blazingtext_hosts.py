"""Several hosts that learn the same vectors, each a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bottega.algorithms.base import CustomerError
from bottega.algorithms.blazingtext.vectors_file import read_vectors
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder, finish

HYPERPARAMETERS = {
    "mode": "batch_skipgram",
    "vector_dim": "16",
    "min_count": "5",
    "epochs": "40",
    "learning_rate": "0.1",
    "sampling_threshold": "0",
}
PAIRS = "ship wave 9\nship cloud 1\nhill kite 0\nforest hill 8\n"


def hosts(root: Path, shares: list[str], distribution: str, **more: str) -> list[JobFolder]:
    names = tuple(f"algo-{number + 1}" for number in range(len(shares)))
    folders = []
    for name, share in zip(names, shares, strict=True):
        folder = JobFolder(
            root / name, {**HYPERPARAMETERS, **more}, "blazingtext", hosts=names, host=name
        )
        folder.channel("train", None, {"part": share} if share else {})
        folder.channel("eval", None, {"EN-WS-353-ALL.txt": PAIRS})
        path = folder.root / "input" / "config" / "inputdataconfig.json"
        config = json.loads(path.read_text())
        config["train"]["S3DistributionType"] = distribution
        path.write_text(json.dumps(config))
        folders.append(folder)
    return folders


@pytest.mark.parametrize(
    "distribution", ["FullyReplicated", pytest.param("ShardedByS3Key", marks=pytest.mark.slow)]
)
def test_hosts_learn_together_and_the_first_saves(
    distribution: str, plain: str, topics: dict[str, list[str]], tmp_path: Path
) -> None:
    lines = plain.splitlines(keepends=True)
    sharded = distribution == "ShardedByS3Key"
    # Rare words: only the counts of both hosts together are enough.
    shares = [
        "".join([*(lines[n::2] if sharded else lines), *(["rare common\n"] * 3)]) for n in range(2)
    ]
    folders = hosts(tmp_path, [*shares, ""] if sharded else shares, distribution)
    ended = finish([folder.start() for folder in folders])
    assert [run.returncode for run in ended] == [0] * len(folders), [run.stderr for run in ended]
    artifacts = [sorted(p.name for p in (f.root / "model").iterdir()) for f in folders]
    assert artifacts[0] == ["eval.json", "vectors.bin", "vectors.txt"]
    assert not any(artifacts[1:])
    assert [run.stdout.count("#mean_rho: ") for run in ended] == [1, *([0] * (len(ended) - 1))]
    assert "Progress: 100.00%" in ended[0].stdout
    assert "Progress" not in ended[1].stdout

    words, vectors = read_vectors(folders[0].root / "model" / "vectors.txt")
    assert (b"rare" in words) == sharded
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = {t: unit[[words.index(w.encode()) for w in of]] for t, of in topics.items()}
    same = np.mean([(of @ of.T).mean() for of in rows.values()])
    others = np.mean([(rows["sea"] @ rows["sky"].T).mean(), (rows["sky"] @ rows["land"].T).mean()])
    assert same > 0.7 > 0.4 > others


@pytest.mark.parametrize("mode", ["skipgram", "cbow", "supervised"])
def test_other_modes_train_on_one_host(mode: str, plain: str, tmp_path: Path) -> None:
    folders = hosts(tmp_path, [plain, plain], "FullyReplicated", mode=mode)
    with pytest.raises(CustomerError) as error:
        algorithm("blazingtext").train(folders[0].read())
    assert f"Hyperparameter mode: {mode} trains on one instance, and the job has 2." in (
        error.value.message
    )
