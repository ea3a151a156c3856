"""The loop's one place to wait: descriptors and what to call when they are ready."""

import select
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ready:
    """What a descriptor is ready for."""

    readable: bool
    writable: bool


Callback = Callable[[Ready], None]


class Poller:
    """An epoll with callbacks, level-triggered."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._masks: dict[int, int] = {}

    def watch(self, fd: int, callback: Callback, *, write: bool = False) -> None:
        """Call `callback` when `fd` is readable, or also writable; a second call changes both."""
        mask = select.EPOLLIN | (select.EPOLLOUT if write else 0)
        if fd not in self._masks:
            self._epoll.register(fd, mask)
        elif self._masks[fd] != mask:
            self._epoll.modify(fd, mask)
        self._masks[fd], self._callbacks[fd] = mask, callback

    def forget(self, fd: int) -> None:
        """Stop watching `fd`; one that is not watched is no error. Must come before it is closed."""
        if self._masks.pop(fd, None) is not None:
            self._epoll.unregister(fd)
            del self._callbacks[fd]

    def wait(self, seconds: float | None) -> None:
        """Wait for at most `seconds`, then call back whoever is ready."""
        timeout = -1.0 if seconds is None else max(0.0, seconds)
        due = [(fd, mask, self._callbacks.get(fd)) for fd, mask in self._epoll.poll(timeout)]
        for fd, mask, callback in due:
            # An earlier callback of this round may have closed it, and given its number to another descriptor.
            if callback is not None and self._callbacks.get(fd) is callback:
                callback(Ready(bool(mask & ~select.EPOLLOUT), bool(mask & select.EPOLLOUT)))

    def close(self) -> None:
        """Give the epoll back."""
        self._epoll.close()
