"""Which table a job's runs are written to: the setting BILANCIO_RUNS_FORMAT."""

import importlib
import importlib.util
import logging
from collections.abc import Collection
from pathlib import Path

from bilancio.errors import LibraryMissing
from bilancio.jobs.artifacts.folder import PARQUET, is_file
from bilancio.settings import Settings

Formats = Collection[str]  # of csv and parquet

log = logging.getLogger(__name__)
_ASKER = "BILANCIO_RUNS_FORMAT=parquet"


def refuse_missing_library(settings: Settings) -> None:
    """Refuse a job whose runs could not be written as the settings say.

    Raises
    ------
    LibraryMissing
        pyarrow is not installed.
    """
    # Importing it would take a tenth of a second of a process that does not write the table.
    if settings.runs_format == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise LibraryMissing("pyarrow", asker=_ASKER)


def formats_of(settings: Settings) -> Formats:
    """Return the format that the settings ask for, or CSV where that cannot be written here."""
    if settings.runs_format == "parquet" and not _can_write_parquet():
        log.warning("pyarrow cannot be imported here: runs.csv is written, not runs.parquet")
        return ("csv",)
    return (settings.runs_format,)


def exported_formats(settings: Settings, folder: Path, *, parquet: bool) -> Formats:
    """Return the formats that an export into *folder* has: CSV, and Parquet where it is wanted.

    It is wanted where it was asked for, by the settings too, and where there is one already, which
    may be of fewer runs.

    Raises
    ------
    LibraryMissing
        It was asked for, and pyarrow is not installed.
    """
    if parquet:
        importlib.import_module("bilancio.frames.arrow")  # before anything is written
    wanted = settings.runs_format == "parquet" or is_file(folder / PARQUET)
    return ("csv", "parquet") if parquet or (wanted and _can_write_parquet()) else ("csv",)


def _can_write_parquet() -> bool:
    try:
        importlib.import_module("bilancio.frames.arrow")
    except LibraryMissing:
        return False
    return True
