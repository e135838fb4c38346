"""Results on disk: found again whole or not at all, within a limit, shared by processes."""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.tables import Table
from server.runs import result_cache
from server.runs.frame_bytes import write_frame
from server.runs.limits import MIB
from server.runs.result_cache import ResultCache
from server.runs.worker_process import ROOT

LONG_AGO = 1_000_000_000


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def result(number: int, size: int = 4) -> bytes:
    return write_frame(Frame(1.0, {"numbers": Table.of(value=np.full(size, float(number)))}, f"result {number}"))


def file_of(folder: Path, number: int) -> Path:
    return folder / key(number)[:2] / f"{key(number)}.frame"


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.frame"))


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., ResultCache]:
    def put(*numbers: int, **keywords: Any) -> ResultCache:
        cache = ResultCache(tmp_path, **keywords)
        for number in numbers:
            cache.put(key(number), result(number))
        return cache

    return put


def test_a_result_is_found_again_by_another_process_bit_for_bit(put: Callable[..., ResultCache]) -> None:
    cache = put(1)
    found = ResultCache(cache.folder).get(key(1))
    assert found is not None
    assert found.message == "result 1"
    assert found.tables["numbers"]["value"].tobytes() == np.full(4, 1.0).tobytes()
    assert cache.get(key(2)) is None


