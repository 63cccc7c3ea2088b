"""Which jobs a list is asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from bilancio.encoding import to_json
from bilancio.jobs.clock import to_text
from bilancio.jobs.models import JobStatus
from bilancio.jobs.store.database import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What jobs have in common that are asked for; whatever is None or empty matches all.

    Attributes
    ----------
    status
        As it is recorded.
    among, apart_from
        Only jobs of these names; none of these.
    words
        Each stands in the name, the description, the notes or a tag, whatever its case.
    since, until
        Created at this moment or later; created before this one.
    min_runs
        At least so many runs.
    owner, login
        Created by this user of this machine, or under this login name on any: one of both is
        enough. A login name may have an @ of its own, a machine has none.
    varied
        All of these parameters differ between runs.
    """

    status: JobStatus | None = None
    among: Collection[str] | None = None
    apart_from: Collection[str] = ()
    sweep_type: str | None = None
    tag: str | None = None
    words: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    min_runs: int | None = None
    owner: str | None = None
    login: str | None = None
    varied: Collection[str] = ()

    def parameters(self) -> Mapping[str, Value]:
        """Return the parameters of the statements that ask for such jobs."""
        words = sorted((word.casefold() for word in self.words), key=len, reverse=True)
        varied = sorted((f" {name} " for name in self.varied), key=len, reverse=True)
        return {
            "status": self.status,
            "among": None if self.among is None else to_json(list(self.among)),
            "apart_from": to_json(list(self.apart_from)) if self.apart_from else None,
            "sweep_type": self.sweep_type,
            "tag": self.tag,
            "quoted_tag": None if self.tag is None else to_json(self.tag),
            "word": words[0] if words else None,
            "words": to_json(words),
            "since": None if self.since is None else to_text(self.since),
            "until": None if self.until is None else to_text(self.until),
            "min_runs": self.min_runs,
            "owner": self.owner,
            "login": None if self.login is None else f"{self.login}@",
            "parameter": varied[0] if varied else None,
            "varied": to_json(varied),
        }


EVERY_JOB = Criteria()
