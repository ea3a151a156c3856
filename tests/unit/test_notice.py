from typing import Final

import pytest

from kherd.supervisor.decide.notice import Death, Notice, plan_notice
from kherd.worker.spec import GroupProtocol

CLASSIC: Final = "classic"
KIP_848: Final = "consumer"


@pytest.mark.parametrize(
    ("protocol", "static", "coming_back", "clean_exit", "expected"),
    [
        (CLASSIC, True, True, False, None),
        (CLASSIC, True, True, True, None),
        (CLASSIC, True, False, False, Notice("leave", "m", "i")),
        (CLASSIC, True, False, True, Notice("leave", "m", "i")),
        (CLASSIC, False, True, False, Notice("leave", "m", None)),
        (CLASSIC, False, True, True, None),
        (CLASSIC, False, False, False, Notice("leave", "m", None)),
        (CLASSIC, False, False, True, None),
        (KIP_848, True, True, False, Notice("release", "m", "i")),
        (KIP_848, True, True, True, None),
        (KIP_848, True, False, False, Notice("leave", "m", "i")),
        (KIP_848, True, False, True, Notice("leave", "m", "i")),
        (KIP_848, False, True, False, Notice("leave", "m", None)),
        (KIP_848, False, True, True, None),
        (KIP_848, False, False, False, Notice("leave", "m", None)),
        (KIP_848, False, False, True, None),
    ],
)
def test_the_whole_table(
    protocol: GroupProtocol, static: bool, coming_back: bool, clean_exit: bool, expected: Notice | None
) -> None:
    instance_id = "i" if static else None
    assert plan_notice(Death(protocol, static, coming_back, clean_exit, "m", instance_id)) == expected


def test_a_classic_successor_takes_over_what_its_predecessor_held_if_that_can_be_named() -> None:
    assert plan_notice(Death(CLASSIC, True, True, False, "m", "i", True)) == Notice("take_over", "m", "i")
    assert plan_notice(Death(CLASSIC, True, True, False, None, "i", True)) is None
    assert plan_notice(Death(CLASSIC, True, True, True, "m", "i", True)) is None


def test_a_kip_848_static_member_of_unknown_id_is_described_and_released() -> None:
    assert plan_notice(Death(KIP_848, True, True, False, None, "i")) == Notice("describe_release", None, "i")


def test_a_static_member_of_unknown_id_that_is_not_coming_back_leaves_by_its_instance_id() -> None:
    notice = plan_notice(Death(CLASSIC, True, False, False, None, "i"))
    assert notice == Notice("leave", None, "i")
    assert notice.can_evict_successor


def test_a_dynamic_member_that_died_before_it_had_an_id_is_nobody_to_the_coordinator() -> None:
    assert plan_notice(Death(KIP_848, False, True, False, None, None)) is None
