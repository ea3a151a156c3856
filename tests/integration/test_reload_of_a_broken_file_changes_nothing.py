"""A reload of a file with mistakes, or that needs a restart, is reported with every problem and changes nothing."""

import signal

from kherd.testing import toml
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.rescale import kherd
from kherd.testing.scenes import LEDGER, config, standings, wait_handled, wait_settled
from kherd.testing.topics import Cluster

WORKERS, PARTITIONS, COUNT = 2, 4, 400


def test_what_cannot_be_reloaded_is_refused_as_a_whole(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    name = topic(PARTITIONS)
    tables = config(kafka, name, WORKERS)
    one = herd(tables, LEDGER)
    before = standings(wait_settled(one, WORKERS, PARTITIONS))
    tables["app"] |= {"name": one.settings["app"]["name"], "handler": "handlers:handle"}
    broken = [
        ("not TOML", "workers = [", ["kherd.toml"]),
        (
            "three problems",
            toml.dumps({**tables, "workers": {"count": "many", "handler_timeuot": 5}, "stop": {"timeout": "soon"}}),
            ["workers.count", "workers.handler_timeout", "stop.timeout"],
        ),
        (
            "needs a restart, beside a change that would not",
            toml.dumps({**tables, "kafka": {**tables["kafka"], "group": "another"}, "workers": {"count": 4}}),
            ["kafka.group: needs a restart"],
        ),
    ]
    for nth, (what, text, named) in enumerate(broken, 1):
        one.config.write_text(text)
        one.signal(signal.SIGHUP)
        problems = one.wait_event("reload_refused", count=nth)["problems"]
        status = one.status()
        for problem in named:
            assert problem in problems, (what, problems)
            assert problem in status["config"]["last_reload"]["message"]
        assert status["config"]["last_reload"]["ok"] is False
        assert any("reload" in problem for problem in status["problems"])
        assert standings(status) == before, what
    asked = kherd(one, "reload")
    assert asked.returncode == 1
    assert "kafka.group: needs a restart" in asked.stderr
    fill(kafka.client_properties(), name, COUNT, partitions=PARTITIONS)
    wait_handled(one, name, {partition: range(COUNT // PARTITIONS) for partition in range(PARTITIONS)})
    assert one.status()["workers"]["wanted"] == WORKERS
    assert standings(one.status()) == before
    one.stop()
