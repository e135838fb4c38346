"""The exercise: answer first, then run."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

import marimo as mo

from mem_core.lab import styles
from mem_core.lab.control_panel import ControlPanel
from mem_core.lab.jobs import Job
from mem_core.mechanisms.controls import SettingsError

if TYPE_CHECKING:
    from mem_core.lab.page import Page


class ExerciseBoard:
    """Asks, grades on a fresh run with a seed the page draws, and says what was found."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._job: Job | None = None
        self._problem = ""

    def answer(self) -> ControlPanel:
        """Return the form that a learner fills in; its value is sent when the button is pressed."""
        blank = self._page.mechanism.exercise.answer()
        return ControlPanel(blank.controls(), blank.formatted(), submit="Check my answer", on_release=True)

    def grade(self, texts: Mapping[str, str]) -> int:
        """Start grading what was sent, if anything was; return how often the form has been sent."""
        rest = dict(texts)
        sent = int(rest.pop("sent", 0))
        if not sent:
            return 0
        page, exercise = self._page, self._page.mechanism.exercise
        self._problem = ""
        try:
            answer = exercise.answer().parsed(rest)
        except SettingsError as error:
            self._problem = str(error)
            return sent
        seed = random.SystemRandom().randrange(1, 10_000)
        self._job = Job(lambda: exercise.grade(answer, page.default, seed, page.engine), page.news_changed).start()
        return sent

    def verdict(self) -> mo.Html:
        """Return what came of the last answer."""
        exercise, job = self._page.mechanism.exercise, self._job
        if self._problem:
            return styles.callout(self._problem, "danger")
        if job is None:
            return mo.Html(
                "<p class='lab-small'>The answer is checked on a fresh run with a seed you have not seen.</p>"
            )
        if job.running:
            return styles.callout("Running your answer …")
        if job.problem:
            return styles.callout(job.problem, "danger")
        grade = job.outcome
        words = ("Correct. " if grade.correct else "Not yet. ") + grade.feedback
        if grade.correct and exercise.follow_up:
            words += " " + exercise.follow_up
        return styles.callout(words, "success" if grade.correct else "info")
