"""What every metadata store must pass when many use it at once, or when it is killed.

Part of :class:`~bottega.testing.metadata_store_case.MetadataStoreCase`, with its fixtures.
"""

from __future__ import annotations

import dataclasses
import itertools
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from bottega.events import ResourceChanged
from bottega.storage.metadata import (
    MetadataStore,
    Resource,
    ResourceExists,
    ResourceQuery,
    TooManyTags,
)
from bottega.testing.metadata_store_samples import ORDERS, resource

Answer = TypeVar("Answer")


class MetadataStoreConcurrency:
    """Threads, processes and kills."""

    def test_pages_neither_repeat_nor_hide_while_others_come_and_go(
        self, store: MetadataStore
    ) -> None:
        lasting = {f"keep-{number:03}" for number in range(60)}
        for number, name in enumerate(sorted(lasting)):
            store.create(resource(name, created=float(number % 7)))
        enough = threading.Event()

        def come_and_go(worker: int) -> None:
            turn = 0
            while not enough.is_set():
                name = f"brief-{worker}-{turn}"
                store.create(resource(name, created=float(turn % 7)))
                store.delete("Model", name)
                turn += 1

        with ThreadPoolExecutor(3) as pool:
            workers = [pool.submit(come_and_go, worker) for worker in range(3)]
            try:
                for sort_by in ORDERS:
                    query = ResourceQuery("Model", sort_by=sort_by)
                    seen: list[str] = []
                    token = ""
                    while True:
                        page = store.page(query, limit=4, token=token)
                        seen.extend(found.name for found in page.resources)
                        if not (token := page.next_token):
                            break
                    kept = [name for name in seen if name in lasting]
                    assert len(seen) == len(set(seen))
                    assert set(kept) == lasting
            finally:
                enough.set()
            for worker in workers:
                worker.result()

    def test_a_limit_of_tags_holds_also_against_others(self, store: MetadataStore) -> None:
        arn = store.create(resource("m"), tags={"first": ""}).arn

        def add(number: int) -> bool:
            try:
                store.set_tags(arn, {f"k{number}": ""}, limit=5)
            except TooManyTags:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            added = list(pool.map(add, range(20)))
        assert sum(added) == 4
        assert len(store.tags(arn)) == 5
        store.set_tags(arn, {"first": "over again"}, limit=5)

    def test_eight_threads_that_increment_lose_nothing(
        self, store: MetadataStore, heard: list[ResourceChanged]
    ) -> None:
        store.create(resource("m", body={"n": 0}))

        def increment(present: Resource) -> Resource:
            return dataclasses.replace(present, body={"n": present.body["n"] + 1})

        def work() -> None:
            for _ in range(15):
                store.modify("Model", "m", increment)

        _at_once(8, work)
        assert store.get("Model", "m").body == {"n": 120}
        assert [event.version for event in heard] == list(range(1, 122))

    def test_two_stores_over_the_same_data_lose_nothing(
        self, store: MetadataStore, another: MetadataStore
    ) -> None:
        store.create(resource("m", body={"n": 0}))
        stores = itertools.cycle([store, another])

        def increment(present: Resource) -> Resource:
            return dataclasses.replace(present, body={"n": present.body["n"] + 1})

        def work() -> str:
            mine = next(stores)
            for _ in range(15):
                mine.modify("Model", "m", increment)
            return mine.create(resource(f"by-{threading.get_ident()}")).name

        names = _at_once(6, work)
        assert store.get("Model", "m") == another.get("Model", "m")
        assert another.get("Model", "m").body == {"n": 90}
        assert len({store.get("Model", name).arn for name in names}) == 6

    def test_of_eight_that_create_one_name_one_succeeds(self, store: MetadataStore) -> None:
        for number in range(10):
            answers = _at_once(8, partial(_create_or_find, store, f"m{number}"))
            assert sorted(created for created, _ in answers) == [False] * 7 + [True]
            assert len({found.body["by"] for _, found in answers}) == 1

    def test_a_kill_loses_nothing_that_was_acknowledged(
        self, store: MetadataStore, opening: str
    ) -> None:
        program = opening + textwrap.dedent("""
            import os, threading
            from bottega.testing.metadata_store_samples import resource

            def work(worker):
                number = 0
                while True:
                    name = f"{worker}-{number}"
                    store.create(resource(name, body={"name": name}), tags={"name": name})
                    os.write(1, (name + "\\n").encode())
                    number += 1

            for worker in range(4):
                threading.Thread(target=work, args=(worker,)).start()
            """)
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            acknowledged = [child.stdout.readline() for _ in range(200)]
            child.send_signal(signal.SIGKILL)
            acknowledged += child.stdout.readlines()
        names = {line.decode().strip() for line in acknowledged}
        assert len(names) >= 200
        stored = {found.name: found for found in store.each(ResourceQuery("Model"))}
        assert names <= stored.keys()
        # At most what each thread had under way when it was killed is there beside.
        assert len(stored.keys() - names) <= 4
        for name, found in stored.items():
            assert found.body == {"name": name}
            assert store.tags(found.arn) == {"name": name}


def _create_or_find(store: MetadataStore, name: str) -> tuple[bool, Resource]:
    try:
        return True, store.create(resource(name, body={"by": threading.get_ident()}))
    except ResourceExists as refused:
        return False, refused.existing


def _at_once(threads: int, work: Callable[[], Answer]) -> list[Answer]:
    barrier = threading.Barrier(threads)

    def run() -> Answer:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(run) for _ in range(threads)]
        return [future.result() for future in futures]
