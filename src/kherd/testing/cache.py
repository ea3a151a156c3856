"""A folder of things fetched once: built beside their place, renamed into it, never fetched again.

The folder is `$KHERD_CACHE` or `~/.cache/kherd`. An entry's name carries a hash of what it was made from, so a changed
recipe is a new entry; several test runs that want the same one wait for whoever began.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def root() -> Path:
    """Return the cache's folder."""
    chosen = os.environ.get("KHERD_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "kherd"


def entry(name: str, recipe: bytes, build: Callable[[Path], None]) -> Path:
    """Return the folder made from `recipe`, having `build(empty folder)` fill it if this is the first time.

    What `build` raises is passed on, and leaves nothing behind.
    """
    place = root() / f"{name}-{hashlib.sha256(recipe).hexdigest()[:16]}"
    if place.is_dir():
        return place
    root().mkdir(parents=True, exist_ok=True)
    with _alone(place.with_suffix(".lock")):
        if place.is_dir():
            return place
        partial = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=root()))
        try:
            build(partial)
            partial.rename(place)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return place


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
