"""Custom visualization: Python code of the user's that makes a chart."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section
from bottega.wrangler.insight.asking import sample_frame
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_ROWS = 100_000
_FILE = "<custom visualization>"


class CustomVisualization(Analysis):
    operator = PREFIX + "custom_visualization_0.1"
    name = "Custom visualization"
    sentence = (
        "Runs Python code that makes a chart of Plotly's from df, a pandas table of about 100,000 "
        "rows."
    )
    parameters = (
        Parameter(
            "code",
            "code",
            "Code",
            "The table is df; the figure goes into a variable called chart.",
            required=True,
            language="python",
        ),
    )
    words = ("plotly", "altair", "chart", "python")
    runs_code = True

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        frame, rows = sample_frame(relation, relation.schema.names, _ROWS)
        scope: dict[str, Any] = {"df": frame, "__name__": "__chart__"}
        seen = len(frame)
        try:
            exec(compile(values["code"], _FILE, "exec"), scope)
        except Exception as error:
            raise ParameterError("code", _words(error, values["code"])) from error
        if "chart" not in scope:
            raise ParameterError("code", "The code sets no variable called chart.")
        text = f"From {seen:,} of {rows:,} rows." if seen < rows else ""
        return [Section(self.name, text, figure=plotly_json(scope["chart"]))], seen


def plotly_json(chart: Any) -> dict[str, Any]:
    """A figure as a plain mapping.

    Raises:
        FlowError: it is no figure of Plotly's.
    """
    if isinstance(chart, dict) and "data" in chart:
        found: Any = chart
    elif hasattr(chart, "to_plotly_json"):
        found = chart.to_plotly_json()
    else:
        kind = f"{type(chart).__module__}.{type(chart).__qualname__}"
        hint = (
            " Charts of Altair's cannot be drawn here; plotly.express has the same marks."
            if kind.startswith("altair.")
            else ""
        )
        raise ParameterError("code", f"chart is a {kind}; it must be a figure of Plotly's.{hint}")
    # Figures hold arrays of numpy's, which only Plotly's own encoder writes.
    from plotly.utils import PlotlyJSONEncoder

    try:
        plain: dict[str, Any] = json.loads(json.dumps(found, cls=PlotlyJSONEncoder))
    except (TypeError, ValueError) as error:
        raise FlowError(f"chart cannot be written as JSON: {error}") from error
    layout = plain.setdefault("layout", {})
    if isinstance(layout, dict):
        layout.pop("template", None)  # the theme is the screen's
    return plain


def _words(error: Exception, code: str) -> str:
    """What went wrong, and in which line of the code."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        number = error.lineno
    else:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == _FILE]
        number = frames[-1].lineno if frames else None
    lines = code.splitlines()
    if number is None or not 1 <= number <= len(lines):
        return f"{kind}: {error}"
    return f"Line {number}, {lines[number - 1].strip()!r}: {kind}: {error}"
