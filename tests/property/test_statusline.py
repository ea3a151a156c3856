from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.readiness import State
from kherd.supervisor.decide.statusline import LONGEST, Standing, clean, status_line

counts = st.integers(0, 10_000)
standings = st.builds(
    Standing,
    state=st.sampled_from(State),
    wanted=counts, booted=counts, ready=counts, alive=counts, slots=counts, moved=counts, quorum=counts,
    generation=counts,
    lag=st.none() | st.integers(0, 2**63),
    quiet=st.booleans(),
    trial=st.text(),
    reason=st.text(),
    problems=st.lists(st.text()),
)  # fmt: skip


@given(standings)
def test_it_is_one_short_line_without_control_characters_that_systemd_can_read(standing: Standing) -> None:
    line = status_line(standing)
    assert 0 < len(line) <= LONGEST
    assert line.isprintable()
    line.encode()


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(standings, st.text(alphabet="abc ", min_size=1, max_size=30).filter(str.strip))
def test_the_first_problem_is_told_unless_the_line_is_full(standing: Standing, problem: str) -> None:
    line = status_line(Standing(State.READY, 4, 4, 4, 4, 4, 4, 1, 7, standing.lag, problems=[problem]))
    assert clean(problem) in line


def test_it_reads_as_promised() -> None:
    ready = Standing(State.READY, wanted=4, booted=4, ready=4, alive=4, slots=4, moved=4, quorum=1, generation=7)
    assert status_line(ready) == "4/4 ready, lag unknown, gen 7"

    def told(state: State, **more: object) -> str:
        facts = {name: getattr(ready, name) for name in Standing.__slots__} | {"state": state, **more}
        return status_line(Standing(**facts))

    assert told(State.READY, lag=1203) == "4/4 ready, lag 1 203, gen 7"
    assert (
        told(State.RELOADING, moved=1, quiet=True) == "quiet, 4/4 ready, lag unknown, gen 7, 1/4 workers rolled to it"
    )
    assert told(State.READY, moved=1, trial="worker 0 tries it") == (
        "4/4 ready, lag unknown, gen 7, 1/4 workers rolled to it (worker 0 tries it)"
    )
    assert told(State.STARTING, booted=1, quorum=9) == "starting: 1/4 workers booted, 4 needed"
    assert told(State.STOPPING, alive=2, reason="SIGTERM") == "stopping (SIGTERM): 2 workers left"
    assert told(State.READY, lag=0, problems=["a\nb", "c"]) == "4/4 ready, lag 0, gen 7; a b; c"
