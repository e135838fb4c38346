"""The run: the users live, in groups for large runs; then the sweeps along single knobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mem_core.data.user_timeline import all_texts
from mem_core.engine import Engine
from mem_core.mechanisms.agents.halumem import sweeps
from mem_core.mechanisms.agents.halumem.calibration import calibrate
from mem_core.mechanisms.agents.halumem.language_model import extract_with
from mem_core.mechanisms.agents.halumem.life import Life, live
from mem_core.mechanisms.agents.halumem.settings import LANGUAGE_MODEL, HallucinationSettings
from mem_core.mechanisms.agents.halumem.tables import life_tables
from mem_core.mechanisms.agents.halumem.threshold_tables import cosine_tables, gate_tables
from mem_core.mechanisms.agents.halumem.users import User, draw_user
from mem_core.mechanisms.contract import Frame, RunError
from mem_core.mechanisms.language_model import model_or_sentence
from mem_core.mechanisms.tables import Table
from mem_core.nn.merging_memory import Similarities
from mem_core.nn.text_embedding import TextEmbedding, embedding

SMALL_RUN = 20
"""Users that live before the first frame."""
USERS_PER_FRAME = 10
LIVES_SHARE = 0.6
"""Of the progress; the rest are the sweeps."""


def run(settings: HallucinationSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Let the users live and judge them, then sweep missed facts and threshold over the first users.

    Raises:
        RunError: if the embedding is not installed here, or a language model is wanted and not set up.
    """
    embed = _embedding(settings.embedder)
    calibration = calibrate(engine, embed, seed)
    threshold = calibration.midpoint if settings.calibrated else settings.merge_threshold
    tables = cosine_tables(calibration, threshold)
    users: list[User] = []
    lives: list[Life] = []
    similarities: dict[str, Similarities] = {}
    model = model_or_sentence() if settings.extractor == LANGUAGE_MODEL else None
    extractions: dict[int, list[list[str]]] = {}
    empty = {"miss_sweep": sweeps.sweep_table("miss", []), "threshold_sweep": sweeps.sweep_table("threshold", [])}
    for number in range(settings.users):
        user = draw_user(settings, seed, number)
        if model is not None:
            extractions[number] = extract_with(model, user)
            written = [text for texts in extractions[number] for text in texts]
            similarities[user.name] = Similarities(engine, embed, [*all_texts(user.name), *written])
        elif user.name not in similarities:
            similarities[user.name] = Similarities(engine, embed, all_texts(user.name))
        users.append(user)
        lives.append(live(settings, user, similarities[user.name], threshold, extractions.get(number)))
        lived = number + 1
        if lived == settings.users or lived == SMALL_RUN or (lived > SMALL_RUN and lived % USERS_PER_FRAME == 0):
            now = tables | empty | life_tables(lives)
            now |= gate_tables(users, now["scores"])
            words = f"{lived} of {settings.users} users have lived through {settings.sessions} sessions."
            yield Frame(LIVES_SHARE * lived / settings.users, now, words)
    for progress, swept in _sweep(settings, users[: sweeps.SWEPT_USERS], similarities, threshold, extractions):
        yield Frame(progress, now | swept, _ending(settings, embed.name) if progress == 1 else "Turning one knob …")


def _embedding(name: str) -> TextEmbedding:
    try:
        return embedding(name)
    except ValueError as error:
        raise RunError(f"embedder: {error}") from error


def _ending(settings: HallucinationSettings, embedder: str) -> str:
    users = "1 user has" if settings.users == 1 else f"{settings.users} users have"
    return f"{users} lived through {settings.sessions} sessions, embedded by {embedder}; the sweeps are done."


def _sweep(
    settings: HallucinationSettings,
    users: Sequence[User],
    similarities: Mapping[str, Similarities],
    threshold: float,
    extractions: Mapping[int, Sequence[Sequence[str]]],
) -> Iterator[tuple[float, dict[str, Table]]]:
    """Yield the progress and both sweeps so far, first the missed facts and then the threshold.

    What a language model misses is no knob: then the first sweep is empty.
    """
    rates = () if extractions else sweeps.MISS_RATES
    misses = [(miss, sweeps.scores_at_miss(settings, users, similarities, threshold, miss)) for miss in rates]
    done = {"miss_sweep": sweeps.sweep_table("miss", misses)}
    yield (1 + LIVES_SHARE) / 2, done
    merges = [
        (at, sweeps.scores_at_threshold(settings, users, similarities, at, extractions)) for at in sweeps.THRESHOLDS
    ]
    yield 1.0, done | {"threshold_sweep": sweeps.sweep_table("threshold", merges)}
