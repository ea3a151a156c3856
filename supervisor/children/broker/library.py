"""librdkafka's shared object from the confluent-kafka wheel, through ctypes: no Python client is imported.

The prototypes are those of `rdkafka.h` and `rdkafka_mock.h` (librdkafka 2.16). The mock's interface is experimental and
outside the ABI guarantees, so every symbol is looked for before the first call.
"""

import importlib.util
from collections.abc import Iterator, Mapping
from ctypes import CDLL, POINTER, c_char_p, c_int, c_int16, c_int32, c_size_t, c_void_p
from pathlib import Path
from typing import Any, Final

WHEEL: Final = "confluent-kafka >= 2.16"

Prototype = tuple[Any, tuple[Any, ...]]

PROTOTYPES: Final[Mapping[str, Prototype]] = {
    "rd_kafka_version_str": (c_char_p, ()),
    "rd_kafka_err2str": (c_char_p, (c_int,)),
    "rd_kafka_conf_new": (c_void_p, ()),
    "rd_kafka_conf_set": (c_int, (c_void_p, c_char_p, c_char_p, c_char_p, c_size_t)),
    "rd_kafka_conf_destroy": (None, (c_void_p,)),
    "rd_kafka_new": (c_void_p, (c_int, c_void_p, c_char_p, c_size_t)),
    "rd_kafka_destroy": (None, (c_void_p,)),
    "rd_kafka_mock_cluster_new": (c_void_p, (c_void_p, c_int)),
    "rd_kafka_mock_cluster_destroy": (None, (c_void_p,)),
    "rd_kafka_mock_cluster_bootstraps": (c_char_p, (c_void_p,)),
    "rd_kafka_mock_topic_create": (c_int, (c_void_p, c_char_p, c_int, c_int)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (c_void_p, c_int32)),
    "rd_kafka_mock_set_group_consumer_heartbeat_interval_ms": (None, (c_void_p, c_int)),
    "rd_kafka_mock_set_group_consumer_session_timeout_ms": (None, (c_void_p, c_int)),
    "rd_kafka_mock_set_controller_id": (c_int, (c_void_p, c_int32)),
    "rd_kafka_mock_broker_set_down": (c_int, (c_void_p, c_int32)),
    "rd_kafka_mock_broker_set_up": (c_int, (c_void_p, c_int32)),
    "rd_kafka_mock_broker_set_rtt": (c_int, (c_void_p, c_int32, c_int)),
    "rd_kafka_mock_partition_set_leader": (c_int, (c_void_p, c_char_p, c_int32, c_int32)),
    "rd_kafka_mock_push_request_errors_array": (None, (c_void_p, c_int16, c_size_t, POINTER(c_int))),
    "rd_kafka_mock_clear_request_errors": (None, (c_void_p, c_int16)),
}


class EmbeddedBrokerError(Exception):
    """The embedded broker cannot start, or cannot do something; the text says what, where, and what to do."""


def open_library(package: str = "confluent_kafka") -> CDLL:
    """Load the wheel's librdkafka with its prototypes declared.

    Raises:
        EmbeddedBrokerError: no wheel, no shared object in it, or one without the mock's symbols.
    """
    path = find_library(package)
    try:
        library = CDLL(str(path))
    except OSError as error:
        raise EmbeddedBrokerError(f"{path} cannot be loaded ({error}); install {WHEEL} from its wheel") from error
    declare(library, PROTOTYPES)
    return library


def find_library(package: str = "confluent_kafka") -> Path:
    """Return the path of the wheel's shared object, without importing the package.

    Raises:
        EmbeddedBrokerError: there is none.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedBrokerError(f"the package {package} is not installed; install {WHEEL}")
    folder = Path(spec.submodule_search_locations[0])
    found = sorted(_candidates(folder))
    if not found:
        raise EmbeddedBrokerError(
            f"{folder} comes without its own librdkafka (built from source?); install {WHEEL} from its wheel"
        )
    return found[-1]


def _candidates(folder: Path) -> Iterator[Path]:
    # auditwheel puts shared objects beside the package, delocate inside it.
    for place, pattern in (
        (f"{folder.name}.libs", "librdkafka-*.so*"),
        (f"{folder.name}/.dylibs", "librdkafka*.dylib"),
    ):
        yield from (folder.parent / place).glob(pattern)


def declare(library: Any, prototypes: Mapping[str, Prototype]) -> None:
    """Give every function of `library` its prototype: a pointer without one is cut to 32 bits.

    Raises:
        EmbeddedBrokerError: symbols are missing; names them.
    """
    missing = []
    for name, (result, arguments) in prototypes.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            missing.append(name)
            continue
        function.restype, function.argtypes = result, list(arguments)
    if missing:
        where = getattr(library, "_name", library)
        raise EmbeddedBrokerError(
            f"{where} has no {', '.join(missing)}: too old for the embedded broker; install {WHEEL}"
        )
