"""The metadata port: resources with a status, a version and a JSON body.

One table of resources serves every feature; a feature gives its documents meaning with its own
typed views, so a new capability needs no migration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

JSON = Mapping[str, Any]


class ResourceMissing(Exception):
    """There is no resource of that kind and name."""


class ResourceExists(Exception):
    """A resource of that kind and name is already there. ``existing`` is it."""

    def __init__(self, existing: Resource) -> None:
        super().__init__(f"{existing.kind} {existing.name}")
        self.existing = existing


class VersionConflict(Exception):
    """The resource was changed or deleted since it was read."""


class TooManyTags(Exception):
    """The resource would have more tags than allowed."""


class InvalidPageToken(Exception):
    """The token was not made by this listing."""


@dataclass(frozen=True)
class Resource:
    """One resource as it stands in the store; change a ``dataclasses.replace`` of it."""

    kind: str
    """The SageMaker noun: ``TrainingJob``, ``Endpoint``."""
    name: str
    """Unique within the kind."""
    arn: str
    status: str
    """The public status; empty for kinds that have none."""
    created: float
    """Seconds since the epoch."""
    modified: float
    """Seconds since the epoch; the store sets it at every update."""
    body: JSON = field(default_factory=dict)
    """What Describe shows (JSON values; timestamps as epoch seconds)."""
    private: JSON = field(default_factory=dict)
    """What only the controller needs (JSON values); no operation ever shows it."""
    version: int = 0
    """1 after creation, one more with each update; the store sets it."""

    def same_as(self, other: Resource) -> bool:
        """Whether this is the other resource, and neither was changed since the other was read.

        One that was deleted and made anew has the same name and counts its versions anew; it is
        not the same.
        """
        return (self.kind, self.name, self.created, self.version) == (
            other.kind,
            other.name,
            other.created,
            other.version,
        )


class Outline(NamedTuple):
    """A resource without its documents: enough to tell whether what is known of it still holds."""

    name: str
    status: str
    created: float
    modified: float
    version: int


class Written(NamedTuple):
    """A resource with its body as it is written."""

    name: str
    modified: float
    body: str
    """JSON; it may have NaN and Infinity."""


class Changes(NamedTuple):
    """What has changed of a kind: resources that were made, updated, deleted, or tagged anew."""

    number: int
    """Of the newest change: what to ask with the next time."""
    names: frozenset[str] | None
    """None where it is too long ago to say: any resource may have changed."""


@dataclass(frozen=True)
class ResourceQuery:
    """What a List operation asks for. Every given condition must hold."""

    kind: str
    name_contains: str = ""
    """Case-insensitive, as SageMaker's NameContains."""
    statuses: Sequence[str] = ()
    """Any of these; empty means all."""
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    sort_by: Literal["created", "modified", "name", "status"] = "created"
    descending: bool = True


@dataclass(frozen=True)
class ResourcePage:
    """Some resources of a listing; ``next_token`` is empty on the last page."""

    resources: tuple[Resource, ...]
    next_token: str = ""


