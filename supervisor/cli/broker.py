"""`kherd broker`: the embedded broker on its own, for trials and tests."""

import json
import re
import signal
from typing import Final

import click

from ..children.broker.library import EmbeddedBrokerError
from ..children.broker.limits import LIMITS
from ..children.broker.main import start
from ..children.broker.spec import BrokerSpec

MAX_BROKERS: Final = 32
MAX_PARTITIONS: Final = 10_000
_NAME: Final = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}")
_STOP: Final = frozenset({signal.SIGINT, signal.SIGTERM})


def topic(value: str) -> tuple[str, int]:
    """Return `NAME:PARTITIONS` as a pair; anything else is a usage error."""
    name, _, count = value.partition(":")
    if not _NAME.fullmatch(name):
        raise click.BadParameter(f"{name!r} is no topic name: up to 249 of a-z, A-Z, 0-9, '.', '_', '-'")
    if not re.fullmatch(r"[0-9]{1,5}", count) or not 1 <= int(count) <= MAX_PARTITIONS:
        raise click.BadParameter(f"{value!r} is not NAME:PARTITIONS with 1 to {MAX_PARTITIONS} partitions")
    return name, int(count)


# \b keeps click from filling the lines.
NOT_MODELLED: Final = "\b\nWhat it does not model:\n" + "\n".join(f"- {limit.what}" for limit in LIMITS)


@click.command("broker", epilog=NOT_MODELLED)
@click.option(
    "--topic",
    "topics",
    type=topic,
    multiple=True,
    metavar="NAME:PARTITIONS",
    help="Create this topic; may be given again.",
)
@click.option(
    "--brokers", type=click.IntRange(1, MAX_BROKERS), default=1, show_default=True, help="Brokers of the cluster."
)
@click.option("--json", "as_json", is_flag=True, help="For programs: one line with bootstrap, brokers and topics.")
def command(topics: tuple[tuple[str, int], ...], brokers: int, *, as_json: bool) -> None:
    """Run the embedded broker in the foreground, until Ctrl-C.

    It prints its bootstrap address once it can be used. For trials: it keeps nothing and is no Kafka.
    """
    # From here on the signals wait for sigwait below; librdkafka's threads never take them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    named = dict(topics)
    if len(named) != len(topics):
        raise click.UsageError("--topic names one topic twice")
    try:
        cluster = start(BrokerSpec(named, brokers))
    except EmbeddedBrokerError as error:
        raise click.ClickException(str(error)) from error
    with cluster:
        shown = {"bootstrap": cluster.bootstrap, "brokers": brokers, "topics": named}
        click.echo(json.dumps(shown) if as_json else cluster.bootstrap)
        signal.sigwait(_STOP)
