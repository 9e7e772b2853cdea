"""A listing as plain as can be, to hold a store's listings against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bottega.storage.objects import ObjectStore

Page = tuple[list[str], list[str]]
"""The keys and the common prefixes of one page."""


@dataclass(frozen=True)
class Listed:
    """What a listing asks for."""

    prefix: str
    delimiter: str
    start_after: str
    limit: int


def model_pages(keys: Iterable[str], asked: Listed) -> list[Page]:
    """The pages a store must give for these keys."""
    entries: list[tuple[bool, str]] = []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(asked.prefix) or key.encode() <= asked.start_after.encode():
            continue
        rolled = _common_prefix(key, asked)
        if rolled is None:
            entries.append((False, key))
        elif rolled != asked.start_after and (True, rolled) not in entries:
            entries.append((True, rolled))
    pages = [entries[i : i + asked.limit] for i in range(0, len(entries), asked.limit)] or [[]]
    return [
        ([name for is_prefix, name in page if not is_prefix], [name for p, name in page if p])
        for page in pages
    ]


def listed_in_pages(store: ObjectStore, bucket: str, asked: Listed) -> list[Page]:
    """The pages a store gives, each beginning where the one before says."""
    pages: list[Page] = []
    start_after = asked.start_after
    while True:
        page = store.page(
            bucket,
            prefix=asked.prefix,
            delimiter=asked.delimiter,
            start_after=start_after,
            limit=asked.limit,
        )
        pages.append(([info.key for info in page.objects], list(page.prefixes)))
        if not page.next_start_after:
            return pages
        start_after = page.next_start_after


def _common_prefix(key: str, asked: Listed) -> str | None:
    if not asked.delimiter:
        return None
    at = key.find(asked.delimiter, len(asked.prefix))
    return key[: at + len(asked.delimiter)] if at >= 0 else None
