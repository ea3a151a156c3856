"""A trial: at most one slot is down by our will, the old generation stays until the new one is accepted; it ends."""

import random
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.supervisor.decide import roll as rolls
from kherd.supervisor.decide.canary import WAY_DOWN, Slot, View, counted, describe_trial, perceive
from kherd.supervisor.decide.child import GONE
from kherd.supervisor.decide.child import State as Child
from kherd.supervisor.decide.reconcile import Slot as Facts
from kherd.supervisor.decide.reconcile import reconcile
from kherd.supervisor.decide.roll import ILLEGAL, OVER, SUSPENDED_SECONDS, TRANSITIONS, TRYING, Action, Roll, State

OLD, NEW = 1, 2
ON_THE_WAY_UP = (Child.SPAWNING, Child.BOOTING, Child.BARRIER, Child.JOINING, Child.READY)
slots = st.builds(Slot, st.sampled_from(Child), st.integers(OLD, NEW), st.booleans(), failing=st.booleans())
herds = st.dictionaries(st.integers(0, 9), slots, max_size=6)
seconds = st.floats(0, 100)
reaches = st.sampled_from([True, False, None])
views = st.builds(
    View, herds, st.booleans(), reaches, seconds, seconds, seconds, st.none() | st.just("its mold died"), st.booleans()
)


def _roll(state: State, slot: int, left: float) -> Roll:
    return Roll(NEW, OLD, state, slot=slot if state not in {State.MOLDING, State.CHOOSING} else None, left=left)


any_roll = st.builds(_roll, st.sampled_from(State), st.integers(0, 9), st.floats(0, 9))


@given(any_roll, views)
def test_what_is_perceived_can_come_in_that_state_and_comes_to_an_end(roll: Roll, view: View) -> None:
    for _ in range(len(State) + 1):
        event = perceive(roll, view)
        if event is None:
            return
        cell = TRANSITIONS[(roll.state, type(event))]
        assert cell not in {ILLEGAL, rolls.IGNORE}
        roll, actions = rolls.step(roll, event, 0.0)
        if Action.STOP_CANARY in actions:
            assert roll.slot is not None
            view = replace(view, slots={**view.slots, roll.slot: Slot(Child.DRAINING, OLD, wanted=True)})
        view = replace(view, lost=False)  # told once
    raise AssertionError("it goes round in circles")


@given(any_roll, views)
def test_a_generation_with_trouble_is_never_accepted(roll: Roll, view: View) -> None:
    event = perceive(roll, replace(view, trouble="its mold died"))
    if roll.state in TRYING:
        assert event == rolls.Failed("its mold died")


@given(herds, st.floats(0, 9))
def test_a_slot_is_tried_only_when_it_is_ready_and_nobody_wanted_is_on_the_way_down(
    herd: dict[int, Slot], left: float
) -> None:
    event = perceive(
        Roll(NEW, OLD, State.CHOOSING, left=left),
        View(herd, loaded=True, reachable=True, patience=9.0, limit=9.0, settle=9.0),
    )
    wanted = {index: slot for index, slot in herd.items() if slot.wanted}
    if isinstance(event, rolls.Chosen):
        assert wanted[event.slot].state is Child.READY
        assert not any(slot.state in WAY_DOWN for slot in wanted.values())
        assert left <= 0 or all(slot.state in {Child.READY, Child.BACKOFF, Child.HELD} for slot in wanted.values())
    if isinstance(event, rolls.Unprotected):
        assert not any(slot.state is Child.READY for slot in wanted.values())
    if any(slot.state is Child.READY for slot in wanted.values()):
        assert not isinstance(event, rolls.Unprotected)


@given(herds, st.floats(0, 9))
def test_nobody_is_stopped_while_no_broker_answers(herd: dict[int, Slot], left: float) -> None:
    view = View(herd, loaded=True, reachable=False, patience=9.0, limit=9.0, settle=9.0)
    assert not isinstance(perceive(Roll(NEW, OLD, State.CHOOSING, left=left), view), rolls.Chosen)


