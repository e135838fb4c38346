"""The problems that are thought about: pictures of digits, a prompt with little of each, and evidence that distracts.

One trace is one way of thinking about a picture: the prompt is a noisy thumbnail, the evidence the picture itself under
the distraction of that trace. The length of a trace says nothing, and no input says whether the answer is right.

Axes: P problems, k traces of each, 81 inputs: 16 of the prompt, 64 of the evidence, 1 that says whether there is any.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from mem_core.data import digits
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.editing.clue.settings import NOISIER, ClueSettings

CLASSES = 10
EVIDENCE = digits.SIDE**2
THUMBNAIL = digits.SIDE // 2
PROMPT = THUMBNAIL**2
INPUTS = PROMPT + EVIDENCE + 1
TRAIN, EXPERIENCE, TEST, FRESH = "train", "experience", "test", "fresh"
SIZES = {TRAIN: 900, EXPERIENCE: 500, TEST: 100}
"""Pictures of each part; the 297 left over are fresh problems for the exercise."""
FADED_NOISE = 0.25
"""Noise on fainter evidence, as a share of the distraction range: half of what *noisier* evidence has on average."""


class Pictures(NamedTuple):
    """Some pictures, as NumPy.

    Attributes:
        prompts: means over 2 × 2 pixels, shape (P, 16).
        pixels: brightness from 0 to 1, shape (P, 64).
        labels: which digit it is, shape (P,).
    """

    prompts: Any
    pixels: Any
    labels: Any


@lru_cache(maxsize=16)
def dealt(seed: int, model: int) -> Mapping[str, Pictures]:
    """Deal the 1797 pictures into parts that share none: one model's own split.

    Raises:
        RunError: if the digits are not installed.
    """
    try:
        everything = digits.load()
    except digits.DigitsMissingError as error:
        raise RunError(str(error)) from error
    order = philox(seed, "clue", "split", model).permutation(len(everything))
    parts, first = {}, 0
    for name in (*SIZES, FRESH):
        last = first + SIZES.get(name, len(order))
        parts[name] = _pictures(everything, order[first:last])
        first = last
    return parts


def _pictures(everything: digits.Digits, numbers: Any) -> Pictures:
    images = everything.images[numbers]
    blocks = images.reshape(-1, THUMBNAIL, 2, THUMBNAIL, 2)
    return Pictures(
        blocks.mean(axis=(2, 4)).reshape(-1, PROMPT), images.reshape(-1, EVIDENCE), everything.labels[numbers]
    )


def prompts_for(generator: Any, pictures: Pictures) -> Any:
    """Draw a prompt for every picture, as NumPy of shape (P, 16)."""
    return pictures.prompts + generator.normal(size=pictures.prompts.shape)


def evidence_for(settings: ClueSettings, generator: Any, pictures: Pictures, traces: int) -> Any:
    """Draw the evidence of `traces` traces of every picture, as NumPy of shape (P·k, 64), problem by problem."""
    pixels = pictures.pixels.repeat(traces, axis=0)
    distraction = generator.uniform(size=(len(pixels), 1))
    noise = generator.normal(size=pixels.shape)
    if settings.kind == NOISIER:
        return pixels + settings.distraction * distraction * noise
    return (1 - distraction) * pixels + FADED_NOISE * settings.distraction * noise


def start_inputs(engine: Engine, prompts: Any) -> Array:
    """Lay out what the reasoner reads before there is evidence, shape (P, 81)."""
    xp = engine.xp
    return xp.concat([engine.asarray(prompts), xp.zeros((len(prompts), EVIDENCE + 1))], axis=-1)


def end_inputs(engine: Engine, prompts: Any, evidence: Any) -> Array:
    """Lay out what it reads at the end of a trace, shape (P·k, 81); the traces of a problem share its prompt."""
    xp, traces = engine.xp, len(evidence) // len(prompts)
    read = engine.asarray(prompts.repeat(traces, axis=0))
    return xp.concat([read, engine.asarray(evidence), xp.ones((len(evidence), 1))], axis=-1)
