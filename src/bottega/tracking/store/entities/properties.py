"""The properties that entities are found and sorted by, as SQL over MLflow's tables and ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bottega.tracking.experiments import ARN_TAG, KIND_TAG
from bottega.tracking.store.catalogue import Refusal
from bottega.tracking.store.entities.experiments import CREATED_BY, DISPLAY, MODIFIED_BY, NOTE
from bottega.tracking.store.entities.members import (
    ARTIFACT_PREFIXES,
    METADATA_TAGS,
    PRIMARY_STATUS,
    SOURCE_TYPE,
    USER_TAG,
)
from bottega.tracking.store.entities.tables import experiment_name
from bottega.tracking.store.statements import Sql

Type = Literal["text", "number", "time", "mixed"]
"""``time`` is in milliseconds; ``mixed`` is text that is compared as a number where it is one."""


@dataclass(frozen=True)
class Property:
    """What an entity has under a name: one value, or the rows of a table that are its own."""

    name: str
    type: Type
    value: Sql
    """In terms of the entity, or of the rows."""
    rows: Sql | None = None
    """``FROM`` and ``WHERE`` of the rows of all entities; None for one value."""
    owner: str = ""
    """The column of the rows that says whose they are."""
    table: str = ""
    """The table that has the rows by key and value in an index, for walks in their order."""
    key: str = ""
    always: bool = False
    """Whether every entity has it."""
    several: bool = True
    """Whether there may be several rows of one entity."""
    grouped: bool = False
    """Whether the rows are made of others, so that those of one entity are not quickly found."""
    squared: bool = False
    """Whether the value is the square of what it is called."""


@dataclass(frozen=True)
class Kind:
    """One kind of entity: its tables, and what it is called by there."""

    table: str
    """That has one row for each."""
    source: str
    """``FROM``, the entity's own table first."""
    alive: str
    """What holds of those that are not deleted."""
    owner: str
    """Its key, as rows name it."""
    name: str
    property: Callable[[str], Property | None]

    def find(self, name: str) -> Property:
        """The property of this name.

        Raises:
            Refusal: there is none.
        """
        if (found := self.property(name)) is None:
            raise Refusal(f"Unknown property name: {name}")
        return found


def _scalar(name: str, type: Type, sql: str, *, always: bool = False) -> Property:
    return Property(name, type, Sql(sql), always=always)


def _keyed(name: str, type: Type, table: str, key: str, more: str = "") -> Property:
    """Rows of one of MLflow's tables with a key."""
    rows = Sql(f"FROM {table} x WHERE x.key = ?{more}", (key,))
    walked = table if table == "latest_metrics" else ""
    return Property(name, type, Sql("x.value"), rows, "x.run_uuid", walked, key, several=False)


# -- trial components ------------------------------------------------------------------------------

_STATUSES = " ".join(
    f"WHEN '{run}' THEN '{primary}'" for run, primary in PRIMARY_STATUS.items() if run != "RUNNING"
)
_STATUS = (
    "CASE r.status WHEN 'RUNNING' THEN"
    " CASE WHEN json_extract(c.facts, '$.stopping') THEN 'Stopping' ELSE 'InProgress' END"
    f" {_STATUSES} END"
)
_MESSAGE = (
    f"CASE WHEN json_extract(c.facts, '$.message[0]') = {_STATUS}"
    " THEN json_extract(c.facts, '$.message[1]') END"
)
_COMPONENT: Mapping[str, Property] = {
    found.name: found
    for found in (
        _scalar("TrialComponentName", "text", "c.name", always=True),
        _scalar("DisplayName", "text", "coalesce(r.name, c.name)", always=True),
        _scalar("CreationTime", "time", "c.created", always=True),
        _scalar("LastModifiedTime", "time", "c.modified", always=True),
        _scalar(
            "StartTime",
            "time",
            "CASE WHEN json_extract(c.facts, '$.unstarted') THEN NULL ELSE r.start_time END",
        ),
        _scalar("EndTime", "time", "r.end_time"),
        _scalar("Status.PrimaryStatus", "text", _STATUS),
        _scalar("Status.Message", "text", _MESSAGE),
        _scalar("RunId", "text", "c.run_uuid", always=True),
    )
}
_CONTEXTS = {"CreatedBy": "created_by", "LastModifiedBy": "modified_by"}
_CONTEXT_MEMBERS = (
    "UserProfileArn",
    "UserProfileName",
    "DomainId",
    "IamIdentity.Arn",
    "IamIdentity.PrincipalId",
    "IamIdentity.SourceIdentity",
)
_STATISTICS: Mapping[str, str] = {
    "Max": "max(value)",
    "Min": "min(value)",
    "Avg": "avg(value)",
    "Count": "count(*)",
    "TimeStamp": "max(timestamp)",
}
_PARENT_ROWS = (
    "FROM bottega_members m JOIN bottega_trials t ON t.trial_id = m.trial_id"
    " JOIN experiments e ON e.experiment_id = t.experiment_id WHERE e.lifecycle_stage = 'active'"
)
_EXPERIMENT_NAME = f"({experiment_name('e')}) COLLATE NOCASE"
PARENTS: Mapping[str, str] = {"TrialName": "t.name", "ExperimentName": _EXPERIMENT_NAME}


