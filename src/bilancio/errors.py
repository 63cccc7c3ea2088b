"""Errors that a caller may want to catch.

BilancioError
├── InvalidInput          a value is wrong: change it (names field, value, what is allowed)
│   └── InvalidJobId      a job's name is malformed
├── JobNotFound           no such job: check the name
├── JobExists             the name is taken: choose another
├── JobStateError         the job's state does not allow this
├── RunAlreadyRecorded    a run has its results already
├── ResultsMissing        the results of single runs are not here
├── LeaseLost             another worker has the job now: drop what you hold
├── ExecutorUnavailable   the executor asked for is not installed
├── ExecutorFailed        the executor cannot compute anything
├── OutputError           an output folder or file cannot be written
├── ManagerUnusable       a job manager was closed, forked or copied: create another
├── WorkerError           the worker could not be started, or ended badly
└── StoreError            the store cannot be used
    ├── NotAStore         the file is no store of bilancio: name another
    ├── StoreTooNew       a newer bilancio wrote it: upgrade
    ├── StoreCorrupt      the file is damaged: restore
    │   └── JobDamaged    what is stored of one job is damaged; other jobs are not affected
    ├── StoreConflict     a write contradicts what is stored, and was refused
    └── StoreUnavailable  locked, full or unreachable: try again

The same sentence is printed by the command line, raised in a notebook and read
by the model, so none names a command. Errors cross process
boundaries: each keeps its constructor's arguments in ``args`` and writes its
sentence in ``__str__``.
"""

from collections.abc import Sequence
from typing import NamedTuple


class BilancioError(Exception):
    """Anything that bilancio reports to its caller on purpose."""


class Problem(NamedTuple):
    """One wrong value: where it is, what it is, and what could stand there."""

    field: str
    got: str
    allowed: str
    meant: str = ""

    def __str__(self) -> str:
        sentence = f"{self.field}: got {self.got}" if self.got else self.field
        sentence += f"; allowed: {self.allowed}." if self.allowed else "."
        return sentence + (f" Did you mean {self.meant}?" if self.meant else "")


class InvalidInput(BilancioError, ValueError):
    """A value is wrong. Nothing was stored or started."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(Problem(*problem) for problem in problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def invalid(field: str, got: object, allowed: str, meant: str = "") -> InvalidInput:
    """Return the error for one wrong value, shown as it was given."""
    return InvalidInput([Problem(field, shown(got), allowed, meant)])


def shown(value: object, limit: int = 200) -> str:
    """Return *value* as a sentence can hold it: text in quotes, long things cut."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


