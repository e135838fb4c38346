"""The key of a result: a hash of everything it depends on."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mem_core
from mem_core.lab.runner import Request
from mem_core.nn.chat_model import MODEL_VARIABLE, URL_VARIABLE

VERSIONED = ("numpy", "torch", "triton", "autograd", "scipy", "scikit-learn")
"""Packages whose version can change a result."""


def content_key(request: Request) -> str:
    """Hash a request with the code, data and packages that it runs on; who asks is no part of it."""
    engine = request.engine
    parts = [foundation(), request.slug, repr(request.settings.formatted()), str(request.seed)]
    parts += [engine.kind, engine.precision, engine.badge]  # the badge names the device
    parts += [os.environ.get(name, "") for name in (URL_VARIABLE, MODEL_VARIABLE)]  # some mechanisms can ask a model
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def foundation() -> str:
    """Hash all of mem_core, its shipped data too, and the versions of what it computes with."""
    return hashlib.sha256((hash_of_folder(Path(mem_core.__path__[0])) + repr(_versions())).encode()).hexdigest()


def hash_of_folder(folder: Path) -> str:
    """Hash the names and contents of all files below a folder, compiled Python left out."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(folder).as_posix()}\n{content}\n".encode())
    return digest.hexdigest()


def _versions() -> list[str]:
    return [f"{name} {_version(name)}" for name in VERSIONED]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
