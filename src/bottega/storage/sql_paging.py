"""Keyset pagination: a token says after which resource to go on, and for which query it was
made."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from bottega.storage.metadata import InvalidPageToken, Resource, ResourceQuery
from bottega.storage.sql_schema import resources


def listing(query: ResourceQuery, columns: tuple[sa.Column[Any], ...]) -> sa.Select[Any]:
    """The statement of a query in its order, without a limit.

    The name breaks ties and follows the direction of the order, so that one index serves both.
    """
    table = resources.c
    statement = sa.select(*columns).where(table.kind == query.kind)
    if query.name_contains:
        statement = statement.where(table.name.icontains(query.name_contains, autoescape=True))
    if query.statuses:
        statement = statement.where(table.status.in_(query.statuses))
    if query.created_after is not None:
        statement = statement.where(table.created > query.created_after)
    if query.created_before is not None:
        statement = statement.where(table.created < query.created_before)
    if query.modified_after is not None:
        statement = statement.where(table.modified > query.modified_after)
    if query.modified_before is not None:
        statement = statement.where(table.modified < query.modified_before)
    order = dict.fromkeys(
        (table[query.sort_by], table.name)
    )  # the name once, also when it is the key
    return statement.order_by(*(c.desc() if query.descending else c.asc() for c in order))


def after(statement: sa.Select[Any], query: ResourceQuery, token: str) -> sa.Select[Any]:
    """The rest of a listing behind the resource that ``token`` stands for.

    Raises:
        InvalidPageToken: it was made for another query, or is none.
    """
    key, name = _parse(query, token)
    table = resources.c
    if query.sort_by == "name":
        place, mark = table.name, sa.literal(name)
        return statement.where(place < mark if query.descending else place > mark)
    column = table[query.sort_by]
    here = sa.tuple_(column, table.name)
    there = sa.tuple_(sa.literal(key, column.type), sa.literal(name, table.name.type))
    return statement.where(here < there if query.descending else here > there)


def token_after(query: ResourceQuery, last: Resource) -> str:
    """The token with which the page behind ``last`` is asked for."""
    position = json.dumps([_fingerprint(query), getattr(last, query.sort_by), last.name])
    return base64.urlsafe_b64encode(position.encode()).decode()


def _parse(query: ResourceQuery, token: str) -> tuple[str | float, str]:
    try:
        position = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidPageToken("the token is damaged") from error
    match position:
        case [str(fingerprint), (str() | float() | int()) as key, str(name)]:
            pass
        case _:
            raise InvalidPageToken("the token is damaged")
    if fingerprint != _fingerprint(query):
        raise InvalidPageToken("the token belongs to another query")
    return key, name


def _fingerprint(query: ResourceQuery) -> str:
    text = json.dumps({**asdict(query), "statuses": sorted(query.statuses)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
