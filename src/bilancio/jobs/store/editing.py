"""Other words for a job."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bilancio.jobs.models import Job
from bilancio.jobs.texts import checked_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What changes of a job's words; what is None stays as it is.

    Attributes
    ----------
    tags
        All that it has then.
    add_tags, remove_tags
        Those that it gets besides, and loses.
    """

    description: str | None = None
    notes: str | None = None
    tags: Collection[str] | None = None
    add_tags: Collection[str] = ()
    remove_tags: Collection[str] = ()

    def of(self, job: Job) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the words that *job* has, and those that it is to have.

        Raises
        ------
        InvalidInput
            These are too many tags.
        """
        before = {"description": job.description, "notes": job.notes, "tags": list(job.tags)}
        kept = job.tags if self.tags is None else self.tags
        tags = dict.fromkeys([*kept, *self.add_tags])
        after = {
            "description": job.description if self.description is None else self.description,
            "notes": job.notes if self.notes is None else self.notes,
            "tags": [*checked_tags([tag for tag in tags if tag not in self.remove_tags])],
        }
        return before, after
