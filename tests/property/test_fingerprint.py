import string

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.fingerprint import FRAMES, fingerprint

names = st.text(string.ascii_letters + "_./<>\u00e9\udc80", max_size=12)
frames = st.lists(st.tuples(names, names), max_size=9)


@given(names, frames)
def test_a_fingerprint_is_sixteen_digits_and_stable(kind: str, stack: list[tuple[str, str]]) -> None:
    first = fingerprint(kind, stack)
    assert first == fingerprint(kind, list(stack))
    assert len(first) == 16
    assert set(first) <= set(string.hexdigits)


@given(names, frames, frames)
def test_outer_frames_do_not_count_once_there_are_enough(
    kind: str, outer: list[tuple[str, str]], inner: list[tuple[str, str]]
) -> None:
    inner = (inner * FRAMES or [("f", "g")] * FRAMES)[:FRAMES]
    assert fingerprint(kind, outer + inner) == fingerprint(kind, inner)


@given(names, frames, names)
def test_another_place_of_the_code_is_the_same_kind_of_failure(
    kind: str, stack: list[tuple[str, str]], root: str
) -> None:
    here = [(f"/srv/a/{file.replace('/', '')}/x.py", function) for file, function in stack]
    there = [(f"/{root}/{file.replace('/', '')}/x.py", function) for file, function in stack]
    assert fingerprint(kind, here) == fingerprint(kind, there)


def test_class_file_and_function_tell_failures_apart() -> None:
    base = fingerprint("ValueError", [("/a/app.py", "handle")])
    assert base == "56243717a4bf2cce"  # written to topics: it must not change between versions
    others = {
        fingerprint("KeyError", [("/a/app.py", "handle")]),
        fingerprint("ValueError", [("/a/other.py", "handle")]),
        fingerprint("ValueError", [("/a/app.py", "save")]),
    }
    assert len(others | {base}) == 4
