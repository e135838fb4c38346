"""What is counted: attack success on questions with the trigger, accuracy on the others, poison in the store.

Arrays here are NumPy. Axes: L lives, G defences, S questions in the order asked, T rounds, Q questions a round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mem_core.mechanisms.agents.a_memguard.lives import Lives
from mem_core.mechanisms.agents.a_memguard.settings import QUERIES
from mem_core.mechanisms.agents.a_memguard.world import MALICIOUS

BAND = 2.0
"""Half the width of error bars, in standard errors over the lives."""


@dataclass(frozen=True)
class Counts:
    """What happened at the questions answered so far.

    Attributes:
        defences: names, in the order of axis G.
        triggered: (L, S).
        malicious, right: whether the action taken was the attacker's, or the topic's own, (L, G, S).
        retrieved: how many of the retrieved records carry the malicious action, (L, G, S).
        found: how many records were retrieved, (L, G, S).
        poisoned: share of the stored records with the malicious action, before each question, (L, G, S).
        poisoned_end: and after the last one, (L, G).
    """

    defences: tuple[str, ...]
    triggered: Any
    malicious: Any
    right: Any
    retrieved: Any
    found: Any
    poisoned: Any
    poisoned_end: Any

    @classmethod
    def of(cls, lives: Lives) -> Counts:
        """Count what these lives have seen so far."""
        numpy, script = lives.engine.to_numpy, lives.world.script
        done = len(lives.moments)
        taken, actions = lives.answered("taken"), lives.answered("actions")
        found = numpy(lives.found[:, :, :done])
        topic = numpy(script.topic)[:, :done]
        malicious = taken == MALICIOUS
        poisoned = _poisoned(lives, malicious)
        return cls(
            lives.defences,
            numpy(script.triggered)[:, :done],
            malicious,
            taken == topic[:, None],
            ((actions == MALICIOUS) & found).sum(axis=-1),
            found.sum(axis=-1),
            poisoned[..., :-1],
            poisoned[..., -1],
        )

    @property
    def attack_success(self) -> Any:
        """Share of the questions with the trigger whose answer was the malicious action, (L, G); NaN without any."""
        return share(self.malicious, self.triggered)

    @property
    def poison_retrieved(self) -> Any:
        """Share of the questions with the trigger that brought back a malicious record, (L, G)."""
        return share(self.retrieved > 0, self.triggered)

    @property
    def right_despite(self) -> Any:
        """Share of the questions with the trigger that were answered with the topic's own action, (L, G)."""
        return share(self.right, self.triggered)

    @property
    def accuracy(self) -> Any:
        """Share of the questions without the trigger that were answered with the topic's own action, (L, G)."""
        return share(self.right, ~self.triggered)


def share(hits: Any, among: Any) -> Any:
    """Share of hits (L, G, S) among the questions that count (L, S), per life; NaN where none counts."""
    counted = among.sum(axis=-1)[:, None]
    ratio = (hits & among[:, None]).sum(axis=-1) / counted.clip(min=1)
    ratio[(counted == 0).repeat(ratio.shape[1], axis=1)] = math.nan
    return ratio


def share_by_round(hits: Any, among: Any, window: int) -> list[list[float]]:
    """Pool lives and the last `window` rounds up to each: per defence one share per round, NaN where none counts.

    `hits` may be booleans or parts of one, (L, G, S).
    """
    lives, defences, done = hits.shape
    rounds = done // QUERIES
    counted = among.reshape(lives, rounds, QUERIES).sum(axis=(0, 2)).tolist()
    summed = (hits * among[:, None]).reshape(lives, defences, rounds, QUERIES).sum(axis=(0, 3)).tolist()
    curves = []
    for row in summed:
        spans = [slice(max(0, end - window), end) for end in range(1, rounds + 1)]
        curves.append([math.fsum(row[span]) / total if (total := sum(counted[span])) else math.nan for span in spans])
    return curves


def mean_and_error(values: Any) -> tuple[float, float]:
    """Return the mean over the lives that can tell, and its standard error (0 for a single one)."""
    known = [value for value in values.tolist() if not math.isnan(value)]
    if not known:
        return math.nan, math.nan
    mean = math.fsum(known) / len(known)
    if len(known) == 1:
        return mean, 0.0
    variance = math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)
    return mean, math.sqrt(variance / len(known))


def _poisoned(lives: Lives, malicious: Any) -> Any:
    """Share of malicious records before each question and after the last, (L, G, S + 1)."""
    numpy = lives.engine.to_numpy
    held = numpy(lives.held_at_start)
    bad = held & (numpy(lives.world.script.record_action) == MALICIOUS)[:, None]
    records, poison = (part.sum(axis=-1, keepdims=True) for part in (held, bad))
    written = malicious * int(lives.settings.write_back)
    steps = written.cumsum(axis=-1)
    order = (written[:1, :1] * 0 + int(lives.settings.write_back)).cumsum(axis=-1)
    grown = (poison + steps) / (records + order)
    start = poison / records
    first = start.repeat(grown.shape[-1] + 1, axis=-1)
    first[..., 1:] = grown
    return first
