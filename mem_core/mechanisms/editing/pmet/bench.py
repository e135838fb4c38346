"""A trained model on the bench: its requests, the wanted values, and every edit that a run makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mem_core.data.fact_world import FactWorld
from mem_core.engine import Engine
from mem_core.mechanisms.editing.pmet.fine_tuning import fine_tune
from mem_core.mechanisms.editing.pmet.model import Params, log_probabilities
from mem_core.mechanisms.editing.pmet.requests import ASKED, Requests, draw_requests
from mem_core.mechanisms.editing.pmet.scoring import Examination, Scores, examine, scores_of
from mem_core.mechanisms.editing.pmet.settings import (
    FFN_ONLY,
    FINE_TUNING,
    LINEAR,
    MEMIT,
    MOST_EDITS,
    PMET,
    EditSettings,
)
from mem_core.mechanisms.editing.pmet.targets import PARTS, Targets, optimise
from mem_core.mechanisms.editing.pmet.writing import Edited, Moments, general_moments, write

COUNTS = (1, 2, 4, 8, 16, 24, 32, MOST_EDITS)
"""Numbers of edits that are tried, as far as there are people."""


@dataclass(frozen=True)
class Recipe:
    """How to edit: method, spread over the layers, and λ."""

    method: str
    spread: str
    preservation: float


class Bench:
    """Everything about one trained model that several edits share; nothing here changes the model.

    Attributes:
        world, params: the facts and the model that knows them.
        edited: whether each request asks for something new; one for what is true or said already is left out.
    """

    def __init__(self, engine: Engine, settings: EditSettings, seed: int, world: FactWorld, params: Params) -> None:
        self.world, self.params = world, params
        self._engine, self._settings = engine, settings
        self._all = draw_requests(world, settings, max(self.counts), seed)
        said = log_probabilities(engine, params, self._all.prompts(world, (0,), ASKED)).argmax(-1)[:, 0]
        self.edited = (said != self._all.wanted) & (self._all.true != self._all.wanted)
        self._requests = self._all.kept(self.edited)
        self._moments: Moments = general_moments(engine, params, world, settings.edited_layers, seed)

    @property
    def counts(self) -> list[int]:
        """Numbers of edits to try, the one that is set among them."""
        possible = {count for count in COUNTS if count <= self._settings.people}
        return sorted(possible | {self._settings.edits})

    @property
    def picked(self) -> Requests:
        """The request shown in detail, whether it is edited or not."""
        return self._all.kept(slice(1))

    @property
    def as_set(self) -> Recipe:
        """The recipe that the settings name; MEMIT knows one spread only."""
        settings = self._settings
        spread = LINEAR if settings.method == MEMIT else settings.spread
        return Recipe(settings.method, spread, settings.preservation)

    @cached_property
    def targets(self) -> Mapping[str, Targets]:
        """The wanted values of each method that aims at one, for all requests."""
        arguments = (self._engine, self.params, self.world, self._requests, self._settings)
        return {method: optimise(*arguments, method) for method in (PMET, FFN_ONLY, MEMIT)}

    def requests(self, count: int) -> Requests:
        """Return the first `count` requests without those that ask for nothing new."""
        return self._requests.kept(slice(int(self.edited[:count].sum())))

    def edit(self, recipe: Recipe, count: int) -> Edited:
        """Make the first `count` edits at once."""
        requests = self.requests(count)
        if recipe.method == FINE_TUNING:
            return Edited(fine_tune(self._engine, self.params, self.world, requests, self._settings), {})
        return write(
            self._engine,
            self.params,
            self.world,
            requests,
            self.targets[recipe.method].value[: requests.count],
            part=PARTS[recipe.method][0],
            layers=self._settings.edited_layers,
            spread=recipe.spread,
            preservation=recipe.preservation,
            moments=self._moments,
        )

    def examine(self, params: Params, count: int) -> Examination:
        """Ask a model for all facts and for the first `count` requests."""
        return examine(self._engine, params, self.world, self.requests(count))

    def score(self, examination: Examination, count: int) -> Scores:
        """Score what a model answered."""
        return scores_of(examination, self.world, self.requests(count))

    def scores(self, recipe: Recipe, count: int) -> Scores:
        """Make the first `count` edits and score them."""
        return self.score(self.examine(self.edit(recipe, count).params, count), count)
