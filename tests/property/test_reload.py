"""Reloading: every key has its effects, a difference asks for exactly those of its keys, and no secret is told."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.config.schema import Settings
from kherd.supervisor.decide.reload import EFFECTS, Effect, ReloadPlan, diff

from ..fakes.configs import document

MARKER = "geheim4711"
OTHERS: dict[str, Any] = {
    "app.name": "other", "app.handler": "a:b", "app.pythonpath": ["/x"], "app.preload": False, "app.instance": "z",
    "app.user": "root", "app.group": "root", "app.umask": "0027", "app.pidfile": "/x/p",
    "state.dir": "/x", "kafka.bootstrap": "k:1", "kafka.topics": ["other"], "kafka.group": "g2",
    "kafka.start": "latest", "kafka.oauth": "a:b", "kafka.group_protocol": "consumer",
    "kafka.static_membership": False, "kafka.preset": "classic-30s", "kafka.producer_preset": "16k",
    "kafka.client": {"sasl.mechanism": "OAUTHBEARER", "security.protocol": "SASL_SSL", "sasl.password": MARKER},
    "kafka.consumer": {"fetch.min.bytes": "9"}, "kafka.producer": {"linger.ms": "9"}, "workers.count": 7,
    "workers.mode": "batch", "workers.batch_size": 9, "workers.batch_wait": 0.5, "workers.handler_timeout": 9,
    "workers.start_timeout": 9, "workers.max_in_flight": 900, "workers.max_in_flight_bytes": 2048,
    "delivery.commit_interval": 9, "errors.max_attempts": 9, "errors.backoff_initial": 9, "errors.backoff_max": 90,
    "errors.on_exhausted": "hold", "errors.poison": ["KeyError"], "dead_letter.topic": "dead",
    "dead_letter.create": False, "dead_letter.format": "json", "lag.interval": 9, "restart.backoff_max": 9,
    "restart.intensity": 9, "restart.period": 9, "restart.give_up": "exit", "stop.timeout": 90, "stop.leave": True,
    "reload.settle": 9,
    "metrics.statsd": "s:1", "metrics.prefix": "p", "metrics.http": ":9", "log.format": "text", "log.level": "debug",
    "control.socket": "/x/s", "lag.alert_above": 9, "autoscale.max": 9, "autoscale.min": 1, "autoscale.lag_above": 9,
    "autoscale.target": 8, "autoscale.calm": 9, "autoscale.dry_run": True, "alerts.webhook": f"https://h/{MARKER}",
    "alerts.command": ["notify", MARKER], "systemd.ready_quorum": 2,
    "limits.memory_soft": "9MiB", "limits.memory_hard": "1GiB", "limits.max_records": 9, "limits.max_age": 90,
    "limits.jitter": "9%", "workers.concurrency": 9, "workers.order": "key", "workers.bisect": False,
    "errors.outage": ["OSError"], "errors.max_crashes": 9, "dead_letter.alert_above": 9,
    "alerts.error_rate_above": 0.5, "breaker": {"db": {"timeout": "9s"}},
}  # fmt: skip
ONLY_ONE = {"delivery.guarantee", "autoscale.policy"}
"""Keys with a single value; OTHERS has another one for every other key."""
SCALING = {path for path in OTHERS if path.startswith("autoscale.")} - {"autoscale.max"}
NEEDS = {
    "app.group": {"app.user"},
    "kafka.oauth": {"kafka.client"},
    "workers.batch_wait": {"workers.mode"},
    **{path: {"autoscale.max"} for path in SCALING},
}
TOGETHER_NEVER = ({"kafka.group_protocol", "kafka.preset"}, {"workers.mode", "workers.concurrency"})


def of(changed: set[str]) -> Settings:
    made = document()
    for path in changed:
        section, _, key = path.partition(".")
        made.setdefault(section, {}).update({key: OTHERS[path]} if key else OTHERS[path])
    return Settings.model_validate(made)


def possible(changed: set[str]) -> set[str]:
    for path, needed in NEEDS.items():
        if path in changed:
            changed = changed | needed
    for clash in TOGETHER_NEVER:
        if clash <= changed:
            changed = changed - {"kafka.preset", "workers.concurrency"}
    return changed


selections = st.sets(st.sampled_from(sorted(OTHERS))).map(possible)


def test_every_key_of_the_schema_is_classified() -> None:
    keys = {
        f"{section}.{key}".rstrip(".")  # of a table of tables, whose names are the user's own, it is one key
        for section, field in Settings.model_fields.items()
        for key in getattr(field.annotation, "model_fields", ("",))
    }
    assert EFFECTS.keys() == keys
    assert OTHERS.keys() == keys - ONLY_ONE
    assert all(EFFECTS.values())


def test_what_design_refuses_needs_a_restart() -> None:
    refused = {path for path, effects in EFFECTS.items() if Effect.RESTART in effects}
    assert refused == {
        "app.name", "app.instance", "app.user", "app.group", "app.umask", "app.pidfile", "kafka.bootstrap",
        "kafka.group", "kafka.group_protocol", "kafka.static_membership", "delivery.guarantee", "state.dir",
        "control.socket",
    }  # fmt: skip


@given(selections)
def test_nothing_changed_asks_for_nothing(changed: set[str]) -> None:
    assert diff(of(changed), of(changed)) == ReloadPlan()


@given(selections, selections)
def test_a_difference_asks_for_exactly_what_its_keys_ask_for(before: set[str], after: set[str]) -> None:
    old, new = of(before), of(after)
    changed = before ^ after
    if {"app.name"} <= changed and not {"kafka.group"} & (before | after):
        changed = changed | {"kafka.group"}  # it stands for the name
    if "kafka.group" in before & after:
        changed = changed - {"kafka.group"}
    plan = diff(old, new)
    asked = {effect for path in changed for effect in EFFECTS[path]}
    assert set(plan.refused) == {path for path in changed if Effect.RESTART in EFFECTS[path]}
    assert bool(plan.roll) == (Effect.ROLL in asked)
    assert bool(plan.live) == (Effect.LIVE in asked)
    assert ("liaison" in plan.services, "exporter" in plan.services) == (
        Effect.LIAISON in asked,
        Effect.EXPORTER in asked,
    )
    assert (plan.count is not None) == ("workers.count" in changed)
    assert len(plan.summary) == len(changed)


@given(selections, selections)
def test_no_secret_and_no_text_of_the_file_is_told(before: set[str], after: set[str]) -> None:
    told = " ".join(diff(of(before), of(after)).summary)
    assert MARKER not in told
    assert "other" not in told


def test_a_count_alone_touches_nothing_else() -> None:
    plan = diff(of(set()), of({"workers.count"}))
    assert plan == ReloadPlan(count=(2, 7), summary=("workers.count: 2 -> 7 (workers come or go)",))


def test_naming_what_was_meant_anyway_is_no_change() -> None:
    explicit = document("[kafka]\ngroup = 'orders'\ngroup_protocol = 'classic'")
    assert diff(of(set()), Settings.model_validate(explicit)) == ReloadPlan()


def test_summaries_are_for_people() -> None:
    told = diff(of(set()), of({"lag.interval", "kafka.client", "app.preload"})).summary
    assert told == (
        "app.preload: true -> false (workers are rolled)",
        "kafka.client: sasl.mechanism, sasl.password, security.protocol (workers are rolled, liaison starts anew)",
        "lag.interval: 5s -> 9s (liaison starts anew)",
    )
