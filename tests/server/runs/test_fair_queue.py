"""Whose turn it is."""

from __future__ import annotations

from collections import Counter
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.runs.fair_queue import FairQueue

LEARNERS = st.sampled_from(["ada", "bo", "cy", "di"])


def filled(lines: dict[str, str], at_once: int = 100) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue(at_once)
    for learner, items in lines.items():
        for item in items:
            queue.put(learner, item)
    return queue


def taken(queue: FairQueue[str]) -> str:
    return "".join(iter(queue.take, None))


def test_learners_take_turns_and_each_is_served_in_their_own_order() -> None:
    assert taken(filled({"ada": "abcd", "bo": "B", "cy": "xy"})) == "aBxbycd"


def test_who_comes_back_waits_behind_who_has_been_waiting() -> None:
    queue = filled({"ada": "a", "bo": "BC"})
    assert queue.take() == "a"
    queue.put("ada", "b")
    assert taken(queue) == "BbC"


def test_nobody_has_more_at_once_than_allowed_and_others_go_first() -> None:
    queue = filled({"ada": "abc", "bo": "B"}, at_once=1)
    assert taken(queue) == "aB"
    queue.done("a")
    assert queue.take() == "b"


def test_what_has_waited_elsewhere_is_next() -> None:
    queue = filled({"ada": "ab", "bo": "B"})
    queue.put_first("bo", "!")
    assert taken(queue) == "!aBb"


def test_what_is_removed_is_never_taken() -> None:
    queue = filled({"ada": "ab"})
    assert queue.remove("a")
    assert not queue.remove("a")
    assert taken(queue) == "b"
    assert not queue.remove("b")


def test_what_waits_for_a_learner_can_wait_for_another() -> None:
    queue = filled({"ada": "ab", "bo": "B"})
    queue.move("a", "bo")
    assert queue.waiting("bo") == ("B", "a")
    assert queue.waiting("cy") == ()


def test_what_was_taken_for_a_learner_can_count_for_another() -> None:
    queue = filled({"ada": "ab", "bo": "B"}, at_once=1)
    assert queue.take() == "a"
    queue.move("a", "bo")
    assert taken(queue) == "b"
    queue.done("a")
    assert taken(queue) == "B"


def test_moving_what_is_done_changes_nothing() -> None:
    queue = filled({"ada": "ab", "bo": "B"}, at_once=1)
    assert taken(queue) == "aB"
    queue.done("a")
    queue.move("a", "bo")
    queue.done("B")
    queue.put("bo", "C")
    assert taken(queue) == "bC"


@given(st.dictionaries(LEARNERS, st.integers(1, 12), min_size=2))
def test_between_two_turns_of_a_learner_everybody_who_waits_has_one(counts: dict[str, int]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(at_once=1000)
    for learner, many in counts.items():
        for number in range(many):
            queue.put(learner, (learner, number))
    order = list(iter(queue.take, None))
    for learner, many in counts.items():
        for number in range(many):
            position = order.index((learner, number))
            # Each other learner has had as many turns by then, one more at most, or has nothing left.
            for other, others in counts.items():
                had = sum(one == other for one, _ in order[:position])
                assert min(number, others) <= had <= number + 1


class Turns(RuleBasedStateMachine):
    """Anything may happen to a queue in any order; a plain record of it says what must hold."""

    AT_ONCE = 2

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[int] = FairQueue(self.AT_ONCE)
        self.numbers = count()
        self.waiting: dict[int, str] = {}
        self.running: dict[int, str] = {}
        self.passed_over: Counter[str] = Counter()

    @rule(learner=LEARNERS)
    def put(self, learner: str) -> None:
        item = next(self.numbers)
        self.queue.put(learner, item)
        self.waiting[item] = learner

    @rule()
    def take(self) -> None:
        held = Counter(self.running.values())
        could = {learner for learner in self.waiting.values() if held[learner] < self.AT_ONCE}
        item = self.queue.take()
        if item is None:
            assert not could
            return
        learner = self.waiting.pop(item)
        assert learner in could
        assert item == min([item, *[other for other, whose in self.waiting.items() if whose == learner]])
        self.running[item] = learner
        self.passed_over[learner] = 0
        for other in could - {learner}:
            self.passed_over[other] += 1
            # There are three others, and each of them goes before at most once.
            assert self.passed_over[other] <= 3

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(sorted(self.running)))
        self.queue.done(item)
        del self.running[item]

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(sorted(self.waiting)))
        assert self.queue.remove(item)
        learner = self.waiting.pop(item)
        if learner not in self.waiting.values():
            self.passed_over[learner] = 0

    @precondition(lambda self: self.running)
    @rule(data=st.data(), to=LEARNERS)
    def move_what_runs(self, data: st.DataObject, to: str) -> None:
        item = data.draw(st.sampled_from(sorted(self.running)))
        self.queue.move(item, to)
        self.running[item] = to

    @invariant()
    def order_names_all_that_wait(self) -> None:
        assert sorted(self.queue.order()) == sorted(self.waiting)
        assert len(self.queue) == len(self.waiting)


TestTurns = Turns.TestCase
