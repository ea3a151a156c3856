"""Reconciling: from any slots to the wanted ones, one roll at a time, and never more members than slots."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.supervisor.decide.child import ENDING, GONE, State
from kherd.supervisor.decide.reconcile import LOAD_STEP, Orders, Slot, reconcile

NEWEST = 3
ON_THE_WAY_DOWN = ENDING
ON_THE_WAY_UP = (State.SPAWNING, State.BOOTING, State.BARRIER, State.JOINING, State.READY)


def _slot(state: State, generation: int, wanted: bool, load: float, worn: float) -> Slot:
    if state in GONE:
        return Slot(state, generation, wanted=state is not State.DOWN)
    worn = worn if state is State.READY else 0.0
    return Slot(state, generation, wanted=wanted if state in ON_THE_WAY_DOWN else True, load=load, worn=worn)


worths = st.sampled_from([0.0, 0.0, 0.0, 1.5, 3.2])
loads = st.sampled_from([0.0, 0.1, 0.5, 0.55, 1.0])
slots = st.builds(_slot, st.sampled_from(State), st.integers(1, NEWEST), st.booleans(), loads, worths)
herds = st.dictionaries(st.integers(0, 9), slots, max_size=10)
counts = st.integers(0, 10)
generations = st.integers(NEWEST, NEWEST + 1)


def running(herd: dict[int, Slot]) -> set[int]:
    """Return who is to live on, unless retired now."""
    return {index for index, slot in herd.items() if slot.wanted and slot.state is not State.DOWN}


@given(herds, counts, generations)
def test_orders_touch_each_slot_once_and_only_who_can_obey(herd: dict[int, Slot], wanted: int, newest: int) -> None:
    orders = reconcile(herd, wanted, newest)
    rolled = [index for index in (orders.roll, orders.recycle) if index is not None]
    touched = [*orders.start, *orders.retire, *orders.move, *rolled]
    assert len(touched) == len(set(touched))
    assert running(herd) >= {*orders.retire, *orders.move, *rolled}
    assert all(index not in herd or herd[index].state is State.DOWN for index in orders.start)
    assert all(herd[index].state in GONE for index in orders.move)
    assert all(herd[index].state not in GONE | ON_THE_WAY_DOWN for index in rolled)


@given(herds, counts, generations)
def test_there_are_never_more_than_wanted_and_only_who_is_too_many_is_retired(
    herd: dict[int, Slot], wanted: int, newest: int
) -> None:
    orders = reconcile(herd, wanted, newest)
    alive = running(herd)
    assert len(orders.retire) == max(0, len(alive) - wanted)
    assert len(orders.start) <= max(0, wanted - len(alive))
    assert not (orders.start and orders.retire)


@given(herds, counts, generations)
def test_who_has_the_least_to_do_is_retired_and_the_highest_number_among_equals(
    herd: dict[int, Slot], wanted: int, newest: int
) -> None:
    orders = reconcile(herd, wanted, newest)
    kept = running(herd) - {*orders.retire}
    for gone in orders.retire:
        for stays in kept:
            assert herd[gone].load < herd[stays].load + LOAD_STEP
            if herd[gone].load == herd[stays].load:
                assert gone > stays


@given(herds, counts, counts)
def test_a_changed_count_touches_only_the_slots_it_adds_or_removes(
    herd: dict[int, Slot], before: int, after: int
) -> None:
    settled = {index: Slot(State.READY, NEWEST, wanted=True) for index in range(before)}
    orders = reconcile(settled, after, NEWEST)
    assert orders == Orders(start=tuple(range(before, after)), retire=tuple(reversed(range(after, before))))
    orders = reconcile(herd, after, NEWEST)
    same = {index for index in running(herd) if herd[index].generation == NEWEST}
    assert not same & {*orders.start, *orders.move, orders.roll}


@given(herds, counts, generations)
def test_a_roll_waits_until_the_newest_are_ready_and_nobody_is_on_the_way_down(
    herd: dict[int, Slot], wanted: int, newest: int
) -> None:
    orders = reconcile(herd, wanted, newest)
    kept = {index: herd[index] for index in running(herd) - {*orders.retire}}
    unsettled = any(
        slot.state in ON_THE_WAY_DOWN if slot.generation < newest else slot.state is not State.READY
        for slot in kept.values()
    )
    missing = len(kept) < wanted
    moving = any(slot.state in GONE and slot.generation < newest for slot in kept.values())
    old = [index for index, slot in kept.items() if slot.generation < newest and slot.state not in GONE]
    assert orders.roll == (None if unsettled or missing or moving or not old else min(old))


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.data())
def test_the_most_worn_goes_when_all_others_are_ready_for_long_enough(steady: list[bool], data: st.DataObject) -> None:
    herd = {
        index: Slot(State.READY, NEWEST, wanted=True, steady=one, worn=data.draw(worths))
        for index, one in enumerate(steady)
    }
    recycled = reconcile(herd, len(herd), NEWEST).recycle
    most = max(slot.worn for slot in herd.values())
    first = min(index for index, slot in herd.items() if slot.worn == most)
    others = all(slot.steady for index, slot in herd.items() if index != first)
    assert recycled == (first if most and others else None)


@given(herds, counts, generations)
def test_nobody_is_recycled_while_anything_else_goes_on(herd: dict[int, Slot], wanted: int, newest: int) -> None:
    orders = reconcile(herd, wanted, newest)
    there = [slot for slot in herd.values() if slot.state is not State.DOWN]
    if orders.recycle is not None:
        assert orders == Orders(recycle=orders.recycle)
        assert all((slot.state, slot.generation) == (State.READY, newest) for slot in there)
        assert len(there) == wanted
        assert herd[orders.recycle].worn


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
            self.herd[index] = replace(slot, state=state, wanted=False)
        for index in (*orders.move, *orders.start):
            self.herd[index] = Slot(State.SPAWNING, self.newest, wanted=True)
        if orders.roll is not None:
            # Every slot of the newest generation is ready: it is known to be good, and never two members are missing.
            assert all(slot.state is State.READY for slot in self.kept() if slot.generation == self.newest)
            self.herd[orders.roll] = replace(self.herd[orders.roll], state=State.DRAINING)
            assert sum(slot.state is State.DRAINING for slot in self.kept()) == 1
        if orders.recycle is not None:
            self.herd[orders.recycle] = replace(self.herd[orders.recycle], state=State.DRAINING, worn=0.0)
            assert sum(slot.state not in {State.READY, State.DOWN} for slot in self.herd.values()) == 1
        self.herd = {index: slot for index, slot in self.herd.items() if slot.state is not State.DOWN}  # swept
        return orders != Orders()

    def kept(self) -> list[Slot]:
        """Return who lives on."""
        return [self.herd[index] for index in running(self.herd)]

    def movable(self) -> list[int]:
        """Slots to which something will happen by itself."""
        still = {State.READY, State.DOWN, State.HELD}
        return [index for index, slot in sorted(self.herd.items()) if slot.state not in still]

    def get_on(self, index: int) -> None:
        """One thing happens to one slot; who ends and is wanted comes back with the newest code."""
        slot = self.herd[index]
        if slot.state in ON_THE_WAY_DOWN:
            state = State.SPAWNING if slot.wanted else State.DOWN
            self.herd[index] = Slot(state, self.newest, wanted=slot.wanted)
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
    leaving = sum(slot.state in ON_THE_WAY_DOWN and not slot.wanted for slot in herd.values())
    bound = max(wanted, len(running(herd))) + leaving
    for _ in range(400):
        acted = world.obey()
        assert len(world.herd) <= bound
        movable = world.movable()
        if not movable and not acted:
            break
        if movable:
            world.get_on(rng.choice(movable))  # type: ignore[attr-defined] # Hypothesis' own Random
    assert len(world.herd) == wanted
    if any(slot.state is State.HELD and slot.generation == newest for slot in world.kept()):
        return  # a slot of the newest generation that can never be ready stops the roll, as it should
    assert all((slot.state, slot.generation, slot.wanted) == (State.READY, newest, True) for slot in world.kept())
