"""Which rows of a model's input matrix a word or text stands for, without compiled code.

The same as ``text_kernels`` does for whole channels, for the few words of a request.
"""

from __future__ import annotations

from collections.abc import Sequence

END = b"</s>"
"""The word at the end of each text."""
LABEL_PREFIX = b"__label__"

_FNV_OFFSET, _FNV_PRIME = 2166136261, 16777619
_NGRAM_PRIME = 116049371
_MASK_32, _MASK_64 = (1 << 32) - 1, (1 << 64) - 1


def word_hash(word: bytes) -> int:
    """fastText's hash of 32 bits: FNV-1a over signed bytes."""
    value = _FNV_OFFSET
    for byte in word:
        if byte >= 0x80:
            byte |= 0xFFFFFF00
        value = ((value ^ byte) * _FNV_PRIME) & _MASK_32
    return value


def character_ngrams(word: bytes, shortest: int, longest: int, buckets: int) -> list[int]:
    """The buckets of the n-grams of a word's characters, ``<`` and ``>`` at its ends.

    Args:
        word: UTF-8, as it comes.
        shortest: characters of the shortest n-gram.
        longest: of the longest.
        buckets: how many there are.
    """
    text = b"<" + word + b">"
    begins = [place for place, byte in enumerate(text) if byte & 0xC0 != 0x80]
    begins.append(len(text))
    last = len(begins) - 1
    found = []
    for first in range(last):
        for length in range(shortest, min(longest, last - first) + 1):
            if length == 1 and (first == 0 or first + 1 == last):
                continue
            found.append(word_hash(text[begins[first] : begins[first + length]]) % buckets)
    return found


def word_ngrams(hashes: Sequence[int], longest: int, buckets: int) -> list[int]:
    """The buckets of the n-grams of two and more words.

    Args:
        hashes: of the words, in their order.
        longest: words of the longest n-gram.
        buckets: how many there are.
    """
    # fastText keeps a hash in a signed number, which it then widens.
    wide = [value - (1 << 32) if value >> 31 else value for value in hashes]
    found = []
    for first, value in enumerate(wide):
        for other in wide[first + 1 : first + longest]:
            value = (value * _NGRAM_PRIME + other) & _MASK_64
            found.append(value % buckets)
    return found