@given(herds)
def test_a_choice_does_not_wait_for_ever(herd: dict[int, Slot]) -> None:
    still = {index: slot for index, slot in herd.items() if slot.state not in WAY_DOWN}  # their deadlines end those
    event = perceive(
        Roll(NEW, OLD, State.CHOOSING, left=0.0),
        View(still, loaded=True, reachable=True, patience=9.0, limit=9.0, settle=9.0),
    )
    assert isinstance(event, rolls.Chosen | rolls.Unprotected)


@given(st.floats(0, 1e6), reaches, st.booleans())
def test_time_counts_only_while_the_canary_can_be_judged(passed: float, reachable: bool | None, started: bool) -> None:
    found = counted(passed, reachable=reachable, started=started)
    assert found == (0.0 if reachable is False or not started else min(passed, SUSPENDED_SECONDS))


@given(any_roll)
def test_a_trial_is_described_as_long_as_it_lasts(roll: Roll) -> None:
    assert bool(describe_trial(roll)) == (roll.state in TRYING)
    assert describe_trial(None) == ""


@dataclass
class World:
    """A herd under a roll: workers of the new generation do as `fate` says, those of the old one are sound."""

    rng: random.Random
    fate: str
    wanted: int
    herd: dict[int, Slot]
    roll: Roll = field(default_factory=lambda: Roll(NEW, OLD))
    accepted: int = OLD
    loaded: bool = False
    trouble: str | None = None

    def kept(self) -> list[Slot]:
        return [slot for slot in self.herd.values() if slot.wanted]

    def reconcile(self) -> None:
        """As the herd does: nobody else is rolled while a generation is tried."""
        facts = {index: Facts(slot.state, slot.generation, slot.wanted) for index, slot in self.herd.items()}
        orders = reconcile(facts, self.wanted, self.accepted)
        for index in orders.retire:
            slot = self.herd[index]
            gone = slot.state in GONE
            down = slot.state if slot.state in WAY_DOWN else Child.DRAINING
            self.herd[index] = replace(slot, state=Child.DOWN if gone else down, wanted=False)
        for index in (*orders.start, *orders.move):
            self.herd[index] = Slot(Child.SPAWNING, self.accepted, wanted=True)
        if orders.roll is not None and self.roll.state not in TRYING:
            self.stop(orders.roll)
        self.herd = {index: slot for index, slot in self.herd.items() if slot.state is not Child.DOWN}

    def stop(self, index: int) -> None:
        self.herd[index] = replace(self.herd[index], state=Child.DRAINING)
        assert sum(slot.state in WAY_DOWN for slot in self.kept()) == 1, "two are down by our will"

    def feed(self, event: rolls.Event) -> None:
        self.roll, actions = rolls.step(self.roll, event, 0.0)
        for action in actions:
            slot = self.roll.slot
            if action is Action.STOP_CANARY and slot is not None:
                assert not any(one.generation == NEW for one in self.kept())
                self.stop(slot)
            elif action is Action.ACCEPT:
                self.accepted = NEW
            elif slot in self.herd and self.herd[slot].generation == NEW and self.herd[slot].wanted:
                self.herd[slot] = Slot(Child.SPAWNING, OLD, wanted=True)

    def look(self) -> None:
        while (event := perceive(self.roll, self.view())) is not None:
            self.feed(event)
        if self.roll.state not in OVER:
            self.feed(rolls.Elapsed(self.rng.choice([1.0, 3.0])))

    def view(self) -> View:
        settle = self.rng.choice([0.0, 5.0]) if self.fate == "good" else 10_000.0  # who is to die does so within it
        return View(dict(self.herd), self.loaded, None, 60.0, 60.0, settle, self.trouble)

    def movable(self) -> list[int]:
        """Slots to which something will happen by itself: no chance may starve one of them for ever."""
        return [index for index, slot in sorted(self.herd.items()) if not self.stands(slot)]

    def stands(self, slot: Slot) -> bool:
        if slot.generation == NEW and self.roll.state in TRYING and slot.state not in WAY_DOWN:
            return self.fate == "never ready" or (self.fate == "good" and slot.state is Child.READY)
        return slot.state is Child.READY

    def next_generation(self, index: int) -> int:
        """What a slot comes back as: the canary as the new one, and so does everybody once it is accepted."""
        tried = self.roll.state in {State.CANARY, State.SETTLING} and index == self.roll.slot
        return NEW if tried or self.accepted == NEW else OLD

    def get_on(self, index: int) -> None:
        """One thing happens to one slot."""
        slot = self.herd[index]
        if slot.state in WAY_DOWN:
            up = Slot(Child.SPAWNING, self.next_generation(index), wanted=True)
            self.herd[index] = up if slot.wanted else replace(slot, state=Child.DOWN)
        elif slot.generation == NEW and self.fate != "good" and self.roll.state in TRYING:
            self.fail(index)
        elif slot.state is not Child.READY:
            after = ON_THE_WAY_UP[ON_THE_WAY_UP.index(slot.state) + 1]
            self.herd[index] = replace(slot, state=after)

    def fail(self, index: int) -> None:
        slot = self.herd[index]
        if self.fate == "dies when ready" and slot.state is not Child.READY:
            after = ON_THE_WAY_UP[ON_THE_WAY_UP.index(slot.state) + 1]
            self.herd[index] = replace(slot, state=after)
        elif self.fate != "never ready":
            self.trouble = "the canary died"
            self.herd[index] = Slot(Child.SPAWNING, OLD, wanted=True)

    def mold_gets_on(self) -> None:
        if self.fate == "no import":
            self.trouble = "no module named orders"
        self.loaded = True


