"""Everything a running supervisor has: its children, what it knows, and the configuration that all of it came from."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..worker import clock
from ..worker.exits import Exit
from ..worker.spec import WorkerSpec
from . import briefs
from .alarms import Alarms
from .breakers import Breakers
from .config.load import Loaded
from .config.schema import Settings
from .config.spec import worker_spec
from .decide import child as machine
from .decide.child import State
from .decide.restart import RestartPolicy
from .deliveries import Deliveries
from .halts import Halts
from .hearing import Hearing
from .herd import Herd
from .notices import Notices
from .nursery import Nursery
from .observed import Observed
from .poller import Poller
from .process.boards import Boards, delete
from .rates import Rates
from .scaler import Scaler
from .snapshots import Snapshots
from .staff import Staff

NOTICES_SECONDS: Final = 2.0
REFRESH_SECONDS: Final = 2.0


class House:
    """One herd with its services. `give_up` is called when it cannot go on, `describe` makes a snapshot."""

    def __init__(self, loaded: Loaded, state_dir: Path, poller: Poller) -> None:
        self.loaded, self.state_dir, self.poller = loaded, state_dir, poller
        self.life = secrets.randbits(62)
        self.started = clock.monotonic()
        self.started_at = clock.wall()
        self.pinned: int | None = None
        self.reloads = 0
        self.last_reload: dict[str, Any] | None = None
        self.give_up: Callable[[str, Exit], None] = lambda _, __: None
        self.describe: Callable[[], dict[str, Any]] = dict
        self.nursery = Nursery(poller)
        self.spec = worker_spec(loaded, generation=1, bootstrap=self.settings.kafka.bootstrap)
        self.behind = False
        """Whether the workers do not have the settings of the file: the generation that had them was rolled back."""
        self._generations = 1
        self.deliveries = Deliveries(
            lambda: briefs.alert_targets(self.settings), lambda message: self.staff.say("exporter", message)
        )
        self.snapshots = Snapshots(
            lambda: self.settings, lambda: self.staff.tell_exporter(self.describe()), self.deliveries.hear
        )
        self.alarms = Alarms(lambda: self.settings, self.spec.instance, self.deliveries.post)
        self.observed = Observed(self.spec.kafka.start)
        self.rates = Rates()
        self.scaler = Scaler()
        self.staff = self._hire()
        self.notices = Notices(
            self.nursery, self.staff.handles["liaison"], self.spec.kafka, self.spec.app, self.spec.instance
        )
        self.boards = Boards(state_dir / "board")
        self.herd = Herd(self.nursery, self.boards, self.notices, self.life, briefs.restart_policy(self.settings))
        self.breakers = Breakers(state_dir)
        self.halts = Halts(state_dir, self.spec.app, self.herd.set_paused)
        self.suspects = self.herd.suspects
        self._furnish()
        self._dismissed = False
        self._down_at: float | None = None

    def _furnish(self) -> None:
        """Tell the herd whom to ask and to tell."""
        self.herd.share(self.breakers)
        self.suspects.most = lambda: self.settings.errors.max_crashes
        if not self.spec.kafka.embedded:  # that broker's records end with it
            self.suspects.keep(self.state_dir, self.spec.app)
        self.herd.on_give_up(lambda reason: self.give_up(reason, Exit.GAVE_UP))
        self.herd.roller.reachable = lambda: self.observed.reachable
        self.herd.roller.rolled_back = self._rolled_back

    @property
    def settings(self) -> Settings:
        """The configuration in force."""
        return self.loaded.settings

    @property
    def socket_path(self) -> Path:
        """Where the control socket is."""
        configured = self.settings.control.socket
        return self.loaded.path.parent / configured if configured else self.state_dir / "control.sock"

    def start(self) -> None:
        """Start the services, and the herd as soon as there is a broker to point it at."""
        self.adopt_settings()
        self.scaler.begin(self.settings, self.settings.workers.count)
        self.set_wanted()
        if briefs.wants_exporter(self.settings):
            self.staff.start("exporter")
        if self.spec.kafka.embedded:
            self.staff.start("broker")
        else:
            self.open()

    def adopt_settings(self) -> None:
        """Put the values in force that concern the supervisor alone."""
        briefs.adopt(self.herd, self.settings)

    def set_wanted(self) -> None:
        """Want as many workers as are pinned, or else as autoscaling decides, or else as are configured."""
        decided = self.settings.workers.count if self.scaler.wanted is None else self.scaler.wanted
        self.herd.wanted = decided if self.pinned is None else self.pinned

    def pin(self, count: int) -> None:
        """Want `count` workers until `unpin`."""
        self.pinned = count
        self.set_wanted()

    def unpin(self, count: int) -> None:
        """Let autoscaling decide from `count` workers on; without it want as many as are configured."""
        self.pinned = None
        self.scaler.begin(self.settings, count)
        self.set_wanted()

    def next_spec(self) -> WorkerSpec:
        """Return the spec of one more generation, from the configuration in force."""
        self._generations += 1
        self.spec = worker_spec(self.loaded, generation=self._generations, bootstrap=self.spec.kafka.bootstrap)
        self.behind = False
        self.observed.start = self.spec.kafka.start
        for topic, partitions in briefs.embedded_topics(self.settings, self.spec).items():
            self.staff.say("broker", {"type": "create_topic", "topic": topic, "partitions": partitions})
        return self.spec

    def same_spec(self) -> WorkerSpec:
        """Return the spec of one more generation, with the settings that the workers have."""
        self._generations += 1
        self.spec = replace(self.spec, generation=self._generations)
        return self.spec

    def _rolled_back(self) -> None:
        """The workers keep the settings they had; what services are told of them is undone too."""
        refused, kept = self.spec, self.herd.molds.spec(self.herd.roller.accepted)
        before, after = (briefs.liaison(self.settings, spec, self.herd.wanted) for spec in (refused, kept))
        self.spec, self.observed.start = kept, kept.kafka.start
        self.behind = self.behind or replace(refused, generation=kept.generation) != kept
        if before != after:
            self.refresh("liaison")

    def refresh(self, role: str) -> None:
        """Have a service come back with the settings in force, or stay away if they do not ask for it."""
        if role == "liaison" and not self.herd.generation:
            return  # it starts when there is a broker, with these settings
        if role == "exporter":
            self.deliveries.ending(clock.monotonic() + REFRESH_SECONDS)
        if role == "exporter" and not briefs.wants_exporter(self.settings):
            self.staff.stop(role, clock.monotonic() + REFRESH_SECONDS)
        else:
            self.staff.restart(role, REFRESH_SECONDS, "its settings changed")

    def tick(self, now: float) -> None:
        """Once a second: rates, and now and then a snapshot for the exporter."""
        totals = self.herd.totals()
        handled = totals.get("handled", 0)
        self.rates.note(now, totals)
        self.alarms.read("error_rate", self.rates.lasting_errors)
        self.suspects.tick(handled)
        self.herd.outages.tick(now, handled, idle=self.herd.quiet or self.herd.stopping)
        self.herd.note_loads(now)
        may_replace = not (self.herd.stopping or self.herd.quiet or self.observed.reachable is False)
        self.herd.recycler.tick(now, may_replace=may_replace)
        if self.herd.hopeless and not self.herd.stopping:
            self.give_up("no worker can start: " + "; ".join(self.herd.held_reasons()), Exit.CONFIG)
        self.breakers.tick()
        self.snapshots.tick(now)

    def dismiss(self, deadline: float) -> bool:
        """The workers are down: end the services too, when the last notices are answered; return whether all are."""
        now = clock.monotonic()
        if self._down_at is None:
            self._down_at = now
        # A notice takes 10 ms when a broker answers, and is given up by the liaison when none does.
        patient_until = min(self._down_at + NOTICES_SECONDS, deadline - NOTICES_SECONDS / 2)
        hopeless = self.observed.reachable is False
        if not self._dismissed and (len(self.notices) == 0 or hopeless or now >= patient_until):
            self._dismissed = True
            self.staff.tell_exporter(self.describe())
            self.deliveries.ending(deadline)
            for role in self.staff.handles:
                self.staff.stop(role, deadline)
            self.herd.molds.retire(set(), deadline)
        if down := all(handle.child.state is State.DOWN for handle in self.nursery.handles.values()):
            self.deliveries.abandon("kherd has stopped")
        return down

    def kill(self, reason: str) -> None:
        """End every service now."""
        self._dismissed = True
        for handle in list(self.nursery.handles.values()):
            self.nursery.feed(handle, machine.Kill(reason))

    def _hire(self) -> Staff:
        settings, hearing = self.settings, Hearing(self)
        staff = Staff(
            nursery=self.nursery,
            app=settings.app.name,
            log_spec=self.spec.log,
            policy=RestartPolicy(backoff_max=settings.restart.backoff_max),
            specs={
                "liaison": lambda: briefs.liaison(self.settings, self.spec, self.herd.wanted),
                "exporter": lambda: briefs.exporter(self.settings),
                "broker": lambda: briefs.broker(self.settings, self.spec),
            },
            hear={"liaison": hearing.liaison, "exporter": self.snapshots.hear, "broker": hearing.broker},
            ended={
                "liaison": hearing.liaison_ended,
                "exporter": self.deliveries.interrupted,
                "broker": hearing.broker_ended,
            },
        )
        staff.add("liaison", ready=None)
        staff.add("exporter", ready=None)
        if self.spec.kafka.embedded:
            staff.add("broker", ready="bootstrap")
        return staff

    def open(self) -> None:
        """There is a broker: start whoever talks to it."""
        self.staff.start("liaison")
        if not self.spec.kafka.embedded:
            self.herd.heritage.liaison = lambda message: self.staff.say("liaison", message)
        for leftover in self.boards.take_leftovers():
            coming_back = leftover.slot < self.herd.wanted
            self.notices.died(leftover.slot, leftover.member_id, coming_back=coming_back, clean=False)
            if self.spec.kafka.embedded:  # that broker ended with its supervisor
                delete(leftover.path)
                continue
            self.herd.heritage.remember(leftover.identities)
            self.suspects.left(leftover.slot, leftover.calls, leftover.identities)
            if not self.herd.heritage.leave(leftover.path, leftover.entries, leftover.acknowledged):
                delete(leftover.path)
        self.herd.load(self.spec)
