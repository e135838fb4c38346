"""The exercise: the chunk length that suits a number of lanes, found by counting."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Choice, setting
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.state_space.scan_kernels.counting import cost_of
from mem_core.mechanisms.state_space.scan_kernels.settings import CHUNKS, LOOP, TREE, WAYS, ScanSettings

SIZES = tuple(2**power for power in range(2, 11))
"""Chunk lengths to choose from, in tokens."""


@dataclass(frozen=True)
class ChunkAnswer(Settings):
    """What the learner answers."""

    chunk: int = setting(
        4,
        Choice(
            label="Chunk length with the fewest steps",
            help="Try it with the sliders for the long input, and read the steps chart at the dashed line.",
            unit="tokens",
            options=SIZES,
        ),
    )
    fewest: str = setting(
        LOOP,
        Choice(
            label="With that chunk length, fewest steps has the",
            help="Compare the three ways at the same number of lanes.",
            options=WAYS,
        ),
    )


def grade(answer: ChunkAnswer, settings: ScanSettings, seed: int, engine: Engine) -> Grade:
    """Count the steps of every chunk length and of the other ways; a tie is right either way."""
    length, lanes = settings.longest, settings.lanes
    by_size = {size: cost_of(CHUNKS, settings, engine, length, size).steps(lanes) for size in SIZES if size <= length}
    fewest = min(by_size.values())
    others = {way: cost_of(way, settings, engine, length, length).steps(lanes) for way in (LOOP, TREE)}
    all_ways = others | {CHUNKS: fewest}
    best = [size for size, steps in by_size.items() if steps == fewest]
    winners = [way for way, steps in all_ways.items() if steps == min(all_ways.values())]
    told = f"{length} tokens on {lanes} lanes: loop {others[LOOP]} steps, tree {others[TREE]}, chunks of "
    if answer.chunk not in by_size:
        return Grade(False, f"A chunk of {answer.chunk} tokens is longer than the input of {length}.")
    if answer.chunk not in best:
        hint = (
            "Longer chunks mean fewer hand-overs" if answer.chunk < min(best) else "Shorter chunks keep more lanes busy"
        )
        return Grade(False, f"{told}{answer.chunk} tokens {by_size[answer.chunk]}. {hint}: there is a better length.")
    right = f"{told}{answer.chunk} tokens {fewest}"
    if answer.fewest not in winners:
        return Grade(False, f"{right}. The chunk length is right; now compare the three numbers.")
    return Grade(True, f"{right}. There are {length // answer.chunk} chunks, with two multiplications each a round.")


EXERCISE = Exercise(
    question=(
        "A machine with 32 lanes reads 4,096 tokens (the defaults of the long input, with the tree up and down). Which "
        "chunk length needs the fewest steps, and which of the three ways is then ahead?"
    ),
    answer=ChunkAnswer,
    grade=grade,
    follow_up=(
        "Without a limit on lanes the best chunk length is √L, where Q + L/Q is smallest. With few lanes it is longer: "
        "inside, a round has two multiplications for each chunk, so about P/2 chunks fill the lanes, and more "
        "would only add hand-overs. Give the machine 4,096 lanes and count again."
    ),
)
