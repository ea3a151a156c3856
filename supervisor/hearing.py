"""What the services of a herd say, and what follows from it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..worker.channel import Message
from ..worker.exits import Exit
from .decide.cause import Cause
from .staff import publish_bootstrap

if TYPE_CHECKING:  # the house makes this
    from .house import House


class Hearing:
    """Acts on the messages and ends of the services of `house`."""

    def __init__(self, house: "House") -> None:
        self._house = house

    def broker(self, message: Message) -> None:
        """The embedded broker's address is known: everything else can start."""
        house = self._house
        if message["type"] == "bootstrap" and not house.herd.stopping:
            house.staff.bootstrap = message["value"]
            publish_bootstrap(house.state_dir / "bootstrap", message["value"])
            house.spec = replace(house.spec, kafka=replace(house.spec.kafka, bootstrap=message["value"]))
            house.open()

    def broker_ended(self, cause: Cause) -> None:
        """All records of the embedded broker are gone, and with them the herd's work."""
        if not self._house.herd.stopping:
            reason = f"the embedded broker died ({cause.text}) and all its records with it"
            self._house.give_up(reason, Exit.GAVE_UP)

    def liaison(self, message: Message) -> None:
        """Pass a report on to whom it concerns."""
        house = self._house
        match message["type"]:
            case "ready":
                house.notices.liaison_ready()
                house.herd.heritage.ask_again()
                self._topics(message)
            case "topics":
                self._topics(message)
            case "notice_done":
                self._notice_done(message)
            case "identified":
                house.herd.heritage.answered(message)
            case "create_topic":
                house.staff.say("broker", message)
            case "lag":
                house.observed.hear(message)
                if message["last"]:
                    self._lag()
            case _:
                house.observed.hear(message)

    def liaison_ended(self, _: Cause) -> None:
        """What it knew is not known any more, and what it was told to do is not done."""
        house = self._house
        house.observed.forget()
        house.alarms.read("lag", None)
        house.alarms.read("dead_letters", None)
        for dropped in house.notices.liaison_gone():
            house.herd.notice_answered(dropped.slot, dropped.message["type"])

    def _notice_done(self, message: Message) -> None:
        pending = self._house.notices.answered(message)
        if pending is not None:
            self._house.herd.notice_answered(pending.slot, pending.message["type"])

    def _topics(self, message: Message) -> None:
        house = self._house
        house.observed.hear(message)
        names = house.observed.subscription(house.spec.kafka.topics)
        if names is not None:
            house.herd.set_topics(names)

    def _lag(self) -> None:
        """The lag was read: an alert? More workers, or fewer? Nobody else decides while there is a pin."""
        house = self._house
        house.alarms.read("lag", house.observed.total)
        house.alarms.read("dead_letters", house.observed.dead_letters)
        if house.observed.valid:
            read = (position for position, _ in house.observed.lag.partitions)
            committed = {(one.topic, one.partition): one.committed for one in read}
            house.herd.heritage.committed(committed)
            house.suspects.committed(committed)
        if house.pinned is None and not house.herd.stopping and not house.herd.quiet:
            house.scaler.consider(house.herd, house.observed, house.halts)
            house.set_wanted()
