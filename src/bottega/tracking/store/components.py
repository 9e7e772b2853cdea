"""Which run a trial component is."""

from __future__ import annotations

import sqlite3


def run_of(connection: sqlite3.Connection, component: str) -> str | None:
    """The run that is the component of this name; None where there is none.

    Names of components are told apart as SageMaker does, without regard to case. A run that a plain
    mlflow client made is called by its id.
    """
    found = connection.execute(
        "SELECT c.run_uuid FROM bottega_components c CROSS JOIN runs r ON r.run_uuid = c.run_uuid"
        " WHERE c.name = ? AND r.lifecycle_stage = 'active'",
        (component,),
    ).fetchone()
    return None if found is None else str(found[0])
