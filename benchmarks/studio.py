"""The Studio as a person meets it: JupyterLab with it and without it, in a real browser.

* *start*: the server's and the page's start, with the extension and without it, in turn; and what
  the page fetches of the extension before anything of it is opened.
* *screens*: from the click to the first rows of 10,000 jobs and of 100,000 runs, and whether every
  row is there after jumps through the whole length.
* *live*: from a change of a job's status to the same on the screen.
* *kernels*: a new kernel with bottega's environment and without it, in turn.

Run: ``python benchmarks/studio.py [--rounds 5] [--jobs 10000] [--runs 100000]``. It needs
playwright (``pip install playwright``) and a Chromium of the distribution.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from measurement import Ratio, Result, Table, finish, milliseconds, options, percentile, scratch
from studio_lab import browser, lab, opened
from tracking_store import fill

from bottega.config import Config
from bottega.features.training.entities import KIND
from bottega.studio import Studio
from bottega.testing.daemon import running_daemon
from bottega.testing.requests import code_archive, script_job

JUMPS = 12
PROGRAM = "import time; print('begun', flush=True); time.sleep(1.5)"

CLICK = """
async ([click, rows]) => {
  const button = document.querySelector(click);
  const began = performance.now();
  button.click();
  while (!document.querySelector(rows)) {
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
  return performance.now() - began;
}
"""
"""Click something and wait, frame by frame, for the first row that is there."""

JUMP = """
async ([grid, share]) => {
  const scroller = document.querySelector(grid);
  scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight);
  const began = performance.now();
  for (;;) {
    await new Promise(resolve => requestAnimationFrame(resolve));
    const box = scroller.getBoundingClientRect();
    const inSight = [...scroller.querySelectorAll('[role="row"][data-index]')].filter(row => {
      const { top, bottom } = row.getBoundingClientRect();
      return bottom > box.top + 32 && top < box.bottom;
    });
    const wanted = Math.floor((box.height - 32) / 32) - 1;
    if (inSight.length >= wanted && inSight.every(row => row.dataset.key)) {
      return [performance.now() - began, inSight.length];
    }
    if (performance.now() - began > 10000) {
      return [null, inSight.filter(row => !row.dataset.key).length];
    }
  }
}
"""
"""Jump to a place of a table and wait until every row in sight has its content."""

WATCH = """
name => {
  window.seen = [];
  const look = () => {
    const chip = document.querySelector(`[data-key="${name}"] .jp-BottegaStatus`);
    const text = chip ? chip.textContent : '';
    const last = window.seen[window.seen.length - 1];
    if (text && (!last || last[0] !== text)) {
      window.seen.push([text, Date.now() / 1000]);
    }
  };
  new MutationObserver(look).observe(document.body, {
    subtree: true, childList: true, characterData: true
  });
}
"""
"""Note each status that the row of a job shows, and when."""

KERNEL = """
async () => {
  const { kernels } = window.jupyterapp.serviceManager;
  const began = performance.now();
  const kernel = await kernels.startNew({ name: 'python3' });
  await kernel.info;
  const milliseconds = performance.now() - began;
  await kernel.shutdown();
  return milliseconds;
}
"""


@dataclass
class Screen:
    """How one big table behaved, in milliseconds."""

    clicks: list[float]
    jumps: list[float]
    rows_seen: int
    rows_missing: int


def fill_jobs(config: Config, count: int) -> None:
    """Store completed jobs, all like one that was really accepted."""
    studio = Studio.open(replace(config, tracking=False, preload=False))
    try:
        context = studio.owner("sdk")
        uri = f"s3://{config.bucket}/code/sourcedir.tar.gz"
        studio.ports.objects.put(config.bucket, "code/sourcedir.tar.gz", code_archive(train__py=""))
        request = script_job("sample", config.bucket, config.role_arn, uri)
        studio.registry.call("sagemaker", "CreateTrainingJob", request, context)
        sample = studio.ports.store.get(KIND, "sample")
        studio.ports.store.delete(KIND, "sample")
        for number in range(count):
            name = f"churn-xgb-{number:05}"
            created = sample.created - (count - number)
            body = {
                **sample.body,
                "TrainingJobName": name,
                "TrainingJobStatus": "Completed",
                "SecondaryStatus": "Completed",
                "CreationTime": created,
                "TrainingStartTime": created + 1,
                "TrainingEndTime": created + 42,
            }
            arn = sample.arn.replace("/sample", f"/{name}")
            studio.ports.store.create(
                replace(sample, name=name, arn=arn, status="Completed", created=created, body=body)
            )
    finally:
        studio.close()


def measure_start(
    chromium: Any, folder: Path, home: Path, rounds: int
) -> tuple[dict[bool, list[tuple[float, float]]], dict[str, int]]:
    """(with or without the extension: seconds of server and page; files of the extension)."""
    times: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    files: dict[str, int] = {}
    for number in range(rounds + 1):
        for studio in (True, False):
            with (
                lab(folder / f"start-{studio}", home, studio=studio) as server,
                opened(chromium, server.url) as view,
            ):
                if number:  # the first of each fills the caches
                    times[studio].append((server.started_seconds, view.seconds))
                if studio:
                    files = view.extension_files
    return times, files


def measure_screen(page: Any, click: str, name: str, rounds: int) -> Screen:
    """Open a table again and again, then jump through the whole of it."""
    grid = f'[role="grid"][aria-label="{name}"]'
    row = f'{grid} [role="row"][data-key]:not([data-key=""])'
    screen = Screen([], [], 0, 0)
    for number in range(rounds):
        screen.clicks.append(page.evaluate(CLICK, [click, row]))
        if number < rounds - 1:
            page.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
            page.wait_for_selector(grid, state="detached")
    for number in range(JUMPS):
        share = (number * 7 % JUMPS) / (JUMPS - 1)
        milliseconds_taken, rows = page.evaluate(JUMP, [grid, share])
        if milliseconds_taken is None:
            screen.rows_missing += rows
        else:
            screen.jumps.append(milliseconds_taken)
            screen.rows_seen += rows
    page.evaluate("grid => { document.querySelector(grid).scrollTop = 0; }", grid)
    return screen


def measure_live(page: Any, daemon: Any, rounds: int) -> list[float]:
    """Seconds from each change of status to its being on the screen."""
    config = daemon.config
    sagemaker = daemon.client("sagemaker")
    key = "code/live.tar.gz"
    body = code_archive(train__py=PROGRAM)
    daemon.client("s3").put_object(Bucket=config.bucket, Key=key, Body=body)
    late: list[float] = []
    for number in range(rounds):
        name = f"live-{number}"
        page.evaluate(WATCH, name)
        request = script_job(name, config.bucket, config.role_arn, f"s3://{config.bucket}/{key}")
        sagemaker.create_training_job(**request)
        page.wait_for_selector(f'[data-key="{name}"] [data-status="Completed"]', timeout=60_000)
        seen = page.evaluate("() => window.seen")
        job = sagemaker.describe_training_job(TrainingJobName=name)
        for step in job["SecondaryStatusTransitions"]:
            # A step that is over sooner than screens are drawn may never be on one.
            shown = [at for text, at in seen if step["Status"] in text]
            if shown and step["Status"] in ("Training", "Completed"):
                late.append(shown[0] - step["StartTime"].timestamp())
    return late


def measure_kernels(
    chromium: Any, folder: Path, home: Path, rounds: int
) -> dict[bool, list[float]]:
    """Milliseconds of a kernel's start, with bottega's environment and without it."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with ExitStack() as stack:
        pages = {
            kernels: stack.enter_context(
                opened(
                    chromium,
                    stack.enter_context(
                        lab(folder / f"kernels-{kernels}", home, kernels=kernels)
                    ).url,
                )
            ).page
            for kernels in (True, False)
        }
        for number in range(rounds + 1):
            for kernels, page in pages.items():
                taken = page.evaluate(KERNEL)
                if number:
                    times[kernels].append(taken)
    return times