def test_what_is_kept_is_for_its_owner_alone_and_its_columns_cannot_be_written_to(
    put: Callable[..., ResultCache],
) -> None:
    cache = put(1)
    assert file_of(cache.folder, 1).stat().st_mode & 0o077 == 0
    found = ResultCache(cache.folder).get(key(1))
    assert found is not None
    with pytest.raises(ValueError, match="read-only"):
        found.tables["numbers"]["value"][0] = 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-1],
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
        lambda content: pickle.dumps(os.getcwd),
        lambda content: hashlib.sha256(b"\x93").digest() + b"\x93",
        lambda content: hashlib.sha256(pickle.dumps({})).digest() + pickle.dumps({}),
    ],
    ids=["empty", "cut within the digest", "cut at the end", "one bit", "pickle", "no frame", "pickle with digest"],
)
def test_a_damaged_result_is_dropped_with_a_line_in_the_log(
    put: Callable[..., ResultCache], damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    file = file_of(put(1, 2).folder, 1)
    file.write_bytes(damage(file.read_bytes()))
    again = ResultCache(file.parent.parent)
    assert again.get(key(1)) is None
    assert not file.exists()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"A kept result was damaged and is dropped: {file.name}" in caplog.text
    assert again.get(key(2)) is not None
    again.put(key(1), result(1))
    assert ResultCache(again.folder).get(key(1)) is not None


def test_what_was_used_longest_ago_is_removed_when_there_is_no_room(tmp_path: Path) -> None:
    one = 32 + len(result(0, 1000))
    cache = ResultCache(tmp_path, limit_mib=6.5 * one / MIB)
    for number in range(5):
        cache.put(key(number), result(number, 1000))
        os.utime(file_of(tmp_path, number), (LONG_AGO, LONG_AGO + number))
    assert cache.get(key(0)) is not None  # from memory, which counts as use, too
    assert ResultCache(tmp_path).get(key(1)) is not None
    cache.put(key(5), result(5, 1000))
    kept = [number for number in range(6) if file_of(tmp_path, number).exists()]
    assert kept == [0, 1, 3, 4, 5]


def test_the_folder_never_grows_beyond_its_limit(tmp_path: Path) -> None:
    limit = 50_000
    cache = ResultCache(tmp_path, limit_mib=limit / MIB)
    for number in range(100):
        cache.put(key(number), result(number, number))
        assert size_of(tmp_path) <= limit
    assert size_of(tmp_path) > limit / 2


def test_a_folder_that_is_too_large_from_the_start_is_made_smaller_with_the_first_result(
    put: Callable[..., ResultCache],
) -> None:
    folder = put(*range(20)).folder
    small = ResultCache(folder, limit_mib=5 * (32 + len(result(0))) / MIB)
    small.put(key(100), result(100))
    assert len(list(folder.rglob("*.frame"))) == 4


def test_what_a_process_that_died_left_unfinished_is_removed(put: Callable[..., ResultCache]) -> None:
    cache = put(1)
    left, under_way = (file_of(cache.folder, 1).parent / name for name in ("left.part", "under_way.part"))
    for file in (left, under_way):
        file.write_bytes(b"half a frame")
    os.utime(left, (LONG_AGO, LONG_AGO))
    cache.evict()
    assert not left.exists()
    assert under_way.exists()


def test_a_full_disk_is_said_once_and_results_are_kept_in_memory(
    put: Callable[..., ResultCache], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = put()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(result_cache.os, "replace", full)
        for number in (1, 2):
            cache.put(key(number), result(number))
    assert caplog.text.count("No space left on device") == 1
    assert "runs go on without" in caplog.text
    assert cache.get(key(1)) is not None
    assert [file.name for file in cache.folder.rglob("*") if file.is_file()] == []
    cache.put(key(3), result(3))
    assert ResultCache(cache.folder).get(key(3)) is not None


def test_a_disk_that_is_really_full_keeps_no_run_from_its_reader(tmp_path: Path, make_lab: Callable[..., Any]) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system of 64 kB cannot be mounted here")
    try:
        lab = make_lab(folder=small)
        for seed in range(3):
            assert lab.read("steady", seed=seed, size=20_000).wait().error is None
        assert lab.runner.holds(lab.request("steady", seed=2, size=20_000))
        assert ResultCache(small).get("0" * 64) is None
        lab.runner.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_folder_that_was_removed_is_no_reason_to_fail(
    put: Callable[..., ResultCache], caplog: pytest.LogCaptureFixture
) -> None:
    cache = put()
    cache.folder.rmdir()
    cache.put(key(1), result(1))
    assert "No such file or directory" in caplog.text
    assert cache.get(key(1)) is not None


def test_what_is_kept_in_memory_is_limited(put: Callable[..., ResultCache], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_cache, "MEMORY_LIMIT", 3 * 2500)
    cache = put(*range(5))
    assert [number for number in range(5) if cache.in_memory(key(number)) is not None] == [2, 3, 4]
    assert cache.get(key(0)) is not None
    assert [number for number in range(5) if cache.in_memory(key(number)) is not None] == [0, 3, 4]


@pytest.mark.parametrize("bad", ["", "../../etc/passwd", "A" * 64, key(1) + "\n"])
def test_a_key_that_is_no_hash_is_refused(put: Callable[..., ResultCache], bad: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        put().get(bad)


def test_two_processes_may_fill_one_folder_at_once(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from mem_core.mechanisms.contract import Frame\n"
        "from mem_core.mechanisms.tables import Table\n"
        "from server.runs.frame_bytes import write_frame\n"
        "from server.runs.result_cache import ResultCache\n"
        "import hashlib\n"
        "cache = ResultCache(Path(sys.argv[1]), limit_mib=0.2)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "for number in range(300):\n"
        "    key = hashlib.sha256(str(number % 60).encode()).hexdigest()\n"
        "    found = cache._from_disk(key)\n"
        "    if found is not None:\n"
        "        assert found.message == f'result {number % 60}', found\n"
        "    table = Table.of(value=np.full(1000, float(number % 60)))\n"
        "    cache.put(key, write_frame(Frame(1.0, {'numbers': table}, f'result {number % 60}')))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    both = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        _, said = process.communicate()
        assert (process.returncode, said) == (0, "")
    assert 0 < size_of(tmp_path) <= 0.25 * MIB  # while one removes, the other adds
    assert list(tmp_path.rglob("*.part")) == []
