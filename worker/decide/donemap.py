"""Finished offsets above a base as few bytes: lengths of runs, or a bit per offset, whichever is smaller.

Numbers are varints: seven bits a byte, the lowest first, the high bit set where another byte follows (as in Protocol
Buffers). A map is one byte that says how it is written, a number, and then

    0  NOTHING  nothing, and no number
    1  RUNS     as many pairs of numbers: how many offsets are not finished, then how many are, from the base on
    2  BITS     as many bytes: a bit per offset from the base on, the lowest first, set where it is finished

A map that has to be shorter than it would be tells of the lowest offsets: what it leaves out counts as unfinished.
"""

from typing import Final

from .offsets import WINDOW, Runs

NOTHING: Final = b"\0"
_RUNS: Final = 1
_BITS: Final = 2
LONGEST_NUMBER: Final = 9
"""Bytes of a varint: 63 bits, and every offset and time has fewer."""


class BrokenError(ValueError):
    """Bytes that were not written as they should have been."""


def pack(base: int, done: Runs, room: int) -> bytes:
    """Return the map of `done`, which lies above `base`, in at most `room` bytes, at least one."""
    if not done:
        return NOTHING
    runs, told_by_runs = _pack_runs(base, done, room - 1)
    bits, told_by_bits = _pack_bits(base, done, room - 1)
    if max(told_by_runs, told_by_bits) == 0:
        return NOTHING
    if (told_by_runs, -len(runs)) >= (told_by_bits, -len(bits)):
        return bytes([_RUNS]) + runs
    return bytes([_BITS]) + bits


def unpack(base: int, data: bytes, at: int = 0) -> tuple[Runs, int]:
    """Return what the map at `at` of `data` says, and where it ends.

    Raises:
        BrokenError: it is no map.
    """
    if at >= len(data):
        raise BrokenError("it ends early")
    kind = data[at]
    if kind == 0:
        return (), at + 1
    count, at = take(data, at + 1)
    if kind == _RUNS:
        return _unpack_runs(base, data, at, count)
    if kind == _BITS:
        return _unpack_bits(base, data, at, count)
    raise BrokenError(f"a map of kind {kind}")


def number(value: int) -> bytes:
    """Return `value`, not negative, as a varint."""
    found = bytearray()
    while value > 127:  # noqa: PLR2004 - seven bits
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def take(data: bytes, at: int) -> tuple[int, int]:
    """Return the varint at `at` of `data`, and where it ends.

    Raises:
        BrokenError: there is none.
    """
    value = 0
    for length, byte in enumerate(data[at : at + LONGEST_NUMBER]):
        value |= (byte & 127) << 7 * length
        if byte < 128:  # noqa: PLR2004 - the last one
            return value, at + length + 1
    raise BrokenError("a number has no end")


def _pack_runs(base: int, done: Runs, room: int) -> tuple[bytes, int]:
    """Return what of `done` fits, as runs, and how many offsets that tells."""
    pairs: list[bytes] = []
    told = size = 0
    for first, end in done:
        pair = number(first - base) + number(end - first)
        if size + len(pair) + len(number(len(pairs) + 1)) > room:
            break
        pairs.append(pair)
        size += len(pair)
        told += end - first
        base = end
    return number(len(pairs)) + b"".join(pairs), told


def _pack_bits(base: int, done: Runs, room: int) -> tuple[bytes, int]:
    whole = sum((1 << end - first) - 1 << first - base for first, end in done)
    length = (done[-1][1] - base + 7) // 8
    while length and length + len(number(length)) > room:
        length = max(0, min(length - 1, room - len(number(length))))
    bits = whole & (1 << 8 * length) - 1
    return number(length) + bits.to_bytes(length, "little"), bits.bit_count()


def _unpack_runs(base: int, data: bytes, at: int, count: int) -> tuple[Runs, int]:
    if count > WINDOW:
        raise BrokenError(f"{count} runs")
    runs: list[tuple[int, int]] = []
    here = base
    for _ in range(count):
        gap, at = take(data, at)
        length, at = take(data, at)
        if not length or (runs and not gap) or here + gap + length > base + WINDOW:
            raise BrokenError("a run that cannot be")
        runs.append((here + gap, here + gap + length))
        here += gap + length
    return tuple(runs), at


def _unpack_bits(base: int, data: bytes, at: int, count: int) -> tuple[Runs, int]:
    end = at + count
    if end > len(data) or 8 * count > WINDOW:
        raise BrokenError("bits that are not there")
    return spans(int.from_bytes(data[at:end], "little"), base), end


def spans(bits: int, base: int) -> Runs:
    """Return the runs of set bits, the lowest bit being offset `base`."""
    found = []
    while bits:
        skipped = (bits & -bits).bit_length() - 1
        bits >>= skipped
        base += skipped
        length = (~bits & bits + 1).bit_length() - 1
        found.append((base, base + length))
        bits >>= length
        base += length
    return tuple(found)
