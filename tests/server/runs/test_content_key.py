"""What a result depends on, and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mem_core.engine import select
from server.runs import content_key as module
from server.runs.content_key import content_key, foundation, hash_of_folder


def test_the_same_request_has_the_same_key_whoever_asks(lab: Any) -> None:
    assert content_key(lab.request("steady", learner="ada")) == content_key(lab.request("steady", learner="bo"))
    assert len(content_key(lab.request("steady"))) == 64


def test_whatever_a_result_depends_on_is_in_its_key(lab: Any, fake_gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other_gpu = type(fake_gpu)()
    other_gpu.badge = "another GPU"
    keys = {
        content_key(request)
        for request in (
            lab.request("steady"),
            lab.request("other"),
            lab.request("steady", seed=1),
            lab.request("steady", steps=2),
            lab.request("steady", pause=1e-17),
            lab.request("steady", engine=select("numpy", "float64")),
            lab.request("steady", engine=fake_gpu),
            lab.request("steady", engine=other_gpu),
        )
    }
    monkeypatch.setattr(module, "foundation", lambda: "other code or packages")
    keys.add(content_key(lab.request("steady")))
    monkeypatch.setenv("MEMORY_LAB_CHAT_MODEL", "another")
    keys.add(content_key(lab.request("steady")))
    assert len(keys) == 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("__init__.py", ""), ("nn/layer.py", "width = 3"), ("data/texts.json", "[]")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", ["__init__.py", "nn/layer.py", "data/texts.json", "nn/new.py"])
def test_the_hash_of_a_folder_changes_with_every_file_in_it(folder: Path, name: str) -> None:
    before = hash_of_folder(folder)
    (folder / name).write_text("width = 4")
    assert hash_of_folder(folder) != before


def test_the_hash_of_a_folder_changes_with_names_and_not_with_compiled_python(folder: Path) -> None:
    before = hash_of_folder(folder)
    (folder / "nn" / "__pycache__").mkdir()
    (folder / "nn" / "__pycache__" / "layer.cpython-311.pyc").write_bytes(b"compiled")
    assert hash_of_folder(folder) == before
    (folder / "nn" / "layer.py").rename(folder / "nn" / "layers.py")
    assert hash_of_folder(folder) != before


@pytest.mark.parametrize("name", module.VERSIONED)
def test_the_versions_of_packages_are_part_of_the_foundation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = foundation()
    real = module.version
    monkeypatch.setattr(module, "version", lambda asked: "0.0" if asked == name else real(asked))
    assert foundation.__wrapped__() != before
    assert foundation() == before


def test_a_package_that_is_absent_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VERSIONED", ("no-such-package",))
    assert module._versions() == ["no-such-package absent"]
