"""The users of a run: what they say, and every lot that the simulated extractor and answerer will draw.

The lots are drawn before anything happens and whatever the settings are. So two settings see the same users and the
same luck, and a curve over a rate is smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mem_core.data.fact_world import FIRST_NAMES
from mem_core.data.user_timeline import Timeline, draw_timeline
from mem_core.engine import philox
from mem_core.mechanisms.agents.halumem.settings import HallucinationSettings


@dataclass(frozen=True)
class StatementLots:
    """Luck of one statement that could be extracted: three uniform numbers and a standard normal one."""

    miss: float
    corrupt: float
    value: float
    noise: float


@dataclass(frozen=True)
class SessionLots:
    """Luck of one session: of each statement, of a fabrication (whether, slot, value), of each answer.

    An answer's four numbers: whether to guess, what, whether to err, into what.
    """

    statements: Sequence[StatementLots]
    fabrication: Sequence[float]
    answers: Sequence[Sequence[float]]


@dataclass(frozen=True)
class User:
    """One user and their luck, session by session."""

    number: int
    timeline: Timeline
    lots: Sequence[SessionLots]

    @property
    def name(self) -> str:
        """The user's name."""
        return self.timeline.name


def draw_user(settings: HallucinationSettings, seed: int, number: int) -> User:
    """Draw user `number`; the same whatever the number of users, the rates and the memory."""
    timeline = draw_timeline(
        philox(seed, "timeline", number),
        FIRST_NAMES[number % len(FIRST_NAMES)],
        settings.sessions,
        settings.update_probability,
        distractors=settings.distractors,
    )
    generator = philox(seed, "lots", number)
    lots = []
    for session in timeline.sessions:
        said = len(session.points) + len(session.small_talk)
        uniform, noise = generator.random((said, 3)).tolist(), generator.standard_normal(said).tolist()
        statements = [
            StatementLots(miss, corrupt, value, normal)
            for (miss, corrupt, value), normal in zip(uniform, noise, strict=True)
        ]
        fabrication = generator.random(3).tolist()
        lots.append(SessionLots(statements, fabrication, generator.random((len(session.questions), 4)).tolist()))
    return User(number, timeline, lots)
