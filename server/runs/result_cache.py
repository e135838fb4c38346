"""Results on disk, found again by content, within a size limit; several server processes may share one folder.

One file a result: its digest and then the frame. Files appear whole (written beside and renamed) and are never
changed. A file's time of change is when it was last used, which says what to remove first.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mem_core.mechanisms.contract import Frame
from server.runs.frame_bytes import FRAME_OVERHEAD, FrameBytesError, read_frame
from server.runs.limits import MIB

KEY = re.compile(r"[0-9a-f]{64}")
DIGEST_BYTES = 32
ENDING, UNFINISHED = ".frame", ".part"
FULL = 0.9
"""Eviction goes on until the folder is this share of its limit. The rest is for what comes before the next look."""
NEW_BEFORE_A_LOOK = 0.02
"""The share of the limit that a process adds before it looks how large the folder is; others add to it, too."""
SECONDS_UNFINISHED = 600.0
"""A file that is still unfinished after this long was left by a process that died."""
MEMORY_LIMIT = 64 * MIB
"""What the results may take that are kept in memory, too; most are some tens of kilobytes."""

_log = logging.getLogger(__name__)


class ResultCache:
    """The results of finished runs.

    Args:
        folder: where they lie; made if missing, for its owner alone.
        limit_mib: how much they may take on disk.

    Raises:
        OSError: if the folder cannot be made.
    """

    def __init__(self, folder: Path, limit_mib: float = 512) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self.limit = folder, int(limit_mib * MIB)
        self._lock = threading.Lock()
        self._read: OrderedDict[str, tuple[int, Frame]] = OrderedDict()
        self._read_bytes = 0
        self._new_bytes = self.limit  # since the last look, which is to come with the first result
        self._disk_fails = False

    def get(self, key: str) -> Frame | None:
        """Return the result of that key if it is here and whole."""
        frame = self.in_memory(key)
        if frame is None:
            return self._from_disk(key)
        self._used(self._file(key))
        return frame

    def in_memory(self, key: str) -> Frame | None:
        """Return the result of that key if it was used here lately."""
        with self._lock:
            if key not in self._read:
                return None
            self._read.move_to_end(key)
            return self._read[key][1]

    def put(self, key: str, data: bytes) -> None:
        """Keep a result, written by `write_frame`; where the disk fails it is kept in memory alone.

        Raises:
            FrameBytesError: if the data are no frame.
        """
        self._remember(key, read_frame(data), len(data))
        try:
            self._write(self._file(key), hashlib.sha256(data).digest() + data)
            with self._lock:
                self._new_bytes += DIGEST_BYTES + len(data)
                look = self._new_bytes > NEW_BEFORE_A_LOOK * self.limit
            if look:
                self.evict()
            self._disk_fails = False
        except OSError as error:
            if not self._disk_fails:  # said once, not for every result
                _log.warning("Results cannot be kept on disk (%s); runs go on without.", error.strerror or error)
            self._disk_fails = True

    def evict(self) -> None:
        """Remove what was used longest ago until there is room; one process does, the others need not wait.

        Raises:
            OSError: if something cannot be removed.
        """
        with self._alone() as alone:
            if not alone:
                return
            with self._lock:
                self._new_bytes = 0
            files = sorted(self._files())
            size = sum(size for _, size, _ in files)
            for used, bytes_, file in files:
                left_behind = file.suffix == UNFINISHED and time.time() - used > SECONDS_UNFINISHED
                if left_behind or (size > self.limit * FULL and file.suffix == ENDING):
                    file.unlink(missing_ok=True)
                    size -= bytes_

    def _file(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"A key is 64 hexadecimal digits, got {key!r}.")
        return self.folder / key[:2] / f"{key}{ENDING}"

    def _from_disk(self, key: str) -> Frame | None:
        file = self._file(key)
        try:
            content = file.read_bytes()
        except OSError:
            return None
        digest, data = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        try:
            if hashlib.sha256(data).digest() != digest:
                raise FrameBytesError("its digest is not that of its content")
            frame = read_frame(data)
        except FrameBytesError as error:
            _log.warning("A kept result was damaged and is dropped: %s (%s).", file.name, error)
            with suppress(OSError):
                file.unlink()
            return None
        self._used(file)
        self._remember(key, frame, len(data))
        return frame

    def _remember(self, key: str, frame: Frame, size: int) -> None:
        with self._lock:
            before, _ = self._read.pop(key, (0, None))
            self._read[key] = (size + FRAME_OVERHEAD, frame)
            self._read_bytes += size + FRAME_OVERHEAD - before
            while self._read_bytes > MEMORY_LIMIT:
                _, (dropped, _) = self._read.popitem(last=False)
                self._read_bytes -= dropped

    @staticmethod
    def _used(file: Path) -> None:
        with suppress(OSError):
            os.utime(file)

    @staticmethod
    def _write(file: Path, content: bytes) -> None:
        file.parent.mkdir(exist_ok=True, mode=0o700)
        handle, unfinished = tempfile.mkstemp(dir=file.parent, suffix=UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(content)
            os.replace(unfinished, file)
        except BaseException:
            with suppress(OSError):
                os.unlink(unfinished)
            raise

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each file was last used, its size, and the file."""
        for file in self.folder.glob("??/*"):
            with suppress(FileNotFoundError):  # another process removed it
                found = file.stat()
                yield found.st_mtime, found.st_size, file

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Tell whether no other process is evicting, and keep them from it meanwhile."""
        with (self.folder / ".evicting").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
