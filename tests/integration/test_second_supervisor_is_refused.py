"""A second supervisor of one name and instance is refused and told the first one's pid; another instance starts."""

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import LEDGER, config, standings
from kherd.testing.topics import Cluster


def test_one_supervisor_per_name_and_instance(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    tables = config(kafka, topic(), 1)
    first = herd(tables, LEDGER)
    before = first.wait_ready(1)
    tables["app"]["name"] = first.settings["app"]["name"]
    second = herd(tables, LEDGER)
    second.wait_end(code=1)
    said = second.log.path.read_text()
    assert f"pid {first.pid}" in said
    assert len(said.splitlines()) == 1, said
    tables["app"]["instance"] = "elsewhere"
    third = herd(tables, LEDGER)
    third.wait_ready(1)
    third.stop()
    assert standings(first.status())[0][0] == standings(before)[0][0]
    first.stop()
