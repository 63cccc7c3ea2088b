"""Errors that a caller may want to catch.

BilancioError
├── InvalidInput          a value is wrong: change it (names field, value, what is allowed)
│   └── InvalidJobId      a job's name is malformed
├── JobNotFound           no such job: check the name
├── JobExists             the name is taken: choose another
├── JobStateError         the job's state does not allow this
├── ConfirmationNeeded    a large sweep starts only once somebody has agreed
├── RunAlreadyRecorded    a run has its results already
├── ResultsMissing        the results of single runs are not here
├── NothingToDraw         a picture would have nothing on it
├── LeaseLost             another worker has the job now: drop what you hold
├── ExecutorUnavailable   there is no executor of this name
├── ExecutorFailed        the executor cannot compute anything
├── TokenMissing          a service does not know who asks: get a token
├── ExperimentFailed      an experiment cannot say what its runs found
├── OutputError           an output folder or file cannot be written
├── NoticeNotDelivered    a receiver did not take a notice
├── LibraryMissing        an optional library is not installed
├── ManagerUnusable       a job manager was closed, forked or copied: create another
├── WorkerError           the worker could not be started, or ended badly
└── StoreError            the store cannot be used
    ├── NotAStore         the file is not a store of bilancio: name another
    ├── StoreTooNew       a newer bilancio wrote it: upgrade
    ├── StoreCorrupt      the file is damaged: restore
    │   └── JobDamaged    what is stored of one job is damaged; other jobs are not affected
    ├── StoreConflict     a write contradicts what is stored, and was refused
    └── StoreUnavailable  locked, full or unreachable: try again
        └── StoreUnreachable  its server does not answer

The same sentence is printed by the command line, raised in a notebook and read
by the model, so none names a command or a tool. Errors cross process
boundaries: each keeps its constructor's arguments in ``args`` and writes its
sentence in ``sentence``.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bilancio.installation import how_to_add
from bilancio.printable import escaped, shortened

MAX_SENTENCE = 5_000
MAX_PROBLEMS = 10
MAX_GOT, MAX_NAME, MAX_ALLOWED = 400, 200, 2_000
MAX_JOB = 80
_BRIEF = 60  # characters of each part of a sentence that has to be short
_SHOWN_ENTRIES = 8  # of a collection; of a longer one the first three and the last
_SHOWN_DEPTH = 3
_SHOWN_BITS = 200


class BilancioError(Exception):
    """Anything that bilancio reports to its caller on purpose.

    Its text is bounded, whatever it was made of, and free of control characters but line ends.
    """

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return " ".join(map(str, self.args))

    def __str__(self) -> str:
        lines = shortened(self.sentence(), MAX_SENTENCE).split("\n")
        return "\n".join(map(_line, lines))

    def within(self, limit: int) -> str:
        """Return its text in at most *limit* characters."""
        return shortened(str(self), limit)


class Problem(NamedTuple):
    """One wrong value: where it is, what it is, and what could stand there.

    Of an *unknown* field `allowed` lists those that are known.
    """

    field: str
    got: str
    allowed: str
    meant: str = ""
    unknown: bool = False

    def __str__(self) -> str:
        field, got = _line(ends(self.field, MAX_NAME)), _line(shortened(self.got, MAX_GOT))
        meant = _line(shortened(self.meant, MAX_GOT))
        allowed = shortened(self.allowed, MAX_ALLOWED)
        if self.unknown:
            known = f"nown fields: {allowed}." if allowed else ""
            if meant:
                return f"{field}: unknown field; did you mean {meant}?" + (known and f" K{known}")
            return f"{field}: unknown field" + (f"; k{known}" if known else ".")
        sentence = f"{field}: got {got}" if got else field
        sentence += f"; allowed: {_line(allowed)}." if allowed else "."
        return sentence + (f" Did you mean {meant}?" if meant else "")

    def within(self, limit: int) -> str:
        """Return its sentence in at most *limit* characters: what is allowed is cut first."""
        if len(str(self)) <= limit:
            return str(self)
        brief = self._replace(
            field=ends(self.field, _BRIEF),
            got=ends(self.got, _BRIEF),
            meant=ends(self.meant, _BRIEF),
        )
        over = len(str(brief)) - limit
        kept = max(min(len(self.allowed), MAX_ALLOWED) - over, _BRIEF)
        if over > 0:
            brief = brief._replace(allowed=shortened(self.allowed, kept))
        return shortened(str(brief), limit)


class InvalidInput(BilancioError, ValueError):
    """A value is wrong. Nothing was stored or started.

    Attributes
    ----------
    problems
        The first ones.
    omitted
        How many more there are at least.
    """

    def __init__(self, problems: Iterable[Problem], omitted: int = 0) -> None:
        found = [Problem(*problem) for problem in problems]
        self.problems = tuple(found[:MAX_PROBLEMS])
        self.omitted = omitted + len(found) - len(self.problems)
        super().__init__(self.problems, self.omitted)

    def sentence(self) -> str:
        """Return a sentence for each of the first problems, and how many more there are."""
        lines = [str(problem) for problem in self.problems]
        if self.omitted:
            lines.append(_more_problems(self.omitted))
        return "\n".join(lines)

    def within(self, limit: int) -> str:
        """Return the first sentences, and a count of the others, in at most *limit* characters."""
        if len(str(self)) <= limit:
            return str(self)
        lines: list[str] = []
        left, room = len(self.problems) + self.omitted, limit
        for problem in self.problems:
            tail = len(_more_problems(left - 1)) + 1 if left > 1 else 0
            line = str(problem) if lines else problem.within(room - tail)
            if len(line) + tail > room:
                break
            lines.append(line)
            left, room = left - 1, room - len(line) - 1
        return "\n".join([*lines, *([_more_problems(left)] if left else [])])


def _more_problems(number: int) -> str:
    return f"… and {number:,} more problem{'s' if number > 1 else ''}."


def invalid(field: str, got: object, allowed: str, meant: str = "") -> InvalidInput:
    """Return the error for one wrong value, shown as it was given."""
    return InvalidInput([Problem(field, shown(got), allowed, meant)])


def shown(value: object, limit: int = 200) -> str:
    """Return *value* as a sentence can hold it: text in quotes, long things by their ends.

    The work is bounded, too: of a long or deeply nested collection, or a number of a million
    digits, only what is shown is looked at.
    """
    return shortened(_sketch(value, limit, _SHOWN_DEPTH), limit)


def ends(text: str, limit: int) -> str:
    """Return *text*, of one that is longer than *limit* the beginning and the end."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}…{text[len(text) - limit // 2 :]}"


