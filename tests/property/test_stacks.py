"""Stacks as faulthandler writes them are read whole, whatever else is in the text; a thread at rest is nowhere."""

import faulthandler
import tempfile
import threading

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.stacks import FRAMES, Frame, frames_of, places, threads

OURS = "/opt/kherd/worker"
names = st.text("abc_<>", min_size=1, max_size=6)
frames = st.tuples(names.map(lambda name: f"/app/{name}.py"), names)
stacks = st.lists(frames, min_size=1, max_size=8)


def written(found: list[list[Frame]], heading: str = "Current thread 0x01 (most recent call first):") -> str:
    parts = []
    for thread in found:
        parts.append(heading)
        parts += [f'  File "{file}", line {number} in {name}' for number, (file, name) in enumerate(thread)]
        parts.append("")
    return "\n".join(parts)


@given(st.lists(stacks, max_size=4))
def test_every_frame_is_read_thread_by_thread(found: list[list[Frame]]) -> None:
    text = "Fatal Python error: Segmentation fault\n\n" + written(found) + "\nExtension modules: a, b (total: 2)"
    assert list(threads(text)) == found
    assert frames_of(text) == (found[0][::-1] if found else [])


@given(st.text(max_size=200))
def test_any_other_text_is_read_too(text: str) -> None:
    assert all(list(threads(text)))
    assert isinstance(frames_of(text), list)
    assert places(text, OURS) == frozenset()


@given(stacks, stacks)
def test_a_place_is_the_innermost_frames_that_are_not_ours(theirs: list[Frame], outer: list[Frame]) -> None:
    ours = [(f"{OURS}/record.py", "_burst")]
    assert places(written([theirs + ours + outer]), OURS) == {tuple(theirs[:FRAMES])}
    assert places(written([ours + outer]), OURS) == frozenset()
    assert places(written([theirs]), OURS) == frozenset()


def test_an_event_loop_that_waits_is_nowhere() -> None:
    waiting = [("/lib/python3.11/selectors.py", "select"), ("/lib/python3.11/asyncio/base_events.py", "_run_once")]
    assert places(written([[*waiting, (f"{OURS}/handler.py", "run")]]), OURS) == frozenset()


def test_what_faulthandler_really_writes_is_read() -> None:
    ready, over = threading.Event(), threading.Event()

    def a_thread_that_waits() -> None:
        ready.set()
        over.wait(10)

    thread = threading.Thread(target=a_thread_that_waits)
    thread.start()
    ready.wait(10)
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        found = list(threads(file.read()))
    over.set()
    thread.join()
    functions = [{name for _, name in frames} for frames in found]
    assert any("a_thread_that_waits" in one for one in functions)
    assert any("test_what_faulthandler_really_writes_is_read" in one for one in functions)