FATES = ["good", "no import", "dies at boot", "dies when ready", "never ready"]


@settings(max_examples=300)
@given(st.sampled_from(FATES), st.integers(1, 5), st.integers(0, 5), st.integers(0, 2**32))
def test_a_good_generation_reaches_every_slot_and_a_bad_one_leaves_all_as_they_were(
    fate: str, count: int, wanted: int, seed: int
) -> None:
    rng = random.Random(seed)
    before = {index: Slot(Child.READY, OLD, wanted=True) for index in range(count)}
    world = World(rng, fate, count, before)
    for turn in range(600):
        if turn == 3:
            world.wanted = wanted  # a rescale in the middle of it
        world.reconcile()
        world.look()
        new = [slot for slot in world.kept() if slot.generation == NEW]
        assert world.accepted == NEW or len(new) <= 1, "more than the canary before it is accepted"
        if turn > 20 or rng.random() < 0.2:
            world.mold_gets_on()
        if movable := world.movable():
            world.get_on(rng.choice(movable))
        at_rest = all(slot.state is Child.READY for slot in world.herd.values())
        if world.roll.state in OVER and at_rest and len(world.herd) == wanted and turn > 3:
            break
    else:
        raise AssertionError(f"it has not come to an end: {world}")
    if fate == "good" or wanted:  # with nobody left there may be nobody to try it
        assert world.roll.state is (State.DONE if fate == "good" else State.ROLLED_BACK)
    assert world.accepted == (NEW if world.roll.state is State.DONE else OLD)
    assert {slot.generation for slot in world.herd.values()} <= {world.accepted}


def test_a_lost_canary_of_an_outage_is_tried_again() -> None:
    herd = {0: Slot(Child.BACKOFF, NEW, wanted=True), 1: Slot(Child.READY, OLD, wanted=True)}
    roll = Roll(NEW, OLD, State.SETTLING, slot=0, left=0.1)
    event = perceive(roll, View(herd, loaded=True, reachable=True, patience=9.0, limit=60.0, settle=5.0, lost=True))
    assert event == rolls.CanaryLost(60.0)
    after, actions = rolls.step(roll, event, 0.0)
    assert (after.state, after.left, actions) == (State.CANARY, 60.0, ())
