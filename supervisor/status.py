"""The status document: one truth for `kherd status`, the exporter and the tests. Its version is its first field."""

import os
from typing import Any, Final

from .._version import VERSION as KHERD_VERSION
from ..worker import boardview, clock
from .decide import shutdown
from .decide.child import State
from .decide.restart import STEADY_SECONDS
from .house import House
from .slot import Slot

VERSION: Final = 1
SNAPSHOT_TOPICS: Final = 300
"""Topics whose lag is exported, those with the most: a message between processes is bounded."""
BOOTED: Final = (State.BARRIER, State.JOINING, State.READY)


def document(house: House, daemon: shutdown.Daemon) -> dict[str, Any]:
    """Return all that is known, as JSON values."""
    state = daemon.state.value if house.herd.generation else "starting"
    return {
        "version": VERSION,
        **_heading(house),
        "state": "stopping" if daemon.state in {shutdown.State.STOPPING, shutdown.State.KILLING} else state,
        "config": {
            "path": str(house.loaded.path),
            "reloads": house.reloads,
            "last_reload": house.last_reload,
        },
        "slots": [_slot(house, slot) for _, slot in sorted(house.herd.slots.items())],
        "lag": house.observed.document(),
        "autoscale": house.scaler.document(),
        "paused": house.halts.document(),
        "suspects": house.suspects.document(),
        "failures": house.herd.outages.document(),
        "rolls": house.herd.roller.document(),
        **_summary(house),
    }


def snapshot(house: House) -> dict[str, Any]:
    """Return what the exporter needs: bounded, however many partitions there are."""
    lag = house.observed.document()
    most = sorted(lag["topics"].items(), key=lambda item: item[1]["lag"] or 0, reverse=True)[:SNAPSHOT_TOPICS]
    return {
        "version": VERSION,
        **_heading(house),
        "lag": {**lag, "topics": dict(most), "partitions": []},
        **_summary(house),
        "in_flight_age": _oldest(house),
        "memory": {str(index): house.herd.recycler.memory(slot)["rss"] for index, slot in house.herd.slots.items()},
        "readiness": _readiness(house),
    }


def _oldest(house: House) -> float:
    """Return the age of the oldest handler call under way, in seconds; 0 if there is none."""
    since = (call.since for slot in house.herd.slots.values() for call in slot.in_flight())
    now = clock.monotonic_ns()
    return max(0, now - min(since, default=now)) / clock.NANOSECONDS


def _readiness(house: House) -> dict[str, Any]:
    """Return what `decide.health` judges by, beside the rest of a snapshot."""
    herd, now = house.herd, clock.monotonic()
    children = [slot.handle.child for slot in herd.slots.values()]
    return {
        "steady": sum(one.state is State.READY and now - one.since >= STEADY_SECONDS for one in children),
        "quorum": house.settings.systemd.ready_quorum,
        "stopping": herd.stopping,
        "quiet": herd.quiet,
        "handler_timeout": house.spec.handler_timeout,
    }


def _heading(house: House) -> dict[str, Any]:
    return {
        "kherd": KHERD_VERSION,
        "pid": os.getpid(),
        "app": house.spec.app,
        "instance": house.spec.instance,
        "life": f"{house.life:016x}",
        "started": clock.iso(house.started_at),
        "uptime": round(clock.monotonic() - house.started, 3),
        "generation": house.herd.generation,
    }


def _summary(house: House) -> dict[str, Any]:
    herd = house.herd
    return {
        "workers": {
            "wanted": herd.wanted,
            "configured": house.settings.workers.count,
            "pinned": house.pinned is not None,
            "ready": herd.count(State.READY),
            "booted": herd.count(*BOOTED),
            "by_state": {state.value: count for state in State if (count := herd.count(state))},
        },
        "services": {**herd.molds.document(herd.generation), **house.staff.document()},
        "dead_letters": house.observed.dead_letters,
        "brokers_reachable": house.observed.reachable,
        "totals": herd.totals(),
        "rates": house.rates.document(),
        "deaths": dict(house.nursery.deaths),
        "restarts": house.nursery.restarts,
        "recycled": dict(house.herd.recycler.recycled),
        "rollbacks": herd.roller.rollbacks,
        "breakers": house.breakers.document(),
        "failing": herd.outages.counts(),
        "alerts": house.alarms.document(),
        "problems": problems(house),
    }


def problems(house: House) -> list[str]:
    """Return what an operator should know, a sentence each."""
    found = []
    for slot in house.herd.slots.values():
        handle = slot.handle
        if handle.child.state is State.HELD:
            found.append(f"{handle.name} is held down: {handle.child.reason}")
        elif handle.child.state is State.BACKOFF and handle.last_death is not None:
            found.append(f"{handle.name} waits to be started again: {handle.last_death.cause.text}")
    for part in (house.alarms, house.halts, house.suspects, house.breakers, house.herd.outages):
        found += part.problems()
    if house.observed.reachable is False:
        found.append("no broker answers")
    found += _of_rolls(house)
    last = house.last_reload
    if last is not None and not last["ok"]:
        found.append(f"the last reload was refused: {last['message']}")
    return found


def _of_rolls(house: House) -> list[str]:
    roller = house.herd.roller
    rolled_back, accepted = roller.refused, roller.accepted
    settings = f"; the workers have the settings of generation {accepted}, not the file's" if house.behind else ""
    found = []
    if rolled_back is not None:
        found.append(f"generation {rolled_back.generation} was rolled back: {rolled_back.reason}{settings}")
    elif house.behind and roller.under_way is None:
        found.append(f"an earlier generation was rolled back{settings}")
    stuck = roller.stuck
    if stuck is not None:
        found.append(f"the roll to generation {roller.target} waits: {stuck}")
    return found


def _slot(house: House, slot: Slot) -> dict[str, Any]:
    handle, papers = slot.handle, slot.papers
    board = papers.board if papers else None
    death = handle.last_death
    return {
        "slot": slot.index,
        "state": handle.child.state.value,
        "pid": handle.pid,
        "generation": slot.running,
        "incarnation": handle.incarnation,
        "since": round(clock.monotonic() - handle.child.since, 3),
        "age": round(clock.monotonic() - slot.papers.began, 3) if slot.papers else None,
        "memory": house.herd.recycler.memory(slot),
        "worn": slot.worn.reason if slot.worn else None,
        "phase": boardview.phase_of(board).name.lower() if board else None,
        "member_id": boardview.member_id_of(board) if board else None,
        "partitions": [_partition(view) for view in boardview.partitions_of(board)] if board else [],
        "in_flight": [_call(call) for call in slot.in_flight()],
        "counters": slot.counters(),
        "restarts": handle.restarts,
        "last_death": None
        if death is None
        else {"at": clock.iso(death.at), "cause": death.cause.text, "wanted": death.wanted},
    }


def _partition(view: boardview.PartitionView) -> dict[str, Any]:
    return {"topic": view.topic, "partition": view.partition, "done": view.done, "committed": view.committed}


def _call(call: boardview.InFlight) -> dict[str, Any]:
    seconds = (clock.monotonic_ns() - call.since) / clock.NANOSECONDS
    return {
        "topic": call.topic,
        "partition": call.partition,
        "first": call.first,
        "last": call.last,
        "attempt": call.attempt,
        "seconds": round(seconds, 3),
    }
