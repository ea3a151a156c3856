"""How values are written."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from kherd.supervisor.config.types import (
    format_percent,
    is_topic,
    parse_account,
    parse_bootstrap,
    parse_class,
    parse_duration,
    parse_flag,
    parse_link,
    parse_listen,
    parse_mask,
    parse_name,
    parse_percent,
    parse_place,
    parse_property,
    parse_reference,
    parse_size,
    parse_text,
    parse_whole,
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30s", 30.0),
        ("5m", 300.0),
        ("100ms", 0.1),
        ("1.5h", 5400.0),
        ("2 d", 172_800.0),
        (" 7 ", 7.0),
        (3, 3.0),
        (0.25, 0.25),
    ],
)
def test_durations(value: Any, seconds: float) -> None:
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    ("value", "size"), [("16MiB", 2**24), ("1 kb", 1000), ("5", 5), (7, 7), ("1GiB", 2**30), (0, 0)]
)
def test_sizes(value: Any, size: int) -> None:
    assert parse_size(value) == size


@pytest.mark.parametrize(("value", "percent"), [("10%", 10), (" 5 % ", 5), ("50", 50), (0, 0), (100, 100)])
def test_percents(value: Any, percent: int) -> None:
    assert parse_percent(value) == percent
    assert parse_percent(format_percent(percent)) == percent


WRONG: dict[Callable[[Any], object], list[Any]] = {
    parse_percent: ["", "%", "ten", "101%", "-1%", "0.1", 0.1, 101, -1, True, None, [10]],
    parse_duration: [
        "",
        "s",
        "1 w",
        "-1",
        "1e3s",
        "٣s",
        math.nan,
        math.inf,
        -1,
        True,
        None,
        [],
        10**400,
        "9" * 30 + "d",
    ],
    parse_size: ["", "MiB", "1.5MiB", -1, True, 1.0, None, 10**30, "99999999999TiB", 2**51],
    parse_whole: ["", "1.0", 1.0, True, None, 10**30, "1_000", "0x10"],
    parse_flag: ["yes", 1, 0, None, ""],
    parse_account: ["", "a b", "-x", "../x", True, 1.5, -1, 2**32 - 1, "4294967295", None, "a" * 65, ["x"]],
    parse_mask: ["", "27", 27, 0o27, "0x27", "028", "0277", "777", "00027", None, True],
    parse_property: [None, math.nan, math.inf, [], {}, "a\0b", 10**30],
    parse_name: ["", ".", "..", "-a", "a b", "a/b", "ä", "a" * 101, "a\n"],
    parse_reference: ["", "a", "a:", ":b", "a:b:c", "a.:b", "a/b:c", "1:b", "a:b()", "a:b\n"],
    parse_class: ["", "a.b", "a:b:c", "1x"],
    parse_bootstrap: [
        "",
        ",",
        "embedded,a:1",
        "a,",
        "a b",
        "a:0",
        "a:65536",
        "a:b",
        "user:pw@a:1",
        "http://",
        "[::1",
        "a:1:2",
    ],
    parse_place: ["", "a:0", "a:99999", "a b", "::1", "udp://a:1"],
    parse_listen: [
        "",
        ":",
        "a",
        "9100",
        ":0",
        "a:0",
        ":65536",
        "a b:1",
        "::1",
        "::1:9100",
        "http://a:1",
        "[::1]",
        "a:1:2",
    ],
    parse_link: ["", "a", "ftp://a", "http://", "https://:1", "http://a:0", "http://a:99999", "http://a b", "//a/b"],
    parse_text: ["a\nb", "\x00", "\x1b[2J", "\x7f", "\x85", "\u2028", "\ud800"],
}


@pytest.mark.parametrize(("parse", "value"), [(parse, value) for parse, values in WRONG.items() for value in values])
def test_what_is_written_wrongly_is_refused_in_words(parse: Callable[[Any], object], value: Any) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        parse(value)


def test_a_mask_is_four_octal_digits_that_leave_the_owner_everything() -> None:
    assert [parse_mask(text) for text in ("027", "0027", " 0077 ", "000")] == ["0027", "0027", "0077", "0000"]


def test_accounts_have_names_and_numbers() -> None:
    assert [parse_account(one) for one in ("kafka", "_apt", "host$", 0, 1000, "1000")] == [
        "kafka", "_apt", "host$", "0", "1000", "1000",
    ]  # fmt: skip


def test_brokers_may_be_names_numbers_and_protocols() -> None:
    assert parse_bootstrap("a:1, b ,[::1]:9092,SASL_SSL://c.d:5") == "a:1,b,[::1]:9092,SASL_SSL://c.d:5"
    assert parse_place("[fe80::1%eth0]:8125") == "[fe80::1%eth0]:8125"


def test_a_port_without_a_host_is_this_machines_alone() -> None:
    assert parse_listen(":9100") == "127.0.0.1:9100"
    for place in ("0.0.0.0:9100", "localhost:1", "[::]:65535", "[fe80::1%eth0]:80"):
        assert parse_listen(place) == place


def test_an_address_is_kept_as_it_is_written() -> None:
    for link in ("http://a", "https://hooks.example:8443/x?y=z", "http://[::1]:80/"):
        assert parse_link(link) == link


def test_properties_become_the_text_that_librdkafka_takes() -> None:
    assert [parse_property(value) for value in (True, 5, 0.5, 1e-7, "x\ny")] == [
        "true",
        "5",
        "0.5",
        "0.0000001",
        "x\ny",
    ]


def test_topic_names_are_kafkas() -> None:
    assert is_topic("a.b_c-1")
    assert not any(is_topic(name) for name in ("", ".", "..", "a b", "ä", "a" * 250, "a\n", "{topic}"))
