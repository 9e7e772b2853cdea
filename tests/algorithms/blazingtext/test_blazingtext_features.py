"""Hashes and n-grams: fastText's known values, and the same in Python as in compiled code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.blazingtext import features, text_kernels
from bottega.algorithms.blazingtext.vocabulary import joined_text

WORDS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8).map(
        str.encode
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize(
    ("word", "value"), [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)]
)
def test_hash_is_fnv_1a(word: bytes, value: int) -> None:
    assert features.word_hash(word) == value


def test_bytes_of_the_hash_have_signs_as_in_fasttext() -> None:
    expected = ((0x811C9DC5 ^ 0xFFFFFFC3) * 0x01000193) % 2**32
    assert features.word_hash(b"\xc3") == expected


@given(WORDS)
def test_compiled_hashes_are_the_same(words: list[bytes]) -> None:
    hashes = np.empty(len(words), np.uint32)
    text_kernels.hash_words(*joined_text(words), hashes)
    assert hashes.tolist() == [features.word_hash(word) for word in words]


@given(WORDS, st.integers(1, 4), st.integers(0, 3), st.integers(1, 50))
@settings(max_examples=200)
def test_compiled_character_ngrams_are_the_same(
    words: list[bytes], shortest: int, more: int, buckets: int
) -> None:
    longest = shortest + more
    text, ends = joined_text([b"<" + word + b">" for word in words])
    offsets = np.empty(len(words) + 1, np.int64)
    count = text_kernels.split_words(
        text, ends, len(words), buckets, shortest, longest, offsets, np.empty(0, np.int32)
    )
    pieces = np.empty(count, np.int32)
    text_kernels.split_words(text, ends, len(words), buckets, shortest, longest, offsets, pieces)
    for number, word in enumerate(words):
        found = pieces[offsets[number] : offsets[number + 1]].tolist()
        grams = features.character_ngrams(word, shortest, longest, buckets)
        assert found == [number, *(len(words) + gram for gram in grams)]


def test_character_ngrams_count_characters_and_leave_out_single_ends() -> None:
    def grams(*texts: str) -> list[int]:
        return [features.word_hash(text.encode()) % 997 for text in texts]

    # `<é>`: of one character only the middle one, for the ends alone say nothing.
    assert features.character_ngrams("é".encode(), 1, 3, 997) == grams("<é", "<é>", "é", "é>")
    assert features.character_ngrams(b"ab", 3, 6, 997) == grams("<ab", "<ab>", "ab>")


@given(WORDS, st.integers(1, 4), st.integers(1, 1000))
@settings(max_examples=200)
def test_compiled_word_ngrams_are_the_same(words: list[bytes], longest: int, buckets: int) -> None:
    hashes = np.array([features.word_hash(word) for word in words], np.uint32)
    used = np.zeros(buckets, np.uint8)
    text_kernels.mark_features(
        np.arange(len(words), dtype=np.int32),
        np.array([0, len(words)], np.int64),
        0,
        1,
        np.full(len(words), text_kernels.UNKNOWN_WORD, np.int32),
        hashes,
        0,
        buckets,
        longest,
        used,
    )
    expected = features.word_ngrams(hashes.tolist(), longest, buckets)
    assert np.flatnonzero(used).tolist() == sorted(set(expected))


def test_word_ngrams_are_of_two_words_and_more() -> None:
    a, b, c = 5, 7, 2**32 - 1  # The last one is -1 to fastText.
    prime, mask = 116049371, 2**64 - 1
    ab, bc = (a * prime + b) & mask, (b * prime - 1) & mask
    abc = (ab * prime - 1) & mask
    assert features.word_ngrams([a, b, c], 3, 10**6) == [value % 10**6 for value in (ab, abc, bc)]
    assert features.word_ngrams([a, b, c], 1, 10**6) == []
