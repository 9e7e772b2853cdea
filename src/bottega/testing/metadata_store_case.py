"""What every metadata store must pass.

A subclass gives the fixtures ``store``, opened with the fixtures ``events`` and ``clock`` of this
class; ``another``, a second store over the same data; and ``opening``: Python source that, run in
another process, leaves one more such store in the variable ``store``.
"""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test

from bottega.clock import ManualClock
from bottega.events import Event, EventBus, ResourceChanged
from bottega.storage.metadata import (
    InvalidPageToken,
    MetadataStore,
    Outline,
    Resource,
    ResourceExists,
    ResourceMissing,
    ResourceQuery,
    VersionConflict,
)
from bottega.testing.metadata_store_concurrency import MetadataStoreConcurrency
from bottega.testing.metadata_store_machine import StoreMachine, documents, listed
from bottega.testing.metadata_store_samples import ORDERS, resource

_same_store = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40
)


class MetadataStoreCase(MetadataStoreConcurrency):
    """The contract of :class:`~bottega.storage.metadata.MetadataStore`."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(2000.0)

    @pytest.fixture
    def events(self) -> EventBus:
        return EventBus()

    @pytest.fixture
    def heard(self, events: EventBus) -> list[ResourceChanged]:
        """The changes that the store has published so far."""
        heard: list[ResourceChanged] = []

        def listen(event: Event) -> None:
            assert isinstance(event, ResourceChanged)
            heard.append(event)

        events.subscribe(listen)
        return heard

    def test_a_resource_comes_back_as_it_was_created(self, store: MetadataStore) -> None:
        given = resource("m", status="Creating", body={"A": [1, 2.5, None]}, private={"p": True})
        created = store.create(given)
        assert created == dataclasses.replace(given, version=1)
        assert store.get("Model", "m") == created

    def test_any_json_document_comes_back_equal(self, store: MetadataStore) -> None:
        store.create(resource("m"))

        @_same_store
        @given(body=documents, private=documents)
        def check(body: dict[str, Any], private: dict[str, Any]) -> None:
            present = store.get("Model", "m")
            store.update(dataclasses.replace(present, body=body, private=private))
            back = store.get("Model", "m")
            assert back.body == body
            assert list(back.body) == list(body)
            assert back.private == private

        check()

    def test_a_name_is_unique_within_its_kind(self, store: MetadataStore) -> None:
        first = store.create(resource("m", body={"n": 1}), tags={"k": "v"})
        with pytest.raises(ResourceExists) as refused:
            store.create(resource("m", body={"n": 2}), tags={"k": "w"})
        assert refused.value.existing == first
        assert store.get("Model", "m") == first
        assert store.tags(first.arn) == {"k": "v"}
        assert store.create(resource("m", kind="Endpoint")).version == 1

    def test_names_differ_by_case(self, store: MetadataStore) -> None:
        store.create(resource("m", arn=""))
        store.create(resource("M", arn=""))
        assert store.get("Model", "m").name == "m"
        assert store.get("Model", "M").name == "M"

    def test_an_unknown_name_is_missing(self, store: MetadataStore) -> None:
        store.create(resource("m"))
        for kind, name in (("Model", "other"), ("Endpoint", "m")):
            with pytest.raises(ResourceMissing):
                store.get(kind, name)
            with pytest.raises(ResourceMissing):
                store.delete(kind, name)

    def test_an_update_counts_the_version_and_notes_the_time(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        created = store.create(resource("m", status="Creating"))
        clock.advance(5)
        wanted = dataclasses.replace(created, status="InService", body={"x": 1}, private={"y": 2})
        updated = store.update(wanted)
        assert updated == dataclasses.replace(wanted, version=2, modified=clock.now())
        assert store.get("Model", "m") == updated

    def test_an_update_of_something_changed_meanwhile_is_refused(
        self, store: MetadataStore
    ) -> None:
        created = store.create(resource("m"))
        second = store.update(dataclasses.replace(created, status="A"))
        with pytest.raises(VersionConflict):
            store.update(dataclasses.replace(created, status="B"))
        assert store.get("Model", "m") == second

    def test_an_update_of_something_deleted_is_refused(self, store: MetadataStore) -> None:
        created = store.create(resource("m"))
        store.delete("Model", "m")
        with pytest.raises(VersionConflict):
            store.update(created)
        again = store.create(resource("m", created=1001.0))
        with pytest.raises(VersionConflict):
            store.update(dataclasses.replace(created, status="of the old one"))
        assert store.get("Model", "m") == again

    def test_a_delete_removes_the_resource_and_its_tags(self, store: MetadataStore) -> None:
        created = store.create(resource("m"), tags={"k": "v"})
        with pytest.raises(VersionConflict):
            store.delete("Model", "m", seen=dataclasses.replace(created, version=2))
        assert store.get("Model", "m") == created
        store.delete("Model", "m", seen=created)
        with pytest.raises(ResourceMissing):
            store.get("Model", "m")
        with pytest.raises(ResourceMissing):
            store.tags(created.arn)
        again = store.create(resource("m"))
        assert again.version == 1
        assert store.tags(again.arn) == {}

    def test_what_was_made_anew_is_not_what_was_read(self, store: MetadataStore) -> None:
        first = store.create(resource("m"))
        store.delete("Model", "m")
        again = store.create(dataclasses.replace(resource("m"), created=first.created + 1))
        assert again.version == first.version
        assert not again.same_as(first)
        with pytest.raises(VersionConflict):
            store.update(first)
        with pytest.raises(VersionConflict):
            store.delete("Model", "m", seen=first)
        with pytest.raises(ValueError, match="must be made of version 1"):
            store.modify("Model", "m", lambda present: dataclasses.replace(first, status="A"))
        assert store.get("Model", "m") == again

    def test_modify_tries_again_until_it_was_the_last_to_read(self, store: MetadataStore) -> None:
        store.create(resource("m", body={"n": 0}))
        calls = []

        def change(present: Resource) -> Resource:
            calls.append(present.version)
            if len(calls) == 1:
                store.update(dataclasses.replace(present, body={"n": 10}))
            return dataclasses.replace(present, body={"n": present.body["n"] + 1})

        assert store.modify("Model", "m", change).body == {"n": 11}
        assert calls == [1, 2]
        assert store.modify("Model", "m", lambda present: present).version == 3

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort_by", ORDERS)
    def test_a_listing_is_ordered_with_the_name_as_tie_breaker(
        self, store: MetadataStore, sort_by: Any, descending: bool
    ) -> None:
        chance = random.Random(sort_by)
        model = {}
        for number in range(23):
            name = f"m{number}"
            model[name] = store.create(
                resource(
                    name,
                    status=chance.choice(["A", "B"]),
                    created=float(chance.randrange(3)),
                    modified=chance.randrange(3) / 3,
                )
            )
        query = ResourceQuery("Model", sort_by=sort_by, descending=descending)
        for limit in (1, 5, 23, 100):
            found: list[Resource] = []
            token = ""
            while True:
                page = store.page(query, limit=limit, token=token)
                found.extend(page.resources)
                if not (token := page.next_token):
                    break
                assert len(page.resources) == limit
            assert found == listed(model, query)
        assert list(store.each(query)) == listed(model, query)

    def test_every_condition_of_a_query_must_hold(self, store: MetadataStore) -> None:
        for number, status in enumerate(["A", "B", "C", "A"]):
            when = float(number)
            store.create(resource(f"m{number}", status=status, created=when, modified=when + 10))
        store.create(resource("m9", kind="Endpoint", status="A", created=2.0, modified=12.0))

        def names(**conditions: Any) -> list[str]:
            query = ResourceQuery("Model", descending=False, **conditions)
            return [found.name for found in store.each(query)]

        assert names() == ["m0", "m1", "m2", "m3"]
        assert names(statuses=["A"]) == ["m0", "m3"]
        assert names(statuses=("A", "C")) == ["m0", "m2", "m3"]
        assert names(created_after=1.0) == ["m2", "m3"]
        assert names(created_before=1.0) == ["m0"]
        assert names(modified_after=10.5, modified_before=13.0) == ["m1", "m2"]
        assert names(statuses=["A"], created_after=0.0, name_contains="M") == ["m3"]

    def test_name_contains_means_the_characters_themselves(self, store: MetadataStore) -> None:
        for name in ("per%cent", "under_score", "back\\slash", "sla/sh", "PLAIN"):
            store.create(resource(name))

        def names(text: str) -> list[str]:
            query = ResourceQuery("Model", name_contains=text)
            return [found.name for found in store.each(query)]

        assert names("%") == ["per%cent"]
        assert names("_") == ["under_score"]
        assert names("\\") == ["back\\slash"]
        assert names("/") == ["sla/sh"]
        assert names("plain") == names("LaI") == ["PLAIN"]
        assert names("R_S") == ["under_score"]
        assert names("p%t") == []

    @pytest.mark.parametrize("descending", [False, True])
    def test_outlines_tell_of_every_match_in_order(
        self, store: MetadataStore, descending: bool
    ) -> None:
        for number in range(7):
            store.create(resource(f"m{number}", status="AB"[number % 2], created=number % 3))
        store.create(resource("m9", kind="Endpoint", status="A"))
        store.update(dataclasses.replace(store.get("Model", "m2"), body={"x": 1}))
        query = ResourceQuery("Model", statuses=("A",), descending=descending)
        assert store.outlines(query) == tuple(
            Outline(found.name, found.status, found.created, found.modified, found.version)
            for found in store.each(query)
        )
        assert store.outlines(ResourceQuery("Nothing")) == ()

    def test_many_are_read_at_once(self, store: MetadataStore) -> None:
        names = [f"m{number}" for number in range(1100)]
        made = {name: store.create(resource(name, body={"n": name})) for name in names}
        store.create(resource("m1", kind="Endpoint"))
        assert store.get_many("Model", [*names, "other"]) == made
        assert store.get_many("Model", iter(names[3:5])) == {n: made[n] for n in names[3:5]}
        assert store.get_many("Model", []) == {}

    def test_a_scan_tells_of_every_resource_with_its_body(self, store: MetadataStore) -> None:
        bodies = {f"m{number:04}": {"n": number, "x": [None, 1.5, "é"]} for number in range(1100)}
        bodies |= {"n": {"x": float("inf")}, "o": {}}
        made = {name: store.create(resource(name, body=body)) for name, body in bodies.items()}
        store.create(resource("m1", kind="Endpoint"))
        made["n"] = store.update(made["n"])
        found = list(store.scan("Model"))
        assert [one.name for one in found] == sorted(made)
        assert {one.name: one.modified for one in found} == {n: m.modified for n, m in made.items()}
        assert {one.name: json.loads(one.body) for one in found} == bodies
        assert list(store.scan("Nothing")) == []

    def test_changes_are_told_since_a_number(self, store: MetadataStore) -> None:
        first = store.changes("Model", 0)
        assert first.names is None
        store.create(resource("a"))
        store.create(resource("b"))
        store.create(resource("c", kind="Endpoint"))
        made = store.changes("Model", first.number)
        assert made.names == frozenset({"a", "b"})
        assert store.changes("Model", made.number).names == frozenset()
        store.update(dataclasses.replace(store.get("Model", "a"), body={"x": 1}))
        store.set_tags(store.get("Model", "b").arn, {"k": "v"})
        with pytest.raises(ResourceMissing):
            store.get("Model", "none")
        changed = store.changes("Model", made.number)
        assert changed.names == frozenset({"a", "b"})
        store.delete("Model", "a")
        assert store.changes("Model", changed.number).names == frozenset({"a"})
        assert store.changes("Model", first.number).names == frozenset({"a", "b"})
        assert store.changes("Endpoint", first.number).names == frozenset({"c"})

    def test_all_tags_of_a_kind_are_read_at_once(self, store: MetadataStore) -> None:
        store.create(resource("a"), tags={"y": "1", "x": "2"})
        store.create(resource("b"))
        store.create(resource("c", kind="Endpoint"), tags={"z": "3"})
        assert store.all_tags("Model") == {"a": {"x": "2", "y": "1"}}
        assert store.all_tags("Nothing") == {}
        store.create(resource("d"), tags={"z": "3"})
        assert store.all_tags("Model", ["a", "b", "c", "e"]) == {"a": {"x": "2", "y": "1"}}
        assert store.all_tags("Model", []) == {}

    def test_resources_are_counted_by_status(self, store: MetadataStore) -> None:
        assert store.counts("Model") == {}
        for name, status in (("a", "Failed"), ("b", "Failed"), ("c", ""), ("d", "InService")):
            store.create(resource(name, status=status))
        store.create(resource("a", kind="Endpoint", status="Failed"))
        assert store.counts("Model") == {"Failed": 2, "": 1, "InService": 1}
        store.update(dataclasses.replace(store.get("Model", "a"), status="InService"))
        store.delete("Model", "c")
        assert store.counts("Model") == {"Failed": 1, "InService": 2}
        assert store.counts("Endpoint") == {"Failed": 1}

    def test_a_token_serves_only_the_query_it_was_made_for(self, store: MetadataStore) -> None:
        for number in range(5):
            store.create(resource(f"m{number}"))
        query = ResourceQuery("Model", statuses=("", "A"))
        token = store.page(query, limit=2).next_token
        same = ResourceQuery("Model", statuses=["A", ""])
        assert len(store.page(same, limit=3, token=token).resources) == 3
        for other in (
            ResourceQuery("Endpoint", statuses=("", "A")),
            dataclasses.replace(query, descending=False),
            dataclasses.replace(query, sort_by="name"),
            dataclasses.replace(query, name_contains="m"),
        ):
            with pytest.raises(InvalidPageToken):
                store.page(other, limit=2, token=token)
        for damaged in ("x", "é", token[:-4], token[4:], "bnVsbA==", "W10=", "\0"):
            with pytest.raises(InvalidPageToken):
                store.page(query, limit=2, token=damaged)

    def test_a_page_may_begin_behind_something_that_is_gone(self, store: MetadataStore) -> None:
        for number in range(6):
            store.create(resource(f"m{number}", created=float(number)))
        query = ResourceQuery("Model", descending=False)
        page = store.page(query, limit=3)
        store.delete("Model", "m2")
        store.create(resource("m25", created=2.5))
        store.create(resource("m05", created=0.5))
        rest = store.page(query, limit=10, token=page.next_token)
        assert [found.name for found in rest.resources] == ["m25", "m3", "m4", "m5"]

    def test_tags_are_set_overwritten_and_removed(self, store: MetadataStore) -> None:
        arn = store.create(resource("m"), tags={"b": "1", "a": ""}).arn
        assert list(store.tags(arn).items()) == [("a", ""), ("b", "1")]
        assert list(store.set_tags(arn, {"b": "2", "B": "3"}).items()) == [
            ("B", "3"),
            ("a", ""),
            ("b", "2"),
        ]
        store.remove_tags(arn, ["a", "never there"])
        assert store.tags(arn) == {"B": "3", "b": "2"}
        assert store.get("Model", "m").version == 1

    def test_tags_need_a_resource(self, store: MetadataStore) -> None:
        store.create(resource("m"))
        for call in (
            lambda: store.tags("arn:none"),
            lambda: store.set_tags("arn:none", {"a": "b"}),
            lambda: store.remove_tags("arn:none", ["a"]),
        ):
            with pytest.raises(ResourceMissing):
                call()

    def test_each_change_is_published_after_it_can_be_read(
        self, store: MetadataStore, events: EventBus, heard: list[ResourceChanged]
    ) -> None:
        present: list[str | None] = []

        def look(event: Event) -> None:
            assert isinstance(event, ResourceChanged)
            try:
                present.append(store.get(event.kind, event.name).status)
            except ResourceMissing:
                present.append(None)

        events.subscribe(look)
        created = store.create(resource("m", status="A"))
        store.update(dataclasses.replace(created, status="B"))
        with pytest.raises(VersionConflict):
            store.update(created)
        store.set_tags(created.arn, {"k": "v"})
        store.remove_tags(created.arn, ["absent"])
        store.delete("Model", "m")
        assert [(e.change, e.status, e.version) for e in heard] == [
            ("created", "A", 1),
            ("updated", "B", 2),
            ("updated", "B", 2),
            ("deleted", "B", 2),
        ]
        assert present == ["A", "B", "B", None]

    def test_a_listener_may_write(
        self, store: MetadataStore, events: EventBus, heard: list[ResourceChanged]
    ) -> None:
        def answer(event: Event) -> None:
            assert isinstance(event, ResourceChanged)
            if event.version < 4:
                present = store.get(event.kind, event.name)
                store.update(dataclasses.replace(present, status=f"{event.version}"))

        late: list[Event] = []
        events.subscribe(answer)
        events.subscribe(late.append)
        store.create(resource("m"))
        assert [event.version for event in heard] == [1, 2, 3, 4]
        assert late == heard

    def test_it_agrees_with_a_dictionary(self, store: MetadataStore, clock: ManualClock) -> None:
        machine = type("Machine", (StoreMachine,), {"store": store, "clock": clock})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None)
        )
