"""What speaks against a generation while it is tried: the ends of its canary."""

from dataclasses import dataclass

from .decide.roll import Roll
from .process.handle import Death
from .slot import Slot


@dataclass(slots=True)
class Trial:
    """`started` is false until the canary's predecessor has ended; `lost`: the canary ended, and nobody is to blame."""

    started: bool = True
    trouble: str | None = None
    lost: bool = False
    _seen: Death | None = None

    def begin(self, canary: Slot) -> None:
        """Its slot is about to be stopped, to be started in the new generation."""
        self.started, self._seen = False, canary.handle.last_death

    def judge(self, roll: Roll, canary: Slot, *, reachable: bool | None) -> None:
        """Blame the generation for its canary's end, while brokers answer: the old one takes the slot over."""
        death = canary.handle.last_death
        if death is self._seen or death is None:
            return
        self._seen = death
        if not self.started:
            self.started = True  # this end was its predecessor's
        elif not death.wanted and reachable is False and not death.cause.permanent:
            self.lost = True
        elif not death.wanted:
            self.trouble = f"{canary.handle.name}, the canary, could not go on: {death.cause.text}"
            canary.generation = roll.back_to
