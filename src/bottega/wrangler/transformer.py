"""A flow as a scikit-learn transformer.

>>> prepared = FlowTransformer("churn.flow", label="Churn")  # doctest: +SKIP
>>> train = prepared.fit_transform(raw, training=True)  # doctest: +SKIP
>>> features = prepared.transform(new_rows)  # doctest: +SKIP
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from bottega.nearest import ending
from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.frames import schema_of, table_of
from bottega.wrangler.engine.in_memory import stored
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.serving.fitted import Fitted, only_end, title
from bottega.wrangler.serving.plan import ServingPlan, serving_plan
from bottega.wrangler.serving.rows import RowEngine

if TYPE_CHECKING:
    import numpy as np

Frames: TypeAlias = "pd.DataFrame | Mapping[str, pd.DataFrame]"
_FEW = 6
"""Frames up to this number of rows go the way of requests, which is made for few rows."""


class FlowTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learns what the steps of a flow learn, and does to other rows what was done to those.

    Args:
        flow: a :class:`~bottega.wrangler.flow.document.Flow`, its JSON as a text or a mapping, or
            the path of a ``.flow`` file.
        node: the id of the node whose table is wanted; may be left out where the flow has one end.
        output: which of the node's outputs, such as ``Train`` of a split.
        label: the column that a model learns to predict, by its name in the source or in the table
            that comes out. It is a column of training tables and of no other.
        trusted: whether code that came with the flow may run. Read it first.

    Attributes:
        flow_: the fitted flow.
        features_: the columns of what :meth:`transform` gives, with their types.
    """

    def __init__(
        self,
        flow: Any,
        node: str | None = None,
        output: str = "default",
        label: str | None = None,
        trusted: bool = False,
    ) -> None:
        self.flow = flow
        self.node = node
        self.output = output
        self.label = label
        self.trusted = trusted

    def fit(self, X: Frames, y: Any = None) -> Self:
        """Learn from a table.

        Args:
            X: the frame, which takes the place of the flow's source; where the flow has several
                sources, a mapping from their names or ids to frames.
            y: not used; the label is a column of X.

        Raises:
            FlowError: a step is wrong, or the data are not what it needs; names step and column.
        """
        self._learn(X, training=False)
        return self

    def transform(self, X: Frames, *, training: bool = False) -> pd.DataFrame:
        """Do to other rows what was learnt.

        Args:
            X: as in :meth:`fit`. Without ``training`` the label need not be in it, nor any other
                column that no feature is computed from.
            training: False gives the features of every row, in their order and with their index:
                steps that choose or sort rows for training are left out. True gives the table as
                the flow has it, label included.

        Raises:
            FlowError: without ``training``, a step cannot be applied to rows by themselves; names
                it.
            DataError: a column is not there, or a value is not of its type; says which.
        """
        check_is_fitted(self, "fitted_")
        if training:
            with Database() as database:
                engine = FlowEngine(database, FrameSources(database, self.fitted_, X))
                flow, node = self.fitted_.flow, self.fitted_.node_id
                prepared = engine.prepare(
                    flow, node, self.output, fitted=True, trusted=self.trusted
                )
                return prepared.relation.frame()
        plan = self._plan()
        frame = self._single(X)
        missing = [c for c in plan.needed.names if c not in frame.columns and c not in plan.label]
        if missing:
            hint = ending(missing[0], list(map(str, frame.columns)))
            raise DataError(f"Columns are missing: {', '.join(map(repr, missing))}{hint}")
        found = self._features(plan, frame)
        found.index = frame.index
        return found

    def fit_transform(
        self,
        X: Frames,
        y: Any = None,
        *,
        training: bool = False,
    ) -> pd.DataFrame:
        """:meth:`fit`, then :meth:`transform` of the same."""
        if not training:
            return self.fit(X, y).transform(X)
        return self._learn(X, training=True)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """The columns of what :meth:`transform` gives."""
        import numpy as np

        check_is_fitted(self, "fitted_")
        return np.asarray(self._plan().features.names, dtype=object)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted flow as JSON: whole or not at all."""
        check_is_fitted(self, "fitted_")
        target = Path(path)
        draft = target.with_name(f".{target.name}.draft")
        draft.write_text(self.fitted_.text(), encoding="utf-8")
        draft.replace(target)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, trusted: bool = False) -> Self:
        """Read what :meth:`save`, or a processing job, wrote. No code runs by reading.

        Raises:
            FlowError: it is no fitted flow.
        """
        fitted = Fitted.parse(Path(path).read_bytes())
        found = cls(
            fitted.flow, fitted.node_id, fitted.output, fitted.label or None, trusted=trusted
        )
        found._keep(fitted)
        return found

    def __getstate__(self) -> dict[str, Any]:
        # A database in memory is no state: it is made anew from the flow.
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_rows", None)
        return state

    # -- parts ------------------------------------------------------------------------------------

    def _learn(self, frames: Frames, *, training: bool) -> pd.DataFrame:
        flow = read_flow(self.flow)
        node = self.node or only_end(flow)
        with Database() as database:
            sources = FrameSources(database, Fitted(flow, node, self.output, "", {}), frames)
            engine = FlowEngine(database, sources)
            prepared = engine.prepare(flow, node, self.output, trusted=self.trusted)
            self._keep(
                Fitted.of(
                    flow,
                    prepared.states,
                    {key: relation.schema for key, relation in sources.taken.items()},
                    node,
                    self.output,
                    self.label or "",
                )
            )
            return prepared.relation.frame() if training else pd.DataFrame()

    def _keep(self, fitted: Fitted) -> None:
        self.__dict__.pop("_rows", None)
        self.fitted_ = fitted
        self.flow_ = fitted.flow

    @property
    def features_(self) -> dict[str, str]:
        check_is_fitted(self, "fitted_")
        return {column.name: column.type.value for column in self._plan().features}

    def _plan(self) -> ServingPlan:
        return self._row_engine().plan

    def _row_engine(self) -> RowEngine:
        found: RowEngine | None = self.__dict__.get("_rows")
        if found is None:
            found = self._rows = RowEngine(serving_plan(self.fitted_, trusted=self.trusted))
        return found

    def _features(self, plan: ServingPlan, frame: pd.DataFrame) -> pd.DataFrame:
        from bottega.wrangler.engine.frames import frame_of

        engine = self._row_engine()
        label = [c for c in plan.needed.names if c in plan.label]
        if len(frame) > _FEW or any(c.type not in SCALARS for c in plan.needed):
            for column in label:
                frame = frame.assign(**{column: None})
            return engine.of_frame(frame)
        cells = [
            [None] * len(frame)
            if column.name in plan.label
            else [_text(value, column.type) for value in frame[column.name].tolist()]
            for column in plan.needed
        ]
        found = engine.of_texts(list(zip(*cells, strict=True)) if cells else [()] * len(frame))
        columns = list(zip(*found, strict=True)) or [()] * len(plan.features)
        arrow = _arrow(columns, plan)
        return frame_of(arrow, plan.features)

    def _single(self, frames: Frames) -> pd.DataFrame:
        if isinstance(frames, pd.DataFrame):
            return frames
        if len(frames) == 1:
            return next(iter(frames.values()))
        raise DataError(f"One frame is wanted, and {len(frames)} are given.")


class FrameSources:
    """Frames in the place of a flow's sources.

    Args:
        database: where they come to be tables.
        fitted: the flow; where it says the types of its sources, the frames get those.
        frames: one frame, or several by the source's id, its name, or its dataset's name.

    Raises:
        FlowError: a source has no frame, or a frame no source.
    """

    def __init__(self, database: Database, fitted: Fitted, frames: Frames) -> None:
        self.taken: dict[str, Relation] = {}
        self._database = database
        self._fitted = fitted
        flow = fitted.flow
        wanted = [node for node in flow.upstream(fitted.node_id) if node.type == "SOURCE"]
        self._frames = _by_source(flow, wanted, frames)

    def relation(self, node: Node) -> Relation:
        """The table of a source."""
        if node.id not in self.taken:
            frame = self._frames[node.id]
            schema = self._fitted.sources.get(node.id) or schema_of(frame)
            missing = [column for column in schema.names if column not in frame.columns]
            if missing:
                raise DataError(f"Columns are missing: {', '.join(map(repr, missing))}.")
            self.taken[node.id] = stored(self._database, table_of(frame, schema), schema)
        return self.taken[node.id]

    def fingerprint(self, node: Node) -> str:
        """Frames are not looked at twice."""
        return node.id


def read_flow(given: Any) -> Flow:
    """A flow in any form that somebody may have it in.

    Raises:
        FlowError: it is none.
    """
    if isinstance(given, Flow):
        return given
    if isinstance(given, Mapping):
        return Flow(given)
    if isinstance(given, os.PathLike) or (
        isinstance(given, str) and not given.lstrip().startswith("{")
    ):
        try:
            return Flow.parse(Path(given).read_bytes())
        except OSError as error:
            raise FlowError(f"The flow {os.fspath(given)!r} cannot be read: {error}.") from error
    if isinstance(given, str | bytes):
        return Flow.parse(given)
    raise FlowError(f"{type(given).__name__} is no flow: give a path, its JSON, or a Flow.")


def _by_source(flow: Flow, sources: list[Node], frames: Frames) -> dict[str, pd.DataFrame]:
    known = {node.id: _names(flow, node) for node in sources}
    if isinstance(frames, pd.DataFrame):
        if len(sources) != 1:
            shown = ", ".join(title(flow, node_id) for node_id in known)
            raise FlowError(
                f"The flow has {len(sources)} sources ({shown}); give a mapping from their names "
                "to frames."
            )
        return {sources[0].id: frames}
    found: dict[str, pd.DataFrame] = {}
    for name, frame in frames.items():
        matching = [node_id for node_id, called in known.items() if name in called]
        if len(matching) != 1:
            every = [one for called in known.values() for one in called]
            problem = "is no source" if not matching else f"names {len(matching)} sources"
            raise FlowError(f"{name!r} {problem} of the flow{ending(name, every)}")
        found[matching[0]] = frame
    for node_id in known:
        if node_id not in found:
            raise FlowError(f"There is no frame for the source {title(flow, node_id)}.")
    return found


def _names(flow: Flow, node: Node) -> list[str]:
    definition = node.parameters.get("dataset_definition")
    dataset = definition.get("name") if isinstance(definition, Mapping) else None
    return [node.id, title(flow, node.id), *([str(dataset)] if dataset else [])]


def _text(value: Any, kind: ColumnType) -> str | None:
    """A cell as a file would have it, exactly."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    match kind:
        case ColumnType.STRING:
            return value if isinstance(value, str) else str(value)
        case ColumnType.LONG if isinstance(value, float) and value.is_integer():
            return str(int(value))
        case ColumnType.BOOLEAN:
            return str(value).lower()
        case ColumnType.FLOAT if not isinstance(value, str):
            return repr(float(value))
        case ColumnType.DATE if isinstance(value, datetime | date):
            return value.strftime("%Y-%m-%d")
        case ColumnType.DATETIME if isinstance(value, datetime):
            return value.replace(tzinfo=None).isoformat(sep=" ")
    return str(value)


def _arrow(columns: list[Any], plan: ServingPlan) -> Any:
    import pyarrow as pa

    from bottega.wrangler.engine.arrow_types import ARROW

    return pa.table(
        [
            pa.array(cells, ARROW[column.type])
            for cells, column in zip(columns, plan.features, strict=True)
        ],
        names=plan.features.names,
    )
