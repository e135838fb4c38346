from __future__ import annotations

import os
from pathlib import Path

import pytest

from server.configuration import Configuration, ConfigurationError, checked, load

SECRET = "s" * 40
GOOD: dict[str, object] = {
    "secret": SECRET,
    "public_url": "http://127.0.0.1:2718",
    "database_url": "sqlite:////tmp/lab.sqlite",
}


@pytest.fixture(autouse=True)
def a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("MEMORY_LAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    file = tmp_path / "lab.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("name", ["secret", "public_url", "database_url"])
def test_what_is_missing_is_named_with_both_places_to_set_it(name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        checked({key: value for key, value in GOOD.items() if key != name})
    assert f"Set MEMORY_LAB_{name.upper()} or {name} in memory-lab.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret": "short"}, "secret: must have at least 32 characters"),
        ({"public_url": "lab.example.org"}, "public_url: must be an address like https://"),
        ({"public_url": "ftp://lab.example.org"}, "public_url: must be an address"),
        ({"public_url": "https://lab.example.org/class"}, "without a path"),
        ({"public_url": "https://me:pw@lab.example.org"}, "without a name"),
        ({"public_url": "http://lab.example.org"}, "must start with https://"),
        ({"public_url": "http://192.168.1.5:2718"}, "must start with https://"),
        ({"public_url": "https://lab.example.org"}, "TRUSTED_PROXIES"),
        ({"database_url": "not a url"}, "database_url: must look like sqlite:///"),
        ({"database_url": "mysql://u:hunter2@h/d"}, "database_url: must look like sqlite:///"),
        ({"database_url": "sqlite://"}, "database_url: must name a file"),
        ({"database_url": "sqlite:///:memory:"}, "database_url: must name a file"),
        ({"trusted_proxies": "10.0.0.0/8, example"}, "trusted_proxies: must be addresses or networks"),
        ({"trusted_proxies": 7}, "trusted_proxies: must be addresses or networks"),
        ({"listen_port": 0}, "listen_port"),
        ({"listen_host": "everywhere"}, "listen_host"),
        ({"listen_host": "0.0.0.0"}, "listen_host must be 127.0.0.1 while public_url starts with http://"),
        ({"secert": "x"}, "'secert' is not a setting"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        checked({**GOOD, **changes})
    sentence = str(refused.value)
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "hunter2" not in sentence


def test_no_secret_is_in_the_repr_or_in_an_error() -> None:
    url = "postgresql://lab:hunter2@db.example.org/lab"
    shown = repr(checked({**GOOD, "database_url": url}))
    assert SECRET not in shown
    assert "hunter2" not in shown
    with pytest.raises(ConfigurationError) as refused:
        checked({**GOOD, "secret": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f'{name} = "{value}"' for name, value in GOOD.items()]
    file = _file(tmp_path, "\n".join([*lines, "listen_port = 4000"]))
    assert load(file).listen_port == 4000
    monkeypatch.setenv("MEMORY_LAB_LISTEN_PORT", "5000")
    monkeypatch.setenv("MEMORY_LAB_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")
    loaded = load(file)
    assert loaded.listen_port == 5000
    assert [str(network) for network in loaded.trusted_proxies] == ["10.0.0.0/8", "127.0.0.1/32"]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    for mode in (0o640, 0o604, 0o660):
        with pytest.raises(ConfigurationError, match="chmod 600"):
            load(_file(tmp_path, "", mode))


@pytest.mark.parametrize(
    ("text", "words"), [("secret = ", "is not TOML"), ("secret: 'x'", "is not TOML"), ("a = 1", "'a' is not a setting")]
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(_file(tmp_path, text))


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is no file"):
        load(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:////a/b", "sqlite:"),
        ("postgresql://h/d", "postgresql+psycopg:"),
        ("postgres://h/d", "postgresql+psycopg:"),
    ],
)
def test_the_driver_is_chosen_by_us(given: str, driver: str) -> None:
    assert checked({**GOOD, "database_url": given}).database_url.get_secret_value().startswith(driver)


@pytest.mark.parametrize(("url", "secure"), [("http://localhost:1", False), ("https://Lab.example.org/", True)])
def test_the_public_address_has_one_form(url: str, secure: bool) -> None:
    loaded: Configuration = checked({**GOOD, "public_url": url, "trusted_proxies": ["127.0.0.1"]})
    assert loaded.secure is secure
    assert loaded.public_url == url.lower().rstrip("/")
