"""Jobs: sweeps under memorable names, kept in a store, carried out by workers."""

from bilancio.jobs.job_id import JobId, generate_job_id, validate_job_id
from bilancio.jobs.manager import AsyncJobManager, JobManager, create_job
from bilancio.jobs.models import Job, JobConfig, JobEvent, JobStatus

__all__ = [
    "AsyncJobManager",
    "Job",
    "JobConfig",
    "JobEvent",
    "JobId",
    "JobManager",
    "JobStatus",
    "create_job",
    "generate_job_id",
    "validate_job_id",
]
