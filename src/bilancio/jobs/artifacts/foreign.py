"""A manifest as it is read: foreign input, since folders come with clones.

Nothing of a manifest is believed before it has passed one strict model: bounded in size and
depth, its counts agreeing with each other and with its sweep, its moments in the calendar.
"""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    ValidationError,
    model_validator,
)

from bilancio.encoding import MAX_BYTES, finite, from_json, to_json
from bilancio.errors import InvalidInput, Problem
from bilancio.executors import registry as executors
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig, legacy_digest
from bilancio.jobs.artifacts.folder import read_bytes
from bilancio.jobs.job_id import JobId, validate_job_id
from bilancio.jobs.models import JobStatus
from bilancio.jobs.texts import MAX_TAG, MAX_TAGS, MAX_TEXT
from bilancio.validation import explained

MAX_COUNT = 1 << 40
MAX_ERROR = 1 << 20
MAX_PROVENANCE = 64 << 10  # bytes of JSON
MAX_SUMMARY = 4 << 20
MAX_INTEGER = 1 << 63
FIRST_YEAR, LAST_YEAR = 1970, 2999
_PEEK_BYTES = 4096
_LEADING_NAME = re.compile(rb'\s*\{\s*"job_id"\s*:\s*"([a-z0-9-]{1,100})"')


def _calendar(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        message = f"a moment of the years {FIRST_YEAR} to {LAST_YEAR}"
        raise ValueError(message)
    return moment.astimezone(UTC)


def _no_nul(text: str) -> str:
    if "\0" in text:
        message = "text without NUL characters"
        raise ValueError(message)
    return text


def _bounded(value: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """Refuse what is too large, or holds numbers that no other program reads."""
    if len(to_json(value)) > max_bytes:
        message = f"at most {max_bytes >> 10} KiB of JSON"
        raise ValueError(message)
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, int) and not -MAX_INTEGER <= each < MAX_INTEGER:
            message = "whole numbers of at most 64 bits"
            raise ValueError(message)
    plain: dict[str, Any] = finite(value)
    return plain


Moment = Annotated[AwareDatetime, AfterValidator(_calendar)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_no_nul)]
Tag = Annotated[str, Field(min_length=1, max_length=MAX_TAG), AfterValidator(_no_nul)]
Error = Annotated[str, Field(max_length=MAX_ERROR), AfterValidator(_no_nul)]
ShortText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
Summary = Annotated[dict[str, Any], AfterValidator(lambda value: _bounded(value, MAX_SUMMARY))]
Provenance = Annotated[
    dict[str, Any], AfterValidator(lambda value: _bounded(value, MAX_PROVENANCE))
]


class ListedRun(BaseModel):
    """One run in a manifest."""

    model_config = ConfigDict(frozen=True, strict=True)

    run_id: Text
    status: Annotated[str, Field(pattern="^(completed|failed|pending)$")]


class Counts(BaseModel):
    """How many runs there are, by status."""

    model_config = ConfigDict(frozen=True, strict=True)

    total: Count
    completed: Count
    failed: Count
    pending: Count


