"""Reading the ledger while workers write it."""

from pathlib import Path

from .accounting import Handled


class LedgerReader:
    """`entries` grows with every `read`; a line is taken once it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self.entries: list[Handled] = []
        self.keys: set[str] = set()

    def read(self) -> None:
        """Take in what was written since the last time."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:  # no worker has started yet
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        for line in whole.decode().splitlines():
            key, partition, offset, pid, at = line.split(" ")
            self.entries.append(Handled(key, int(partition), int(offset), int(pid), int(at)))
            self.keys.add(key)
