"""A queue in which learners take turns, so that one who asks for much delays nobody but themselves."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterator
from itertools import count
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class FairQueue(Generic[Item]):
    """Round robin over learners, first come first served within each.

    Not safe with threads: its owner holds a lock.

    Args:
        at_once: how many items of one learner may be taken and not yet done.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        # Learners with something waiting, in the order of their turns.
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()
        self._taken_for: dict[Item, str] = {}
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def waiting(self, learner: str) -> tuple[Item, ...]:
        """Return what waits for a learner, in its order."""
        return tuple(self._waiting.get(learner, ()))

    def put(self, learner: str, item: Item) -> None:
        """Add an item at the end of a learner's own line."""
        self._waiting.setdefault(learner, deque()).append(item)

    def put_first(self, learner: str, item: Item) -> None:
        """Add an item that is to be taken next: it has waited its turn elsewhere."""
        self._waiting.setdefault(learner, deque()).appendleft(item)
        self._waiting.move_to_end(learner, last=False)

    def take(self) -> Item | None:
        """Take the next item, or None if nobody who has one may have another; call `done` afterwards."""
        for learner, line in self._waiting.items():
            if self._taken[learner] < self._at_once:
                item = line.popleft()
                self._waiting.move_to_end(learner)
                if not line:
                    del self._waiting[learner]
                self._count(item, learner)
                return item
        return None

    def done(self, item: Item) -> None:
        """Say that an item that was taken is done."""
        learner = self._taken_for.pop(item)
        self._taken[learner] -= 1
        if not self._taken[learner]:
            del self._taken[learner]

    def remove(self, item: Item) -> bool:
        """Remove an item that waits; say whether it did."""
        for learner, line in self._waiting.items():
            if item in line:
                line.remove(item)
                if not line:
                    del self._waiting[learner]
                return True
        return False

    def move(self, item: Item, to: str) -> None:
        """Count an item for another learner from now on, whether it waits or was taken; else do nothing."""
        if self.remove(item):
            self.put(to, item)
        elif item in self._taken_for:
            self.done(item)
            self._count(item, to)

    def order(self) -> Iterator[Item]:
        """Yield what waits in the order of the turns, if nothing is added and nobody is at the limit."""
        for turn in count():
            lines = [line for line in self._waiting.values() if len(line) > turn]
            if not lines:
                return
            for line in lines:
                yield line[turn]

    def _count(self, item: Item, learner: str) -> None:
        self._taken_for[item] = learner
        self._taken[learner] += 1