class Manifest(BaseModel):
    """What is read back from a manifest; other entries are for people."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    job_id: str
    created_at: Moment
    completed_at: Moment | None
    status: JobStatus
    description: Text
    config: dict[str, Any]
    config_hash: ShortText
    engine: ShortText
    notes: Text = ""
    tags: Annotated[tuple[Tag, ...], Field(max_length=MAX_TAGS), FailFast()] = ()
    manual: bool = False
    attempts: Count = 0
    executor: ShortText = executors.DEFAULT
    owner: ShortText | None = None
    started_at: Moment | None = None
    error: Error | None = None
    runs: Annotated[tuple[ListedRun, ...], FailFast()] = ()
    run_counts: Counts
    runs_in_tables: Count | None = None
    summary: Summary | None = None
    provenance: Provenance = {}

    @model_validator(mode="after")
    def _tells_one_story(self) -> Self:
        validate_job_id(self.job_id)
        problems = [*_state_problems(self), *_count_problems(self)]
        if problems:
            raise InvalidInput(problems)
        return self


def _state_problems(manifest: Manifest) -> list[Problem]:
    status, moment = manifest.status, manifest.completed_at
    if status.ended == (moment is not None):
        return []
    allowed = f"a moment, for the job is {status}" if status.ended else f"null while {status}"
    return [Problem("completed_at", "null" if moment is None else str(moment), allowed)]


def _count_problems(manifest: Manifest) -> list[Problem]:
    """Return what does not add up; a manually started job records as many runs as it likes."""
    counts, status = manifest.run_counts, manifest.status
    done = f"{counts.completed} completed, {counts.failed} failed, {counts.pending} pending"
    if manifest.manual:
        return []
    if counts.completed + counts.failed + counts.pending != counts.total:
        return [Problem("run_counts", done, f"counts that add up to the total, {counts.total}")]
    if status is JobStatus.COMPLETED and counts.completed != counts.total:
        return [Problem("run_counts", done, "all runs completed, for the job is")]
    if status is JobStatus.PENDING and counts.pending != counts.total:
        return [Problem("run_counts", done, "all runs pending, for the job is")]
    listed = Counter(run.status for run in manifest.runs)
    told = {name: getattr(counts, name) for name in ("completed", "failed", "pending")}
    if manifest.runs and status.ended and any(listed[name] != told[name] for name in told):
        return [Problem("runs", f"{dict(listed)} beside {done}", "runs that agree with run_counts")]
    return []


def read_manifest(path: Path) -> Manifest:
    """Read the manifest at *path*.

    Raises
    ------
    InvalidInput
        It cannot be read, or is not a manifest; one sentence for each fault.
    """
    text = _text_of(path)
    try:
        data = from_json(text)
        if not isinstance(data, dict):
            message = "it is not a JSON object"
            raise ValueError(message)  # noqa: TRY004, TRY301 - said as the others are
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise explained(error, Manifest.model_json_schema(), within=str(path)) from None
    except InvalidInput:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise unreadable(path, str(error) or type(error).__name__) from None


def _text_of(path: Path) -> bytes:
    try:
        text = read_bytes(path, MAX_BYTES)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from None
    if len(text) > MAX_BYTES:
        raise unreadable(path, f"it is larger than {MAX_BYTES >> 20} MiB")
    return text


def unreadable(path: Path, reason: str) -> InvalidInput:
    """Return the error for a file that is not what its name says."""
    return InvalidInput([Problem(f"{path}: {reason}", "", "a file as bilancio wrote it")])


def name_in(path: Path) -> JobId | None:
    """Return the job that the manifest at *path* begins with, without reading all of it.

    None where it does not begin as bilancio's do; nothing else of it has been checked.
    """
    try:
        found = _LEADING_NAME.match(read_bytes(path, _PEEK_BYTES))
    except (OSError, ValueError):
        return None
    return JobId(found[1].decode()) if found else None


def checked_config(path: Path, manifest: Manifest) -> SweepConfig:
    """Return the sweep of *manifest*, checked, with the counts of runs that fit it.

    Raises
    ------
    InvalidInput
        It is not a sweep that can be checked here, or was changed after its hash was taken.
    """
    given = manifest.config
    config = registry.stored_configuration(given, within=str(path))
    if manifest.config_hash not in {config.digest(), legacy_digest(given)}:
        expected = f"{config.digest()}, the hash of its config"
        raise InvalidInput([Problem(f"{path}: config_hash", manifest.config_hash, expected)])
    total = manifest.run_counts.total
    grown = total > config.total_runs or (total < config.total_runs and not config.adaptive)
    if grown and not manifest.manual:
        expected = f"{config.total_runs}, the runs of its config"
        raise InvalidInput([Problem(f"{path}: run_counts.total", str(total), expected)])
    return config
