from kherd.supervisor.children.liaison.mailbox import Mailbox
from kherd.supervisor.children.liaison.reach import TRIES, Reach

from ..fakes.cluster import FakeCluster


def test_each_change_is_said_once_and_one_silent_broker_is_no_outage() -> None:
    cluster, mailbox = FakeCluster(), Mailbox()
    reach = Reach(cluster, mailbox)
    assert reach.look()
    assert reach.look()
    cluster.hiccups = TRIES - 1
    assert reach.look()
    assert [message["reachable"] for message in mailbox.take()] == [True]
    cluster.failing["ping"] = "_TRANSPORT: all down"
    assert not reach.look()
    assert not reach.look()
    (message,) = mailbox.take()
    assert (message["reachable"], message["reason"]) == (False, "_TRANSPORT: all down")
    cluster.failing.clear()
    assert reach.look()
    assert [message["reachable"] for message in mailbox.take()] == [True]


def test_brokers_that_never_answered_are_unreachable() -> None:
    cluster, mailbox = FakeCluster(), Mailbox()
    cluster.failing["ping"] = "no"
    Reach(cluster, mailbox).look()
    assert [message["reachable"] for message in mailbox.take()] == [False]
