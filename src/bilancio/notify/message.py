"""What a notice says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notice, as plain data without links.

    Attributes
    ----------
    id
        What it is about: the same in every try, so that a receiver can tell a second one.
        Letters, digits, ``-`` and ``_``.
    what
        The kind of event, as ``job.completed``.
    moment
        When that happened.
    title
        One line of text.
    text
        A few lines of text that begin with what matters most.
    facts
        The same for programs, as JSON holds it.
    """

    id: str
    what: str
    moment: datetime
    title: str
    text: str
    facts: Mapping[str, Any]
