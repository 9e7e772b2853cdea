"""Messages are sent beside the rules: at least once, with pauses, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from bottega.daemon.controller_host import ControllerHost
from bottega.features.debugger import actions, messenger, outbox
from bottega.features.debugger.messenger import MessengerController
from bottega.features.debugger.outbox import Letter
from bottega.jobs.debugging.evaluations import KIND, RuleEvaluation
from bottega.storage.metadata import Resource, ResourceQuery
from bottega.studio import Studio
from bottega.testing.debugging import fired_rule, until
from bottega.testing.message_servers import Hook, MailServer, serving

MAIL = {"name": "email", "endpoint": "a@b.co"}
SMS = {"name": "sms", "endpoint": "+491234"}


class Bench:
    """A rule that has fired, in a studio."""

    def __init__(self, studio: Studio, *wanted: dict[str, str]) -> None:
        self.studio, self.ports = studio, studio.ports
        self.training, evaluation = fired_rule(self.ports, "job-1", *wanted)
        self.name = evaluation.name

    def call(self, service: str, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        raise AssertionError(f"nobody asked for {name}")

    @property
    def actions(self) -> list[dict[str, Any]]:
        return RuleEvaluation(self.ports.store.get(KIND, self.name)).actions

    @property
    def letters(self) -> list[Resource]:
        return list(self.ports.store.each(ResourceQuery(outbox.KIND)))

    def act(self) -> None:
        """What the Debugger does about it."""
        evaluation = RuleEvaluation(self.ports.store.get(KIND, self.name))
        actions.act(self.ports, self.call, evaluation, self.training)

    def ended(self, number: int = 0) -> dict[str, Any]:
        """The action when it has come to its end, and nothing is left of its message."""

        def found() -> dict[str, Any] | None:
            if number in {Letter.of(one).number for one in self.letters}:
                return None
            action = self.actions[number]
            return action if action["Outcome"] in ("Done", "Failed") else None

        end: dict[str, Any] = until(found, "the message has come to its end")
        return end


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(servers: ExitStack, **settings: str) -> Studio:
    """A studio whose controllers do not work, so that a job that nobody created may be there."""
    studio = Studio.temporary(preload=False, **settings)
    servers.callback(studio.close)
    return studio


def hooked(servers: ExitStack, hook: Hook) -> Studio:
    """A studio with a webhook."""
    address = f"http://127.0.0.1:{servers.enter_context(serving(hook))}/"
    return opened(servers, notification_webhook=address)


def start(servers: ExitStack, studio: Studio) -> None:
    """Have a messenger begin, as a daemon does."""
    host = ControllerHost(studio.ports.events, workers=2)
    sends = MessengerController(studio.ports, wake=lambda name: host.wake(sends, name))
    host.add(sends)
    servers.callback(sends.close)
    servers.callback(host.stop)
    host.start()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messenger, "PAUSES", (0.01,) * len(messenger.PAUSES))


def test_a_mail_server_that_hangs_holds_up_nobody(servers: ExitStack) -> None:
    mail, hook = MailServer(), Hook(204)
    mail.greets.clear()
    ports = [servers.enter_context(serving(one)) for one in (mail, hook)]
    settings = {
        "smtp_url": f"smtp://127.0.0.1:{ports[0]}",
        "notification_webhook": f"http://127.0.0.1:{ports[1]}",
    }
    studio = opened(servers, **settings)
    servers.callback(mail.greets.set)
    start(servers, studio)
    bench = Bench(studio, MAIL, SMS)
    bench.act()
    assert bench.ended(1)["Message"] == "posted to the webhook for +491234"
    assert bench.actions[0]["Outcome"] == "Begun"
    assert mail.mails == []
    mail.greets.set()
    assert bench.ended(0)["Message"] == "mailed to a@b.co"
    assert len(mail.mails) == 1


@pytest.mark.usefixtures("hurried")
def test_what_was_not_taken_is_sent_again(servers: ExitStack) -> None:
    hook = Hook(503, 429, 204)
    studio = hooked(servers, hook)
    start(servers, studio)
    bench = Bench(studio, SMS)
    bench.act()
    assert bench.ended()["Message"] == "posted to the webhook for +491234"
    assert [one["identity"] for one in hook.bodies] == [f"{bench.name}.0"] * 3


def test_between_two_tries_it_is_said_why(servers: ExitStack) -> None:
    hook = Hook(503)
    studio = hooked(servers, hook)
    start(servers, studio)
    bench = Bench(studio, SMS)
    bench.act()
    told = until(lambda: bench.actions[0].get("Message"), "the first try has failed")
    assert told.endswith("Service Unavailable; try 1 of 6, the next one follows in 5 seconds")
    assert bench.actions[0]["Outcome"] == "Begun"
    shown = studio.registry.call(
        "bottega",
        "DescribeTrainingJobDebugger",
        {"TrainingJobName": "job-1"},
        studio.owner("sdk"),
    )
    (action,) = shown["Rules"][0]["Actions"]
    assert (action["Outcome"], action["Message"]) == ("InProgress", told)


@pytest.mark.usefixtures("hurried")
def test_it_is_given_up(servers: ExitStack) -> None:
    hook = Hook(503)
    studio = hooked(servers, hook)
    start(servers, studio)
    bench = Bench(studio, SMS)
    bench.act()
    end = bench.ended()
    assert end["Outcome"] == "Failed"
    assert "shown in the Studio, but the webhook did not take the message" in end["Message"]
    assert len(hook.bodies) == messenger.MOST_ATTEMPTS


def test_a_refusal_that_lasts_is_not_asked_for_again(servers: ExitStack) -> None:
    hook = Hook(404)
    studio = hooked(servers, hook)
    start(servers, studio)
    bench = Bench(studio, SMS)
    bench.act()
    assert bench.ended()["Outcome"] == "Failed"
    assert len(hook.bodies) == 1


@pytest.mark.usefixtures("hurried")
def test_a_kill_before_or_while_it_was_sent_sends_it_once_more(servers: ExitStack) -> None:
    hook = Hook(204)
    studio = hooked(servers, hook)
    bench = Bench(studio, MAIL, SMS)
    bench.act()
    (letter,) = (one for one in map(Letter.of, bench.letters) if one.number == 1)
    outbox.count(bench.ports, letter, bench.ports.clock.now())
    start(servers, studio)
    assert {bench.ended(number)["Outcome"] for number in (0, 1)} == {"Done"}
    assert sorted(str(one["identity"]) for one in hook.bodies) == [
        f"{bench.name}.0",
        f"{bench.name}.1",
    ]


def test_a_kill_in_the_midst_of_the_last_try_is_told(servers: ExitStack) -> None:
    hook = Hook(204)
    studio = hooked(servers, hook)
    bench = Bench(studio, SMS)
    bench.act()
    for _ in range(messenger.MOST_ATTEMPTS):
        (letter,) = map(Letter.of, bench.letters)
        outbox.count(bench.ports, letter, bench.ports.clock.now())
    start(servers, studio)
    end = bench.ended()
    assert end["Outcome"] == "Failed"
    assert "it may have arrived" in end["Message"]
    assert hook.bodies == []


def test_a_kill_after_the_outcome_sends_nothing(servers: ExitStack) -> None:
    hook = Hook(204)
    studio = hooked(servers, hook)
    bench = Bench(studio, SMS)
    bench.act()
    actions.end(bench.ports, bench.name, 0, actions.DONE, "posted")
    start(servers, studio)
    assert bench.ended()["Message"] == "posted"
    assert hook.bodies == []


def test_nobody_is_told_of_a_deleted_training(servers: ExitStack) -> None:
    hook = Hook(204)
    studio = hooked(servers, hook)
    bench = Bench(studio, SMS)
    bench.act()
    bench.ports.store.delete(KIND, bench.name)
    start(servers, studio)
    until(lambda: not bench.letters, "the message is gone")
    assert hook.bodies == []
