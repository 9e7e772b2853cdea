"""Seq2Seq on captions of Multi30k, as many as a test has time for."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path

import pytest

from bottega.algorithms.registry import algorithm
from bottega.algorithms.seq2seq.bleu import corpus_bleu
from bottega.algorithms.seq2seq.prepare import Text, write_pairs
from bottega.algorithms.seq2seq.vocabulary import Vocabulary
from bottega.testing.job_folder import JobFolder

LONGEST = 9
"""Tokens of a caption that is used: short ones are learnt sooner."""
PARAMETERS = {
    "rnn_num_hidden": "96",
    "num_embed_source": "64",
    "num_embed_target": "64",
    "learning_rate": "0.005",
    "batch_size": "32",
    "embed_dropout_target": "0.2",
    "checkpoint_frequency_num_batches": "130",
    "max_num_batches": "390",
    "optimized_metric": "perplexity",
}


def short_pairs(folder: Path, part: str) -> list[tuple[list[str], list[str]]]:
    text = Text(lowercase=True, tokenize=True)
    sides = [text.read(folder / f"{part}.{language}.gz") for language in ("en", "de")]
    return [pair for pair in zip(*sides, strict=True) if max(map(len, pair)) <= LONGEST]


def unigram_perplexity(train: list[list[str]], test: list[list[str]]) -> float:
    """Of guessing every word, and the end, by how frequent it is."""
    counts = Counter(token for sentence in train for token in [*sentence, "</s>"])
    total = counts.total()
    words = [token for sentence in test for token in [*sentence, "</s>"]]
    return math.exp(-sum(math.log(counts[word] / total) for word in words) / len(words))


@pytest.mark.slow
def test_captions_are_translated_better_than_by_chance(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = shared_data / "multi30k-en-de"
    train, held_out = short_pairs(folder, "train"), short_pairs(folder, "val")
    vocabularies = [
        Vocabulary.build([pair[side] for pair in train], min_count=2) for side in (0, 1)
    ]
    job = JobFolder(tmp_path / "ml", PARAMETERS, "seq2seq", environment={"BOTTEGA_CPUS": "1"})
    for name, pairs in (("train", train), ("validation", held_out)):
        sides = [
            [vocabulary.encode(pair[side]) for pair in pairs]
            for side, vocabulary in enumerate(vocabularies)
        ]
        write_pairs(tmp_path / "pairs.rec", *sides)
        job.channel(name, None, {"pairs.rec": (tmp_path / "pairs.rec").read_bytes()})
    files = ("vocab.src.json", "vocab.trg.json")
    job.channel("vocab", None, {n: v.to_json() for n, v in zip(files, vocabularies, strict=True)})
    found = algorithm("seq2seq")
    found.train(job.read())

    known = vocabularies[1]
    guessed = unigram_perplexity(
        [known.decode(known.encode(pair[1])) for pair in train],
        [known.decode(known.encode(pair[1])) for pair in held_out],
    )
    log = capsys.readouterr().out
    perplexities = [float(p) for p in re.findall(r"validation perplexity <loss>=(\S+)", log)]
    assert perplexities[-1] < guessed / 5
    assert perplexities[-1] < perplexities[0]

    body = "".join(json.dumps({"source": " ".join(pair[0])}) + "\n" for pair in held_out)
    model = found.load(job.root / "model", {})
    answer = found.predict(model, body.encode(), "application/jsonlines", "")[0]
    translations = [json.loads(line)["target"].split() for line in answer.splitlines()]
    score = corpus_bleu(translations, [pair[1] for pair in held_out])
    print(f"guessed {guessed:.1f}, perplexities {perplexities}, BLEU {score:.3f}")
    # The same captions in another order are as German, and no translation.
    shuffled = translations[1:] + translations[:1]
    assert score > 0.07
    assert score > 3 * corpus_bleu(shuffled, [pair[1] for pair in held_out])
