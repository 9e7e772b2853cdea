"""Prepare text for Seq2Seq: ``python -m bottega.algorithms.seq2seq.prepare --help``.

Two files, line by line the same sentences in two languages, become what the channels need::

    python -m bottega.algorithms.seq2seq.prepare --source train.en --target train.de \\
        --val-source val.en --val-target val.de --output data

writes ``data/train.rec``, ``data/val.rec``, ``data/vocab.src.json`` and ``data/vocab.trg.json``.
Tokens are what white space parts, so that any tokenizer may come first; ``--tokenize`` and
``--lowercase`` are a simple one for those who have none.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.record_protobuf import encode_record
from bottega.algorithms.readers.recordio import write_records
from bottega.algorithms.seq2seq.vocabulary import SOURCE_FILE, TARGET_FILE, Vocabulary

_TOKEN = re.compile(r"\w+(?:[-.]\w+)*|['’]\w+|[^\w\s]")


class UnpairedText(ValueError):
    """The two sides do not have the same number of lines; the message says how many."""


@dataclass(frozen=True)
class Text:
    """How lines become tokens."""

    lowercase: bool = False
    tokenize: bool = False

    def tokens(self, line: str) -> list[str]:
        """The tokens of a line: its words, or with ``tokenize`` words, ``'s`` and the like, and
        each punctuation mark by itself."""
        line = line.lower() if self.lowercase else line
        return _TOKEN.findall(line) if self.tokenize else line.split()

    def read(self, path: Path) -> Iterator[list[str]]:
        """The tokens of every line of a UTF-8 file, through gzip when its name ends in ``.gz``.

        Raises:
            OSError: it cannot be read.
            UnicodeDecodeError: it is not UTF-8.
        """
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="\n") as file:
            for line in file:
                yield self.tokens(line)


def read_pairs(text: Text, source: Path, target: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Both sides of a text, line by line; pairs with an empty side are left out.

    Raises:
        UnpairedText: one side has more lines than the other.
    """
    sides = list(text.read(source)), list(text.read(target))
    if len(sides[0]) != len(sides[1]):
        raise UnpairedText(
            f"{source.name} has {len(sides[0])} lines and {target.name} has {len(sides[1])}; line "
            "n of the one must be the translation of line n of the other."
        )
    kept = [pair for pair in zip(*sides, strict=True) if all(pair)]
    return [pair[0] for pair in kept], [pair[1] for pair in kept]


def write_pairs(
    path: Path, sources: Iterable[Sequence[int]], targets: Iterable[Sequence[int]]
) -> int:
    """Write pairs of ids as a RecordIO file of Records; returns how many."""
    payloads = (
        encode_record({name: np.array(ids, dtype=np.int32) for name, ids in pair})
        for pair in (
            (("source", source), ("target", target))
            for source, target in zip(sources, targets, strict=True)
        )
    )
    with path.open("wb") as file:
        return write_records(file, payloads)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.val_source is None) != (options.val_target is None):
        parser.error("--val-source and --val-target go together")
    try:
        _prepare(options)
    except (OSError, UnicodeDecodeError, UnpairedText, CustomerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _prepare(options: argparse.Namespace) -> None:
    text = Text(options.lowercase, options.tokenize)
    sides = read_pairs(text, options.source, options.target)
    vocabularies = _vocabularies(options, sides)
    options.output.mkdir(parents=True, exist_ok=True)
    names = (SOURCE_FILE, TARGET_FILE)
    for name, vocabulary in zip(names, vocabularies, strict=True):
        (options.output / name).write_text(vocabulary.to_json(), encoding="utf-8")
        print(f"{name}: {len(vocabulary)} tokens")
    parts = [("train.rec", sides)]
    if options.val_source is not None:
        parts.append(("val.rec", read_pairs(text, options.val_source, options.val_target)))
    for name, (sources, targets) in parts:
        count = write_pairs(
            options.output / name,
            map(vocabularies[0].encode, sources),
            map(vocabularies[1].encode, targets),
        )
        print(f"{name}: {count} pairs")


def _vocabularies(
    options: argparse.Namespace, sides: tuple[list[list[str]], list[list[str]]]
) -> tuple[Vocabulary, Vocabulary]:
    if options.single_vocab:
        shared = Vocabulary.build(
            [*sides[0], *sides[1]],
            limit=options.num_words_source,
            min_count=options.word_min_count_source,
        )
        return shared, shared
    settings = (
        (options.vocab_source_json, options.num_words_source, options.word_min_count_source),
        (options.vocab_target_json, options.num_words_target, options.word_min_count_target),
    )
    source, target = (
        Vocabulary.read(path)
        if path is not None
        else Vocabulary.build(side, limit=limit, min_count=least)
        for side, (path, limit, least) in zip(sides, settings, strict=True)
    )
    return source, target


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bottega.algorithms.seq2seq.prepare",
        description="Make train.rec, val.rec and the vocabularies of Seq2Seq from text.",
    )
    parser.add_argument("--source", type=Path, required=True, help="a sentence a line; .gz too")
    parser.add_argument("--target", type=Path, required=True, help="its translation, line by line")
    parser.add_argument("--val-source", type=Path, help="the same for validation")
    parser.add_argument("--val-target", type=Path)
    parser.add_argument("--output", type=Path, default=Path(), help="folder of what is written")
    parser.add_argument("--lowercase", action="store_true", help="make all letters small")
    parser.add_argument("--tokenize", action="store_true", help="part words and punctuation")
    parser.add_argument("--single-vocab", action="store_true", help="one vocabulary for both")
    for side in ("source", "target"):
        parser.add_argument(
            f"--vocab-{side}-json", type=Path, help="use this vocabulary instead of a new one"
        )
        parser.add_argument(
            f"--num-words-{side}", type=int, default=50_000, help="most tokens (50000)"
        )
        parser.add_argument(
            f"--word-min-count-{side}", type=int, default=1, help="how often a token occurs (1)"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
