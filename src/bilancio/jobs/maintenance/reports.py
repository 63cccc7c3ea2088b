"""What maintenance reports: diagnosis, verification, import, deletion, recovery."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, SerializeAsAny

from bilancio.jobs.models import Job, View


def _as_unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


#: Text in which names of files may stand: these are bytes, and what is not UTF-8 becomes "?".
Text = Annotated[str, BeforeValidator(_as_unicode)]


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # something is lost or does not work
    WARNING = "warning"  # something is wrong and can be repaired
    INFO = "info"  # worth knowing; nothing is wrong


class Finding(View):
    """One thing that the doctor found.

    Attributes
    ----------
    message
        What is wrong, in a sentence.
    repair
        What to do about it.
    job_id
        The job concerned; None where it is the whole store or the machine.
    """

    severity: Severity
    message: Text
    repair: Text
    job_id: str | None = None


class Diagnosis(View):
    """What the doctor looked at and found.

    Attributes
    ----------
    checked
        What was looked at, each in a few words with how much of it there was.
    findings
        What was found and is not repaired.
    repaired
        Messages of the findings that were repaired, where that was asked for.
    """

    store: Text
    checked: tuple[Text, ...]
    findings: tuple[Finding, ...]
    repaired: tuple[Text, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong; information does not count."""
        return all(finding.severity is Severity.INFO for finding in self.findings)


class Difference(View):
    """A run whose results differ from the stored ones.

    Attributes
    ----------
    metrics
        Name → stored and computed value, of the metrics that differ.
    error
        Why it could not be computed again; None where it could.
    """

    run_id: str
    index: int
    metrics: dict[str, tuple[float, float]]
    error: str | None = None


class Verification(View):
    """Runs that were computed again and compared with the stored ones, bit by bit.

    Attributes
    ----------
    recorded_runs, checked_runs, differing_runs
        How many have results, how many of these were computed again, how many differ.
    differences
        The first of those that differ.
    stored_versions, versions
        Versions that computed the stored results, and those of this installation.
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
        """Whether every run agrees with the store."""
        return self.differing_runs == 0


class Deletion(View):
    """What deleting a job removed.

    Attributes
    ----------
    removed
        Files that were removed.
    left
        What else is in the job's folder, and stays.
    """

    job_id: str
    folder: Path
    removed: tuple[Text, ...]
    left: tuple[Text, ...]


class Imported(View):
    """What importing manifests did.

    Attributes
    ----------
    jobs
        Those that were added to the store.
    updated
        Those that the store had with less of their results than their files tell.
    already_there
        Those that the store had, with the same configuration; nothing was changed.
    refused
        Path → why.
    left_out
        Damaged tables beside manifests, whose jobs are known without them: path → why.
    """

    jobs: tuple[SerializeAsAny[Job], ...]
    updated: tuple[SerializeAsAny[Job], ...]
    already_there: tuple[SerializeAsAny[Job], ...]
    refused: dict[Text, Text]
    left_out: dict[Text, Text]


class Copied(View):
    """What copying a store did.

    Attributes
    ----------
    store
        The address of the other store, without its password.
    copied
        Jobs that were copied, oldest first.
    already_there
        Jobs that the other store had.
    """

    store: str
    copied: tuple[str, ...]
    already_there: tuple[str, ...]


class Recovery(View):
    """What recovering one stalled job did.

    Attributes
    ----------
    action
        `recovered`, `already running` where another process was faster, or `refused`.
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
