"""What follows from what brokers say."""

from kherd.supervisor.probe.live import supports


def test_brokers_without_kip_848_fail_only_those_who_want_it() -> None:
    assert supports("consumer", {0: (0, 9), 68: (0, 1)})[0] == "ok"
    assert supports("classic", {0: (0, 9)})[0] == "ok"
    level, text = supports("consumer", {0: (0, 9)})
    assert level == "fail"
    assert 'use "classic"' in text