def parent(name: str, member: str) -> Property:
    """What a component's trials have."""
    return Property(name, "text", Sql(PARENTS[member]), Sql(_PARENT_ROWS), "m.run_uuid")


def _component(name: str) -> Property | None:
    if found := _COMPONENT.get(name):
        return found
    head, _, rest = name.partition(".")
    if not rest:
        return None
    if head == "Parameters":
        return _keyed(name, "mixed", "params", rest)
    if head == "Tags":
        return _keyed(name, "text", "tags", rest)
    if head == "Metrics":
        return _metric(name, rest)
    if head == "Parents" and rest in PARENTS:
        return parent(name, rest)
    if head == "MetadataProperties" and rest in METADATA_TAGS:
        return _keyed(name, "text", "tags", METADATA_TAGS[rest])
    if head in ARTIFACT_PREFIXES:
        return _artifact(name, head, rest)
    return _fact(name, head, rest)


def _fact(name: str, head: str, rest: str) -> Property | None:
    if name == "Source.SourceArn":
        return _keyed(name, "text", "tags", ARN_TAG)
    if name == "Source.SourceType":
        found = _keyed(name, "text", "tags", KIND_TAG)
        value = Sql(f"('{SOURCE_TYPE}' || x.value)")
        return Property(name, "text", value, found.rows, found.owner)
    if head in _CONTEXTS and rest in _CONTEXT_MEMBERS:
        path = f"json_extract(c.facts, '$.{_CONTEXTS[head]}.{rest}')"
        if name == "CreatedBy.UserProfileName":
            path = (
                f"coalesce({path}, CASE WHEN json_extract(c.facts, '$.created_by') IS NULL THEN"
                f" (SELECT u.value FROM tags u WHERE u.run_uuid = c.run_uuid"
                f"  AND u.key = '{USER_TAG}') END)"
            )
        return _scalar(name, "text", path)
    return None


def _artifact(name: str, head: str, rest: str) -> Property | None:
    key, _, member = rest.rpartition(".")
    prefix = ARTIFACT_PREFIXES[head]
    if key and member == "MediaType":
        # A path of JSON could not name every key.
        media = "(SELECT j.value FROM json_each(c.facts, '$.media') j WHERE j.key = ?)"
        return Property(name, "text", Sql(media, (f"{prefix}{key}",)))
    key = key if member == "Value" else rest
    return _keyed(name, "text", "tags", f"{prefix}{key}") if key else None


def _metric(name: str, rest: str) -> Property:
    metric, _, statistic = rest.rpartition(".")
    if metric and statistic in _STATISTICS:
        rows = Sql(
            f"FROM (SELECT run_uuid, {_STATISTICS[statistic]} AS value FROM metrics"
            " WHERE key = ? AND is_nan = 0 GROUP BY run_uuid) x WHERE 1",
            (metric,),
        )
        kind: Type = "time" if statistic == "TimeStamp" else "number"
        return Property(name, kind, Sql("x.value"), rows, "x.run_uuid", grouped=True)
    if metric and statistic == "StdDev":
        rows = Sql(
            "FROM (SELECT m.run_uuid, avg((m.value - s.mean) * (m.value - s.mean)) AS value"
            " FROM (SELECT run_uuid, avg(value) AS mean FROM metrics WHERE key = ? AND is_nan = 0"
            "  GROUP BY run_uuid) s"
            " JOIN metrics m ON m.run_uuid = s.run_uuid AND m.key = ? AND m.is_nan = 0"
            " GROUP BY m.run_uuid) x WHERE 1",
            (metric, metric),
        )
        # SQLite need not have a square root.
        return Property(
            name, "number", Sql("x.value"), rows, "x.run_uuid", grouped=True, squared=True
        )
    if not metric and rest == "MetricName":
        return Property(
            name, "text", Sql("x.key"), Sql("FROM latest_metrics x WHERE 1"), "x.run_uuid"
        )
    metric = metric if metric and statistic == "Last" else rest
    return _keyed(name, "number", "latest_metrics", metric, " AND x.is_nan = 0")