class InvalidJobId(InvalidInput):
    """A job's name is malformed."""

    def __init__(self, name: str, reason: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(
            [Problem("job_id", shown(name), reason, " or ".join(map(repr, suggestions)))]
        )
        self.args = (name, reason, tuple(suggestions))
        self.name = name
        self.reason = reason
        self.suggestions = tuple(suggestions)


class JobNotFound(BilancioError):
    """No job has this name."""

    def __init__(self, name: str, similar: Sequence[str] = (), advice: str = "") -> None:
        super().__init__(name, tuple(similar), advice)
        self.name = name
        self.similar = tuple(similar)
        self.advice = advice

    def __str__(self) -> str:
        if self.similar:
            sentence = f"No job {self.name!r}. Did you mean {' or '.join(self.similar)}?"
        else:
            sentence = f"No job {self.name!r}, and none with a name like it."
        return f"{sentence} {self.advice}".strip()


class JobExists(BilancioError):
    """The name is taken."""

    def __init__(self, job_id: str, description: str = "") -> None:
        super().__init__(job_id, description)
        self.job_id = job_id
        self.description = description

    def __str__(self) -> str:
        what = f" ({shown(self.description)})" if self.description else ""
        return (
            f"job_id: {self.job_id!r} names a job already{what}; "
            "allowed: a name that is free. Leave it out to have one drawn."
        )


class JobStateError(BilancioError):
    """The state that a job is in does not allow what was asked."""

    def __init__(self, job_id: str, status: str, asked: str, advice: str) -> None:
        super().__init__(job_id, status, asked, advice)
        self.job_id = job_id
        self.status = status
        self.asked = asked
        self.advice = advice

    def __str__(self) -> str:
        return f"Job {self.job_id} is {self.status} and cannot be {self.asked}. {self.advice}"


class RunAlreadyRecorded(BilancioError):
    """A run of this job has its results already, and other ones."""

    def __init__(self, job_id: str, run_id: str) -> None:
        super().__init__(job_id, run_id)
        self.job_id = job_id
        self.run_id = run_id

    def __str__(self) -> str:
        return (
            f"run_id: job {self.job_id} has recorded {self.run_id!r} already, with other metrics; "
            "allowed: a run_id not recorded yet. The first results stay."
        )


class ResultsMissing(BilancioError):
    """The results of a job's single runs are not at hand."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(job_id, why)
        self.job_id = job_id
        self.why = why

    def __str__(self) -> str:
        return f"Job {self.job_id} has no results of single runs here: {self.why}"


class LeaseLost(BilancioError):
    """The job belongs to somebody else now; what this worker holds is stale."""

    def __init__(self, job_id: str, worker_id: str) -> None:
        super().__init__(job_id, worker_id)
        self.job_id = job_id
        self.worker_id = worker_id

    def __str__(self) -> str:
        return f"Worker {self.worker_id} no longer holds job {self.job_id}; its write was refused."


class ExecutorUnavailable(BilancioError):
    """The executor asked for is not installed."""

    def __init__(self, executor: str, available: Sequence[str]) -> None:
        super().__init__(executor, tuple(available))
        self.executor = executor
        self.available = tuple(available)

    def __str__(self) -> str:
        asked = "cloud: got true" if self.executor == "modal" else f"executor: got {self.executor}"
        return (
            f"{asked}, but this installation has no {self.executor} executor; "
            f"allowed: {', '.join(self.available)}. Nothing was stored or started."
        )


class ExecutorFailed(BilancioError):
    """An executor cannot compute at all, through no fault of a single run."""

    def __init__(self, executor: str, reason: str) -> None:
        super().__init__(executor, reason)
        self.executor = executor
        self.reason = reason

    def __str__(self) -> str:
        return f"The {self.executor} executor cannot compute: {self.reason}."


class OutputError(BilancioError):
    """An output folder or file cannot be written."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"out_dir: {self.path} cannot be written ({self.reason}); "
            "allowed: a folder that exists or can be made, with permission to write."
        )


class WorkerError(BilancioError):
    """The worker process could not be started, or ended badly."""

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(job_id, reason)
        self.job_id = job_id
        self.reason = reason

    def __str__(self) -> str:
        return f"The worker of job {self.job_id} failed: {self.reason}"


class ManagerUnusable(BilancioError):
    """A job manager is asked something that it can never answer."""

    CLOSED = "it was closed"
    CLOSED_MEANWHILE = "it was closed while this call waited"
    FORKED = "it belongs to the process that forked this one"
    OWN_CALLBACK = "a call from its own callback would wait for itself"
    COPIED = "it holds an open store, which cannot be copied or sent to another process"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"This job manager cannot be used: {self.reason}. "
            "Create one where it is used, with the same store and output folder."
        )


class StoreError(BilancioError):
    """The store cannot be used as it is. Nothing in it was changed."""

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(store, reason)
        self.store = store
        self.reason = reason

    def __str__(self) -> str:
        return f"The store {self.store} cannot be used: {self.reason}"


class NotAStore(StoreError):
    """The file is something else, and stays as it is."""


class StoreTooNew(StoreError):
    """A newer version of bilancio wrote this store."""


class StoreCorrupt(StoreError):
    """The file is damaged."""


class JobDamaged(StoreCorrupt):
    """What is stored of one job is damaged; *what* is a clause that says where."""

    def __init__(self, job_id: str, what: str) -> None:
        super().__init__(job_id, what)
        self.job_id = job_id
        self.what = what

    def __str__(self) -> str:
        return (
            f"Job {self.job_id} is damaged in the store: {self.what}. Other jobs are not "
            "affected. Restore the store from a backup."
        )


class StoreConflict(StoreError):
    """A write contradicts what is stored; nothing was written."""

    def __str__(self) -> str:
        return f"The store {self.store} refused a write that contradicts it: {self.reason}"


class StoreUnavailable(StoreError):
    """The store is locked, full or unreachable at the moment."""
