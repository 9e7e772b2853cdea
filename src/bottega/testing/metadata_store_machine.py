"""A metadata store beside a dictionary: whatever is done to both, they must agree."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bottega.clock import ManualClock
from bottega.storage.metadata import (
    MetadataStore,
    Resource,
    ResourceExists,
    ResourceMissing,
    ResourceQuery,
    VersionConflict,
)

documents = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)
"""Any body that a store must give back as it was."""

_names = st.sampled_from(["a", "B", "aB", "b-1", "b-2", "ab%", "a_b", "c\\d", "Zeta", "zeta2"])
_statuses = st.sampled_from(["", "InProgress", "Completed", "Failed"])
_tag_keys = st.sampled_from(["team", "Team", "aws-ish", "ключ", "a b"])


def listed(model: dict[str, Resource], query: ResourceQuery) -> list[Resource]:
    """What a listing must show, in its order, computed the slow and plain way."""
    found = [
        resource
        for resource in model.values()
        if query.name_contains.lower() in resource.name.lower()
        and (not query.statuses or resource.status in query.statuses)
        and (query.created_after is None or resource.created > query.created_after)
        and (query.created_before is None or resource.created < query.created_before)
        and (query.modified_after is None or resource.modified > query.modified_after)
        and (query.modified_before is None or resource.modified < query.modified_before)
    ]
    return sorted(
        found,
        key=lambda resource: (getattr(resource, query.sort_by), resource.name),
        reverse=query.descending,
    )


class StoreMachine(RuleBasedStateMachine):
    """Random operations; set :attr:`store` and :attr:`clock` on a subclass.

    Every run uses a kind of its own, so that one store serves all runs.
    """

    store: MetadataStore
    clock: ManualClock

    @initialize()
    def begin(self) -> None:
        self.kind = f"Kind{uuid.uuid4().hex}"
        self.model: dict[str, Resource] = {}
        self.tags: dict[str, dict[str, str]] = {}

    @rule(seconds=st.sampled_from([0.001, 1.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(
        name=_names,
        status=_statuses,
        body=documents,
        private=documents,
        tags=st.dictionaries(_tag_keys, st.text(st.characters(codec="utf-8", min_codepoint=32))),
    )
    def create(self, name: str, status: str, body: Any, private: Any, tags: dict[str, str]) -> None:
        now = self.clock.now()
        arn = f"arn:{self.kind}:{name}"
        resource = Resource(self.kind, name, arn, status, now, now, body, private)
        if name in self.model:
            with pytest.raises(ResourceExists) as refused:
                self.store.create(resource, tags=tags)
            assert refused.value.existing == self.model[name]
            return
        created = self.store.create(resource, tags=tags)
        assert created == replace(resource, version=1)
        self.model[name] = created
        self.tags[name] = tags

    @rule(name=_names, status=_statuses, body=documents, stale=st.booleans())
    def update(self, name: str, status: str, body: Any, stale: bool) -> None:
        if name not in self.model:
            with pytest.raises(ResourceMissing):
                self.store.get(self.kind, name)
            return
        present = self.store.get(self.kind, name)
        if stale:
            with pytest.raises(VersionConflict):
                self.store.update(replace(present, status=status, version=present.version - 1))
            return
        updated = self.store.update(replace(present, status=status, body=body))
        assert updated == replace(
            present,
            status=status,
            body=body,
            modified=self.clock.now(),
            version=present.version + 1,
        )
        self.model[name] = updated

    @rule(name=_names, version=st.sampled_from([None, 0, 1]))
    def delete(self, name: str, version: int | None) -> None:
        present = self.model.get(name, Resource(self.kind, name, f"arn:{name}", "", 0.0, 0.0))
        seen = None if version is None else replace(present, version=version)
        if name not in self.model:
            with pytest.raises(ResourceMissing):
                self.store.delete(self.kind, name, seen=seen)
        elif seen is not None and present.version != version:
            with pytest.raises(VersionConflict):
                self.store.delete(self.kind, name, seen=seen)
        else:
            self.store.delete(self.kind, name, seen=seen)
            del self.model[name], self.tags[name]

    @rule(name=_names, key=_tag_keys, value=st.sampled_from(["", "v", "w"]))
    def set_tag(self, name: str, key: str, value: str) -> None:
        arn = f"arn:{self.kind}:{name}"
        if name not in self.model:
            with pytest.raises(ResourceMissing):
                self.store.set_tags(arn, {key: value})
            return
        self.tags[name][key] = value
        assert self.store.set_tags(arn, {key: value}) == self.tags[name]

    @rule(name=_names, keys=st.lists(_tag_keys, max_size=2))
    def remove_tags(self, name: str, keys: list[str]) -> None:
        arn = f"arn:{self.kind}:{name}"
        if name not in self.model:
            with pytest.raises(ResourceMissing):
                self.store.remove_tags(arn, keys)
            return
        self.store.remove_tags(arn, keys)
        for key in keys:
            self.tags[name].pop(key, None)

    @rule(
        name_contains=st.sampled_from(["", "a", "B", "%", "_", "\\", "-1", "ZETA"]),
        statuses=st.lists(_statuses, max_size=2, unique=True),
        sort_by=st.sampled_from(["created", "modified", "name", "status"]),
        descending=st.booleans(),
        limit=st.integers(1, 4),
    )
    def list_all(
        self, name_contains: str, statuses: list[str], sort_by: Any, descending: bool, limit: int
    ) -> None:
        query = ResourceQuery(
            self.kind,
            name_contains=name_contains,
            statuses=statuses,
            sort_by=sort_by,
            descending=descending,
        )
        found: list[Resource] = []
        token = ""
        while True:
            page = self.store.page(query, limit=limit, token=token)
            assert len(page.resources) <= limit
            found.extend(page.resources)
            if not (token := page.next_token):
                break
        assert found == listed(self.model, query)

    @invariant()
    def stores_what_the_model_has(self) -> None:
        for name, resource in getattr(self, "model", {}).items():
            assert self.store.get(self.kind, name) == resource
            tags = self.store.tags(resource.arn)
            assert list(tags.items()) == sorted(self.tags[name].items())
