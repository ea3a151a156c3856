"""The rules between keys, and librdkafka's properties that kherd must own."""

import pytest
from pydantic import ValidationError

from kherd.supervisor.config.rules import Problems
from kherd.supervisor.config.schema import Settings

from ..fakes.configs import document


def problems(text: str) -> list[str]:
    try:
        Settings.model_validate(document(text))
    except ValidationError as error:
        causes = [one["ctx"]["error"] for one in error.errors()]
        return [problem for cause in causes if isinstance(cause, Problems) for problem in cause.problems]
    return []


CONSUMER = '[kafka]\ngroup_protocol = "consumer"\n'
EMBEDDED = '[kafka]\nbootstrap = "embedded"\n'

REFUSED = {
    "[workers]\nhandler_timeout = '25s'": "workers.handler_timeout: must be below stop.timeout (25s)",
    "[errors]\nbackoff_initial = '2m'": "errors.backoff_initial: must not be above errors.backoff_max (1m)",
    "[workers]\nmode = 'batch'\nmax_in_flight = 100": "workers.batch_size: must not be above workers.max_in_flight",
    "[limits]\nmemory_soft = '7MiB'": "limits.memory_soft: must be at least 8MiB: no worker gets by with less",
    "[limits]\nmemory_hard = 1": "limits.memory_hard: must be at least 8MiB",
    "[limits]\nmemory_soft = '1GiB'\nmemory_hard = '1GiB'": "memory_soft: must be below limits.memory_hard (1GiB)",
    "[workers]\nbatch_wait = '1s'": "workers.batch_wait: only with workers.mode",
    "[systemd]\nready_quorum = 3": "systemd.ready_quorum: must not be above workers.count (2)",
    "[autoscale]\ncalm = '1m'": "autoscale.calm: does nothing without autoscale.max",
    "[autoscale]\nmax = 1": "workers.count: must be from autoscale.min (2) to autoscale.max (1)",
    "[autoscale]\nmin = 3\nmax = 9": "workers.count: must be from autoscale.min (3) to autoscale.max (9)",
    "[autoscale]\nmax = 9\ntarget = 1": "autoscale.target: must be from autoscale.min (2) to autoscale.max (9), got 1",
    "[kafka]\ntopics = ['a b']": "kafka.topics: must be topic names",
    "[kafka]\ntopics = ['a.*']": "a regular expression begins with ^, got 'a.*'",
    "[kafka]\ntopics = ['a', 'a']": "kafka.topics: names 'a' twice",
    "[kafka]\ntopics = ['^a[']": "kafka.topics: is no regular expression",
    "[kafka]\ntopics = ['^" + "(" * 900 + "']": "kafka.topics: is no regular expression",
    "[kafka]\ntopics = ['^a{99999999999}']": "kafka.topics: is no regular expression",
    "[kafka]\ntopics = ['a', 'dlq.a']": "kafka.topics: 'dlq.a' is where the dead letters of 'a' go",
    "[dead_letter]\ntopic = 'orders'": "kafka.topics: 'orders' is where the dead letters of 'orders' go",
    "[dead_letter]\ntopic = '{topic}'": "kafka.topics: 'orders' is where the dead letters of 'orders' go",
    "[dead_letter]\ntopic = 'dlq/{topic}'": "dead_letter.topic: must be a topic's name",
    "[dead_letter]\ntopic = 'dlq.{x}'": "dead_letter.topic: must be a topic's name",
    "[kafka]\ntopics = ['" + "a" * 249 + "']": "is longer than the 249 characters",
    CONSUMER + "preset = 'classic-30s'": "kafka.preset: sets session and heartbeat",
    EMBEDDED + "preset = 'classic-30s'": "kafka.preset: sets session and heartbeat",
    CONSUMER + "consumer = {'session.timeout.ms' = '1'}": "kafka.consumer.session.timeout.ms: cannot be set with",
    CONSUMER + "client = {'heartbeat.interval.ms' = '1'}": "kafka.client.heartbeat.interval.ms: cannot be set with",
    EMBEDDED + "group_protocol = 'classic'": "the embedded broker models KIP-848 groups only",
    EMBEDDED + "static_membership = true": "the embedded broker does not model static members",
    EMBEDDED + "oauth = 'a:b'": "kafka.oauth: the embedded broker has no authentication",
    EMBEDDED + "client = {'ssl.ca.location' = 'x'}": "kafka.client.ssl.ca.location: cannot be set: the embedded broker",
    "[kafka]\noauth = 'a:b'": 'kafka.oauth: needs "sasl.mechanism"',
    "[kafka.consumer]\n'security.protocol' = 'SSL'": "kafka.consumer.security.protocol: belongs in [kafka.client]",
    "[kafka.consumer]\n'session.timeout.ms' = 400000": "must not be above max.poll.interval.ms (300000",
    "[kafka.consumer]\n'session.timeout.ms' = 9\n'heartbeat.interval.ms' = 9": "must be below session.timeout.ms (9)",
    "[kafka.producer]\n'delivery.timeout.ms' = 0": "kafka.producer.message.timeout.ms: must be above 0",
    "[kafka.consumer]\n'group.remote.assignor' = 'range'": "kafka.consumer.group.remote.assignor: cannot be set with",
    "[kafka.client]\n'Linger ms' = 1": "kafka.client.Linger ms: is no name of a property",
}


@pytest.mark.parametrize(("text", "words"), REFUSED.items(), ids=REFUSED.values())
def test_what_does_not_go_together_is_refused(text: str, words: str) -> None:
    (problem,) = problems(text)
    assert words in problem


@pytest.mark.parametrize(
    "name",
    [
        "enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store", "group.id", "group.instance.id",
        "bootstrap.servers", "metadata.broker.list", "client.id", "group.protocol", "partition.assignment.strategy",
        "max.poll.interval.ms", "auto.offset.reset", "transactional.id", "statistics.interval.ms", "error_cb",
        "rebalance_cb", "oauth_cb", "log_cb", "on_commit", "logger", "plugin.library.paths", "acks",
        "request.required.acks", "enable.idempotence", "test.mock.num.brokers", "opaque",
    ],
)  # fmt: skip
@pytest.mark.parametrize("section", ["client", "consumer", "producer"])
def test_what_kherd_must_own_is_refused_with_the_reason(section: str, name: str) -> None:
    (problem,) = problems(f"[kafka.{section}]\n{name!r} = 'x'")
    assert problem.startswith(f"kafka.{section}.{name}: cannot be set: ")


@pytest.mark.parametrize(
    "text",
    [
        "[kafka]\ntopics = ['^.*', '^[[]x', '^(?!y)\\d{1,3}']",
        CONSUMER + "topics = ['^orders.*']",
        CONSUMER + "topics = ['^dlq[.]a.*']",
        EMBEDDED,
        "[dead_letter]\ntopic = 'dead'",
        "[autoscale]\nmin = 1\nmax = 9\ntarget = 5",
        "[workers]\ncount = 0",
        "[workers]\nmode = 'batch'\nbatch_wait = '1s'",
        "[kafka]\noauth = 'a:b'\nclient = {'sasl.mechanisms' = 'OAUTHBEARER', 'security.protocol' = 'sasl_ssl'}",
        "[kafka]\nclient = {'security.protocol' = 'SSL'}\nconsumer = {'security.protocol' = 'SSL'}",
        "[kafka.consumer]\n'isolation.level' = 'read_uncommitted'\n'session.timeout.ms' = 6000",
    ],
)
def test_what_goes_together_is_fine(text: str) -> None:
    assert problems(text) == []
