"""Values made before the clock starts: of stated entropy, none like the one before, so that compression cannot lie."""

import random
from typing import Final

from .matrix import NUMBER

POOL_BYTES: Final = 4 * 2**20
"""More than any codec looks back within a batch of the default size."""
MOST: Final = 65_536


def pool(size: int, entropy: float, rng: random.Random) -> list[bytes]:
    """Return bodies: a value is 8 bytes of its number, then one of these; a share `entropy` of it is random."""
    length = size - NUMBER
    noise = min(length, round(size * entropy))
    count = max(16, min(MOST, POOL_BYTES // size))
    still = bytes(ord("a") + number % 26 for number in range(length - noise))
    return [rng.randbytes(noise) + still for _ in range(count)]