def any_point(found: Property, operator: str) -> Property | None:
    """The points of a metric where one that passes says the same as the statistic: the greatest one
    is greater than something where any is."""
    _, _, statistic = found.name.rpartition(".")
    says = {"Max": "Greater", "Min": "Less"}.get(statistic)
    if not found.grouped or says is None or not operator.startswith(says):
        return None
    metric = found.name.removeprefix("Metrics.").removesuffix(f".{statistic}")
    rows = Sql("FROM metrics x WHERE x.key = ? AND x.is_nan = 0", (metric,))
    return Property(found.name, "number", Sql("x.value"), rows, "x.run_uuid", grouped=True)


# -- trials and experiments ------------------------------------------------------------------------

_TRIAL: Mapping[str, Property] = {
    found.name: found
    for found in (
        _scalar("TrialName", "text", "t.name", always=True),
        _scalar(
            "DisplayName",
            "text",
            "coalesce(json_extract(t.facts, '$.DisplayName'), t.name)",
            always=True,
        ),
        _scalar("ExperimentName", "text", _EXPERIMENT_NAME, always=True),
        _scalar("CreationTime", "time", "t.created", always=True),
        _scalar("LastModifiedTime", "time", "t.modified", always=True),
        Property(
            "TrialComponentSummaries.TrialComponentName",
            "text",
            Sql("c.name"),
            Sql(
                "FROM bottega_members m JOIN bottega_components c ON c.run_uuid = m.run_uuid"
                " JOIN runs r ON r.run_uuid = m.run_uuid WHERE r.lifecycle_stage = 'active'"
            ),
            "m.trial_id",
        ),
    )
}


def _trial(name: str) -> Property | None:
    if found := _TRIAL.get(name):
        return found
    head, _, rest = name.partition(".")
    if head == "Tags" and rest:
        rows = Sql("FROM bottega_trials y, json_each(y.tags) x WHERE x.key = ?", (rest,))
        return Property(name, "text", Sql("x.value"), rows, "y.trial_id")
    is_context = head in _CONTEXTS and rest in _CONTEXT_MEMBERS
    if is_context or (head == "MetadataProperties" and rest in METADATA_TAGS):
        return _scalar(name, "text", f"json_extract(t.facts, '$.{head}.{rest}')")
    return None


def _tag_of_experiment(tag: str) -> str:
    return (
        "(SELECT u.value FROM experiment_tags u WHERE u.experiment_id = e.experiment_id"
        f" AND u.key = '{tag}')"
    )


_EXPERIMENT: Mapping[str, Property] = {
    found.name: found
    for found in (
        _scalar("ExperimentName", "text", _EXPERIMENT_NAME, always=True),
        _scalar(
            "DisplayName", "text", f"coalesce({_tag_of_experiment(DISPLAY)}, e.name)", always=True
        ),
        _scalar("Description", "text", _tag_of_experiment(NOTE)),
        _scalar("CreationTime", "time", "coalesce(e.creation_time, 0)", always=True),
        _scalar(
            "LastModifiedTime",
            "time",
            "coalesce(e.last_update_time, e.creation_time, 0)",
            always=True,
        ),
    )
}


def _experiment(name: str) -> Property | None:
    if found := _EXPERIMENT.get(name):
        return found
    head, _, rest = name.partition(".")
    if head == "Tags" and rest:
        rows = Sql("FROM experiment_tags x WHERE x.key = ?", (rest,))
        return Property(name, "text", Sql("x.value"), rows, "x.experiment_id")
    contexts = {"CreatedBy": CREATED_BY, "LastModifiedBy": MODIFIED_BY}
    if head in contexts and rest in _CONTEXT_MEMBERS:
        tag = _tag_of_experiment(contexts[head])
        return _scalar(name, "text", f"json_extract({tag}, '$.{rest}')")
    return None


KINDS: Mapping[str, Kind] = {
    "Experiment": Kind(
        table="experiments",
        source="experiments e",
        alive="e.lifecycle_stage = 'active'",
        owner="e.experiment_id",
        name=experiment_name("e"),
        property=_experiment,
    ),
    "Trial": Kind(
        table="bottega_trials",
        source="bottega_trials t CROSS JOIN experiments e ON e.experiment_id = t.experiment_id",
        alive="e.lifecycle_stage = 'active'",
        owner="t.trial_id",
        name="t.name",
        property=_trial,
    ),
    "TrialComponent": Kind(
        table="bottega_components",
        source="bottega_components c CROSS JOIN runs r ON r.run_uuid = c.run_uuid",
        alive="r.lifecycle_stage = 'active'",
        owner="c.run_uuid",
        name="c.name",
        property=_component,
    ),
}
"""By what the daemon calls them."""
