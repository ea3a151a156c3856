"""`kafka.oauth` for kafka-python: the callable has the signature of librdkafka's `oauth_cb` and serves both clients."""

from collections.abc import Callable
from typing import Any, Final

from kafka.net.sasl.oauth import AbstractTokenProvider

from ....worker import clock

REFRESH_AT: Final = 0.8
"""The part of a token's life after which a new connection asks for a new one, as librdkafka does."""


class TokenProvider(AbstractTokenProvider):
    """Keeps a token until most of its life is over. `ask(config)` returns (token, expiry in epoch seconds, …)."""

    def __init__(self, ask: Callable[[str | None], Any], config: str | None) -> None:
        self._ask = ask
        self._config = config
        self._token: tuple[Any, ...] = ()
        self._renew_at = 0.0

    def token(self) -> str:
        """Return a token that is not about to expire."""
        self._refresh()
        return str(self._token[0])

    def extensions(self) -> dict[str, str]:
        """Return the SASL extensions that came with the token (fourth element), if any."""
        self._refresh()
        return dict(self._token[3]) if len(self._token) > 3 else {}  # noqa: PLR2004 - oauth_cb's optional fourth

    def _refresh(self) -> None:
        now = clock.wall()
        if now >= self._renew_at:
            self._token = tuple(self._ask(self._config))
            self._renew_at = now + max(0.0, float(self._token[1]) - now) * REFRESH_AT
