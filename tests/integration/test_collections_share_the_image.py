"""A full garbage collection in a worker leaves the memory that it shares with the mold's image shared."""

from kherd.bench.preload import HANDLE, LARGE, herd_of, measured


def test_a_collection_costs_no_memory() -> None:
    with herd_of(LARGE + HANDLE, workers=2, preload=True) as herd:
        found = measured(herd, workers=2, kills=0)
    assert found.idle > 30  # the image is there: half of 150 MB, or a third, is each one's share
    assert found.collected < 1.2 * found.idle
