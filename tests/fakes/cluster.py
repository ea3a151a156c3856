"""A cluster in memory, as the liaison asks it: topics, offsets, and failures on order."""

from collections.abc import Sequence

from kherd.supervisor.children.liaison.cluster import ClusterError, Read
from kherd.supervisor.children.liaison.handle import Key
from kherd.supervisor.decide.topics import Topic


class FakeCluster:
    def __init__(self) -> None:
        self.existing: dict[str, Topic] = {}
        self.offsets: dict[str, dict[Key, int | None]] = {"ends": {}, "starts": {}}
        self.commits: dict[str, dict[Key, int | None]] = {}
        self.failing: dict[str, str] = {}
        self.lost: set[Key] = set()
        self.calls: list[str] = []
        self.hiccups = 0

    def add(self, name: str, partitions: int = 1, replication: int = 1) -> None:
        self.existing[name] = Topic(name, partitions, replication)

    def fill(self, key: Key, *, start: int = 0, end: int = 0, committed: int | None = None, group: str = "g") -> None:
        self.offsets["starts"][key] = start
        self.offsets["ends"][key] = end
        self.commits.setdefault(group, {})[key] = committed

    def ping(self, seconds: float) -> None:
        self._called("ping")
        if self.hiccups:
            self.hiccups -= 1
            raise ClusterError("this broker hangs")

    def topics(self, seconds: float) -> list[Topic]:
        self._called("topics")
        return list(self.existing.values())

    def create_topic(self, name: str, partitions: int, replication: int, seconds: float) -> bool:
        self._called("create_topic")
        new = name not in self.existing
        self.add(name, partitions, replication)
        return new

    def committed(self, group: str, keys: Sequence[Key], seconds: float) -> Read:
        return self._read("committed", self.commits.get(group, {}), keys)

    def ends(self, keys: Sequence[Key], seconds: float) -> Read:
        return self._read("ends", self.offsets["ends"], keys)

    def starts(self, keys: Sequence[Key], seconds: float) -> Read:
        return self._read("starts", self.offsets["starts"], keys)

    def _read(self, call: str, offsets: dict[Key, int | None], keys: Sequence[Key]) -> Read:
        try:
            self._called(call)
        except ClusterError as error:
            return Read({}, str(error))
        found = {key: offsets.get(key) for key in keys if key not in self.lost}
        return Read(found, "a partition is lost" if len(found) < len(keys) else None)

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if call in self.failing:
            raise ClusterError(self.failing[call])
