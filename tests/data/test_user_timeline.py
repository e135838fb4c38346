import itertools

import numpy as np
import pytest

from mem_core.data.user_timeline import (
    BASIC,
    BOUNDARY,
    CONFLICT,
    SLOTS,
    UPDATED,
    MemoryPoint,
    Timeline,
    all_texts,
    any_value,
    draw_timeline,
    facts_in,
    other_value,
    question_text,
    small_talk_text,
    statement,
)
from mem_core.engine import philox


def timelines(count=60, **keywords):
    arguments = {"sessions": 30, "update_probability": 0.35} | keywords
    return [draw_timeline(philox(0, "test", number), "Mia", **arguments) for number in range(count)]


def truths(timeline):
    """Yield each session with what was told before it and what is true after it, slot by slot."""
    told = {}
    for session in timeline.sessions:
        before = dict(told)
        for point in session.points:
            if not point.interference:
                told[point.slot] = point.value
        yield session, before, dict(told)


def test_ten_slots_have_five_values_each_and_no_two_texts_are_alike():
    assert [len(slot.values) for slot in SLOTS] == [5] * 10
    texts = all_texts("Mia")
    assert len(set(texts)) == len(texts) == 50 + 10 + 16


def test_a_fact_is_new_once_and_then_changes_to_another_value():
    for timeline in timelines():
        for session, before, _after in truths(timeline):
            for point in session.points:
                if not point.interference:
                    assert point.is_update == (point.slot in before)
                    assert point.value != before.get(point.slot)
                    assert not point.is_update or point.originals[-1] == before[point.slot]


def test_interference_is_wrong_and_about_a_slot_that_the_user_did_not_mention_in_that_session():
    count = sessions = 0
    for timeline in timelines():
        for session, before, _after in truths(timeline):
            wrong = [point for point in session.points if point.interference]
            told = {point.slot for point in session.points if not point.interference}
            assert len(wrong) <= 1
            assert all(point.slot not in told and point.value != before.get(point.slot) for point in wrong)
            count, sessions = count + len(wrong), sessions + 1
    assert count / sessions == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / sessions))


def test_changes_come_with_their_probability_and_two_slots_come_up_in_each_session():
    changed = known = 0
    for timeline in timelines():
        seen = set()
        for session, before, _after in truths(timeline):
            told = [point for point in session.points if not point.interference]
            new = [point for point in told if not point.is_update]
            changed += len(told) - len(new)
            known += 2 - len(new)  # of the two that came up, the others were known
            seen |= {point.slot for point in told}
            assert len(told) <= 2
            assert set(before) <= seen
    assert changed / known == pytest.approx(0.35, abs=4 * np.sqrt(0.35 * 0.65 / known))


def test_questions_ask_for_two_told_slots_and_one_that_was_never_mentioned():
    kinds = set()
    for timeline in timelines():
        mentioned = set()
        for session, _before, after in truths(timeline):
            mentioned |= {point.slot for point in session.points}
            told = [question for question in session.questions if question.answer is not None]
            boundary = [question for question in session.questions if question.answer is None]
            assert len(told) == min(2, len(after))
            assert all(question.answer == after[question.slot] for question in told)
            assert len(boundary) == (1 if {slot.name for slot in SLOTS} - mentioned else 0)
            assert all(question.slot not in mentioned and question.kind == BOUNDARY for question in boundary)
            kinds |= {question.kind for question in session.questions}
    assert kinds == {BASIC, UPDATED, CONFLICT, BOUNDARY}


def test_a_conflict_is_asked_for_after_interference_and_before_the_fact_is_told_anew():
    for timeline in timelines():
        disturbed, told = set(), {}
        for session in timeline.sessions:
            for point in session.points:
                if point.interference:
                    disturbed.add(point.slot)
                else:
                    disturbed.discard(point.slot)
                    told[point.slot] = told.get(point.slot, 0) + 1
            for question in session.questions:
                if question.answer is not None:
                    wanted = CONFLICT if question.slot in disturbed else UPDATED if told[question.slot] > 1 else BASIC
                    assert question.kind == wanted


def test_no_changes_and_no_interference_when_their_chances_are_zero():
    for timeline in timelines(10, update_probability=0.0, interference_probability=0.0):
        points = [point for session in timeline.sessions for point in session.points]
        assert not any(point.is_update or point.interference for point in points)
        assert len(points) <= len(SLOTS)


def test_the_draws_are_the_same_whatever_the_probabilities():
    few, many = (timelines(5, update_probability=chance)[3] for chance in (0.2, 0.8))
    asked = [[[question.slot for question in session.questions] for session in one.sessions] for one in (few, many)]
    assert asked[0] == asked[1]
    few_points, many_points = (
        {(number, point.slot) for number, session in enumerate(one.sessions) for point in session.points}
        for one in (few, many)
    )
    assert few_points < many_points


def test_distractor_sessions_lie_between_the_others_and_tell_nothing():
    timeline = timelines(1, sessions=4, distractors=3)[0]
    talk = [bool(session.small_talk) for session in timeline.sessions]
    assert talk == [False, *([True] * 3 + [False]) * 3]
    assert all(not session.points and not session.questions for session in timeline.sessions if session.small_talk)


def test_texts_are_read_back():
    for slot, value in itertools.chain.from_iterable(((slot, value) for value in slot.values) for slot in SLOTS):
        assert facts_in(statement("Mia", slot.name, value)) == ((slot.name, value),)
    both = f"{statement('Mia', 'pet', 'cat')}, and {statement('Mia', 'best friend', 'Tom')}"
    assert facts_in(both) == (("pet", "cat"), ("best friend", "Tom"))
    assert facts_in(question_text("Mia", "pet")) == facts_in(small_talk_text("Mia", "comets")) == ()


def test_values_are_chosen_evenly_and_another_value_is_another():
    shares = [(number + 0.5) / 20 for number in range(20)]
    assert sorted(any_value("pet", share) for share in shares) == sorted(SLOTS[5].values * 4)
    others = [other_value("pet", "cat", share) for share in shares]
    assert sorted(others) == sorted([value for value in SLOTS[5].values if value != "cat"] * 5)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="no sessions"):
        Timeline("Mia", ())
    with pytest.raises(ValueError, match="no sessions"):
        timelines(1, sessions=0)
    with pytest.raises(ValueError, match=r"update_probability is 1\.5, but a probability lies in 0 to 1"):
        timelines(1, update_probability=1.5)
    with pytest.raises(ValueError, match="interference_probability is -1"):
        timelines(1, interference_probability=-1)
    with pytest.raises(ValueError, match="fewer than no distractors, got -1"):
        timelines(1, distractors=-1)
    with pytest.raises(ValueError, match=r"importance of a memory point lies in 0 to 1, got 1\.2"):
        MemoryPoint("pet", "cat", importance=1.2)
