"""What was made of jobs' documents holds as long as their versions do, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bottega.clock import SystemClock
from bottega.events import EventBus
from bottega.jobs.kept_views import KeptViews
from bottega.storage.metadata import Resource, ResourceQuery
from bottega.storage.sql import SqlMetadataStore

KIND = "TrainingJob"


class Studio:
    """Jobs in a store, views of them, and what was read to make those."""

    def __init__(self, store: SqlMetadataStore) -> None:
        self.store = store
        self.made: list[str] = []
        self.views = KeptViews(store, KIND, self._make)

    def _make(self, job: Resource) -> str:
        self.made.append(job.name)
        return f"{job.name} is {job.status}"

    def add(self, name: str, created: float = 1.0) -> Resource:
        return self.store.create(
            Resource(KIND, name, f"arn:{name}", "InProgress", created, created)
        )

    def see(self) -> dict[str, str]:
        return self.views.of(self.store.outlines(ResourceQuery(KIND)))


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    store = SqlMetadataStore(f"sqlite:///{tmp_path / 'store.db'}", EventBus(), SystemClock())
    yield Studio(store)
    store.close()


def test_a_view_is_made_once_for_each_version(studio: Studio):
    one = studio.add("one")
    studio.add("two")
    assert studio.see() == {"one": "one is InProgress", "two": "two is InProgress"}
    studio.see()
    assert sorted(studio.made) == ["one", "two"]
    studio.store.update(replace(one, status="Completed"))
    assert studio.see()["one"] == "one is Completed"
    assert sorted(studio.made) == ["one", "one", "two"]


def test_a_later_job_of_a_name_is_another(studio: Studio):
    studio.add("one")
    studio.see()
    studio.store.delete(KIND, "one")
    assert studio.see() == {}
    studio.add("one", created=2.0)
    studio.see()
    assert studio.made == ["one", "one"]


def test_a_job_deleted_since_it_was_listed_is_left_out(studio: Studio):
    studio.add("one")
    listed = studio.store.outlines(ResourceQuery(KIND))
    studio.store.delete(KIND, "one")
    assert studio.views.of(listed) == {}


def test_what_is_not_there_any_more_is_forgotten(studio: Studio):
    studio.add("one")
    studio.add("two")
    listed = studio.store.outlines(ResourceQuery(KIND))
    studio.views.of(listed)
    studio.store.delete(KIND, "one")
    studio.views.keep_only(studio.store.outlines(ResourceQuery(KIND)))
    assert studio.views.of(listed) == {"two": "two is InProgress"}
    assert sorted(studio.made) == ["one", "two"]
