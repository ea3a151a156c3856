"""`kherd status`: what the herd is doing, at one look."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..control.client import Client
from .herd import asks_herd, show_json
from .rollout import say
from .words import console, count, duration, percent, plain, rate, table

Document = Mapping[str, Any]

STYLES: Final = {
    "ready": "green",
    "running": "green",
    "held": "bold red",
    "backoff": "red",
    "killing": "red",
    "terminating": "red",
    "lost": "red",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The whole status document, for programs.")
@asks_herd
def command(herd: Client, *, as_json: bool) -> None:
    """Show what a running herd is doing."""
    document = herd.request("status")
    if as_json:
        show_json(document)
    else:
        console().print(render(document))


def render(status: Document) -> RenderableType:
    """Return the status document (see `supervisor/status.py`) as a person wants to read it."""
    parts: list[RenderableType] = [
        _head(status),
        Text(),
        _slots(status["slots"]),
        Text(),
        _services(status["services"]),
    ]
    in_flight = _in_flight(status["slots"])
    if in_flight.row_count:
        parts += [Text(), in_flight]
    if any(one["state"] != "closed" or one["trips"] for one in status["breakers"]):
        parts += [Text(), _breakers(status["breakers"])]
    if status["problems"]:
        parts += [Text(), Text("problems", style="bold red"), *map(_problem, status["problems"])]
    return Group(*parts)


def _problem(text: str) -> Text:
    return plain(f"  {text}", "bold red" if text.startswith("alert ") else "")


def _head(status: Document) -> Text:
    workers, lag = status["workers"], status["lag"]
    name = status["app"] if status["instance"] is None else f"{status['app']}@{status['instance']}"
    wanted = f"{workers['ready']} of {workers['wanted']} ready" + (" (pinned)" if workers["pinned"] else "")
    why = f" ({lag['reason']})" if not lag["valid"] and lag["reason"] else ""
    head = plain(name, "bold")
    head.append_text(plain(f"  {status['state']}", STYLES.get(status["state"], "yellow")))
    head.append_text(
        plain(
            f" for {duration(status['uptime'])}   pid {status['pid']}   generation {status['generation']}"
            f"   kherd {status['kherd']}   {status['config']['path']}"
        )
    )
    head.append("\n")
    head.append_text(
        plain(f"workers {wanted}   lag {count(lag['total'])}{why}   dead letters {count(status['dead_letters'])}")
    )
    head.append("\n")
    if status["autoscale"] is not None:
        head.append_text(_autoscale(status["autoscale"], pinned=workers["pinned"]))
        head.append("\n")
    rates = status["rates"]
    head.append_text(
        plain(
            f"handled {rate(rates.get('processing_rate'))}   errors {percent(rates.get('error_rate'))}"
            f"   restarts {count(status['restarts'])}{_deaths(status['deaths'])}"
        )
    )
    roll = status["rolls"][-1] if status["rolls"] else None
    if roll is not None and roll["state"] not in {"done", "rolled_back", "abandoned"}:
        head.append("\n")
        head.append_text(plain(f"rolling to {say(roll)}", "yellow"))
    reload = status["config"]["last_reload"]
    if reload is not None and not reload["ok"]:
        head.append("\n")
        head.append_text(plain(f"the last reload ({reload['at']}) was refused: {reload['message']}", "red"))
    return head


def _autoscale(scale: Document, *, pinned: bool) -> Text:
    """Return how many workers autoscaling wants and why, and since when."""
    mode = "pinned by an operator" if pinned else "dry run" if scale["dry_run"] else "on"
    head = plain(f"autoscaling {mode}: {scale['min']} to {scale['max']}")
    if scale["decisions"] and not pinned:
        last = scale["decisions"][-1]
        head.append_text(plain(f"   wants {scale['wanted']} since {last['at']}: {last['reason']}"))
    return head


def _deaths(deaths: Mapping[str, int]) -> str:
    told = ", ".join(f"{cause} {number}" for cause, number in sorted(deaths.items()))
    return f" (deaths: {told})" if told else ""


def _slots(slots: Iterable[Document]) -> Table:
    right = frozenset({"slot", "pid", "age", "memory", "gen", "handled", "failed", "dead-lettered", "restarts"})
    made = table(
        "slot", "state", "for", "pid", "age", "memory", "gen", "phase", "handled", "failed", "dead-lettered",
        "restarts", "partitions", "last death", right=right,
    )  # fmt: skip
    for slot in slots:
        counters, death = slot["counters"], slot["last_death"]
        made.add_row(
            str(slot["slot"]),
            plain(slot["state"], STYLES.get(slot["state"], "yellow")),
            duration(slot["since"]),
            str(slot["pid"] or "-"),
            "-" if slot["age"] is None else duration(slot["age"]),
            _memory(slot["memory"]),
            str(slot["generation"]),
            slot["phase"] or "-",
            count(counters.get("handled", 0)),
            count(counters.get("failed", 0)),
            count(counters.get("dead_lettered", 0)),
            count(slot["restarts"]),
            plain(ranges(slot["partitions"]) or "-"),
            plain(f"{death['cause']} at {death['at']}" if death else "-"),
        )
    return made


def _memory(memory: Document) -> str:
    """Return PSS where that is known, else RSS: what a worker uses is less than that."""
    if memory["pss"] is not None:
        return f"{memory['pss'] / 2**20:.0f} MiB"
    return "-" if memory["rss"] is None else f"≤ {memory['rss'] / 2**20:.0f} MiB"


def _services(services: Mapping[str, Document]) -> Text:
    told = "   ".join(
        f"{name} {one['state']}" + (f" ({one['pid']})" if one.get("pid") else "") for name, one in services.items()
    )
    return plain(told)


def _in_flight(slots: Iterable[Document]) -> Table:
    """The handler calls under way, the longest first: what a person looks for when a herd is stuck."""
    made = table("slot", "in the handler", "attempt", "for", right=frozenset({"slot", "attempt"}))
    calls = [(call["seconds"], slot["slot"], call) for slot in slots for call in slot["in_flight"]]
    for seconds, slot, call in sorted(calls, key=lambda one: -one[0]):
        last = f"-{call['last']}" if call["last"] != call["first"] else ""
        where = plain(f"{call['topic']}[{call['partition']}]@{call['first']}{last}")
        made.add_row(str(slot), where, str(call["attempt"]), duration(seconds))
    return made


def _breakers(breakers: Iterable[Document]) -> Table:
    """The circuit breakers that are not closed, or have not been all the time."""
    made = table("circuit breaker", "state", "for", "trips", "not closed in all", right=frozenset({"trips"}))
    for one in breakers:
        if one["state"] == "closed" and not one["trips"]:
            continue
        shut = one["state"] != "closed"
        made.add_row(
            plain(one["name"]),
            plain(one["state"].replace("_", " "), "bold red" if shut else "green"),
            duration(one["open_for"]) if shut else "-",
            count(one["trips"]),
            duration(one["open_seconds"]),
        )
    return made


def ranges(partitions: Iterable[Document]) -> str:
    """Return partitions in short: `orders[0-3,7] payments[1]`."""
    by_topic: dict[str, list[int]] = defaultdict(list)
    for one in partitions:
        by_topic[one["topic"]].append(one["partition"])
    return " ".join(f"{topic}[{_runs(sorted(numbers))}]" for topic, numbers in sorted(by_topic.items()))


def _runs(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
