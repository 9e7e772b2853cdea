"""Vocabularies: which token has which number, as ``vocab.src.json`` and ``vocab.trg.json`` say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bottega.algorithms.base import CustomerError

PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3
"""Ids of the symbols that every vocabulary begins with."""

SYMBOLS = ("<pad>", "<unk>", "<s>", "</s>")
SOURCE_FILE, TARGET_FILE = "vocab.src.json", "vocab.trg.json"


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of one side; a token's place is its id."""

    tokens: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        return {token: number for number, token in enumerate(self.tokens) if token}

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The ids of tokens; that of ``<unk>`` where one is unknown."""
        ids = self._ids
        return [ids.get(token, UNKNOWN) for token in tokens]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The tokens of ids."""
        return [self.tokens[number] for number in ids]

    def to_json(self) -> str:
        """As the file of a vocabulary: an object from token to id."""
        return json.dumps(dict(self._ids), indent=4, ensure_ascii=False)

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Read a vocabulary file.

        Ids that no token has are allowed, for files that were cut by hand.

        Raises:
            CustomerError: it is no vocabulary, or does not begin with the four symbols.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise CustomerError(f"{path.name} is missing.") from error
        except (OSError, ValueError) as error:
            raise CustomerError(f"{path.name} is no JSON file: {error}.") from error
        if not isinstance(found, dict) or not all(
            type(number) is int and 0 <= number <= 10 * len(found) + len(SYMBOLS)
            for number in found.values()
        ):
            raise CustomerError(
                f"{path.name} is no vocabulary: it must be a JSON object from token to id, with "
                "ids 0, 1, 2 and so on."
            )
        for number, symbol in enumerate(SYMBOLS):
            if found.get(symbol) != number:
                raise CustomerError(
                    f"{path.name}: the token {symbol} must have the id {number}, and has "
                    f"{found.get(symbol, 'none')}."
                )
        tokens = [""] * (max(found.values()) + 1)
        for token, number in found.items():
            if tokens[number]:
                raise CustomerError(
                    f"{path.name}: the tokens {tokens[number]!r} and {token!r} have the same id "
                    f"{number}."
                )
            tokens[number] = token
        return cls(tuple(tokens))

    @classmethod
    def build(
        cls,
        sentences: Iterable[Sequence[str]],
        *,
        limit: int | None = None,
        min_count: int = 1,
    ) -> Vocabulary:
        """Count tokens and number them from the most to the least frequent.

        Args:
            sentences: their tokens.
            limit: the most tokens to keep, beside the four symbols.
            min_count: how often a token has to occur.
        """
        counts = Counter(token for sentence in sentences for token in sentence)
        for symbol in SYMBOLS:
            counts.pop(symbol, None)
        # Among the equally frequent the last in the alphabet comes first, as in SageMaker's own
        # preparation, so that the same text gives the same ids.
        ordered = sorted(((count, token) for token, count in counts.items()), reverse=True)
        kept = [token for count, token in ordered if count >= min_count]
        return cls((*SYMBOLS, *kept[:limit]))
