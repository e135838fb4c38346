"""What a classroom is started with: environment variables and one file, checked before anything is opened.

Every value may stand in the file (TOML, readable by its owner alone) or in an environment variable named
`MEMORY_LAB_` and the field; the environment wins. A value that is missing or cannot be used is a `ConfigurationError`:
one sentence that says what to set, and never what a secret was set to.
"""

from __future__ import annotations

import os
import tomllib
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "MEMORY_LAB_"
FILE_NAME = "memory-lab.toml"
SECRET_LENGTH = 32
"""The least length of the secret, in characters: 43 of those that `init` draws hold 256 bits."""

DATABASES = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""The databases this can use, and the driver for each."""


class ConfigurationError(ValueError):
    """Something is missing or cannot be used; the message is one sentence for whoever starts the server."""


class Configuration(BaseSettings):
    """Everything a classroom needs to start.

    Attributes:
        secret: the key that form tokens and personal codes are protected with.
        public_url: where learners reach the server, without a path.
        database_url: `sqlite:///FILE` or `postgresql://...`.
        trusted_proxies: networks whose forwarded client addresses are believed.
        listen_host, listen_port: where the server itself listens.
        results_directory, results_mib: where results of runs are kept, and how much they may take.
        run_workers: processes that compute runs; one for each core if left out.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", hide_input_in_errors=True, frozen=True)

    secret: SecretStr
    public_url: str
    database_url: SecretStr
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    listen_host: IPv4Address | IPv6Address = IPv4Address("127.0.0.1")
    listen_port: int = Field(default=2718, ge=1, le=65535)
    results_directory: Path = Field(default_factory=lambda: _cache_directory() / "results")
    results_mib: int = Field(default=512, ge=16, le=1_000_000)
    run_workers: int | None = Field(default=None, ge=1, le=64)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < SECRET_LENGTH:
            raise ValueError(f"must have at least {SECRET_LENGTH} characters; `python -m server init` draws one")
        return secret

    @field_validator("public_url")
    @classmethod
    def _a_plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must be an address like https://lab.example.org, without a path")
        if parts.username is not None or parts.fragment:
            raise ValueError("must be an address like https://lab.example.org, without a name or a fragment")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("must start with https://, because cookies over plain http can be read on the way")
        # As browsers write it in Origin and Host: in small letters, and without the port that goes without saying.
        usual = {"http": ":80", "https": ":443"}[parts.scheme]
        return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"

    @field_validator("database_url")
    @classmethod
    def _a_known_database(cls, secret: SecretStr) -> SecretStr:
        try:
            url = make_url(secret.get_secret_value())
        except ArgumentError:
            url = None
        driver = DATABASES.get(url.get_backend_name()) if url is not None else None
        if url is None or driver is None:
            raise ValueError("must look like sqlite:////var/lib/memory-lab/lab.sqlite or postgresql://user@host/name")
        if driver == "sqlite" and url.database in (None, "", ":memory:"):
            raise ValueError("must name a file, like sqlite:////var/lib/memory-lab/lab.sqlite")
        return SecretStr(url.set(drivername=driver).render_as_string(hide_password=False))

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, words: object) -> object:
        listed = [word.strip() for word in words.split(",") if word.strip()] if isinstance(words, str) else words
        if not isinstance(listed, list | tuple) or not all(_is_network(word) for word in listed):
            raise ValueError("must be addresses or networks, like 127.0.0.1 or 10.0.0.0/8")
        return listed

    @model_validator(mode="after")
    def _reached_only_as_meant(self) -> Configuration:
        if not self.secure and not self.listen_host.is_loopback:
            raise ValueError("listen_host must be 127.0.0.1 while public_url starts with http://")
        if self.secure and not self.trusted_proxies:
            raise ValueError(
                f"{PREFIX}TRUSTED_PROXIES (or trusted_proxies in the file) must name the proxy that serves "
                f"{self.public_url}, like 127.0.0.1"
            )
        return self

    @property
    def secure(self) -> bool:
        """Whether learners come over https, so that cookies may be marked for it."""
        return self.public_url.startswith("https://")


def load(file: Path | None) -> Configuration:
    """Read the configuration.

    Args:
        file: the file to read; None reads `memory-lab.toml` in the working directory if it is there.

    Raises:
        ConfigurationError: something is missing, cannot be used, or lies open to other users.
    """
    return checked(_read(file or Path(FILE_NAME), must_exist=file is not None))


def checked(values: dict[str, Any]) -> Configuration:
    """Return these values, with those of the environment before them, as a configuration.

    Raises:
        ConfigurationError: something is missing or cannot be used.
    """
    try:
        return Configuration(**values)
    except ValidationError as error:
        raise ConfigurationError(_sentence(error)) from None


def _read(file: Path, must_exist: bool) -> dict[str, Any]:
    try:
        mode = file.stat().st_mode
        if mode & 0o077:
            raise ConfigurationError(f"{file} holds the secret and other users can read it; run chmod 600 {file}.")
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise ConfigurationError(f"There is no file {file}; `python -m server init` makes one.") from None
        return {}
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # The parser's message names a line and a column, never what stands there.
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise ConfigurationError(f"{file} is not TOML: {where}.") from None


def _sentence(error: ValidationError) -> str:
    # A name that is none is most often the misspelt one of a value that is then missing: say it first.
    errors = error.errors(include_input=False, include_url=False, include_context=False)
    first = min(errors, key=lambda found: found["type"] != "extra_forbidden")
    name = str(first["loc"][0]) if first["loc"] else ""
    words = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"Set {PREFIX}{name.upper()} or {name} in {FILE_NAME}; `python -m server init` makes a working file."
    if first["type"] == "extra_forbidden":
        return f"{name!r} is not a setting; there are {', '.join(Configuration.model_fields)}."
    return f"{name}: {words}." if name else f"{words}."


def _cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "memory-lab"


def _is_network(word: object) -> bool:
    try:
        ip_network(str(word))
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