def _line(text: str) -> str:
    return escaped(text, one_line=True)


def _sketch(value: object, limit: int, depth: int) -> str:
    match value:
        case str() | bytes() | bytearray():
            return _quoted(value, limit)
        case bool() | None:
            return str(value)
        case int():
            return _whole_number(value)
        case Mapping() | list() | tuple() | set() | frozenset():
            return _collection(value, limit, depth)
    try:
        return _line(shortened(str(value), limit))
    except Exception:  # noqa: BLE001 - whatever the method of a foreign class may raise
        return f"a value of type {type(value).__name__}"


def _quoted(value: str | bytes | bytearray, limit: int) -> str:
    if len(value) <= limit:
        return repr(value)
    return f"{value[: limit // 2]!r}… ({len(value):,} characters)"


def _whole_number(value: int) -> str:
    bits = value.bit_length()
    return str(value) if bits <= _SHOWN_BITS else f"a number of about {bits * 3 // 10:,} digits"


def _collection(value: Any, limit: int, depth: int) -> str:
    opening, closing = (
        "[]" if isinstance(value, list) else "()" if isinstance(value, tuple) else "{}"
    )
    if not depth:
        return f"{opening}…{closing}"
    entries = _entries(value, limit, depth - 1)
    if len(value) <= _SHOWN_ENTRIES:
        return f"{opening}{', '.join(entries)}{closing}"
    first = ", ".join(itertools.islice(entries, 3))
    last = f" {_sketch(value[-1], limit, depth - 1)}" if isinstance(value, list | tuple) else ""
    return f"{opening}{first} …{last}{closing} ({len(value):,} values)"


