"""Published measurements of human forgetting by the savings method: one learner, seven delays.

Savings are Q(t) = (L − L_t) / L, with L the time it takes to learn a list of nonsense syllables and L_t the time it
takes to relearn it after the delay t. Savings are not the probability of recalling a syllable.

Sources:
    H. Ebbinghaus, Memory (1885; English 1913, public domain), chapter VII, tables on pages 76 to 78.
    J. Murre and J. Dros, Replication and Analysis of Ebbinghaus' Forgetting Curve, PLoS ONE 10(7) e0120644, 2015
    (CC BY), table 3; it also gives Mack's and Seitz's values, from Heller, Mack and Seitz, 1991.
"""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_PER_DAY = 86_400
MINUTES_PER_DAY = 1_440

DELAYS_SECONDS = (1_200, 3_600, 32_400, 86_400, 172_800, 518_400, 2_678_400)
"""Nominal delays, in seconds: 20 minutes, 1 hour, 9 hours, 1, 2, 6 and 31 days (Murre and Dros, table 3).

Ebbinghaus's exact first three were 19 minutes, 63 minutes and 8.75 hours (Murre and Dros, note 1).
"""

DELAYS_DAYS = tuple(seconds / SECONDS_PER_DAY for seconds in DELAYS_SECONDS)
"""The same delays in days."""

PROBABLE_ERROR = 0.6744897501960817
"""A probable error in standard errors: half of a normal distribution lies within one probable error of its mean."""


@dataclass(frozen=True)
class ForgettingMeasurements:
    """One person's savings.

    Attributes:
        subject: whose memory.
        source: where the values are published.
        savings: share of the learning time saved at each delay of `DELAYS_DAYS`, in [0, 1].
        standard_errors: of those means, same order.
    """

    subject: str
    source: str
    savings: tuple[float, ...]
    standard_errors: tuple[float, ...]
    days: tuple[float, ...] = DELAYS_DAYS


# Ebbinghaus prints probable errors in percentage points (page 76).
_EBBINGHAUS_PROBABLE_ERRORS = (1.0, 1.0, 1.0, 1.2, 1.4, 1.3, 0.8)

EBBINGHAUS = ForgettingMeasurements(
    "Ebbinghaus",
    "Ebbinghaus 1885, chapter VII, pages 76 to 78",
    (0.582, 0.442, 0.358, 0.337, 0.278, 0.254, 0.211),
    tuple(round(points / 100 / PROBABLE_ERROR, 4) for points in _EBBINGHAUS_PROBABLE_ERRORS),
)
MACK = ForgettingMeasurements(
    "Mack",
    "Heller, Mack and Seitz 1991, in Murre and Dros 2015, table 3",
    (0.54430, 0.43191, 0.28512, 0.31599, 0.36502, 0.30894, 0.25843),
    (0.021, 0.020, 0.024, 0.031, 0.023, 0.018, 0.027),
)
SEITZ = ForgettingMeasurements(
    "Seitz",
    "Heller, Mack and Seitz 1991, in Murre and Dros 2015, table 3",
    (0.44206, 0.32489, 0.26977, 0.27004, 0.28571, 0.20524, 0.20080),
    (0.023, 0.037, 0.029, 0.029, 0.029, 0.041, 0.046),
)
DROS = ForgettingMeasurements(
    "Dros",
    "Murre and Dros 2015, table 3",
    (0.47168, 0.37291, 0.27644, 0.31678, 0.23000, 0.16820, 0.04097),
    (0.015, 0.015, 0.018, 0.019, 0.016, 0.029, 0.041),
)

SUBJECTS = {item.subject: item for item in (EBBINGHAUS, MACK, SEITZ, DROS)}
"""The four published learners, by name."""

EBBINGHAUS_REPETITIONS_9_HOURS = 0.253
"""Ebbinghaus's savings after 9 hours counted in repetitions instead of time (0.358): the measure matters.

From the workbook that Murre and Dros publish with their article.
"""
