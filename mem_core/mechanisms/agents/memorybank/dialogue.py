"""Facts as sentences from a dialogue, and the questions that ask for them, made from templates.

They stand in for the paper's dialogues, which are not shipped: real words, no real people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FIRST_NAMES = (
    "Mia",
    "Noah",
    "Aisha",
    "Kenji",
    "Lucia",
    "Omar",
    "Ingrid",
    "Tomas",
    "Priya",
    "Diego",
    "Hanna",
    "Kwame",
    "Yuki",
    "Marek",
    "Leila",
    "Jonas",
    "Chiara",
    "Ravi",
    "Sofia",
    "Emeka",
    "Greta",
    "Pavel",
    "Nadia",
    "Hugo",
    "Zoe",
    "Idris",
    "Clara",
    "Anton",
    "Fatima",
    "Bruno",
    "Elif",
    "Viktor",
    "Rosa",
    "Dmitri",
    "Amara",
    "Felix",
    "Paloma",
    "Stefan",
    "Linh",
    "Oscar",
)
LAST_NAMES = (
    "Berger",
    "Okafor",
    "Tanaka",
    "Silva",
    "Novak",
    "Haddad",
    "Lindqvist",
    "Moreau",
    "Kowalski",
    "Iyer",
)
TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("favourite dish", ("lasagne", "ramen", "paella", "pancakes", "curry")),
    ("home town", ("Lisbon", "Kyoto", "Lagos", "Oslo", "Quito")),
    ("first job", ("baker", "lifeguard", "courier", "waiter", "gardener")),
    ("pet", ("parrot", "greyhound", "tortoise", "cat", "hamster")),
    ("instrument", ("cello", "drums", "oboe", "piano", "banjo")),
    ("allergy", ("peanuts", "pollen", "shellfish", "wool", "penicillin")),
    ("birthday month", ("January", "April", "July", "September", "November")),
    ("sport", ("rowing", "judo", "climbing", "tennis", "handball")),
    ("favourite colour", ("teal", "crimson", "ochre", "violet", "silver")),
    ("sister's name", ("Ana", "Ruth", "Ivy", "Dana", "Mei")),
    ("holiday plan", ("Iceland", "Peru", "the Alps", "Crete", "Kenya")),
    ("bicycle", ("folding", "racing", "cargo", "mountain", "borrowed")),
    ("worst fear", ("heights", "spiders", "thunder", "needles", "deep water")),
    ("coffee order", ("espresso", "flat white", "decaf", "mocha", "cortado")),
    ("thesis subject", ("glaciers", "enzymes", "poetry", "bridges", "voting")),
    ("evening class", ("pottery", "salsa", "Welsh", "chess", "welding")),
)
MOST_FACTS = len(FIRST_NAMES) * len(LAST_NAMES) * len(TOPICS)
"""One fact per person and topic."""

TOLD = "{name} said today: my {topic} is {value}."
ASKED = ("What is {name}'s {topic}?", "Do you remember the {topic} of {name}?", "{name}: which {topic} was it?")
DIMENSIONS = 256
"""Of the hashed embedding of a sentence."""
SPARE = 1.2
"""Persons are so many that this times the facts needed could be told: some topics of a person stay unknown."""


def invent_facts(count: int, generator: Any) -> list[tuple[str, str, str]]:
    """Draw facts as (name, topic, value), no person and topic twice.

    Args:
        count: how many.
        generator: a NumPy generator, as `philox` gives it.

    Raises:
        ValueError: if more facts are wanted than there are persons and topics.
    """
    if count > MOST_FACTS:
        raise ValueError(f"There are sentences for at most {MOST_FACTS} facts, got {count}.")
    pool = min(MOST_FACTS, max(len(TOPICS), round(count * SPARE)))
    facts = []
    for number in generator.permutation(pool)[:count].tolist():
        topic, values = TOPICS[number % len(TOPICS)]
        facts.append((_name(number // len(TOPICS)), topic, values[int(generator.integers(len(values)))]))
    return facts


def statements(facts: Sequence[tuple[str, str, str]]) -> list[str]:
    """Write facts as what was said."""
    return [TOLD.format(name=name, topic=topic, value=value) for name, topic, value in facts]


def questions(facts: Sequence[tuple[str, str, str]], generator: Any) -> list[str]:
    """Write a question for each fact, in one of three wordings; none gives the value away."""
    wordings = generator.integers(len(ASKED), size=len(facts)).tolist()
    return [
        ASKED[wording].format(name=name, topic=topic)
        for (name, topic, _value), wording in zip(facts, wordings, strict=True)
    ]


def _name(person: int) -> str:
    first, round_of_names = person % len(FIRST_NAMES), person // len(FIRST_NAMES)
    return f"{FIRST_NAMES[first]} {LAST_NAMES[(first + round_of_names) % len(LAST_NAMES)]}"
