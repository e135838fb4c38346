"""How often somebody may knock, so that codes and passwords cannot be guessed.

A whole class comes through one address when it sits in one room, so what goes well is counted generously and what
goes wrong strictly. Counts are kept in this process and start anew with it.
"""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

TRIES_WITH_A_CODE = RateLimitItemPerMinute(300, namespace="tries")
"""From one address: three classes of a hundred in the same minute."""
WRONG_CODES = RateLimitItemPerMinute(60, namespace="wrong-codes")
"""From one address: half a century of guessing for the join code of one of a hundred classes, by far more for a
personal code; and a room full of people may mistype."""
PASSWORDS_OF_ONE = RateLimitItemPerHour(20, namespace="passwords-of-one")
"""For one name from one address. Somebody elsewhere cannot lock an instructor out by failing in their name."""
PASSWORDS = RateLimitItemPerMinute(20, namespace="passwords")
"""From one address, for any name."""


class TooOftenError(RuntimeError):
    """Somebody knocked too often.

    Attributes:
        seconds: when to try again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"That was too often; try again in {seconds} seconds.")
        self.seconds = seconds


class Limits:
    """Counts how often something was tried by whom."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, limit: RateLimitItem, *who: str) -> None:
        """Count one try.

        Raises:
            TooOftenError: there were too many; a try that is refused is not counted.
        """
        if not self._limiter.hit(limit, *who):
            raise TooOftenError(self._wait(limit, *who))

    def look(self, limit: RateLimitItem, *who: str) -> None:
        """Raise `TooOftenError` if there were too many tries, without counting one."""
        if not self._limiter.test(limit, *who):
            raise TooOftenError(self._wait(limit, *who))

    def _wait(self, limit: RateLimitItem, *who: str) -> int:
        return max(1, math.ceil(self._limiter.get_window_stats(limit, *who).reset_time - time.time()))


def address_of(client: tuple[str, int] | None) -> str:
    """Return what stands for a client: its address, or the network of 2**64 addresses that one IPv6 client has."""
    if client is None:
        return "unknown"
    try:
        address = ip_address(client[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
