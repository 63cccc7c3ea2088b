"""What keeping jobs in order reports: doctor, verification, import, deletion, recovery."""

from enum import StrEnum
from pathlib import Path

from pydantic import SerializeAsAny

from bilancio.jobs.models import Job, View


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # something is lost or does not work
    WARNING = "warning"  # something is not as it should be, and can be put right
    NOTE = "note"  # worth knowing; nothing is wrong


class Finding(View):
    """One thing that the doctor found.

    Attributes
    ----------
    what
        What is wrong, in a sentence.
    repair
        What to do about it.
    job_id
        The job that it concerns; None where it concerns the whole store.
    """

    severity: Severity
    what: str
    repair: str
    job_id: str | None = None


class Diagnosis(View):
    """What the doctor looked at and found.

    Attributes
    ----------
    checked
        What was looked at, each in a few words with how much of it there was.
    findings
        What was found and is still so.
    repaired
        What was put right, where that was asked for.
    """

    store: str
    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    repaired: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong; what is but worth knowing does not count."""
        return all(finding.severity is Severity.NOTE for finding in self.findings)


class Difference(View):
    """A run that did not come out as it is stored.

    Attributes
    ----------
    metrics
        Name → stored and computed value, of those that differ.
    error
        Why it could not be computed again; None where it could.
    """

    run_id: str
    index: int
    metrics: dict[str, tuple[float, float]]
    error: str | None = None


class Verification(View):
    """Runs that were computed again and compared with what is stored, bit by bit.

    Attributes
    ----------
    recorded_runs, checked_runs, differing_runs
        How many have results, how many of them were computed again, how many differ.
    differences
        The first of those that differ.
    stored_versions, versions
        What the results were computed with, and what they were computed with again.
    """

    job_id: str
    recorded_runs: int
    checked_runs: int
    differing_runs: int
    differences: tuple[Difference, ...]
    stored_versions: dict[str, str | None]
    versions: dict[str, str | None]

    @property
    def same(self) -> bool:
        """Whether every run came out as it is stored."""
        return self.differing_runs == 0


class Deletion(View):
    """What deleting a job removed.

    Attributes
    ----------
    removed
        Files that were removed.
    left
        What else there was in the job's folder, and stays.
    """

    job_id: str
    folder: Path
    removed: tuple[str, ...]
    left: tuple[str, ...]


class Imported(View):
    """What became of manifests that were to be imported.

    Attributes
    ----------
    jobs
        Those that are in the store now and were not before.
    already_there
        Those that were in the store, with the same configuration; nothing was changed.
    refused
        Path → why.
    """

    jobs: tuple[SerializeAsAny[Job], ...]
    already_there: tuple[SerializeAsAny[Job], ...]
    refused: dict[str, str]


class Recovery(View):
    """What became of one stalled job.

    Attributes
    ----------
    action
        `recovered`, `already running` where somebody else was faster, or `refused`.
    state
        The job's state in the end.
    reason
        Why it was refused, or why it has not completed.
    """

    job_id: str
    action: str
    state: str
    completed_runs: int
    total_runs: int
    reason: str | None = None
