"""What callers see of reports and packages."""

from enum import StrEnum
from pathlib import Path

from bilancio.errors import invalid
from bilancio.jobs.models import Job, View
from bilancio.validation import nearest


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MD = "md"


_OTHER_WORDS = {"markdown": Format.MD, "htm": Format.HTML}


def format_of(given: str) -> Format:
    """Return the format that is meant.

    Raises
    ------
    InvalidInput
    """
    word = str(given).strip().lower()
    known = [each.value for each in Format]
    if word in known:
        return Format(word)
    if word in _OTHER_WORDS:
        return _OTHER_WORDS[word]
    raise invalid("format", given, " or ".join(known), nearest(word, known))


class Report(View):
    """A report that was written.

    Attributes
    ----------
    reading
        How the name was read where it was not written exactly; else empty.
    path
        The file.
    """

    job: Job
    reading: str = ""
    format: Format
    path: Path


class Package(View):
    """A replication package that was written.

    Attributes
    ----------
    reading
        As in `Report`.
    path
        The folder, or the ZIP file.
    files
        What is in it, as paths from its folder.
    """

    job: Job
    reading: str = ""
    path: Path
    files: tuple[str, ...]
