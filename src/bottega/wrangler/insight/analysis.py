"""What an analysis is, and what it answers."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.wrangler.columns import SCALARS
from bottega.wrangler.insight.asking import cell
from bottega.wrangler.insight.issues import Issue
from bottega.wrangler.parameters import Parameter, ParameterSet
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

PREFIX = "sagemaker.visualizations."
FEATURES = SCALARS
"""The types of columns that models here take."""
MANY_CLASSES = 100
"""A number with more different values is a quantity."""
MOST_SERIES = 5
"""Series that an analysis shows."""
_NAME = Parameter("name", "text", "Name", "What the analysis is called; its kind when empty.")


@dataclass(frozen=True)
class Table:
    """A small table of an answer; cells are texts, numbers, booleans or None."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def as_answer(self) -> dict[str, Any]:
        """For the API; names as in the shape ``FlowTable``."""
        return {"Columns": list(self.columns), "Rows": [[cell(v) for v in r] for r in self.rows]}


@dataclass(frozen=True)
class Section:
    """A part of an answer."""

    title: str
    text: str = ""
    figure: Mapping[str, Any] | None = None
    """Of Plotly's: ``data`` and ``layout``, without colours."""
    table: Table | None = None
    issues: Sequence[Issue] = ()

    def as_answer(self) -> dict[str, Any]:
        """For the API; names as in the shape ``FlowSection``."""
        answer: dict[str, Any] = {"Title": self.title}
        if self.text:
            answer["Text"] = self.text
        if self.figure is not None:
            answer["Figure"] = self.figure
        if self.table is not None:
            answer["Table"] = self.table.as_answer()
        if self.issues:
            answer["Issues"] = [issue.as_answer() for issue in self.issues]
        return answer


@dataclass(frozen=True)
class AnalysisResult:
    """What an analysis found."""

    title: str
    sections: Sequence[Section]
    rows: int
    """How many rows it was computed from."""

    def as_answer(self) -> dict[str, Any]:
        """For the API: ``Title``, ``Sections`` and ``Rows`` of ``AnalyzeFlowResponse``."""
        sections = [section.as_answer() for section in self.sections]
        return {"Title": self.title, "Sections": sections, "Rows": self.rows}

    def as_json(self) -> str:
        """The answer as text of JSON."""
        return json.dumps(self.as_answer(), ensure_ascii=False, allow_nan=False, indent=1)


class Analysis(ABC):
    """One analysis of the catalogue. Has no state of its own; one instance serves all."""

    operator: ClassVar[str]
    """The id in the file, ``sagemaker.visualizations.histogram_0.1``."""
    name: ClassVar[str]
    sentence: ClassVar[str]
    """What it shows."""
    parameter_group: ClassVar[str] = ""
    """Where its parameters lie in a node; at the top when empty."""
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    words: ClassVar[tuple[str, ...]] = ()
    """Other words that people search for."""
    runs_code: ClassVar[bool] = False
    """Whether it runs code that came with the flow; such a flow must be trusted first."""

    @classmethod
    def parameter_set(cls) -> ParameterSet:
        """The parameters with their place in a node."""
        title = Parameter(**{**vars(_NAME), "path": "/name"})
        return ParameterSet((title, *cls.parameters), cls.parameter_group)

    def run(self, relation: Relation, values: Mapping[str, Any]) -> AnalysisResult:
        """Compute it.

        Args:
            relation: the table.
            values: parameters by name, as somebody gave them.

        Raises:
            FlowError: a parameter is wrong, or the data cannot be analysed like that.
        """
        checked = self.parameter_set().check(values, relation.schema)
        sections, rows = self.sections(relation, checked)
        return AnalysisResult(checked["name"] or self.name, sections, rows)

    @abstractmethod
    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        """The parts of the answer, and how many rows they come from.

        Args:
            relation: the table.
            values: checked parameters.
        """

    def as_answer(self) -> dict[str, Any]:
        """For the API; names as in the shape ``FlowAnalysis``."""
        return {
            "Operator": self.operator,
            "Name": self.name,
            "Sentence": self.sentence,
            "Parameters": [parameter.as_answer() for parameter in self.parameter_set()],
            "Words": list(self.words),
        }
