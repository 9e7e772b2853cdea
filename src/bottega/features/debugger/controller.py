"""Follows every debugged training job: its outputs into the store, its rules to their end.

What is done is read from the store, the folder and the runner, never from memory, so that a new
daemon goes on where the old one was killed. The process that evaluates the rules outlives the
daemon; it is started again when it was killed, with what it had found so far.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bottega.compute.leftovers import remove_tree
from bottega.compute.runner import IsolationUnavailable, Phase
from bottega.controller import Controller
from bottega.debugger.evaluation import results
from bottega.debugger.evaluation.results import BadResults, Results, RuleResult
from bottega.features.debugger import actions, launch
from bottega.jobs import artifacts
from bottega.jobs.debugging import configuration, session
from bottega.jobs.debugging.evaluations import KIND as EVALUATION
from bottega.jobs.debugging.evaluations import RuleEvaluation, with_statuses
from bottega.jobs.debugging.outputs import DebugOutputs, set_profile
from bottega.jobs.debugging.places import EvaluationPlaces, TrainingPlaces, host_names
from bottega.jobs.folder_sync import FolderSync
from bottega.jobs.job_files import HostFolder, NoFile, Unreadable
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery
from bottega.storage.objects import BucketMissing

log = logging.getLogger(__name__)

ROLE = "AWSServiceRoleForSageMakerDebugger"
PAUSE_SECONDS = 0.5
"""How often a job is looked at while it runs or is evaluated."""
_SHARE = 20
"""Bringing outputs to the store may take one part in so many of a core's time."""
LONGEST_PAUSE_SECONDS = 2.0
WAITING_SECONDS = 1.0
"""How often a job is looked at that does not run yet."""
MOST_ATTEMPTS = 5
"""How often the evaluating process is started, when it ends before it has said everything."""

_RUNNING = ("Training", "Stopping", "Uploading")
_TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