def result(
    start: dict[bool, list[tuple[float, float]]],
    files: dict[str, int],
    screens: dict[str, Screen],
    late: Sequence[float],
    kernels: dict[bool, list[float]],
    rounds: int,
) -> Result:
    def start_row(of: Sequence[tuple[float, float]]) -> list[float]:
        server, page = zip(*of, strict=True)
        both = [sum(pair) for pair in of]
        return [*milliseconds(server, 50), *milliseconds(page, 50), *milliseconds(both, 50)]

    with_it, without = start_row(start[True]), start_row(start[False])
    return Result(
        name="studio",
        title="The Studio in JupyterLab",
        method=(
            "JupyterLab in Chromium, headless, through playwright; each page in a fresh browser "
            f"context. Medians of {rounds} rounds, with and without in turn. *Server*: from the "
            "process's start to its first answer; *page*: from the request to the restored "
            "application. *Click*: to the first row with its content, frame by frame; *jump*: from "
            "a scroll to the last row in sight. *Late*: from the moment that DescribeTrainingJob "
            "gives for a change to the same status on the screen."
        ),
        tables=[
            Table(
                "Start of JupyterLab",
                ["server ms", "page ms", "both ms"],
                {
                    "with the Studio": with_it,
                    "without": without,
                    "difference": [a - b for a, b in zip(with_it, without, strict=True)],
                },
            ),
            Table(
                "First load of the extension",
                ["files", "kB under gzip"],
                {"before anything is opened": [len(files), sum(files.values()) / 1000]},
            ),
            Table(
                "Big tables",
                ["first click ms", "click p50 ms", "jump p50 ms", "rows seen", "rows missing"],
                {
                    name: [
                        screen.clicks[0],
                        percentile(screen.clicks, 50),
                        percentile(screen.jumps, 50) if screen.jumps else None,
                        screen.rows_seen,
                        screen.rows_missing,
                    ]
                    for name, screen in screens.items()
                },
            ),
            Table(
                "A change of status on the screen",
                ["late p50 ms", "late worst ms"],
                {"Jobs": milliseconds(late, 50, 100)},
            ),
            Table(
                "A new kernel",
                ["p50 ms"],
                {
                    "with bottega's environment": [percentile(kernels[True], 50)],
                    "plain": [percentile(kernels[False], 50)],
                },
            ),
        ],
        ratios=[
            Ratio("start of JupyterLab with the Studio beside without", with_it[2] / without[2]),
            Ratio(
                "a kernel's start with the environment beside a plain one",
                percentile(kernels[True], 50) / percentile(kernels[False], 50),
            ),
        ],
        packages=["jupyterlab", "jupyter-server", "mlflow", "playwright"],
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=100_000)
    chosen = parser.parse_args()
    rounds = chosen.rounds
    with scratch() as folder, browser() as chromium:
        home = folder / "h"
        config = Config.load(home, environment={})
        fill(home / "mlflow" / "mlflow.db", chosen.runs)
        fill_jobs(config, chosen.jobs)
        with running_daemon(home) as daemon:
            _await_tracking(daemon)
            start, files = measure_start(chromium, folder, home, rounds)
            with (
                lab(folder / "screens", home) as server,
                opened(chromium, server.url) as view,
            ):
                page = view.page
                page.evaluate("() => window.jupyterapp.commands.execute('bottega:show-sidebar')")
                screens = {}
                jobs, runs = '[aria-label="Open all: Jobs"]', '[title="grid"]'
                page.wait_for_selector(jobs)
                screens[f"{chosen.jobs:,} jobs"] = measure_screen(page, jobs, "Jobs", rounds)
                late = measure_live(page, daemon, rounds)
                page.wait_for_selector(runs)
                screens[f"{chosen.runs:,} runs"] = measure_screen(page, runs, "Runs", rounds)
            kernels = measure_kernels(chromium, folder, home, rounds)
    finish(result(start, files, screens, late, kernels, rounds), chosen.results)


def _await_tracking(daemon: Any) -> None:
    """Wait until the runs can be read; indexes may be made first."""
    from bottega.errors import ServiceUnavailable
    from bottega.sdk.session import connect

    session = connect(daemon.home)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            session.client.call("bottega", "ListTrackedExperiments", {})
            return
        except ServiceUnavailable:
            time.sleep(0.2)
    raise SystemExit("the tracking server does not answer")


if __name__ == "__main__":
    main()
