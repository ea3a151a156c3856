"""Stacks as faulthandler writes them: their frames, the innermost first, and where each thread was in a handler."""

import re
from collections.abc import Iterator
from typing import Final

Frame = tuple[str, str]
"""File name and function name."""
FRAMES: Final = 5
"""Innermost frames that tell one place to wait in from another."""
_FRAME: Final = re.compile(r'\s*File "(?P<file>.*)", line (?:\d+|\?\?\?) in (?P<function>.*)')
_IDLE: Final = ("/asyncio/", "/selectors.py", "/concurrent/futures/")
"""An event loop that waits shows where it waits, and nothing of the coroutines that wait in it."""


def threads(text: str) -> Iterator[list[Frame]]:
    """Yield the frames of each thread in `text`, the innermost first."""
    frames: list[Frame] = []
    for line in text.splitlines():
        match = _FRAME.fullmatch(line)
        if match is not None:
            frames.append((match["file"], match["function"]))
        elif frames:
            yield frames
            frames = []
    if frames:
        yield frames


def frames_of(text: str) -> list[Frame]:
    """Return the frames of the first thread that has any, the outermost first: the order of a traceback."""
    return next((frames[::-1] for frames in threads(text)), [])


def places(text: str, ours: str) -> frozenset[tuple[Frame, ...]]:
    """Return where threads are that were called from `ours`, the folder of kherd's worker: their innermost frames.

    A thread that is in kherd's own code, or in a waiting event loop, is nowhere.
    """
    found = []
    for frames in threads(text):
        theirs = _inner(frames, ours)
        if 0 < len(theirs) < len(frames) and not any(part in theirs[0][0] for part in _IDLE):
            found.append(tuple(theirs[:FRAMES]))
    return frozenset(found)


def _inner(frames: list[Frame], ours: str) -> list[Frame]:
    """Return the frames inside of the innermost one of `ours`; all if there is none."""
    for index, (file, _) in enumerate(frames):
        if file.startswith(ours):
            return frames[:index]
    return frames
