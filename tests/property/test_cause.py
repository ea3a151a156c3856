"""Naming a death: our own doing is never blamed on others, nor theirs on us, and only a clean end is clean."""

import signal
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.cause import Facts, name_cause
from kherd.worker.exits import WorkerExit

names = st.sampled_from(["SIGKILL", "SIGTERM"]) | st.sampled_from(
    [number.name for number in signal.Signals] + ["SIG40"]
)
said = st.none() | st.just("cannot import orders")
facts = st.builds(
    Facts,
    exit_code=st.none() | st.integers(0, 255),
    signal=st.none() | names,
    killed_for=st.none() | st.just("the deadline passed"),
    hang=st.none() | st.just("nothing has been seen of it"),
    memory=st.booleans(),
    asked=st.booleans(),
    oom=st.booleans(),
    said=said,
)


@given(facts)
def test_every_end_has_a_name_and_a_class(found: Facts) -> None:
    cause = name_cause(found)
    assert cause.text
    assert cause.kind
    assert " " not in cause.kind
    assert not (cause.clean and cause.permanent)


@given(facts, names)
def test_a_signal_is_ours_only_if_we_sent_it(found: Facts, name: str) -> None:
    cause = name_cause(replace(found, exit_code=None, signal=name))
    if name == "SIGKILL" and found.killed_for is not None:
        assert cause.kind == ("hang" if found.hang else "memory" if found.memory else "killed")
        assert found.killed_for in cause.text
    elif name == "SIGKILL" and found.oom:
        assert cause.kind == "oom"
    elif name == "SIGTERM" and found.asked and found.hang is not None:
        assert cause.kind == "hang"
        assert found.hang in cause.text
    elif name == "SIGTERM" and found.asked:
        assert cause.kind == "stop"
        assert cause.clean
    else:
        assert cause.kind == f"signal:{name.removeprefix('SIG')}"
        assert "not sent by kherd" in cause.text
    assert cause.clean == (cause.kind == "stop")


@given(facts, st.sampled_from(WorkerExit) | st.integers(0, 255))
def test_an_exit_is_named_by_its_code_and_only_100_is_permanent(found: Facts, code: int) -> None:
    cause = name_cause(replace(found, exit_code=int(code), signal=None))
    assert cause.permanent == (code == WorkerExit.PERMANENT)
    assert cause.clean == (code == WorkerExit.DRAINED)
    if code == 0 and found.asked:
        assert cause.kind == ("hang" if found.hang else "stop")
        assert (found.hang or "") in cause.text
    else:
        assert cause.kind == f"exit:{code}"
    if code != 0 and found.said is not None:
        assert found.said in cause.text
    if code == 0 and not found.asked:
        assert "without being asked" in cause.text


@given(said)
def test_what_never_was_a_process_is_a_failed_spawn(reason: str | None) -> None:
    cause = name_cause(Facts(said=reason))
    assert (cause.kind, cause.clean, cause.permanent) == ("spawn", False, False)
    assert cause.text == (reason or "it was never announced")
