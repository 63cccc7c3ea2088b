"""Settings from the environment: BILANCIO_DATABASE_URL, BILANCIO_OUT_DIR and so on."""

from pathlib import Path

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bilancio.validation import explained

SQLITE_PREFIX = "sqlite:///"


def default_database_url() -> str:
    """Return the address of the store in the user's data folder, found from any folder."""
    return f"{SQLITE_PREFIX}{platformdirs.user_data_path('bilancio') / 'bilancio.db'}"


class Settings(BaseSettings):
    """Where bilancio keeps things; each field is an environment variable BILANCIO_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="BILANCIO_", frozen=True, extra="ignore")

    database_url: str = Field(
        default_factory=default_database_url,
        description="The store: sqlite:///PATH, or a plain path to a SQLite file.",
    )
    out_dir: Path = Field(
        default=Path("out/experiments"), description="Folder of the jobs' output folders."
    )
    workers: int = Field(
        default=0, ge=0, le=1024, description="Kernel threads of a worker; 0: one for each core."
    )
    lease_s: float = Field(
        default=30.0, ge=0.3, le=3600, description="Seconds that a silent worker keeps its job."
    )
    plugins: str = Field(
        default="",
        description="Experiments beside the built-in ones: 'module:object', separated by commas.",
    )


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    InvalidInput
        A variable's value is not allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise explained(error, Settings.model_json_schema(), within="BILANCIO settings") from None
