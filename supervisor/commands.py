"""What people ask of a running herd, by signal or by control socket."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..worker import clock, events, log
from ..worker.redact import hide
from .config.errors import ConfigError
from .config.load import load
from .config.spec import log_spec
from .control.protocol import Answer, Request, done, refused
from .decide import shutdown
from .decide.child import State
from .decide.halts import Place
from .decide.reload import ReloadPlan, diff
from .house import House
from .status import document


class Commands:
    """Does what is asked; `stop` begins a stop, `state` tells of the daemon, a reload is within `reloading`."""

    def __init__(
        self,
        house: House,
        stop: Callable[..., shutdown.Daemon],
        state: Callable[[], shutdown.Daemon],
        reloading: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._house, self._stop, self._state, self._reloading = house, stop, state, reloading
        self._doers: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "status": lambda _: done(self._document()),
            "lag": lambda _: done(self._house.observed.document()),
            "scale": self._scale,
            "reload": lambda _: self.reload(),
            "restart": lambda _: self._restart(),
            "pause": self._pause,
            "resume": lambda args: self._house.halts.resume(Place(**args)),
            "stop": lambda args: self._stop_asked(**args),
        }

    def dispatch(self, request: Request) -> Answer:
        """Do one request of the control socket."""
        do = self._doers.get(request.command)
        return do(request.args) if do else refused(f"[BUG] nobody does {request.command}")

    def scale_by(self, step: int, reason: str) -> Answer:
        """One worker more or fewer, at least none; it stays so until `auto` or a changed count in the file."""
        return self._pin(max(0, self._house.herd.wanted + step), reason)

    def reload(self) -> Answer:
        """Read the configuration again and apply the difference; what does not validate changes nothing."""
        if self._stopping:
            return refused("the herd is stopping")
        with self._reloading():
            return self._reload()

    def _reload(self) -> Answer:
        house = self._house
        try:
            loaded = load(house.loaded.path)
        except ConfigError as error:
            return self._refuse_reload(error.problems)
        plan = diff(house.settings, loaded.settings)
        if plan.refused:
            return self._refuse_reload([f"{path}: needs a restart" for path in plan.refused])
        house.loaded = loaded
        hide(loaded.secrets)
        changes = self._apply(plan)
        house.reloads += 1
        house.last_reload = {"at": clock.iso(clock.wall()), "ok": True, "message": "; ".join(changes)}
        log.emit(events.RELOADED, changes="; ".join(changes))
        return done({"changes": changes, **self._rolling()})

    def _restart(self) -> Answer:
        """Roll the workers to a fresh import of the code, with the settings they have."""
        house = self._house
        if self._stopping:
            return refused("the herd is stopping")
        if not house.herd.generation:
            return refused("the herd is starting: its workers import the code as it is")
        house.herd.load(house.same_spec())
        return done(self._rolling())

    def _rolling(self) -> dict[str, Any]:
        herd = self._house.herd
        return {"generation": herd.generation, "rolling": herd.roller.under_way is not None}

    def _apply(self, plan: ReloadPlan) -> list[str]:
        house = self._house
        house.adopt_settings()
        house.staff.set_log(log_spec(house.settings))
        changes = list(plan.summary)
        if plan.count is not None:
            house.unpin(plan.count[1])
        elif any(path.startswith("autoscale.") for path in plan.live) and house.pinned is None:
            house.unpin(house.herd.wanted)
        held, refused_one = house.herd.count(State.HELD), house.herd.roller.refused
        if plan.roll or held or refused_one or house.behind:
            spec = house.next_spec()
            if house.herd.generation:  # else the embedded broker is still starting: the first one has these settings
                house.herd.load(spec)
            if not plan.roll and held:
                changes.append(f"{held} held worker(s): tried again with the code as it is now")
            elif not plan.roll:
                changes.append("workers: what was rolled back is tried again with the code as it is now")
        for role in plan.services:
            house.refresh(role)
        return changes or ["nothing changed; changed code is loaded by kherd restart"]

    def _refuse_reload(self, problems: list[str]) -> Answer:
        message = "; ".join(problems)
        self._house.last_reload = {"at": clock.iso(clock.wall()), "ok": False, "message": message}
        log.emit(events.RELOAD_REFUSED, problems=message)
        return refused("not reloaded, the old configuration stays in force:\n  " + "\n  ".join(problems))

    def _scale(self, args: Any) -> Answer:
        if args["auto"]:
            return self._change(lambda: self._house.unpin(self._house.herd.wanted), "scale auto")
        wanted = args["to"] if args["to"] is not None else max(0, self._house.herd.wanted + args["by"])
        return self._pin(wanted, "scale")

    def _pin(self, count: int, reason: str) -> Answer:
        return self._change(lambda: self._house.pin(count), reason)

    def _change(self, change: Callable[[], None], reason: str) -> Answer:
        house = self._house
        if self._stopping:
            return refused("the herd is stopping")
        before = house.herd.wanted
        change()
        after, pinned = house.herd.wanted, house.pinned is not None
        log.emit(events.SCALED, before=before, after=after, reason=reason)
        return done({"before": before, "after": after, "pinned": pinned, "autoscale": house.scaler.acts and not pinned})

    def _pause(self, args: Mapping[str, Any]) -> Answer:
        house = self._house
        topics = house.observed.topics if house.observed.whole else {}
        return house.halts.pause(Place(**args), topics, house.spec.kafka.topics)

    def _stop_asked(self, *, now: bool, leave: bool) -> Answer:
        if leave:
            self._house.herd.leave = True
        state = self._stop("kherd stop", now=now)
        seconds = 0.0 if state.deadline is None else max(0.0, state.deadline - clock.monotonic())
        return done({"pid": self._document()["pid"], "seconds": round(seconds, 3)})

    def _document(self) -> dict[str, Any]:
        return document(self._house, self._state())

    @property
    def _stopping(self) -> bool:
        return self._state().state not in {shutdown.State.RUNNING, shutdown.State.QUIET}
