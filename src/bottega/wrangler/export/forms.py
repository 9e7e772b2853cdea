"""Exports: a flow up to a node, in one of several forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from bottega.nearest import ending
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.export import scripts
from bottega.wrangler.export.exported import PYTHON, Exported, identifier
from bottega.wrangler.export.program import Program, program_of
from bottega.wrangler.export.queries import query_of
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.pandas_code import python_literal

NOTEBOOK = "application/x-ipynb+json"
SQL = "application/sql"


def export(
    flow: Flow,
    node_id: str,
    form: str,
    *,
    engine: FlowEngine,
    name: str | None = None,
    output: str = "default",
    trusted: bool = True,
) -> Exported:
    """Write a flow as code.

    What its steps have learnt from the engine's data is in the code as constants.

    Args:
        flow: the document.
        node_id: the table that the code shall give.
        form: ``pandas``, ``sql``, ``sklearn``, ``notebook``, ``processing``, ``pipeline`` or
            ``endpoint``.
        engine: prepares the tables.
        name: of the flow, for names in the code; ``prepare`` when None or empty.
        output: which of the node's outputs.
        trusted: whether code that comes with the flow may run.

    Raises:
        FlowError: the form is unknown, or a node above the table is wrong.
    """
    name = identifier(name or "", "prepare")
    if form == "sql":
        return query_of(flow, node_id, output, name, engine, trusted=trusted)
    if form in _SCRIPTS:
        engine.prepare(flow, node_id, output, trusted=trusted)  # what cannot run is not exported
        return _SCRIPTS[form](flow, node_id, output, name)
    make = _PROGRAMS.get(form)
    if make is None:
        known = ["sql", *_PROGRAMS, *_SCRIPTS]
        hint = ending(form, known)
        raise ParameterError("Form", f"There is no form {form!r}{hint}")
    return make(program_of(flow, node_id, output, name, engine, trusted=trusted))


def _pandas(program: Program) -> Exported:
    return Exported(
        program.module(_says(program), main=_main(program)),
        f"{program.name}.py",
        PYTHON,
        tuple(program.notes),
    )


def _says(program: Program) -> str:
    names = ", ".join(reader.source.shown_name for reader in program.readers)
    text = names.replace("\\", "/").replace('"', "'")
    return f"Prepares {text if len(text) <= 80 else f'{len(program.readers)} tables'}."


def _main(program: Program) -> str:
    return f'{_call(program)}.to_csv("{program.name}_prepared.csv", index=False)'


def _call(program: Program) -> str:
    return f"{program.name}({', '.join(f'{one.function}()' for one in program.readers)})"


def _sklearn(program: Program) -> Exported:
    if len(program.readers) != 1:
        raise FlowError(
            "A scikit-learn transformer takes one table, and this flow has "
            f"{len(program.readers)} sources."
        )
    kind = "".join(part.capitalize() for part in program.name.split("_")) or "Prepare"
    program.imports += ["from sklearn.base import BaseEstimator, TransformerMixin"]
    program.constants.append(f"FEATURES = {python_literal(program.schema.names)}")
    text = "\n".join(
        [
            f"class {kind}(TransformerMixin, BaseEstimator):",
            '    """Prepares tables with what was learnt when this was written."""',
            "",
            "    def fit(self, X, y=None):",
            '        """Learn nothing: everything is known."""',
            "        return self",
            "",
            "    def transform(self, X):",
            '        """Prepare a table."""',
            f"        return {program.name}(X)",
            "",
            "    def get_feature_names_out(self, input_features=None):",
            '        """The names of the columns that come out."""',
            "        return np.asarray(FEATURES, dtype=object)",
            "",
            "    def __sklearn_is_fitted__(self):",
            "        return True",
        ]
    )
    program.imports += ["import numpy as np"]
    notes = list(program.notes)
    rows = [one.transform.name for one in program.served if one.transform.serving != "apply"]
    if rows:
        notes.append(
            f"These steps change which rows there are: {', '.join(dict.fromkeys(rows))}. In a "
            "scikit-learn pipeline features and target must keep the same rows."
        )
    return Exported(
        program.module(_says(program), [text]), f"{program.name}_sklearn.py", PYTHON, tuple(notes)
    )


def _notebook(program: Program) -> Exported:
    from bottega.wrangler.export.python_layout import broken, imports

    main = _call(program)
    blocks = [*program.functions, program.prepare]
    everything = "\n".join([*program.constants, *blocks, *program.loads, main])
    loads = "\n\n\n".join(program.loads)
    cells = [
        _cell("markdown", f"# {program.name.replace('_', ' ').capitalize()}\n\n{_says(program)}"),
        _cell("code", "\n".join(imports(program.imports, everything))),
        *([_cell("code", _laid_out(program.constants, broken))] if program.constants else []),
        _cell("code", _laid_out(loads.split("\n"), broken)),
        _cell("code", _laid_out("\n\n\n".join(blocks).split("\n"), broken)),
        _cell("code", f"result = {main}\nresult"),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return Exported(text, f"{program.name}.ipynb", NOTEBOOK, tuple(program.notes))


def _laid_out(lines: list[str], broken: Callable[[list[str]], list[str]]) -> str:
    return "\n".join(broken(lines)).strip("\n")


def _cell(kind: str, text: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": text.splitlines(keepends=True)}


_PROGRAMS: Mapping[str, Callable[[Program], Exported]] = {
    "pandas": _pandas,
    "sklearn": _sklearn,
    "notebook": _notebook,
}
_SCRIPTS: Mapping[str, Callable[[Flow, str, str, str], Exported]] = {
    "processing": scripts.processing,
    "pipeline": scripts.pipeline,
    "endpoint": scripts.endpoint,
}
