"""A fitted flow behind an endpoint: from the body of a request to the body of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.serving.fitted import Fitted
from bottega.wrangler.serving.plan import ServingPlan, serving_plan
from bottega.wrangler.serving.requests import CSV, answer_of, rows_of, wanted_type
from bottega.wrangler.serving.rows import RowEngine

FITTED_NAME = "fitted.flow"


class FlowEndpoint:
    """Answers requests with features. May be used from several threads.

    Args:
        plan: what to compute.
    """

    def __init__(self, plan: ServingPlan) -> None:
        self._plan = plan
        self._engine = RowEngine(plan)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the fitted flow of a model: ``fitted.flow``, or the only ``.flow`` there is.

        Raises:
            FlowError: there is none, it is not fitted, or it cannot be served.
        """
        path = folder / FITTED_NAME
        if not path.is_file():
            found = sorted(folder.glob("*.flow"))
            if len(found) != 1:
                names = ", ".join(one.name for one in found) or "no .flow file"
                raise FlowError(f"The model has {names}; it must have {FITTED_NAME}.")
            (path,) = found
        return cls(serving_plan(Fitted.parse(path.read_bytes()), trusted=True))

    def features(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Answer one request.

        Returns:
            The body and its media type; empty for a request without rows.

        Raises:
            UnsupportedType: of the request or the answer.
            DataError: the request is not what the flow needs; says what.
        """
        kind = wanted_type(accept)
        rows = rows_of(self._plan, body, content_type)
        if not rows:
            raise DataError("The request has no rows.")
        found = self._engine.of_texts(rows, "texts" if kind == CSV else "values")
        return answer_of(self._plan, found, accept)
