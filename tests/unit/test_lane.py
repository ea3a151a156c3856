from confluent_kafka import KafkaError, KafkaException

from kherd import Record
from kherd.worker.outputs import Delivery, Outputs

from ..fakes.producer import FakeProducer, Producers
from ..fakes.specs import worker_spec


class Dying(FakeProducer):
    """Has a fatal error, which confluent-kafka raises from whatever serves events, once."""

    raised = False

    def poll(self, timeout: float) -> int:
        if not self.raised and self.queue:
            self.raised = True
            raise KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED))
        return super().poll(timeout)


class First(Producers):
    """The first producer dies, the others live."""

    def __call__(self, overrides: object) -> FakeProducer:
        kind = FakeProducer if self.made else Dying
        self.made.append(kind(alone=bool(overrides), log=self.sent))
        return self.made[-1]


def test_a_fatal_error_raised_while_events_are_served_fails_what_was_queued_and_replaces_the_producer() -> None:
    producers = First()
    out = Outputs(worker_spec(), "orders-0", producer_factory=producers)
    out.submit("first", [Record("a", b"1")])
    assert out.flush(1)
    [failed] = out.poll()
    assert failed.token == "first"
    assert failed.error
    assert not failed.permanent
    out.submit("again", [Record("a", b"1")])
    assert out.flush(1)
    assert out.poll() == [Delivery("again")]
    assert len(producers.made) == 2
