"""What a run writes down, and the tables that are made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from mem_core.mechanisms.learning.few_shot_memory.examination import Answers
from mem_core.mechanisms.learning.few_shot_memory.learning import WINDOW
from mem_core.mechanisms.learning.few_shot_memory.settings import FewShotSettings
from mem_core.mechanisms.tables import Table

RECOGNITION, RECALL = "recognition", "recall"
MEASURES = (RECOGNITION, RECALL)
SEEN, FOIL = "studied sentences", "foils"
STUDIED, RIGHT, WRONG = "as studied", "recalled", "wrong"

GUESSING = 0.5
"""Recognition without any memory: one of two."""
RECITED = 6  # sentences whose words are shown
BINS = 16  # of the histograms

UNITS: Mapping[str, Mapping[str, str]] = {
    "study": {"exposures": "readings", "measure": "", "value": "share"},
    "guessing": {"value": "share", "label": ""},
    "start": {"exposures": "readings", "label": ""},
    "rouge": {"exposures": "readings", "score": "", "value": "F-measure or share"},
    "fading": {"measure": "", "lag": "updates", "retention": "share"},
    "retention": {"lag": "updates", "retention": "share"},
    "losses_after_study": {"low": "nats per word", "high": "nats per word", "kind": "", "count": "sentences"},
    "losses_after_new_text": {"low": "nats per word", "high": "nats per word", "kind": "", "count": "sentences"},
    "sentences": {
        "lag": "updates",
        "top": "share of the sentences",
        "bottom": "share of the sentences",
        "sentence": "",
        "recall": "share",
    },
    "recital": {"row": "", "place": "", "word": "", "verdict": ""},
}
"""Every table of a run with its columns in order and their units; all are there from the first frame, some empty."""

Rows = list[tuple[Any, ...]]


class Record:
    """All answers so far in one run."""

    def __init__(self, settings: FewShotSettings) -> None:
        self._settings = settings
        self._studied: list[Answers] = []
        self._later: list[tuple[int, Answers]] = []

    def see_exposure(self, answers: Answers) -> None:
        """Write down the answers before study, and then after each exposure."""
        self._studied.append(answers)

    def see_later(self, lag: int, answers: Answers) -> None:
        """Write down the answers after `lag` updates on the new text."""
        self._later.append((lag, answers))

    def tables(self) -> dict[str, Table]:
        """Lay out everything measured so far."""
        rows: dict[str, Rows] = {
            "study": [
                (number, measure, getattr(answers, measure))
                for number, answers in enumerate(self._studied)
                for measure in MEASURES
            ],
            "guessing": [(GUESSING, "guessing between two")],
            "start": [(self._settings.exposures, "here the new text begins")],
            "rouge": [
                (number, score, value)
                for number, answers in enumerate(self._studied)
                for score, value in {**answers.rouge, RECALL: answers.recall}.items()
            ],
            "fading": [
                (measure, lag, getattr(answers, measure)) for lag, answers in self._later for measure in MEASURES
            ],
            "retention": [(lag, answers.recall) for lag, answers in self._later],
            **self._loss_histograms(),
            "sentences": self._sentence_rows(),
            "recital": self._recital_rows(),
        }
        return {name: _table(units, rows[name]) for name, units in UNITS.items()}

    def _loss_histograms(self) -> dict[str, Rows]:
        """Count the mean losses in bins, the same ones for both moments, so that the two pictures can be compared."""
        moments = [answers for _, answers in self._later]
        after_study, after_new_text = moments[:1], moments[-1:]
        losses = [loss for answers in moments for loss in (*answers.seen_loss, *answers.foil_loss)]
        end = math.ceil(max(losses, default=1.0))
        return {
            "losses_after_study": _histogram(after_study, end),
            "losses_after_new_text": _histogram(after_new_text if len(moments) > 1 else [], end),
        }

    def _sentence_rows(self) -> Rows:
        """Lay out each sentence's recall, the sentence that was recalled best over all the new text at the top."""
        recalled = [answers.recalled for _, answers in self._later]
        kept = [fmean(column) for column in zip(*recalled, strict=True)]
        order = sorted(range(len(kept)), key=lambda sentence: -kept[sentence])
        return [
            (lag, place / len(order), (place + 1) / len(order), sentence + 1, answers.recalled[sentence])
            for lag, answers in self._later
            for place, sentence in enumerate(order)
        ]

    def _recital_rows(self) -> Rows:
        """Lay out the second half of a few sentences: as studied, recalled after study, recalled after the new text."""
        if not self._later:
            return []
        moments = {"after study": self._later[0][1]}
        if len(self._later) > 1:
            lag, latest = self._later[-1]
            moments[f"after {lag} updates"] = latest
        rows: Rows = []
        for number, text in enumerate(self._later[0][1].seen[:RECITED], start=1):
            given = self._settings.given
            # Only what the model sees when it writes the first word of its own.
            prompt = " ".join(word(token) for token in text[given - WINDOW : given])
            rows += _words(f"{number} … {prompt} …", given, text, [STUDIED] * len(text))
            for moment, answers in moments.items():
                written = answers.written[number - 1]
                verdicts = [RIGHT if token == wanted else WRONG for token, wanted in zip(written, text, strict=True)]
                rows += _words(f"{number} {moment}", given, written, verdicts)
        return rows


_ONSETS, _VOWELS, _CODAS = "bdfghjklmnprstvz", "aeio", ("", "n", "s", "r", "l", "m", "t", "k")


def word(number: int) -> str:
    """Return a syllable for each of the first 512 words, so that sentences can be read aloud.

    >>> word(0), word(63), word(64)
    ('ba', 'zo', 'ban')
    """
    onsets, vowels = len(_ONSETS), len(_VOWELS)
    vowel = _VOWELS[number // onsets % vowels]
    return _ONSETS[number % onsets] + vowel + _CODAS[number // (onsets * vowels)]


def _words(row: str, given: int, text: Sequence[int], verdicts: Sequence[str]) -> Rows:
    """Lay out the words after the given ones."""
    return [(row, place + 1, word(text[place]), verdicts[place]) for place in range(given, len(text))]


def _histogram(moments: Sequence[Answers], end: int) -> Rows:
    """Count losses in bins from 0 to `end`; studied sentences take the left half of each bin, foils the right half."""
    width = end / BINS
    rows: Rows = []
    for answers in moments:
        for half, (kind, losses) in enumerate(((SEEN, answers.seen_loss), (FOIL, answers.foil_loss))):
            places = [min(int(loss / width), BINS - 1) for loss in losses]
            rows += [
                (width * (place + half / 2), width * (place + half / 2 + 1 / 2), kind, places.count(place))
                for place in range(BINS)
            ]
    return rows


def _table(units: Mapping[str, str], rows: Rows) -> Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(units)
    return Table.of(units, **dict(zip(units, columns, strict=True)))
