"""Imports go one way: faces, composition root, features, registry, ports, errors."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Protocol


class Import(Protocol):
    module: str
    target: str
    at_import: bool


class Source(Protocol):
    imports: tuple[Import, ...]


Sources = Mapping[str, Source]

LAYERS = (
    # What everybody may use.
    ("errors",),
    (
        "clock",
        "config",
        "credentials",
        "events",
        "filter_words",
        "identifiers",
        "memory",
        "nearest",
        "tar_archives",
        "thinning",
    ),
    # Ports and what is behind them; what runs inside a job.
    (
        *("algorithms", "compute", "container", "debugger", "event_log", "failures"),
        *("metrics", "serving", "specs"),
        *("storage", "tracking", "wrangler"),
    ),
    # What an operation gets; what jobs of every kind and whoever serves a model have in common; the
    # search that tuning jobs follow.
    ("context", "controller", "jobs", "listing", "model_servers", "ports", "tuning"),
    ("registry",),
    ("service_calls",),
    ("features",),
    # The composition root.
    ("studio",),
    ("cli", "daemon", "sdk", "wire", "magics", "widgets"),
    ("testing",),
)
RANK = {unit: rank for rank, layer in enumerate(LAYERS) for unit in layer}

SIDEWAYS = {
    ("credentials", "config"): "the keys are in the home",
    ("context", "ports"): "an operation gets the ports with its caller",
    ("listing", "context"): "pages are signed with the key of the home",
    ("jobs", "controller"): "controllers of jobs with phases have one shape",
    ("jobs", "ports"): "what they do in each phase is done over the studio's ports",
    ("model_servers", "ports"): "a server's workload is made of the studio's settings and keys",
    # What runs inside a job is one program.
    ("algorithms", "container"): "an algorithm is a program of the container contract",
    ("container", "algorithms"): "the entry point starts the algorithm",
    ("serving", "algorithms"): "a model server loads an algorithm's model",
    ("serving", "container"): "a model server lives in a container",
    ("serving", "compute"): "a program that serves is reached as a container of Docker is",
    ("container", "debugger"): "a hook inside of a training writes its tensors",
    ("debugger", "container"): "the program that evaluates rules lives in a container",
    ("container", "wrangler"): "a model server loads a fitted flow",
    ("wrangler", "container"): "a flow over all of its data is a program of the container contract",
    # Faces meet in the daemon, which carries the wire; who needs a daemon starts it.
    ("daemon", "wire"): "the daemon listens for the wire",
    ("sdk", "daemon"): "the SDK starts the daemon on first need",
    ("cli", "daemon"): "the command line starts and stops the daemon",
    ("cli", "sdk"): "the command line does what the SDK does",
    ("magics", "sdk"): "a magic does what the SDK does",
    ("magics", "widgets"): "a magic shows what it did",
    ("widgets", "sdk"): "a widget shows what the SDK gives",
}

# The controllers' host is part of the daemon's house; the composition root fills it.
UPWARDS = {("bottega.studio", "bottega.daemon.controller_host")}

ONLY_IN_NOTEBOOKS = ("IPython", "tornado", "bottega_jupyter", "jupyter_server", "notebook")


def unit_of(module: str) -> str:
    """The second part of a name: the top-level folder or module of bottega."""
    return module.split(".")[1] if "." in module else ""


def module_of(target: str, sources: Sources) -> str:
    """The module that an imported name is in, or is."""
    return target if target in sources else target.rpartition(".")[0]


def own_imports(sources: Sources) -> list[tuple[str, str, Import]]:
    """All imports of bottega's modules by bottega's modules: (importer, imported, the import)."""
    return [
        (name, module_of(imported.target, sources), imported)
        for name, source in sources.items()
        for imported in source.imports
        if name.startswith("bottega.") and imported.target.startswith("bottega.")
    ]


def test_every_part_has_a_layer(sources: Sources) -> None:
    units = {unit_of(name) for name in sources if name.startswith("bottega.")}
    assert units <= RANK.keys(), f"give them a layer: {sorted(units - RANK.keys())}"


def test_imports_go_down(sources: Sources) -> None:
    wrong = []
    for importer, imported, where in own_imports(sources):
        above, below = unit_of(importer), unit_of(imported)
        if not below or above == below or (above, below) in SIDEWAYS:
            continue
        if any(importer == a and imported.startswith(b) for a, b in UPWARDS):
            continue
        if RANK[above] <= RANK[below]:
            wrong.append(str(where))
    assert not wrong, "\n".join(wrong)


def test_features_do_not_import_one_another(sources: Sources) -> None:
    def feature(module: str) -> str:
        return module.split(".")[2] if module.startswith("bottega.features.") else ""

    wrong = [
        str(where)
        for importer, imported, where in own_imports(sources)
        if feature(importer) and feature(imported) and feature(importer) != feature(imported)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_exemption_is_left_over(sources: Sources) -> None:
    pairs = {(unit_of(a), unit_of(b)) for a, b, _ in own_imports(sources)}
    assert sorted(SIDEWAYS.keys() - pairs) == []
    assert pairs_of_modules(sources) >= UPWARDS


def pairs_of_modules(sources: Sources) -> set[tuple[str, str]]:
    return {(importer, imported) for importer, imported, _ in own_imports(sources)}


def test_nothing_imports_itself_in_a_circle(sources: Sources) -> None:
    graph: dict[str, set[str]] = {name: set() for name in sources}
    for name, source in sources.items():
        for imported in source.imports:
            target = module_of(imported.target, sources)
            if imported.at_import and target in sources and target != name:
                graph[name].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_bottega_works_without_jupyter(sources: Sources) -> None:
    wrong = [
        str(imported)
        for name, source in sources.items()
        for imported in source.imports
        if name.startswith("bottega.")
        and unit_of(name) not in ("magics", "widgets")
        and imported.target.split(".")[0] in ONLY_IN_NOTEBOOKS
    ]
    assert not wrong, "\n".join(wrong)


def test_the_jupyter_face_knows_the_core_and_no_other_face(sources: Sources) -> None:
    others = {"cli", "wire", "magics", "widgets", "features", "testing"}
    wrong = [
        str(imported)
        for name, source in sources.items()
        for imported in source.imports
        if name.startswith("bottega_jupyter")
        and imported.target.startswith("bottega.")
        and unit_of(imported.target) in others
    ]
    assert not wrong, "\n".join(wrong)
