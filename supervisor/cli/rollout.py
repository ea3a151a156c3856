"""Waiting for the end of a roll, as the status document tells it: progress is shown, a bad end is an error."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from ...worker import clock
from ..control.client import Client, ControlError, NoHerdError

PATIENCE: Final = 600.0
GLANCE: Final = 0.2
"""Seconds between two looks."""


_Command = TypeVar("_Command", bound=Callable[..., Any])


class RollError(ControlError):
    """A roll has not come to its end, or to a bad one; the message says why and what holds now."""


def waits_for_roll(command: _Command) -> _Command:
    """Give a command the options `timeout` and `no_wait`."""
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=PATIENCE,
        show_default=True,
        metavar="SECONDS",
        help="Wait so long at most; the herd goes on by itself.",
    )
    no_wait = click.option("--no-wait", is_flag=True, help="Do not wait until the workers have been rolled.")
    return timeout(no_wait(command))


def follow(herd: Client, generation: int, timeout: float) -> None:
    """Wait until all workers run `generation`, for `timeout` seconds at most.

    Raises:
        RollError: it was rolled back or abandoned, needs somebody's hand, is not over in time, or the herd has ended.
        ControlError: the herd cannot be asked.
    """
    deadline, told, life = clock.monotonic() + timeout, "", None
    while True:
        try:
            document = herd.request("status")
        except NoHerdError as error:
            raise RollError(f"the herd ended while generation {generation} was rolled out") from error
        if document["life"] != (life or document["life"]):
            raise RollError(f"the herd was started again while generation {generation} was rolled out")
        life = document["life"]
        roll = next((one for one in document["rolls"] if one["generation"] == generation), None)
        if roll is None:
            raise RollError(f"the herd does not know how the roll to generation {generation} ended: too many followed")
        if (line := say(roll)) != told:
            click.echo(line)
            told = line
        if _over(roll):
            return
        if clock.monotonic() >= deadline:
            raise RollError(f"not done within {timeout:g} s ({line}); the herd goes on with it, see `kherd status`")
        clock.sleep(GLANCE)


def _over(roll: Mapping[str, Any]) -> bool:
    """Whether it is done; raises RollError for every other end."""
    generation = roll["generation"]
    match roll["state"]:
        case "rolled_back":
            raise RollError(
                f"{roll['reason']}\nrolled back: the workers run generation {roll['back_to']} and keep its settings"
            )
        case "abandoned":
            raise RollError(f"the roll to generation {generation} was abandoned: {roll['reason']}")
    if roll["stuck"] is not None:
        raise RollError(f"the roll to generation {generation} waits: {roll['stuck']}; mend it, then reload")
    return bool(roll["state"] == "done")


def say(roll: Mapping[str, Any]) -> str:
    """Return how far a roll is, in a sentence that changes only when something has happened."""
    generation, canary = roll["generation"], roll["canary"]
    states = {
        "molding": "the handler is being loaded",
        "choosing": "loaded; waiting for a worker to try it",
        "canary": f"worker {canary} tries it",
        "settling": f"worker {canary} is ready and has to stay so",
        "rolling": f"accepted; {roll['moved']} of {roll['slots']} workers run it",
        "done": "all workers run it",
        "rolled_back": f"rolled back to generation {roll['back_to']}",
        "abandoned": "abandoned",
    }
    return f"generation {generation}: {states.get(roll['state'], roll['state'])}"
