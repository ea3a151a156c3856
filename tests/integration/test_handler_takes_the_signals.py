"""A handler that takes, ignores or blocks kherd's signals, or undoes its faulthandler: they act all the same."""

import os
import signal

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import switch
from kherd.testing.topics import Cluster

from ..fakes.madness import madness

HANDLER = """
import faulthandler

def leave(*_):
    sys.exit(3)

def nothing(*_): ...

WAYS = {0: leave, 1: nothing, 2: signal.SIG_IGN, 3: signal.SIG_DFL}

def go_mad(message):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, WAYS[message.offset() % 4])
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    faulthandler.disable()
    faulthandler.unregister(signal.SIGUSR1)
    if SWITCH.on:
        time.sleep(1.5)
"""


def test_stacks_rolls_and_stops(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a worker whose handler has taken everything, in each of four ways
    scene = madness(kafka, topic, herd, HANDLER)
    one = scene.herd
    for _ in range(4):
        scene.put(b"mad")
        scene.done()
    mad = scene.pid(scene.mad)
    taken = {event["signal"] for event in one.events("signal_taken", pid=mad)}
    assert taken == {"SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"}

    # When stacks are asked for, and a terminal's signals come, then there are stacks, and nobody dies
    one.signal(signal.SIGUSR1)
    one.wait_event("child_stacks", count=2)
    for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGHUP):
        os.kill(mad, number)
    scene.put(b"sane")
    scene.done()
    assert scene.pid(scene.mad) == mad

    # When it is rolled, then it ends by itself
    one.configure({**one.settings, "errors": {**one.settings["errors"], "max_attempts": 9}})
    one.ask("reload")
    one.wait_event("roll_done")
    assert one.events("child_killed") == []
    scene.before = one.wait_ready(2)

    # When the stop comes in the middle of a call that has just taken TERM, then it is told by the channel
    switch(one).turn_on()
    while scene.sent[scene.mad] % 4 != 1:
        scene.put(b"sane")
    scene.put(b"mad")
    one.wait_status(lambda status: any(slot["in_flight"] for slot in status["slots"]))
    one.stop(code=0)
    assert one.events("child_killed") == []
