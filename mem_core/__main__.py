"""The command line: python -m mem_core list | run | check | bench | bench kernels."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from mem_core.engine import EngineError, select
from mem_core.kernels import benchmark as kernel_benchmark
from mem_core.kernels.benchmark import report
from mem_core.mechanisms import benchmark, catalog
from mem_core.mechanisms.contract import Evidence, Frame, Mechanism, RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.scoreboard import Score, check

LARGEST_SEED = 2**31 - 1


class OneSentenceParser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a claim failed or a run ended early, 2 bad input."""
    options = _parser().parse_args(_words(sys.argv[1:] if arguments is None else arguments))
    try:
        code: int = options.command(options)
    except (SettingsError, EngineError, catalog.CatalogError) as error:
        print(f"mem_core: {error}", file=sys.stderr)
        return 2
    except RunError as error:
        print(f"mem_core: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read what we print has read enough, as `head` does; Python would complain once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _words(arguments: Sequence[str]) -> list[str]:
    """Make one command of `bench` and `kernels`, wherever among the options the second word stands."""
    words = list(arguments)
    if words[:1] == ["bench"] and "kernels" in words:
        words.remove("kernels")
        words[0] = "bench kernels"
    return words


def _parser() -> argparse.ArgumentParser:
    parser = OneSentenceParser(prog="mem_core", description="Mechanisms of memory and forgetting, one per paper.")
    commands = parser.add_subparsers(
        required=True, metavar="list | run | check | bench | bench kernels", parser_class=OneSentenceParser
    )
    shared = OneSentenceParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print JSON, one object a line for each frame or claim")
    with_engine = OneSentenceParser(add_help=False)
    with_engine.add_argument("--engine", default="auto", help="auto, numpy, torch or cuda")

    command = commands.add_parser("list", parents=[shared], help="list the mechanisms")
    command.set_defaults(command=_list)

    command = commands.add_parser("run", parents=[shared, with_engine], help="run one mechanism")
    command.add_argument("slug")
    command.add_argument("--seed", type=whole(0, LARGEST_SEED), default=0)
    command.add_argument(
        "--tier", choices=("browser", "cpu", "gpu"), default="browser", help="which preset to start from"
    )
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="changes", type=_change)
    command.set_defaults(command=_run)

    command = commands.add_parser("check", parents=[shared, with_engine], help="measure the papers' claims")
    command.add_argument("slugs", nargs="*", metavar="SLUG")
    command.add_argument("--seeds", type=whole(1, 100), default=3, help="how many seeds")
    command.set_defaults(command=_check)

    command = commands.add_parser("bench", parents=[shared], help="time the default runs on every engine here")
    command.add_argument("slugs", nargs="*", metavar="SLUG")
    command.set_defaults(command=_bench)

    command = commands.add_parser("bench kernels", parents=[shared], help="time the kernels, and others beside them")
    command.add_argument("--device", choices=kernel_benchmark.DEVICES, help="all that are here if left out")
    command.add_argument("--only", choices=kernel_benchmark.KERNELS, default="", help="time this kernel alone")
    command.add_argument("--small", action="store_true", help="small sizes, for a quick look")
    command.set_defaults(command=_bench_kernels)
    return parser


def whole(low: int, high: int) -> type[int]:
    """Return a reader of whole numbers in a range, for an option's `type`."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {low} to {high}")
        return int(text)

    return read  # type: ignore[return-value]


def _change(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} must look like NAME=VALUE")
    return name, value


def _list(options: argparse.Namespace) -> int:
    for mechanism in catalog.load_all():
        if options.json:
            print(
                json.dumps(
                    {
                        "slug": mechanism.slug,
                        "name": mechanism.name,
                        "family": mechanism.family,
                        "arxiv": mechanism.paper.arxiv,
                        "summary": mechanism.summary,
                    }
                )
            )
        else:
            print(f"{mechanism.slug:<22}{mechanism.name:<26}{mechanism.family:<15}arXiv {mechanism.paper.arxiv}")
    return 0


def _run(options: argparse.Namespace) -> int:
    mechanism = catalog.load(options.slug)
    settings = mechanism.presets[options.tier].parsed(dict(options.changes))
    engine = select(options.engine)
    frame: Frame | None = None
    for frame in mechanism.run(settings, engine, options.seed):
        if options.json:
            print(json.dumps(_frame_as_plain(frame)), flush=True)
        elif sys.stderr.isatty():
            print(f"\r{frame.progress:4.0%} {frame.message:<70}", end="", file=sys.stderr)
    if frame and not options.json:
        _print_descriptions(mechanism, frame, engine.badge)
    return 0


def _frame_as_plain(frame: Frame) -> dict[str, object]:
    tables = {name: {"units": dict(table.units), "rows": table.rows()} for name, table in frame.tables.items()}
    return {"progress": frame.progress, "message": frame.message, "tables": tables}


def _print_descriptions(mechanism: Mechanism, frame: Frame, badge: str) -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(f"{mechanism.name} ({badge}): {frame.message}")
    for chart in mechanism.charts:
        print(f"\n{chart.title}\n  {chart.describe(frame.tables)}")


def _check(options: argparse.Namespace) -> int:
    mechanisms = [catalog.load(slug) for slug in options.slugs] or catalog.load_all()
    engine = select(options.engine)
    all_hold = True
    if not options.json:
        print(f"{engine.badge}, {options.seeds} seeds")
        print(f"{'mechanism':<21}{'paper':<18}{'claim':<34}{'value':>10}  {'threshold':<20}{'holds':<6}")
    for mechanism in mechanisms:
        for score in check(mechanism, engine, range(options.seeds)):
            all_hold &= score.holds
            print(json.dumps(score.as_row()) if options.json else _score_line(score), flush=True)
    return 0 if all_hold else 1


def _score_line(score: Score) -> str:
    evidence: Evidence = score.summary
    note = f"  {evidence.note}" if evidence.note else ""
    return (
        f"{score.mechanism.slug:<21}arXiv {score.mechanism.paper.arxiv:<12}{score.claim.key:<34}"
        f"{evidence.value:>10.4g}  {evidence.wanted:<19} {'yes' if score.holds else 'NO':<6}{note}"
    )


def _bench(options: argparse.Namespace) -> int:
    mechanisms = [catalog.load(slug) for slug in options.slugs] or catalog.load_all()
    if not options.json:
        columns = f"{'first frame (s)':>16}{'whole run (s)':>15}{'budget (s)':>12}  frames a second"
        print(f"{'mechanism':<21}{'engine':<8}{columns}")
    for timing in benchmark.default_runs(mechanisms):
        print(json.dumps(timing.as_row()) if options.json else timing.as_line(), flush=True)
    return 0


def _bench_kernels(options: argparse.Namespace) -> int:
    failed = False
    for device in [options.device] if options.device else kernel_benchmark.devices_here():
        run = kernel_benchmark.measure(device, options.small, options.only)
        for text in report.as_json(run) if options.json else report.as_text(run):
            print(text, flush=True)
        failed |= run.failed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
