"""What the embedded broker does not model, in one place: the configuration's refusals and the README take it from here.

Established by experiment on librdkafka 2.16.0; `tests/contract` shows what it does model.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """`what` is missing, `why` what happens instead; `refused`: a configuration that needs it is an error."""

    what: str
    why: str
    refused: bool = True

    def __str__(self) -> str:
        return f"the embedded broker does not model {self.what}: {self.why}"


CLASSIC_GROUPS: Final = Limit(
    "classic consumer groups",
    "a rebalance waits for the whole session timeout and static members are not fenced; "
    'leave kafka.group_protocol out or set it to "consumer"',
)
SECURITY: Final = Limit("TLS, SASL and ACLs", "it speaks plain text on 127.0.0.1 only; take the security settings out")
TRANSACTIONS: Final = Limit(
    "transactions",
    "every call succeeds, but offsets are not stored and aborted records are delivered; use a real Kafka",
)
STATIC_MEMBERSHIP: Final = Limit(
    "static membership as brokers do",
    "a second member of one instance id is not told so; leave kafka.static_membership out",
)
ADMIN: Final = Limit(
    "admin calls", "topics are created by the broker's own process, groups cannot be described", refused=False
)
TIMESTAMPS: Final = Limit("the look-up of offsets by time", "it always answers with the end", refused=False)
REPLICATION: Final = Limit("replication", "a broker that goes down takes its partitions with it", refused=False)
RETENTION: Final = Limit(
    "retention and persistence",
    "a partition keeps its newest 5 MiB or 100,000 batches, older ones vanish, and nothing outlives the process",
    refused=False,
)
FETCH: Final = Limit(
    "the wake-up of a waiting fetch", "an empty one is answered only after fetch.wait.max.ms", refused=False
)
LIMITS: Final = (
    CLASSIC_GROUPS, SECURITY, TRANSACTIONS, STATIC_MEMBERSHIP, ADMIN, TIMESTAMPS, REPLICATION, RETENTION, FETCH,
)  # fmt: skip
