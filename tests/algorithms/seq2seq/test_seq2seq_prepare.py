"""The preparation of text, as a command."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.recordio import read_records
from bottega.algorithms.seq2seq.prepare import Text, main

ENGLISH = "A man is riding .\nTwo men\n\nA man\n"
GERMAN = "Ein Mann reitet .\nZwei Männer\nLeer\nEin Mann\n"


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    """The arguments that every call needs."""
    (tmp_path / "train.en").write_text(ENGLISH, encoding="utf-8")
    with gzip.open(tmp_path / "train.de.gz", "wt", encoding="utf-8") as file:
        file.write(GERMAN)
    names = ["--source", "train.en", "--target", "train.de.gz", "--output", "out"]
    return [name if name.startswith("--") else str(tmp_path / name) for name in names]


def pairs(path: Path) -> list[tuple[list[int], list[int]]]:
    with path.open("rb") as file:
        features = [decode_record(payload).features for payload in read_records(file)]
    assert all(values.dtype == "int32" for found in features for values in found.values())
    return [(found["source"].tolist(), found["target"].tolist()) for found in features]


def words(path: Path) -> dict[str, int]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_text_becomes_what_the_channels_need(tmp_path: Path, texts: list[str]):
    validation = ["--val-source", texts[1], "--val-target", texts[3]]
    assert main([*texts, *validation]) == 0
    out = tmp_path / "out"
    source, target = words(out / "vocab.src.json"), words(out / "vocab.trg.json")
    assert list(source)[:6] == ["<pad>", "<unk>", "<s>", "</s>", "man", "A"]
    assert list(source.values()) == list(range(len(source)))
    expected = [
        ([source[token] for token in one.split()], [target[token] for token in other.split()])
        for one, other in zip(ENGLISH.splitlines(), GERMAN.splitlines(), strict=True)
        if one
    ]
    assert pairs(out / "train.rec") == pairs(out / "val.rec") == expected


def test_rare_words_are_unknown_and_vocabularies_can_be_bounded(tmp_path: Path, texts: list[str]):
    more = ["--word-min-count-source", "2", "--num-words-target", "1"]
    assert main([*texts, *more]) == 0
    out = tmp_path / "out"
    assert list(words(out / "vocab.src.json"))[4:] == ["man", "A"]
    assert list(words(out / "vocab.trg.json"))[4:] == ["Mann"]
    assert pairs(out / "train.rec")[1] == ([1, 1], [1, 1])
    assert not (out / "val.rec").exists()


def test_one_vocabulary_for_both_and_one_that_is_there_already(tmp_path: Path, texts: list[str]):
    assert main([*texts, "--single-vocab"]) == 0
    out = tmp_path / "out"
    shared = words(out / "vocab.src.json")
    assert shared == words(out / "vocab.trg.json")
    assert {"man", "Mann"} <= shared.keys()
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, "men": 4}))
    assert main([*texts, "--vocab-source-json", str(given)]) == 0
    assert words(out / "vocab.src.json") == json.loads(given.read_text())
    assert pairs(out / "train.rec")[1][0] == [1, 4]


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("A man's hat, red.", ["a", "man", "'s", "hat", ",", "red", "."]),
        ("Ein saftig-grüner Baum!", ["ein", "saftig-grüner", "baum", "!"]),
        ("at 3.50 (or so)", ["at", "3.50", "(", "or", "so", ")"]),
        ("  ", []),
    ],
)
def test_the_simple_tokenizer(line: str, tokens: list[str]):
    assert Text(lowercase=True, tokenize=True).tokens(line) == tokens


def test_without_it_white_space_parts_tokens():
    assert Text().tokens("A man's  hat.\n") == ["A", "man's", "hat."]


def test_sides_that_do_not_pair_are_refused(
    tmp_path: Path, texts: list[str], capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "train.en").write_text("one line\n")
    assert main(texts) == 1
    assert "train.en has 1 lines and train.de.gz has 4" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_files_that_cannot_be_read_are_told(
    content: bytes | None,
    tmp_path: Path,
    texts: list[str],
    capsys: pytest.CaptureFixture[str],
):
    path = tmp_path / "train.en"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert main(texts) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_validation_text_comes_in_pairs(texts: list[str]):
    with pytest.raises(SystemExit):
        main([*texts, "--val-source", texts[1]])
