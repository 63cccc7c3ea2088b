"""The texts of a replication package: its README, citation, versions and script."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from bilancio import machine
from bilancio.encoding import to_json
from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.registry import papers
from bilancio.experiments.sources import Sources, pinned
from bilancio.frames.markup import plain_text
from bilancio.jobs.models import Job
from bilancio.printable import escaped, shortened
from bilancio.report.page import Page
from bilancio.text import counts

MOST_TITLE = 200  # characters
VERSION = "1.2.0"  # of the Citation File Format
UNPUBLISHED = """\
# Of these exact versions one may be in no package index, such as a bilancio that was not released:
# delete its line, and install it from its source or its wheel.
"""


def readme(job: Job, page: Page, sources: Sources) -> str:
    """Return README.md."""
    known = {name: job.provenance.get(name) for name in machine.versions()}
    versions = ", ".join(f"{name} {version}" for name, version in known.items() if version)
    commit = job.provenance.get("git_commit")
    code = (
        "the experiment's own modules" if sources.files else "no code: the experiment is bilancio's"
    )
    return _template("README.md").format(
        job_id=job.job_id,
        description=plain_text(job.description),
        headline=plain_text(page.findings[0]),
        counted=counts(job).replace(f"{job.completed_runs:,} of ", "", 1),
        versions=versions + (f", started in a folder at git commit {commit}" if commit else ""),
        python=machine.python_version(),
        code=code,
    )


def named_authors(authors: Sequence[str]) -> list[dict[str, str]]:
    """Return authors as CITATION.cff has them: people by family and given names, others by one.

    Raises
    ------
    InvalidInput
        A name says nothing.
    """
    found = []
    for author in authors:
        family, comma, given = (
            escaped(part.strip(), one_line=True) for part in author.partition(",")
        )
        if not family or (comma and not given):
            raise InvalidInput([Problem("author", shown(author), '"Family, Given", or a name')])
        found.append({"family-names": family, "given-names": given} if comma else {"name": family})
    return found


def citation(job: Job, authors: Sequence[Mapping[str, str]]) -> str:
    """Return CITATION.cff; JSON's text is YAML's, too."""
    title = escaped(job.description, one_line=True) or job.job_id
    ended = job.completed_at or job.created_at
    return _template("CITATION.cff").format(
        version=VERSION,
        title=_quoted(shortened(f"{title} (job {job.job_id})", MOST_TITLE)),
        abstract=_quoted(escaped(job.notes or job.description, one_line=True)),
        authors=to_json([*authors] or [{"name": "Authors to be named"}]),
        date=_quoted(f"{ended:%Y-%m-%d}"),
        keywords=to_json([*map(_plain, job.tags), "bilancio", "simulation"]),
        bilancio=_quoted(machine.package_version("bilancio") or "unknown"),
        papers="".join(f"  - {to_json({**each})}\n" for each in papers(job.config.sweep_type)),
    )


def _plain(text: str) -> str:
    return escaped(text, one_line=True)


def _quoted(text: str) -> str:
    return to_json(text)


def _template(name: str) -> str:
    folder = files("bilancio.jobs.documents").joinpath("templates")
    return folder.joinpath(name).read_text("utf-8")


def script(job: Job) -> str:
    """Return replicate.sh."""
    text = _template("replicate.sh")
    return text.replace("@JOB@", job.job_id)  # letters, digits and hyphens


def environment(sources: Sources) -> dict[str, str]:
    """Return the files that say which versions there were, by name."""
    known = {**machine.versions(), "platform": machine.system(), "processor": machine.processor()}
    return {
        "requirements.txt": UNPUBLISHED
        + "".join(f"{each}\n" for each in pinned(sources.distributions)),
        "environment.json": to_json(known, indent=2) + "\n",
    }
