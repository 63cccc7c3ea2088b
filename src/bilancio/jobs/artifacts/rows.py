"""The row of the store that a manifest comes to."""

from pathlib import Path
from typing import Any

from bilancio.encoding import to_json
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.artifacts.foreign import Manifest
from bilancio.jobs.clock import to_text
from bilancio.jobs.store.base import varied_column, words_column


def row_of(
    path: Path,
    manifest: Manifest,
    config: SweepConfig,
    *,
    completed: int,
    failed: int,
    unread: bool = False,
) -> dict[str, Any]:
    """Return the columns of the row of the manifest's job.

    Parameters
    ----------
    completed, failed
        How many runs it has.
    unread
        Whether its runs are still to be read, from the folder of the manifest.
    """
    return {
        "job_id": manifest.job_id,
        "created_at": to_text(manifest.created_at),
        "status": manifest.status,
        "description": manifest.description,
        "notes": manifest.notes,
        "tags": to_json(manifest.tags),
        "words": words_column(manifest.job_id, manifest.description, manifest.notes, manifest.tags),
        "sweep_type": config.sweep_type,
        "config": to_json(config.as_dict()),
        "config_hash": config.digest(),
        "varied": varied_column(config),
        "engine": manifest.engine,
        "out_dir": str(path.parent.parent),
        "total_runs": config.total_runs,
        "completed_runs": completed,
        "failed_runs": failed,
        "work": config.cost,
        "manual": int(manifest.manual),
        "attempts": manifest.attempts,
        "started_at": to_text(manifest.started_at) if manifest.started_at else None,
        "completed_at": to_text(manifest.completed_at) if manifest.completed_at else None,
        "error": manifest.error,
        "summary": None if manifest.summary is None else to_json(manifest.summary),
        "executor": manifest.executor,
        "provenance": to_json(manifest.provenance),
        "unread": str(path) if unread else None,
        "owner": manifest.owner,
    }
