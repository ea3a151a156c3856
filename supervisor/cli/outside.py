"""Asking the brokers about a group. Imports a Kafka client only when it is to ask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from ...worker.errors import HandlerError
from ...worker.spec import KafkaSpec
from ..config.load import load
from ..config.spec import worker_spec
from ..decide.lag import Start

OWN_OPTIONS: Final = {
    "bootstrap.servers": "--bootstrap",
    "metadata.broker.list": "--bootstrap",
    "group.id": "--group",
    "auto.offset.reset": "--start",
}
LEVELS: Final = ("read_committed", "read_uncommitted")
HINT: Final = "is it the right address, and do the brokers want a login (security.protocol)?"

Look = Callable[[], Mapping[str, Any]]
"""Returns a lag document."""


class OutsideError(Exception):
    """The brokers could not be asked, or know no such group; the message says what to do."""


class RefusedPropertyError(Exception):
    """librdkafka refuses a property; the message is its own."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask about what.

    `named`: the group was named on the command line, so that a group without any commit is a wrong name unless `start`
    says where it would begin. `typed`: so were the topics.
    """

    kafka: KafkaSpec
    pythonpath: tuple[str, ...] = ()
    named: bool = True
    start: Start | None = None
    dead_letter: str | None = None
    typed: bool = False


def named_target(bootstrap: str, group: str, topics: Sequence[str], properties: Mapping[str, str]) -> Target:
    """Return the target that the command line alone describes."""
    kafka = KafkaSpec(bootstrap=bootstrap, group=group, topics=tuple(topics), client=dict(properties))
    return Target(kafka, typed=bool(topics))


def target_of(config: Path, bootstrap: str | None = None) -> Target:
    """Return the group that the file `config` describes; `bootstrap`: where its embedded broker is.

    Raises:
        ConfigError: the file cannot be used.
    """
    loaded = load(config)
    spec = worker_spec(loaded, generation=1, bootstrap=bootstrap or loaded.settings.kafka.bootstrap)
    return Target(spec.kafka, spec.pythonpath, named=False, dead_letter=spec.dead_letter.topic)


def other_group(own: Target, group: str, topics: Sequence[str], properties: Mapping[str, str]) -> Target:
    """Return another group on the brokers of `own`; what the file says of its own workers is not about that one."""
    kafka = replace(
        own.kafka, group=group, topics=tuple(topics), client={**own.kafka.client, **properties}, consumer={}
    )
    return replace(own, kafka=kafka, named=True, dead_letter=None, typed=bool(topics))


def onlooker(target: Target) -> Look:
    """Return what reads the lag of `target`, as often as it is called; each call is bounded by seconds.

    It raises OutsideError; and this function:

    Raises:
        RefusedPropertyError: librdkafka refuses a property, or kafka.oauth cannot be imported.
    """
    from confluent_kafka import KafkaException  # noqa: PLC0415 - only who asks brokers pays for a client

    from ..children.liaison.cluster import ClusterError  # noqa: PLC0415
    from ..children.liaison.once import DEAD_LETTER, Onlooker, Reading  # noqa: PLC0415

    kafka = replace(target.kafka, start=target.start or target.kafka.start)
    try:
        looking = Onlooker(kafka, dead_letter=target.dead_letter or DEAD_LETTER, pythonpath=target.pythonpath)
    except KafkaException as error:
        raise RefusedPropertyError(f"librdkafka says: {error.args[0].str()}") from error
    except (HandlerError, TypeError, ValueError) as error:  # the binding's own words for what is no text property
        raise RefusedPropertyError(str(error)) from error

    def look() -> Mapping[str, Any]:
        try:
            reading: Reading = looking.read()
        except ClusterError as error:
            raise OutsideError(f"{error}; {HINT}") from error
        _doubt(target, reading.missing, committed=reading.committed, read=reading.reason is None)
        return reading.document()

    return look


def _doubt(target: Target, missing: Sequence[str], *, committed: bool, read: bool) -> None:
    """Raise OutsideError for what a wrong name would explain best: it would show as a lag that nobody has."""
    kafka = target.kafka
    if missing and (target.typed or len(missing) == len(kafka.topics)):
        raise OutsideError(f"there is no topic {', '.join(missing)} at {kafka.bootstrap}")
    if target.named and target.start is None and read and not committed:
        where = f"on {', '.join(kafka.topics)}" if kafka.topics else "on any topic that may be read"
        more = "" if kafka.topics else ", and --topic NAME"
        raise OutsideError(
            f"group {kafka.group!r} has committed nothing {where} at {kafka.bootstrap}: is it the right name? To count"
            f" what a new group would have before it, add --start earliest or latest{more}"
        )


def properties_of(pairs: Sequence[str]) -> dict[str, str]:
    """Return librdkafka properties from `name=value` pairs.

    Raises:
        UsageError: one is no pair, or has an option of its own.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            raise click.UsageError(f"-X {pair!r}: give NAME=VALUE, a librdkafka property")
        if name in OWN_OPTIONS:
            raise click.UsageError(f"-X {name}: use {OWN_OPTIONS[name]}")
        if name == "isolation.level" and value not in LEVELS:
            raise click.UsageError(f"-X isolation.level: must be {' or '.join(LEVELS)}, got {value!r}")
        found[name] = value
    return found
