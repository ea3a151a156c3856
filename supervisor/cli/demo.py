"""`kherd demo`: the whole of kherd in half a minute, on a machine that has no Kafka."""

import json
import sys

import click

from ...worker.exits import Exit
from ..demo.accounting import Account
from ..demo.folder import Folder
from ..demo.show import Show
from ..demo.stage import DemoError, InterruptedDemoError, Interrupts
from ..demo.story import Story

SIGNALLED = 128
"""What a shell adds to a signal's number in an exit code."""


@click.command("demo")
def command() -> None:
    """Show kherd at work for half a minute, and account for every record.

    On the embedded broker: a live stream, poison, kill -9 of a worker, two more workers by SIGHUP, a graceful stop. The
    last line of standard output is the account as JSON; exit code 0 only if it adds up. max_gap_ms is the longest time
    between two handled records of a partition that the killed worker had, around its death.
    """
    with Interrupts() as interrupts:
        try:
            account = perform(interrupts)
        except DemoError as error:
            raise click.ClickException(str(error)) from error
        except InterruptedDemoError as interrupted:
            sys.exit(SIGNALLED + interrupted.number)
    for problem in account.problems:
        click.echo(f"It does not add up: {problem}", err=True)
    click.echo(json.dumps(account.document()))
    sys.exit(Exit.DONE if account.adds_up else Exit.FAILED)


def perform(interrupts: Interrupts) -> Account:
    """Play the story and leave nothing behind, whatever happens; raises as `Story.play`."""
    folder = Folder()
    try:
        with Show() as show:
            return _perform(Story(folder, interrupts, show), interrupts)
    finally:
        folder.remove()


def _perform(story: Story, interrupts: Interrupts) -> Account:
    try:
        return story.play()
    except DemoError:
        story.show.plain(story.herd.last_words())
        raise
    except InterruptedDemoError as interrupted:
        story.show.say(f"{interrupted}: stopping the herd; nothing is left behind.")
        raise
    finally:
        story.herd.end(hurry=lambda: interrupts.insistent)
        story.close()
