from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.notice import Death, Notice, plan_notice

ids = st.none() | st.just("") | st.text(min_size=1, max_size=8)
deaths = st.builds(
    Death,
    protocol=st.sampled_from(["classic", "consumer"]),
    static=st.booleans(),
    coming_back=st.booleans(),
    clean_exit=st.booleans(),
    member_id=ids,
    instance_id=ids,
    holding=st.booleans(),
)


@given(deaths)
def test_a_notice_always_names_somebody_and_says_what_its_kind_needs(death: Death) -> None:
    notice = plan_notice(death)
    if notice is None:
        return
    assert notice.member_id or notice.instance_id
    if notice.kind == "release":
        assert notice.member_id
    if notice.kind != "leave":
        assert notice.instance_id


@given(deaths)
def test_a_known_member_id_is_always_sent_so_that_a_late_notice_cannot_evict_the_successor(death: Death) -> None:
    notice = plan_notice(death)
    if notice is not None and death.member_id:
        assert notice.member_id == death.member_id
        assert not notice.can_evict_successor


@given(deaths)
def test_a_static_member_that_comes_back_is_never_made_to_leave(death: Death) -> None:
    notice = plan_notice(death)
    if death.static and death.instance_id and death.coming_back and notice is not None:
        assert notice.kind != "leave"
        assert (notice.kind == "take_over") == (death.protocol == "classic")
        assert not death.clean_exit


@given(deaths)
def test_a_static_member_that_does_not_come_back_always_leaves_even_after_a_clean_close(death: Death) -> None:
    if death.static and death.instance_id and not death.coming_back:
        assert plan_notice(death) == Notice("leave", death.member_id or None, death.instance_id)


@given(deaths)
def test_a_dynamic_member_is_spoken_for_only_after_a_crash_and_by_member_id_alone(death: Death) -> None:
    if death.static and death.instance_id:
        return
    spoken_for = bool(death.member_id) and not death.clean_exit
    assert plan_notice(death) == (Notice("leave", death.member_id, None) if spoken_for else None)