class MetadataStore(ABC):
    """Durable, transactional storage of resources and tags.

    Contract, checked for every implementation by ``bottega.testing.metadata_store_case``:

    * Every method is atomic and durable: once it has returned, neither a kill of the process nor a
      loss of power undoes it. A method that raises has changed nothing.
    * Every method may be called from any thread and any number of them at once.
    * What is returned is a snapshot; changing the store later does not change it.
    * After each commit a ``bottega.events.ResourceChanged`` is published for each resource changed.
    * Bodies come back equal to what was stored: str, int, float, bool, None, list, dict with str
      keys.
    """

    @abstractmethod
    def create(self, resource: Resource, *, tags: Mapping[str, str] | None = None) -> Resource:
        """Add a resource, with its tags.

        Returns:
            The resource with version 1.

        Raises:
            ResourceExists: the kind has one of that name.
        """

    @abstractmethod
    def get(self, kind: str, name: str) -> Resource:
        """Read one resource.

        Raises:
            ResourceMissing: there is none.
        """

    @abstractmethod
    def update(self, resource: Resource) -> Resource:
        """Replace status, body and private of a resource that still has ``resource.version``.

        Returns:
            The resource as stored: ``modified`` set, version one higher.

        Raises:
            VersionConflict: it was changed or deleted since it was read.
        """

    @abstractmethod
    def delete(self, kind: str, name: str, *, seen: Resource | None = None) -> None:
        """Remove a resource and its tags.

        Args:
            seen: what was read of it; it is removed only where it is the same still.

        Raises:
            ResourceMissing: there is none.
            VersionConflict: it was changed, or made anew, since ``seen`` was read.
        """

    @abstractmethod
    def page(self, query: ResourceQuery, *, limit: int, token: str = "") -> ResourcePage:
        """Some of the resources that match, in the query's order with the name as tie-breaker.

        Tokens are opaque and stand for a position, not a count: what is created or deleted between
        two pages neither repeats nor hides any other resource.

        Raises:
            InvalidPageToken: ``token`` does not belong to this query.
        """

    @abstractmethod
    def outlines(self, query: ResourceQuery) -> tuple[Outline, ...]:
        """All resources that match, in the query's order with the name as tie-breaker.

        Fast also for ten thousands of them, as no document is read: for what sorts and filters by
        more than a query can say, and remembers what it made of the documents.
        """

    @abstractmethod
    def scan(self, kind: str) -> Iterator[Written]:
        """Every resource of a kind, in the order of the names, with its body as JSON.

        For what needs a few members of very many documents and knows how to find them sooner than
        by decoding all there is. The resources are read piece by piece: each is as it was some time
        since the beginning, and one that is there all the while comes once.
        """

    @abstractmethod
    def changes(self, kind: str, since: int) -> Changes:
        """The resources of a kind that have changed since an earlier answer's number.

        Whatever is committed when this is asked is told, and what is read afterwards is at least as
        new. For what keeps something made of the documents and follows the store without reading
        everything again.

        Args:
            since: 0 at first, when nothing is known yet.
        """

    @abstractmethod
    def all_tags(
        self, kind: str, names: Iterable[str] | None = None
    ) -> Mapping[str, Mapping[str, str]]:
        """The tags of every resource of a kind that has some, by the resource's name.

        Args:
            names: of the resources that are meant, where not all of them are.
        """

    @abstractmethod
    def get_many(self, kind: str, names: Iterable[str]) -> Mapping[str, Resource]:
        """The resources of these names by name; those that are not there are left out."""

    @abstractmethod
    def counts(self, kind: str) -> Mapping[str, int]:
        """How many resources of a kind there are in each status; only statuses that occur."""

    @abstractmethod
    def set_tags(
        self, arn: str, tags: Mapping[str, str], *, limit: int | None = None
    ) -> Mapping[str, str]:
        """Add or overwrite tags of the resource with this ARN; returns all its tags.

        Args:
            limit: how many tags the resource may have afterwards; None for any number.

        Raises:
            ResourceMissing: no resource has that ARN.
            TooManyTags: it would have more than ``limit``.
        """

    @abstractmethod
    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        """Remove tags; keys that are not there are passed over.

        Raises:
            ResourceMissing: no resource has that ARN.
        """

    @abstractmethod
    def tags(self, arn: str) -> Mapping[str, str]:
        """All tags of the resource, by key in order.

        Raises:
            ResourceMissing: no resource has that ARN.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of connections; the store cannot be used after."""

    def each(self, query: ResourceQuery) -> Iterator[Resource]:
        """Every resource that matches, read page by page."""
        token = ""
        while True:
            page = self.page(query, limit=500, token=token)
            yield from page.resources
            if not (token := page.next_token):
                return

    def modify(self, kind: str, name: str, change: Callable[[Resource], Resource]) -> Resource:
        """Read, change and write, again when somebody else was faster.

        Args:
            change: gets the present resource and returns the wanted one; it may raise to give up,
                and may be called more than once. Returning the very same object writes nothing.

        Raises:
            ResourceMissing: there is none.
            ValueError: what is wanted was made of another reading, and could never be written.
        """
        while True:
            present = self.get(kind, name)
            wanted = change(present)
            if wanted is present:
                return present
            if not wanted.same_as(present):
                raise ValueError(
                    f"{kind} {name}: a change must be made of version {present.version} of "
                    f"{present.created}, and not of version {wanted.version} of {wanted.created}"
                )
            try:
                return self.update(wanted)
            except VersionConflict:
                continue
