"""What a report says: plain data under names that say what they are. Loads no outside library."""

from dataclasses import dataclass, field

from bilancio.frames.markup import Column

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture.

    Attributes
    ----------
    svg
        As `drawing.svg` returns it.
    sentence
        What one sees on it.
    """

    svg: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under named columns.

    Attributes
    ----------
    note
        What is to be known of it, rows that are left out for instance.
    """

    title: str
    columns: tuple[Column, ...]
    note: str = ""

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells, row by row."""
        return list(zip(*(column.cells for column in self.columns), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something to type, and what it does."""

    what: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A job in words, pictures and tables.

    Attributes
    ----------
    name
        Of the job.
    mark
        A comment that says whose it is.
    state
        How far the job is, in a word or two.
    findings
        Sentences, the headline first.
    warnings
        What to know before drawing conclusions, a sentence each.
    figures, figures_note
        Pictures, and why there are none or not all.
    asked, defaults
        Parameters that differ from their defaults, and the others.
    failures
        Runs that failed; None where there are none.
    provenance
        What the results depend on beside the parameters, and when they were computed.
    written
        When the report was written.
    """

    name: str
    mark: str
    state: str
    description: str
    notes: str
    tags: tuple[str, ...]
    findings: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    figures_note: str = ""
    tables: tuple[Table, ...] = ()
    design: Facts = ()
    asked: Facts = ()
    defaults: Facts = ()
    failures: Table | None = None
    provenance: Facts = ()
    commands: tuple[Command, ...] = ()
    files: Facts = field(default=())
    written: str
