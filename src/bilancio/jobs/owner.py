"""Who has created a job: a login name and a machine, which is not to say who carries it out."""

from bilancio import machine
from bilancio.jobs.models import Job
from bilancio.printable import escaped, shortened

ME = "me"


def present_user() -> str:
    """Return the login name of this process as it stands in owners; any name can be stored."""
    return escaped(machine.user(), one_line=True)


def present_owner() -> str:
    """Return who creates jobs in this process, as ``anna@laptop``."""
    return shortened(f"{present_user()}@{escaped(machine.host(), one_line=True)}")


def others(job: Job) -> str:
    """Return who has created a job under another login name; empty where nobody has."""
    owner = job.owner or ""
    return "" if owner.rpartition("@")[0] == present_user() else owner
