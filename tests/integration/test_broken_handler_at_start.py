"""A handler that only an edit can mend ends `kherd run` with 78 and a sentence; one that may recover is tried again."""

import pytest

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, handled, put, switch, tables
from kherd.testing.topics import Cluster

BROKEN = {
    "an import that is missing": ("handlers:handle", "import no_such_thing\n", "no_such_thing"),
    "a mistake at import": ("handlers:handle", "\n\nLIMIT = limit + 1\n", "name 'limit' is not defined"),
    "no Python": ("handlers:handle", "def handle(message)\n    pass\n", "handlers.py"),
    "no such module": ("hanlders:handle", "", "hanlders"),
    "no such attribute": ("handlers:handel", "def handle(message):\n    pass\n", "handle"),
    "no argument": ("handlers:handle", "def handle():\n    pass\n", "argument"),
    "not callable": ("handlers:handle", "handle = 5\n", "int"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_at_start(kafka: Cluster, topic: NewTopic, herd: NewHerd, what: str) -> None:
    reference, source, said = BROKEN[what]
    one = herd(
        tables(kafka, "never.consumed", app={"handler": "handlers:handle"}, workers={"count": 2}), source or "X=1"
    )
    if reference != "handlers:handle":
        one.cleanup()
        one.configure(tables(kafka, "never.consumed", app={"handler": reference}, workers={"count": 2}))
        one.start()
    one.wait_end(code=78)
    [event] = one.events("gave_up")
    assert said in event["message"]
    assert one.events("handler_failed")
    assert one.events("internal_error") == []
    assert one.log.other == []


def test_what_may_pass_is_tried_again(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    name = topic(1)
    put(kafka, name, b"0")
    source = f"""{PRELUDE}
if not SWITCH.on:
    raise ConnectionError("the database is away")
def handle(message):
    LEDGER.write(message)
"""
    config = tables(kafka, name, workers={"count": 1}, restart={"backoff_max": 0.3})
    one = herd(config, source)
    one.wait_event("child_backoff", count=2, child="worker 0")
    assert "the database is away" in one.events("handler_failed")[0]["message"]
    switch(one).turn_on()
    handled(one, 1)
    one.stop()
