"""``%%experiment``: a cell inside an MLflow run of the studio."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bottega.credentials import Credentials
from bottega.errors import ClientFault
from bottega.magics.refusals import Refused
from bottega.sdk import inside_job
from bottega.sdk.session import Session
from bottega.widgets import frontend
from bottega.widgets.wording import Table, number

URI, TOKEN, RUN = "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_RUN_ID"


def run_cell(shell: Any, studio: Session, experiment: str, run_name: str | None, cell: str) -> None:
    """Run a cell in a run of its own, and show what it logged.

    The run ends FINISHED, or FAILED when the cell fails or is interrupted.

    Raises:
        ClientFault: the studio has no MLflow.
        Refused: the cell failed; its own traceback has been shown.
    """
    uri = studio.describe().get("TrackingUri")
    if not uri:
        raise ClientFault("this studio keeps no experiments: tracking is switched off in it")
    with _tracking(studio, uri) as client:
        import mlflow

        number_of = _experiment_id(client, experiment)
        nested = mlflow.active_run() is not None
        with mlflow.start_run(experiment_id=number_of, run_name=run_name, nested=nested) as run:
            failed = not shell.run_cell(cell).success
            if failed:
                mlflow.end_run("FAILED")
        logged = client.get_run(run.info.run_id)
    address = f"{uri}/#/experiments/{logged.info.experiment_id}/runs/{logged.info.run_id}"
    print(f"Run {logged.info.run_name} of experiment {experiment}: {logged.info.status}")
    print(address)
    rows = [("parameter", key, text) for key, text in sorted(logged.data.params.items())]
    rows += [("metric", key, number(x)) for key, x in sorted(logged.data.metrics.items())]
    if rows:
        frontend.show(Table(("Logged", "Name", "Value"), tuple(rows), "").bundle())
    if failed:
        raise Refused(f"the cell failed; the run {logged.info.run_name} is marked FAILED")


def _experiment_id(client: Any, name: str) -> str:
    """The experiment of a name; a new one where there is none."""
    from mlflow.exceptions import MlflowException

    try:
        if (found := client.get_experiment_by_name(name)) is not None:
            if found.lifecycle_stage == "deleted":
                raise ClientFault(
                    f"the experiment {name!r} is deleted: restore it, or take another"
                )
            return str(found.experiment_id)
        return str(client.create_experiment(name))
    except MlflowException as error:
        raise ClientFault(f"the experiment {name!r}: {error.message}") from error


@contextmanager
def _tracking(studio: Session, uri: str) -> Iterator[Any]:
    """MLflow's client of the studio; plain ``mlflow`` goes there, too, as long as the cell runs."""
    import mlflow

    elsewhere = mlflow.get_tracking_uri()
    values = {URI: uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    if not inside_job.is_job(os.environ):  # which has a token of its own
        values[TOKEN] = Credentials.load(studio.config).tracking_token
    before = {name: os.environ.get(name) for name in (*values, RUN)}
    os.environ.update(values)
    # A job has a run of its own, which this variable names; the cell's is another.
    os.environ.pop(RUN, None)
    try:
        mlflow.set_tracking_uri(uri)
        yield mlflow.MlflowClient()
    finally:
        mlflow.set_tracking_uri(elsewhere)
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old
