"""How long a run will take, from the runs that were measured.

Settings of about the same size are one class: numbers within a factor of two, choices the same. A run of a class that
was never measured is of unknown cost.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from mem_core.lab.runner import Request
from mem_core.mechanisms import catalog
from mem_core.mechanisms.settings import Settings

UNKNOWN_SECONDS = 5.0
"""What is expected of a run about whose mechanism nothing is known."""
NEWEST_WEIGHT = 0.3
"""Weight of the newest run in the running mean."""
CLASSES_KEPT = 5000

_Class = tuple[str, str, Hashable]


class ExpectedSeconds:
    """Running means of measured seconds by mechanism, engine and size of the settings; safe with threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._means: OrderedDict[_Class, float] = OrderedDict()
        self._of_any_size: dict[tuple[str, str], float] = {}

    def measured(self, request: Request, seconds: float, finished: bool = True) -> None:
        """Note how long a run took; of one that did not finish, that it takes at least this long."""
        key = _class_of(request)
        with self._lock:
            self._means[key] = _updated(self._means.pop(key, None), seconds, finished)
            self._of_any_size[key[:2]] = _updated(self._of_any_size.get(key[:2]), seconds, finished)
            while len(self._means) > CLASSES_KEPT:
                self._means.popitem(last=False)

    def known(self, request: Request) -> float | None:
        """Return the seconds measured for runs like this one, else the budget of a default run, else None."""
        with self._lock:
            mean = self._means.get(_class_of(request))
        return _budget(request.slug, request.settings, request.engine.kind) if mean is None else mean

    def of(self, request: Request) -> float:
        """Return the seconds to expect; where runs like this are unknown, those of the mechanism's other runs."""
        known = self.known(request)
        if known is not None:
            return known
        with self._lock:
            return self._of_any_size.get((request.slug, request.engine.kind), UNKNOWN_SECONDS)


def size_class(settings: Settings) -> Hashable:
    """Return what settings of about the same cost have in common."""
    return tuple(_size(getattr(settings, name)) for name in settings.controls())


def _updated(mean: float | None, seconds: float, finished: bool) -> float:
    if mean is None:
        return seconds
    return mean + NEWEST_WEIGHT * (seconds - mean) if finished else max(mean, seconds)


def _class_of(request: Request) -> _Class:
    return request.slug, request.engine.kind, _cached_size_class(request.settings)


# Every reader who waits is told its expected wait once a second, which asks for the cost of all runs before it.
_cached_size_class = lru_cache(maxsize=4096)(size_class)


@lru_cache(maxsize=4096)
def _budget(slug: str, settings: Settings, engine: str) -> float | None:
    mechanism = catalog.load(slug)
    if size_class(settings) != size_class(mechanism.presets["browser"]):
        return None
    return mechanism.budget_seconds.get(engine)


def _size(value: Any) -> Hashable:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return (value > 0, math.frexp(value)[1] if value else None)
    return (len(value), *map(_size, value))
