"""Settings from the environment: BILANCIO_DATABASE_URL, BILANCIO_OUT_DIR and so on."""

import os
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bilancio.errors import invalid
from bilancio.validation import explained

DEFAULT_EXECUTOR = "local"
SQLITE_PREFIX = "sqlite:///"

RunsFormat = Literal["csv", "parquet"]

_VARIABLES = "bilancio_"
_WHOLE = "BILANCIO settings"

_FALSE = {"", "0", "false", "f", "no", "n", "off"}
_SECRET = re.compile(
    r"""((?:pass|pwd|secret|token)\w*\s*=\s*)('(?:[^'\\]|\\.)*'?|"[^"]*"?|[^&;\s]*)""",
    re.IGNORECASE,
)


def default_database_url() -> str:
    """Return the address of the store in the user's data folder, found from any folder."""
    folder = _of_user(platformdirs.user_data_path, "BILANCIO_DATABASE_URL")
    return f"{SQLITE_PREFIX}{folder / 'bilancio.db'}"


def _of_user(find: Callable[[str], Path], instead: str) -> Path:
    """Return one of the user's folders; the error names *instead*, the variable that sets it."""
    try:
        folder = find("bilancio")
    except RuntimeError:  # no HOME, and no such user: a container that is run under a number
        folder = None
    if folder is None or not folder.is_absolute():  # as platformdirs before 4.14 answers then
        allowed = f"the absolute path of your home folder, unless {instead} is set"
        raise invalid("HOME", os.environ.get("HOME", ""), allowed)
    return folder


def redact_url(url: str) -> str:
    """Return a database address as it may be shown: *** stands for its password.

    Cuts more rather than less where the address is malformed. Paths of files stay as they are.
    """
    shown = _SECRET.sub(r"\1***", url)
    if shown.startswith(("/", ".", "~", SQLITE_PREFIX)):
        return shown
    if "@" not in shown:  # what stands where a port belongs may be a password without its host
        return re.sub(r"(://[^/:]*:)(?!\d*(?:[/?]|$))[^/?]*", r"\1***", shown)
    scheme = re.match(r"[\w+.-]+:/{1,2}|[\w+.-]*sql\w*:", shown, re.IGNORECASE)
    start = scheme.end() if scheme else 0
    credentials, _, place = shown[start:].rpartition("@")
    user, colon, _ = credentials.partition(":")
    return f"{shown[:start]}{user}{':***' if colon else ''}@{place}"


def redact_targets(given: str) -> str:
    """Return the targets of notices as they may be shown: names, and *** for addresses."""
    return " ".join(f"{name}=***" for name in re.findall(r"(\S+?)=\S*", given))


def _hidden(given: str) -> str:
    return given and "***"


#: How settings that hold passwords are shown.
_REDACTED = {
    "database_url": redact_url,
    "notify": redact_targets,
    "notify_secret": _hidden,
    "token": _hidden,
}


