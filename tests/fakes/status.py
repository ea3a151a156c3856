"""A status document like that of a small healthy herd, to be bent by a test."""

from typing import Any

NOTHING: dict[str, Any] = {"rss": None, "pss": None}


def status(**changes: Any) -> dict[str, Any]:
    """Return the document, with top-level `changes`."""
    topics = {"orders": {"lag": 1200, "partitions": 2}, "pay.ments": {"lag": 34, "partitions": 1}}
    partitions = [
        {"topic": "orders", "partition": 0, "committed": 100, "end": 1300, "log_start": 0, "lag": 1200},
        {"topic": "orders", "partition": 1, "committed": 10, "end": 10, "log_start": 0, "lag": 0},
        {"topic": "pay.ments", "partition": 0, "committed": None, "end": 34, "log_start": 0, "lag": 34},
    ]
    document: dict[str, Any] = {
        "version": 1,
        "kherd": "0.1.0",
        "app": "orders",
        "instance": None,
        "life": "00000000000000aa",
        "pid": 4242,
        "state": "running",
        "started": "2026-01-02T03:04:05.678Z",
        "uptime": 7991.5,
        "generation": 2,
        "config": {"path": "kherd.toml", "reloads": 1, "last_reload": None},
        "workers": {
            "wanted": 2,
            "configured": 2,
            "pinned": False,
            "ready": 1,
            "booted": 1,
            "by_state": {"ready": 1, "backoff": 1},
        },
        "slots": [
            slot(0),
            slot(
                1,
                state="backoff",
                pid=None,
                age=None,
                memory=NOTHING,
                phase=None,
                partitions=[],
                in_flight=[],
                restarts=3,
            ),
        ],
        "services": {"mold": {"state": "ready", "pid": 11}, "liaison": {"state": "ready", "pid": 12}},
        "lag": {
            "valid": True,
            "reason": None,
            "at": "2026-01-02T03:04:05.678Z",
            "total": 1234,
            "topics": topics,
            "partitions": partitions,
        },
        "autoscale": None,
        "failures": {"outages": [], "held": []},
        "failing": {"outages": 0, "waiting": 0, "held": 0},
        "paused": [],
        "dead_letters": 3,
        "brokers_reachable": True,
        "totals": {
            "handled": 1000,
            "failed": 10,
            "calls": 1010,
            "buffered": 7,
            "busy_ns": 1_999_999,
            "rebalances": 4,
            "quick": 1010,
        },
        "rates": {"processing_rate": 12.5, "error_rate": 0.01},
        "deaths": {"signal:KILL": 3},
        "restarts": 3,
        "recycled": {"max_age": 2},
        "rollbacks": 0,
        "rolls": [],
        "breakers": [breaker("db")],
        "alerts": [],
        "problems": [],
        "in_flight_age": 1.25,
        "memory": {"0": 50 * 2**20, "1": None},
        "readiness": {"steady": 1, "quorum": 1, "stopping": False, "quiet": False, "handler_timeout": 20.0},
    }
    return {**document, **changes}


def breaker(name: str, **changes: Any) -> dict[str, Any]:
    """Return one circuit breaker of the document, with `changes`."""
    return {
        "name": name,
        "state": "closed",
        "failures": 0,
        "trips": 0,
        "open_for": 0.0,
        "open_seconds": 0.0,
        "probed_in": 0.0,
        "probe_pid": None,
        **changes,
    }


def slot(number: int, **changes: Any) -> dict[str, Any]:
    """Return one slot of the document, with `changes`."""
    return {
        "slot": number,
        "state": "ready",
        "pid": 4300 + number,
        "generation": 2,
        "incarnation": 1,
        "since": 3600.0,
        "age": 3601.0,
        "memory": {"rss": 50 * 2**20, "pss": None},
        "worn": None,
        "phase": "handling",
        "member_id": "m",
        "partitions": [{"topic": "orders", "partition": number, "done": 5, "committed": 4} for number in (0, 1, 2, 5)],
        "in_flight": [{"topic": "orders", "partition": 5, "first": 7, "last": 9, "attempt": 2, "seconds": 1.25}],
        "counters": {"handled": 1000, "failed": 10, "dead_lettered": 3},
        "restarts": 0,
        "last_death": {"at": "2026-01-02T03:04:05.678Z", "cause": "SIGKILL from outside", "wanted": False},
        **changes,
    }
