"""What librdkafka's statistics say about batches and the wire, over the windows of a trial."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One report: totals since the start, and of the time since the last one the batches."""

    payload_bytes: int
    wire_bytes: int
    batches: int
    batched: int
    rtt_us: float | None
    """None: nothing is answered, as with acks=0."""
    queued_us: float | None


class Statistics:
    """The reports of one client for one topic."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._samples: list[Sample] = []

    def take(self, text: str) -> None:
        """Keep what is needed of one report: librdkafka's statistics callback."""
        self._samples.append(sample(json.loads(text), self._topic))

    def forget(self) -> None:
        """Forget all but the last report: the time to be measured begins."""
        self._samples = self._samples[-1:]

    def figures(self) -> dict[str, float | None]:
        """Return averages since `forget`: records per batch, bytes on the wire per byte of value, ms; None: unknown."""
        since = self._samples[1:]
        if not since:
            return {"batch_records": None, "wire_ratio": None, "rtt_ms": None, "queued_ms": None}
        first, last = self._samples[0], self._samples[-1]
        batches = sum(one.batches for one in since)
        payload = last.payload_bytes - first.payload_bytes
        return {
            "batch_records": sum(one.batched for one in since) / batches if batches else None,
            "wire_ratio": (last.wire_bytes - first.wire_bytes) / payload if payload else None,
            "rtt_ms": _milliseconds([one.rtt_us for one in since if one.rtt_us is not None]),
            "queued_ms": _milliseconds([one.queued_us for one in since if one.queued_us is not None]),
        }


def _milliseconds(us: list[float]) -> float | None:
    return sum(us) / len(us) / 1000 if us else None


def sample(report: dict[str, Any], topic: str) -> Sample:
    """Return the figures of a statistics report; a topic or broker that is not in it yet counts as nothing."""
    batch = report["topics"].get(topic, {}).get("batchcnt", {})
    brokers = [one for one in report["brokers"].values() if one["nodeid"] >= 0 and one["rtt"]["cnt"]]
    rtts, queues = [one["rtt"]["p50"] for one in brokers], [one["int_latency"]["p50"] for one in brokers]
    return Sample(
        payload_bytes=report["txmsg_bytes"],
        wire_bytes=report["tx_bytes"],
        batches=batch.get("cnt", 0),
        batched=batch.get("sum", 0),
        rtt_us=sum(rtts) / len(rtts) if rtts else None,
        queued_us=sum(queues) / len(queues) if queues else None,
    )