class Settings(BaseModel):
    """Where bilancio keeps things; each field is an environment variable BILANCIO_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    database_url: str = Field(
        default_factory=default_database_url,
        description="The store: sqlite:///PATH, the path of a SQLite file, or postgresql://…",
    )
    out_dir: Path = Field(
        default=Path("out/experiments"), description="Folder of the jobs' output folders."
    )
    workers: int = Field(
        default=0, ge=0, le=1024, description="Kernel threads of a worker; 0: one for each core."
    )
    executor: str = Field(
        default=DEFAULT_EXECUTOR, description="Where jobs compute: local, dask, or modal."
    )
    dask_address: str = Field(
        default="", description="The Dask scheduler of the executor dask: tcp://HOST:PORT."
    )
    modal_containers: int = Field(
        default=32, ge=1, le=1000, description="Containers of Modal that compute at a time."
    )
    lease_s: float = Field(
        default=30.0, ge=0.3, le=3600, description="Seconds that a silent worker keeps its job."
    )
    runs_format: RunsFormat = Field(
        default="csv", description="Table of a job's runs: csv, or parquet, which needs pyarrow."
    )
    confirm_runs: int = Field(
        default=10**6, ge=0, description="Runs above which a sweep asks before it starts; 0: never."
    )
    confirm_seconds: float = Field(
        default=3600.0,
        ge=0,
        description="Estimated seconds above which a sweep asks before it starts; 0: never.",
    )
    confirm_dollars: float = Field(
        default=5.0,
        ge=0,
        description="Estimated cost above which a sweep asks before it starts on Modal; 0: never.",
    )
    experiments: str = Field(
        default="",
        description="Modules with experiments, or 'module:function', separated by commas.",
    )
    plugins: str = Field(
        default="",
        description="Objects that are experiments: 'module:object', separated by commas.",
    )

    cache_dir: Path | None = Field(
        default=None,
        description="Folder of the compiled engine. Default: the user's cache folder.",
    )
    notify: str = Field(
        default="",
        description="Where notices go: NAME=ADDRESS, separated by spaces.",
    )
    notify_secret: str = Field(
        default="", description="What webhooks are signed with: whsec_ and bytes in base64."
    )
    notify_allow_private: bool = Field(
        default=False, description="Send webhooks to this machine and private networks, too."
    )
    report: bool = Field(default=False, description="Write report.html at the end of each job.")
    token: str = Field(
        default="",
        description="What a browser or program has to bring to `bilancio serve`. Default: random.",
    )
    debug: bool = Field(
        default=False, description="Show the traceback of an unexpected error on the command line."
    )

    @field_validator("cache_dir", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @field_validator("runs_format", mode="before")
    @classmethod
    def _empty_is_csv(cls, value: object) -> object:
        return value or "csv"

    @field_validator("executor", mode="before")
    @classmethod
    def _empty_is_local(cls, value: object) -> object:
        return value or DEFAULT_EXECUTOR

    @field_validator("debug", "report", "notify_allow_private", mode="before")
    @classmethod
    def _empty_is_false(cls, value: object) -> object:
        return value or False

    def as_environment(self) -> dict[str, str]:
        """Return the variables that give a worker these settings, without the server's token."""
        given = self.model_dump(exclude_none=True) | {"token": ""}
        return {f"BILANCIO_{name.upper()}": str(value) for name, value in given.items()}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield what the settings' repr shows, without passwords."""
        for name, value in super().__repr_args__():
            yield name, _REDACTED[name](value) if name in _REDACTED else value


def cache_dir() -> Path:
    """Return the folder in which the compiled engine is kept.

    Other variables are not read: a wrong one must not keep a run from being computed.

    Raises
    ------
    InvalidInput
        It follows from none, as the user has no home.
    """
    given = os.environ.get("BILANCIO_CACHE_DIR")
    return Path(given) if given else _of_user(platformdirs.user_cache_path, "BILANCIO_CACHE_DIR")


def state_dir() -> Path:
    """Return the folder of this user for what was seen last, which may be lost.

    Raises
    ------
    InvalidInput
        The user has no home.
    """
    return _of_user(platformdirs.user_state_path, "XDG_STATE_HOME")


def runtime_dir() -> Path:
    """Return the folder of this user on this machine for what no longer lasts than it is up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a folder that is not the user's it takes another
        return platformdirs.user_runtime_path("bilancio")


def debugging() -> bool:
    """Return whether tracebacks are wanted, whatever other variables hold."""
    return os.environ.get("BILANCIO_DEBUG", "").strip().lower() not in _FALSE


def variable_of(field: str) -> str:
    """Return the environment variable that a problem with the settings is about."""
    name = field.removeprefix(f"{_WHOLE}.")
    return field if name == field else f"{_VARIABLES}{name}".upper()


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    InvalidInput
        A variable's value is not allowed.
    """
    given = {name.lower(): value for name, value in os.environ.items()}
    try:
        return Settings.model_validate(
            {
                name.removeprefix(_VARIABLES): value
                for name, value in given.items()
                if name.startswith(_VARIABLES)
            }
        )
    except ValidationError as error:
        raise explained(error, Settings.model_json_schema(), within=_WHOLE) from None