class DebuggerController(Controller):
    """Follows the sessions of one studio."""

    kind = session.KIND

    def __init__(self, ports: Ports, call: actions.Call) -> None:
        """
        Args:
            call: calls an operation in the Debugger's own name.
        """
        self._ports = ports
        self._call = call
        self._outputs = DebugOutputs.of(ports)
        self._profiles: dict[str, str] = {}

    def pending(self) -> Iterable[str]:
        """All sessions; what others left on the disk is removed."""
        names = [entry.name for entry in self._ports.store.each(ResourceQuery(self.kind))]
        root = self._ports.config.home / "work" / "debugger"
        for folder in root.iterdir() if root.is_dir() else ():
            if folder.name not in names:
                self._remove(folder)
        return names

    def reconcile(self, name: str) -> float | None:
        places = EvaluationPlaces.of(self._ports.config, name)
        try:
            entry = self._ports.store.get(self.kind, name)
        except ResourceMissing:
            self._remove(places.root)
            return None
        training = session.training_of(self._ports, entry)
        if training is None:
            return self._done(entry)
        secondary = str(training.body["SecondaryStatus"])
        over = training.status in _TERMINAL
        took = 0.0
        if secondary == "Training":
            took = self._outputs.look(training, followed=True)
            self._follow_profile(training)
        elif over:
            self._outputs.conclude(training)
        if self._evaluate(entry, training, places, over=over) and over:
            self._outputs.forget(training)
            return self._done(entry)
        if secondary not in _RUNNING and not over:
            return WAITING_SECONDS
        return min(LONGEST_PAUSE_SECONDS, max(PAUSE_SECONDS, _SHARE * took))

    # -- profile ----------------------------------------------------------------------------------

    def _follow_profile(self, training: Resource) -> None:
        """Have the supervisor and the training do what ProfilerConfig says by now."""
        profiler = configuration.told_profiler_of(training.body)
        if profiler is None:
            return
        wanted = json.dumps(profiler)
        if self._profiles.get(training.name) == wanted:
            return
        set_profile(self._ports, training)
        places = TrainingPlaces.of(self._ports.config, training)
        for host in host_names(training):
            folder = HostFolder(places.host(host), "input/config")
            try:
                folder.replace("profilerconfig.json", wanted.encode())
            except (NoFile, Unreadable) as error:
                log.warning("%s does not hear of its ProfilerConfig: %s", training.name, error)
        self._profiles[training.name] = wanted

    # -- rules ------------------------------------------------------------------------------------

    def _evaluate(
        self, entry: Resource, training: Resource, places: EvaluationPlaces, *, over: bool
    ) -> bool:
        """Do the next step for the job's rules; returns whether they have all come to an end."""
        evaluations = session.evaluations_of(self._ports, training)
        if not evaluations:
            return True
        stopped = [one.rule for one in evaluations.values() if one.status == "Stopping"]
        ran = any(
            item["Status"] == "Training" for item in training.body["SecondaryStatusTransitions"]
        )
        if all(one.ended for one in evaluations.values()) and not _goes_on(training, evaluations):
            self._act(evaluations, training)
            self._show(training, evaluations)
            return True
        if not ran:
            if not over and not stopped:
                return False
            reason = "The training has not begun" if not over else "The training never began"
            for rule in list(evaluations) if over else stopped:
                evaluations[rule] = self._move(evaluations[rule], training, "Stopped", reason)
            self._show(training, evaluations)
            return over
        attempt = int(entry.private.get("attempt", 0))
        if not self._keep_running(training, places, attempt, over=over, stopped=stopped):
            return True
        told = self._told(places)
        for rule, found in told.rules.items():
            if rule in evaluations:
                evaluations[rule] = self._note(evaluations[rule], training, found)
        self._act(evaluations, training)
        self._show(training, evaluations)
        if told.done:
            return self._conclude(training, places, told, evaluations)
        state = self._ports.runner.state(places.supervisor(attempt))
        if state.phase in (Phase.ENDED, Phase.LOST) and not self._told(places).done:
            return not self._start_again(entry, training, evaluations, attempt)
        return False

    def _keep_running(
        self,
        training: Resource,
        places: EvaluationPlaces,
        attempt: int,
        *,
        over: bool,
        stopped: list[str],
    ) -> bool:
        """Tell the process what is new, and start it unless it was; returns whether it could be."""
        launch.prepare(self._ports, training)
        if over:
            self._bring_missing(training, places)
        plan = launch.plan(self._ports, training, places, over=over, stopped=stopped)
        plan.write(places.input)
        if self._ports.runner.state(places.supervisor(attempt)).phase is not Phase.ABSENT:
            return True
        try:
            self._ports.runner.start(launch.workload(self._ports, training, places, attempt))
        except IsolationUnavailable as error:
            evaluations = session.evaluations_of(self._ports, training)
            for rule, one in evaluations.items():
                evaluations[rule] = self._move(one, training, "Error", f"ClientError: {error}")
            self._show(training, evaluations)
            return False
        return True

    def _bring_missing(self, training: Resource, places: EvaluationPlaces) -> None:
        """Lay before the process what is in the store and not in its folder, once: the daemon may
        have been killed between the two."""
        marker = places.root / "complete"
        if marker.exists():
            return
        self._outputs.bring(training, places)
        marker.touch()

    def _start_again(
        self,
        entry: Resource,
        training: Resource,
        evaluations: dict[str, RuleEvaluation],
        attempt: int,
    ) -> bool:
        """The process has ended before it said everything; returns whether it gets another try."""
        if attempt + 1 < MOST_ATTEMPTS:
            log.warning("the rules of %s are evaluated again", training.name)
            self._ports.store.modify(
                self.kind,
                entry.name,
                lambda present: replace(
                    present, private={**present.private, "attempt": attempt + 1}
                ),
            )
            return True
        reason = (
            f"InternalServerError: the process that evaluates the rules ended {MOST_ATTEMPTS} "
            f"times before its end; the log stream {launch.log_stream(training)} of "
            f"{launch.LOG_GROUP} has what it said."
        )
        for rule, one in evaluations.items():
            evaluations[rule] = self._move(one, training, "Error", reason)
        self._show(training, evaluations)
        return False

    def _told(self, places: EvaluationPlaces) -> Results:
        """What the process has said last."""
        try:
            with HostFolder(places.host, "output").open(results.FILE) as stream:
                return Results.parse(stream.read(results.LARGEST_FILE))
        except NoFile:
            return Results()
        except (Unreadable, BadResults) as error:
            log.warning("results of rules cannot be read: %s", error)
            return Results()

    def _note(
        self, evaluation: RuleEvaluation, training: Resource, found: RuleResult
    ) -> RuleEvaluation:
        """Write down what the process says of one rule.

        That nothing was found is only said in the end, when what the rule wrote is in the store.
        """
        document = found.to_json()
        status = "InProgress" if found.status == "NoIssuesFound" else found.status
        fires = status == "IssuesFound" and not evaluation.ended
        entries = self._planned(evaluation, training) if fires else None
        now = self._ports.clock.now()

        def changed(present: Resource) -> Resource:
            current = RuleEvaluation(present)
            if current.status in ("Error", "Stopped"):
                return present
            noted = current.with_private(result=document)
            if entries is not None and not current.ended:
                noted = noted.with_private(actions=entries)
            if not (current.status == "Stopping" and status == "InProgress"):
                noted = noted.moved(status, now, found.details)
            return _if_changed(present, noted.resource)

        if evaluation.result == document and evaluation.status == status:
            return evaluation
        return self._modify(evaluation, changed)

    def _planned(self, evaluation: RuleEvaluation, training: Resource) -> list[dict[str, object]]:
        for rule in configuration.rule_configurations(training.body):
            if rule.name == evaluation.rule:
                return actions.planned(rule, training.name)
        return []

    def _move(
        self, evaluation: RuleEvaluation, training: Resource, status: str, details: str = ""
    ) -> RuleEvaluation:
        now = self._ports.clock.now()
        return self._modify(
            evaluation,
            lambda present: _if_changed(
                present, RuleEvaluation(present).moved(status, now, details).resource
            ),
        )

    def _modify(
        self, evaluation: RuleEvaluation, change: Callable[[Resource], Resource]
    ) -> RuleEvaluation:
        try:
            return RuleEvaluation(self._ports.store.modify(EVALUATION, evaluation.name, change))
        except ResourceMissing:  # the training was deleted
            return evaluation

    def _act(self, evaluations: Mapping[str, RuleEvaluation], training: Resource) -> None:
        for evaluation in evaluations.values():
            if evaluation.status == "IssuesFound" and evaluation.actions:
                actions.act(self._ports, self._call, evaluation, training)

    def _show(self, training: Resource, evaluations: Mapping[str, RuleEvaluation]) -> None:
        """Have DescribeTrainingJob say how the rules stand."""

        def changed(present: Resource) -> Resource:
            if present.created != training.created:
                return present
            return with_statuses(present, evaluations)

        try:
            self._ports.store.modify(session.TRAINING, training.name, changed)
        except ResourceMissing:  # it was deleted
            return

    def _conclude(
        self,
        training: Resource,
        places: EvaluationPlaces,
        told: Results,
        evaluations: dict[str, RuleEvaluation],
    ) -> bool:
        """Bring what the rules wrote to the store, and let every rule come to its end."""
        for number, rule in enumerate(configuration.rule_configurations(training.body)):
            folder = HostFolder(places.host, f"output/{launch.output_name(number)}")
            uri = configuration.rule_output_uri(training.body, rule)
            try:
                if artifacts.has_files(folder):
                    FolderSync(folder, uri).sync(self._ports.objects, final=True)
            except (BucketMissing, Unreadable) as error:
                log.warning("what the rule %s wrote is not kept: %s", rule.name, error)
        for name, one in evaluations.items():
            found = told.rules.get(name)
            status = found.status if found is not None and found.ended else "Stopped"
            evaluations[name] = self._move(
                one, training, status, found.details if found is not None else ""
            )
        self._show(training, evaluations)
        return True

    # -- end --------------------------------------------------------------------------------------

    def _done(self, entry: Resource) -> float | None:
        """Nothing is left to do, but to wait for the process's end."""
        places = EvaluationPlaces.of(self._ports.config, entry.name)
        for supervisor in places.root.glob("supervisor.*"):
            if self._ports.runner.state(supervisor).phase is Phase.RUNNING:
                self._ports.runner.stop(supervisor, grace_seconds=0)
                return PAUSE_SECONDS / 2
        self._profiles.pop(entry.private["training"], None)
        try:
            self._ports.store.delete(self.kind, entry.name)
        except ResourceMissing:
            return None
        self._remove(places.root)
        return None

    def _remove(self, folder: Path) -> None:
        """Remove the folder of an evaluation, with whatever still runs in it."""
        for supervisor in folder.glob("supervisor.*"):
            self._ports.runner.stop(supervisor, grace_seconds=0)
        try:
            remove_tree(folder)
        except OSError as error:
            log.warning("the folder %s cannot be removed: %s", folder, error)


def _goes_on(training: Resource, evaluations: Mapping[str, RuleEvaluation]) -> bool:
    """Whether the job has rules that are evaluated after they have fired."""
    return any(
        rule.kind == "Profiler"
        and (one := evaluations.get(rule.name)) is not None
        and one.status == "IssuesFound"
        for rule in configuration.rule_configurations(training.body)
    )


def _if_changed(before: Resource, after: Resource) -> Resource:
    """The very same object where nothing is different, so that nothing is written."""
    return before if before == after else after
