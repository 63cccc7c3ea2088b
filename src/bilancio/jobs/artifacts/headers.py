"""Jobs read back from their manifest alone: what a listing shows, at the cost of one small file.

The tables beside a manifest may hold a million runs; they are read when somebody asks for these.
"""

from pathlib import Path

from bilancio.jobs.artifacts.foreign import checked_config, read_manifest
from bilancio.jobs.artifacts.rows import row_of
from bilancio.jobs.models import JobStatus
from bilancio.jobs.store import ReadJob


def read_header(path: Path) -> ReadJob:
    """Return the job of the manifest at *path*, its runs unread; whole where they are needed.

    The ids of runs that were recorded manually are in their table only, and those of a job that
    has not begun are none.

    Raises
    ------
    InvalidInput
        The manifest cannot be read, or its sweep cannot be checked here; as `read_whole`, where
        its runs were recorded manually.
    """
    manifest = read_manifest(path)
    if manifest.manual:
        return read_whole(path)
    config, counts = checked_config(path, manifest), manifest.run_counts
    row = row_of(
        path,
        manifest,
        config,
        completed=counts.completed,
        failed=counts.failed,
        unread=manifest.status is not JobStatus.PENDING,
    )
    return ReadJob(row, (), {})


def read_whole(path: Path) -> ReadJob:
    """Return the job of the manifest at *path* with its runs; see `importing.read_job`."""
    from bilancio.jobs.artifacts.importing import read_job  # numpy, which a listing does not need

    return read_job(path)
