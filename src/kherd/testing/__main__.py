"""`python -m kherd.testing kafka`: a real Kafka in the foreground, for several test runs to share."""

import signal

import click

from . import jars, statsd
from .broker import Java
from .kafka import KafkaCluster
from .parts import MissingPartError
from .plugin import SHARED


@click.group()
def main() -> None:
    """Real parts for tests."""


@main.command()
def fetch() -> None:
    """Fetch a real Kafka and a real statsd into the cache."""
    try:
        click.echo(jars.classpath())
        click.echo(statsd.installed())
    except MissingPartError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", help="How many.")
@click.option("--heap", default="512m", help="Of each broker, as in -Xmx.")
def kafka(brokers: str, heap: str) -> None:
    """Run a real Kafka until INT or TERM; the first line of output is its bootstrap."""
    # As INT does: also in the middle of a start, and what was begun is undone.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with KafkaCluster(int(brokers), java=Java(heap=heap)) as cluster:
            click.echo(cluster.bootstrap)
            click.echo(f"tests use it with {SHARED}={cluster.bootstrap}", err=True)
            signal.pause()
    except KeyboardInterrupt:
        return
    except MissingPartError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
