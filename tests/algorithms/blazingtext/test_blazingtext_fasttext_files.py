"""Models that fastText made: the same answers here, and the same file when it is written anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.algorithms.base import CustomerError
from bottega.algorithms.blazingtext import fasttext_file, serving

MODELS = Path(__file__).parent / "fasttext_models"
EXPECTED: dict[str, Any] = json.loads((MODELS / "expected.json").read_text("utf-8"))
CLASSIFIERS = [name for name, facts in EXPECTED.items() if "predictions" in facts]
VECTORS = [name for name, facts in EXPECTED.items() if "vectors" in facts]
# fastText adds 1e-5 to every probability, and looks up logistic functions in a coarse table.
TOLERANCE = {"softmax": 2e-5, "unigrams": 2e-5, "hs": 1e-4, "ova_subwords": 0.01}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_predictions_are_fasttexts(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes((MODELS / f"{name}.bin").read_bytes())
    model = serving.load(tmp_path)
    assert isinstance(model, serving.Classifier)
    for text, expected in EXPECTED[name]["predictions"]:
        labels, probabilities = model.predict(text.encode(), 99)
        found = dict(zip(labels, probabilities, strict=True))
        assert found == pytest.approx(dict(expected), abs=TOLERANCE[name]), text
        assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_are_the_mean_of_fasttexts_rows(name: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    path.write_bytes((MODELS / f"{name}.bin").read_bytes())
    rows = fasttext_file.read(path).input
    model = serving.load(tmp_path)
    assert isinstance(model, serving.WordVectors)
    for word, pieces in EXPECTED[name]["vectors"]:
        expected = rows[pieces].mean(axis=0) if pieces else np.zeros(4)
        np.testing.assert_allclose(model.vector(word.encode()), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_written_anew_is_the_same(name: str, tmp_path: Path) -> None:
    original = MODELS / f"{name}.bin"
    model = fasttext_file.read(original)
    used = np.flatnonzero((model.input != 0).any(axis=1))
    smaller = fasttext_file.FastTextModel(**{**vars(model), "input": model.input[used]})
    fasttext_file.write(tmp_path / "copy.bin", smaller, used)
    assert (tmp_path / "copy.bin").read_bytes() == original.read_bytes()


def test_rows_that_are_not_used_are_zeros_and_take_little_room(tmp_path: Path) -> None:
    model = fasttext_file.read(MODELS / "softmax.bin")
    settings = fasttext_file.Settings(**{**vars(model.settings), "buckets": 5_000_000})
    used = np.array([0, 1, 2, 4_000_000])
    rows = 1 + np.arange(16, dtype=np.float32).reshape(4, 4)
    large = fasttext_file.FastTextModel(**{**vars(model), "settings": settings, "input": rows})
    path = tmp_path / "model.bin"
    fasttext_file.write(path, large, used)
    assert path.stat().st_size > 80_000_000
    assert path.stat().st_blocks * 512 < 4_000_000
    found = fasttext_file.read(path)
    np.testing.assert_array_equal(found.input[used], rows)
    assert np.count_nonzero(found.input) == 16
    np.testing.assert_array_equal(found.output, model.output)


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    whole = (MODELS / "softmax.bin").read_bytes()
    path = tmp_path / "model.bin"
    for size in range(1, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(CustomerError, match=r"model\.bin is no"):
            fasttext_file.read(path)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, b"\0\0\0\0", "no fastText model of version 12"),
        (4, b"\x63", "no fastText model of version 12"),
        (8, b"\x05", "no whole fastText model"),  # dimensions
        (8 + 8 * 4, b"\x01\x02", "do not fit its vocabulary"),  # buckets
        (64, b"\x01\x02", "do not go together"),  # entries of the vocabulary
        (84, b"\0" * 8, "pruned vocabulary"),
    ],
)
def test_a_damaged_file_is_refused(place: int, value: bytes, reason: str, tmp_path: Path) -> None:
    content = bytearray((MODELS / "softmax.bin").read_bytes())
    content[place : place + len(value)] = value
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(CustomerError, match=reason):
        fasttext_file.read(path)


def test_a_quantized_model_is_refused(tmp_path: Path) -> None:
    original = MODELS / "unigrams.bin"
    model = fasttext_file.read(original)
    content = bytearray(original.read_bytes())
    sizes = 17 + 4 * model.input.size + 17 + 4 * model.output.size
    content[len(content) - sizes] = 1
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(CustomerError, match="quantized"):
        fasttext_file.read(path)
