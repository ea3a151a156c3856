"""Reconciling: from any slots to the wanted ones, one roll at a time, and never more members than slots."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.supervisor.decide.child import GONE, State
from kherd.supervisor.decide.reconcile import Orders, Slot, reconcile

NEWEST = 3
ON_THE_WAY_DOWN = frozenset({State.DRAINING, State.DUMPING, State.KILLING, State.LOST})
ON_THE_WAY_UP = (State.SPAWNING, State.BOOTING, State.BARRIER, State.JOINING, State.READY)


def _slot(state: State, generation: int, wanted: bool) -> Slot:
    if state in GONE:
        return Slot(state, generation, wanted=state is not State.DOWN)
    return Slot(state, generation, wanted=wanted if state in ON_THE_WAY_DOWN else True)


slots = st.builds(_slot, st.sampled_from(State), st.integers(1, NEWEST), st.booleans())
herds = st.dictionaries(st.integers(0, 9), slots, max_size=10)
counts = st.integers(0, 10)
generations = st.integers(NEWEST, NEWEST + 1)


@given(herds, counts, generations)
def test_orders_touch_each_slot_once_and_only_who_can_obey(herd: dict[int, Slot], wanted: int, newest: int) -> None:
    orders = reconcile(herd, wanted, newest)
    rolled = () if orders.roll is None else (orders.roll,)
    touched = [*orders.start, *orders.retire, *orders.move, *rolled]
    assert len(touched) == len(set(touched))
    assert all(index < wanted for index in (*orders.start, *orders.move, *rolled))
    assert all(index >= wanted for index in orders.retire)
    assert all(index not in herd or herd[index].state is State.DOWN for index in orders.start)
    assert all(herd[index].state in GONE for index in orders.move)
    assert all(herd[index].state not in GONE | ON_THE_WAY_DOWN for index in rolled)


@given(herds, counts, counts)
def test_a_changed_count_touches_only_the_slots_it_adds_or_removes(
    herd: dict[int, Slot], before: int, after: int
) -> None:
    settled = {index: Slot(State.READY, NEWEST, wanted=True) for index in range(before)}
    orders = reconcile(settled, after, NEWEST)
    assert orders == Orders(start=tuple(range(before, after)), retire=tuple(reversed(range(after, before))))
    orders = reconcile(herd, after, NEWEST)
    same = [index for index, slot in herd.items() if index < after and slot.generation == NEWEST]
    assert not {index for index in same if herd[index].state is not State.DOWN} & {
        *orders.start, *orders.retire, *orders.move, orders.roll
    }  # fmt: skip


@given(herds, counts, generations)
def test_a_roll_waits_until_the_newest_are_ready_and_nobody_is_on_the_way_down(
    herd: dict[int, Slot], wanted: int, newest: int
) -> None:
    roll = reconcile(herd, wanted, newest).roll
    kept = [slot for index, slot in herd.items() if index < wanted]
    unsettled = any(
        slot.state in ON_THE_WAY_DOWN if slot.generation < newest else slot.state is not State.READY for slot in kept
    )
    starting = any(index not in herd or herd[index].state is State.DOWN for index in range(wanted))
    moving = any(slot.state in GONE and slot.generation < newest for slot in kept)
    old = [i for i, slot in herd.items() if i < wanted and slot.generation < newest and slot.state not in GONE]
    assert roll == (None if unsettled or starting or moving or not old else min(old))


@dataclass
class World:
    """Slots that do as they are told; `pick` decides which of them gets on next."""

    herd: dict[int, Slot]
    wanted: int
    newest: int

    def obey(self) -> bool:
        """Carry the orders out; return whether there were any."""
        orders = reconcile(self.herd, self.wanted, self.newest)
        for index in orders.retire:
            slot = self.herd[index]
            state = State.DOWN if slot.state in GONE else slot.state
            state = State.DRAINING if state not in GONE | ON_THE_WAY_DOWN else state
            self.herd[index] = Slot(state, slot.generation, wanted=False)
        for index in (*orders.move, *orders.start):
            self.herd[index] = Slot(State.SPAWNING, self.newest, wanted=True)
        if orders.roll is not None:
            # Every slot of the newest generation is ready: it is known to be good, and never two members are missing.
            assert all(slot.state is State.READY for slot in self._kept() if slot.generation == self.newest)
            self.herd[orders.roll] = replace(self.herd[orders.roll], state=State.DRAINING)
            assert sum(slot.state is State.DRAINING and slot.wanted for slot in self._kept()) == 1
        return orders != Orders()

    def _kept(self) -> list[Slot]:
        return [slot for index, slot in self.herd.items() if index < self.wanted]

    def movable(self) -> list[int]:
        """Slots to which something will happen by itself."""
        still = {State.READY, State.DOWN, State.HELD}
        return [index for index, slot in sorted(self.herd.items()) if slot.state not in still]

    def get_on(self, index: int) -> None:
        """One thing happens to one slot; who ends and is wanted comes back with the newest code."""
        slot = self.herd[index]
        if slot.state in ON_THE_WAY_DOWN:
            if slot.wanted:
                self.herd[index] = Slot(State.SPAWNING, self.newest, wanted=True)
            elif index >= self.wanted:
                del self.herd[index]  # swept
            else:
                self.herd[index] = Slot(State.DOWN, slot.generation, wanted=False)
        elif slot.state is State.BACKOFF:
            self.herd[index] = replace(slot, state=State.SPAWNING)
        else:
            after = ON_THE_WAY_UP[ON_THE_WAY_UP.index(slot.state) + 1]
            self.herd[index] = replace(slot, state=after)


@settings(max_examples=300)
@given(herds, counts, generations, st.randoms(use_true_random=False))
def test_any_herd_reaches_the_wanted_count_and_generation(
    herd: dict[int, Slot], wanted: int, newest: int, rng: object
) -> None:
    world = World(dict(herd), wanted, newest)
    bound = max([wanted, *(index + 1 for index in herd)])
    for _ in range(400):
        acted = world.obey()
        assert len(world.herd) <= bound
        assert len([slot for slot in world.herd.values() if slot.state not in GONE]) <= bound
        movable = world.movable()
        if not movable and not acted:
            break
        if movable:
            world.get_on(rng.choice(movable))  # type: ignore[attr-defined] # Hypothesis' own Random
    held = {index for index, slot in herd.items() if slot.state is State.HELD and slot.generation == newest}
    for index in range(wanted):
        assert index in world.herd
    kept = {index: slot for index, slot in world.herd.items() if index < wanted}
    if held & set(kept):
        return  # a slot of the newest generation that can never be ready stops the roll, as it should
    assert all(slot == Slot(State.READY, newest, wanted=True) for slot in kept.values())
    assert all(slot.state is State.DOWN for index, slot in world.herd.items() if index >= wanted)
