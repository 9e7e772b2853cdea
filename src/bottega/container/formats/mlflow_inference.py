"""The inference script of a model that MLflow logged; goes along as ``code/inference.py``.

Takes CSV without a header, in the order of the model's columns, and JSON: a list of rows or of
objects, or one of MLflow's own forms (``dataframe_split``, ``dataframe_records``, ``instances``,
``inputs``). Answers CSV, or JSON ``{"predictions": [...]}``.
"""

from __future__ import annotations

import io
import json
import math
import os
from typing import Any

FOLDER = "mlflow-model"
"""Where the model lies in the archive."""
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def model_fn(model_dir: str) -> Any:
    """Load the model, whatever its flavour."""
    return load(os.path.join(model_dir, FOLDER))


def load(folder: str) -> Any:
    """Load the model of a folder with an MLmodel."""
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(folder)


def input_fn(body: str | bytes, content_type: str) -> Any:
    """The rows of a request: a frame, or one of MLflow's forms as it came."""
    import pandas

    text = body if isinstance(body, str) else body.decode()
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/csv":
        return pandas.read_csv(io.StringIO(text), header=None)
    if kind == "application/json":
        document = json.loads(text)
        if isinstance(document, dict):
            is_form = any(form in document for form in FORMS)
            return document if is_form else pandas.DataFrame([document])
        rows = document if document and isinstance(document[0], list | dict) else [document]
        return pandas.DataFrame(rows)
    raise ValueError(f"the model takes text/csv and application/json, not {content_type!r}")


def predict_fn(data: Any, model: Any) -> Any:
    """Predict, with the names and types of the model's own signature where it has one."""
    from mlflow.pyfunc.scoring_server import infer_and_parse_data

    schema = model.metadata.get_input_schema()
    if isinstance(data, dict):
        return model.predict(infer_and_parse_data(data, schema))
    return model.predict(data if schema is None else _fitted(data, schema))


def _fitted(frame: Any, schema: Any) -> Any:
    if schema.is_tensor_spec():
        return frame.to_numpy().astype(schema.numpy_types()[0])
    names = schema.input_names()
    if all(isinstance(column, int) for column in frame.columns):
        if len(frame.columns) != len(names):
            raise ValueError(
                f"the model takes {len(names)} columns ({', '.join(map(str, names))}), "
                f"not {len(frame.columns)}"
            )
        frame.columns = names
    types = {name: kind.to_pandas() for name, kind in zip(names, schema.input_types(), strict=True)}
    return frame.astype({name: kind for name, kind in types.items() if name in frame.columns})


def output_fn(prediction: Any, accept: str) -> tuple[str, str]:
    """The predictions as CSV or JSON, as the caller wants them.

    A model that gives a single value gives one row. JSON has no NaN and no infinity: they are null.
    """
    import numpy
    import pandas

    if isinstance(prediction, pandas.DataFrame | pandas.Series):
        prediction = prediction.to_numpy()
    values = numpy.atleast_1d(prediction)
    if "csv" in accept:
        text = io.StringIO()
        pandas.DataFrame(values.reshape(len(values), -1)).to_csv(text, header=False, index=False)
        return text.getvalue(), "text/csv"
    predictions = _without_nan(values.tolist())
    return json.dumps({"predictions": predictions}, allow_nan=False), "application/json"


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