def _entries(value: Any, limit: int, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield f"{_sketch(name, limit, depth)}: {_sketch(each, limit, depth)}"
    else:
        yield from (_sketch(each, limit, depth) for each in value)


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

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        if self.similar:
            sentence = (
                f"No job {shown(self.name, MAX_JOB)}. Did you mean {' or '.join(self.similar)}?"
            )
        else:
            sentence = f"No job {shown(self.name, MAX_JOB)}, and none with a name like it."
        return f"{sentence} {self.advice}".strip()


class JobExists(BilancioError):
    """The name is taken."""

    def __init__(self, job_id: str, description: str = "") -> None:
        super().__init__(job_id, description)
        self.job_id = job_id
        self.description = description

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        what = f" ({shown(self.description)})" if self.description else ""
        return (
            f"job_id: {shown(self.job_id, MAX_JOB)} names a job already{what}; "
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

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return f"Job {self.job_id} is {self.status} and cannot be {self.asked}. {self.advice}"


class ConfirmationNeeded(BilancioError):
    """A large sweep was not started, because nobody has agreed to it.

    Attributes
    ----------
    declined
        Whether somebody was asked.
    """

    def __init__(self, job_id: str, question: str, declined: bool = False) -> None:
        super().__init__(job_id, question, declined)
        self.job_id = job_id
        self.question = question
        self.declined = declined

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return f"{self.question} Nothing was started; job {self.job_id} stays as it is."


class RunAlreadyRecorded(BilancioError):
    """A run of this job has its results already, and other ones."""

    def __init__(self, job_id: str, run_id: str) -> None:
        super().__init__(job_id, run_id)
        self.job_id = job_id
        self.run_id = run_id

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return (
            f"run_id: job {self.job_id} has recorded {shown(self.run_id, MAX_JOB)} already, "
            "with other metrics; allowed: a run_id not recorded yet. The first results stay."
        )


class ResultsMissing(BilancioError):
    """The results of a job's single runs are not at hand."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(job_id, why)
        self.job_id = job_id
        self.why = why

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return f"Job {self.job_id} has no results of single runs here: {self.why}"


class NothingToDraw(BilancioError):
    """A picture would have nothing on it."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(job_id, why)
        self.job_id = job_id
        self.why = why

    def sentence(self) -> str:
        """Return why there is nothing."""
        return f"There is nothing to draw of job {self.job_id}: {self.why}"


class LeaseLost(BilancioError):
    """Another worker has the job now; what this one holds is stale."""

    def __init__(self, job_id: str, worker_id: str) -> None:
        super().__init__(job_id, worker_id)
        self.job_id = job_id
        self.worker_id = worker_id

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return f"Worker {self.worker_id} no longer holds job {self.job_id}; its write was refused."


class ExecutorUnavailable(BilancioError):
    """There is no executor of this name."""

    def __init__(self, executor: str, available: Sequence[str], meant: str = "") -> None:
        super().__init__(executor, tuple(available), meant)
        self.executor = executor
        self.available = tuple(available)
        self.meant = meant

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        allowed = ", ".join(self.available)
        problem = Problem("executor", shown(self.executor), allowed, self.meant)
        return f"{problem} Nothing was stored or started."


class ExecutorFailed(BilancioError):
    """An executor cannot compute at all, through no fault of a single run."""

    def __init__(self, executor: str, reason: str) -> None:
        super().__init__(executor, reason)
        self.executor = executor
        self.reason = reason

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return f"The {self.executor} executor cannot compute: {self.reason}."


class TokenMissing(BilancioError):
    """A service that computes for money does not know who asks."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service

    def sentence(self) -> str:
        """Return where a token was looked for, and how one is got."""
        name = self.service.lower()
        variables = f"{name.upper()}_TOKEN_ID and {name.upper()}_TOKEN_SECRET"
        return (
            f"{self.service} needs a token, and there is none in {variables} or ~/.{name}.toml. "
            f"`{name} token new` makes one and writes it there, or make one at "
            f"https://{name}.com/settings/tokens and set the variables. Nothing was stored or "
            "started."
        )


class ExperimentFailed(BilancioError):
    """A method of an experiment, other than computing runs, raised something."""

    def __init__(self, sweep_type: str, method: str, reason: str) -> None:
        super().__init__(sweep_type, method, reason)
        self.sweep_type = sweep_type
        self.method = method
        self.reason = reason

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return (
            f"The experiment {self.sweep_type} failed in {self.method} ({self.reason}). "
            "What its runs found is recorded."
        )


class OutputError(BilancioError):
    """An output folder or file cannot be written."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
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

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return f"The worker of job {self.job_id} failed: {self.reason}"


class LibraryMissing(BilancioError):
    """A library that only some questions need is not installed."""

    def __init__(
        self, library: str, reason: str = "", asker: str = "This", extra: str = "frames"
    ) -> None:
        super().__init__(library, reason, asker, extra)
        self.library = library
        self.reason = reason
        self.asker = asker
        self.extra = extra

    def sentence(self) -> str:
        """Return what is missing, and how it is installed."""
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"{self.asker} needs {self.library}, which cannot be imported{why}. Install it with "
            f"{how_to_add(self.extra)}."
        )


class NoticeNotDelivered(BilancioError):
    """A receiver did not take a notice.

    Attributes
    ----------
    reason
        A clause without address and password, such as ``it answered 500``.
    for_good
        Whether it has said that it takes none any more.
    """

    def __init__(self, reason: str, for_good: bool = False) -> None:
        super().__init__(reason, for_good)
        self.reason = reason
        self.for_good = for_good

    def sentence(self) -> str:
        """Return what happened."""
        return f"The notice was not delivered: {self.reason}."


class ManagerUnusable(BilancioError):
    """A job manager is asked something that it can never answer."""

    CLOSED = "it was closed"
    CLOSED_MEANWHILE = "it was closed while this call waited"
    FORKED = "it belongs to the process that forked this one"
    OWN_CALLBACK = "a call from its own callback would wait for itself"
    OTHER_LOOP = "it belongs to another event loop, which is still open"
    COPIED = "it holds an open store, which cannot be copied or sent to another process"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
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

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
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

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return (
            f"Job {self.job_id} is damaged in the store: {self.what}. Other jobs are not "
            "affected. Restore the store from a backup."
        )


class StoreConflict(StoreError):
    """A write contradicts what is stored; nothing was written."""

    def sentence(self) -> str:
        """Return what happened, and what can be done about it."""
        return f"The store {self.store} refused a write that contradicts it: {self.reason}"


class StoreUnavailable(StoreError):
    """The store is locked, full or unreachable at the moment."""


class StoreUnreachable(StoreUnavailable):
    """The server of the store does not answer; what was being written may be stored or not."""
