"""A report as Markdown, for the appendix of a paper: words and tables."""

from collections.abc import Iterable, Iterator

from bilancio.frames.markup import Column, plain_text, table_of
from bilancio.report.page import Command, Facts, Page, Table


def markdown(page: Page) -> str:
    """Return a report as GitHub's Markdown has it, without pictures."""
    return "\n".join([page.mark, "", *_lines(page)]).rstrip() + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield from (f"# {plain_text(page.name)}", "")
    for text in (page.description, page.notes):
        yield from _paragraphs(text)
    if page.tags:
        yield from (f"Tags: {plain_text(', '.join(page.tags))}.", "")
    yield from ("## Findings", "")
    for text in page.findings:
        yield from _paragraphs(text)
    if page.warnings:
        yield from (*(f"- {plain_text(each)}" for each in page.warnings), "")
    yield from _tables("## Tables", page.tables)
    yield from _tables("## Failed runs", [page.failures] if page.failures else [])
    yield from ("## Design", "", *_facts("", page.design))
    yield from _facts("Parameters that differ from their defaults:", page.asked)
    yield from _facts("Parameters at their defaults:", page.defaults)
    yield from ("## Provenance", "", *_facts("", page.provenance))
    yield from ("## Run it again", "", *_commands(page.commands))
    yield f"Written by bilancio, {page.written}."


def _paragraphs(text: str) -> Iterator[str]:
    for part in filter(None, (each.strip() for each in text.split("\n"))):
        yield from (plain_text(part), "")


def _tables(heading: str, tables: Iterable[Table]) -> Iterator[str]:
    for place, table in enumerate(tables):
        yield from ((heading, "") if not place else ())
        yield from (f"{plain_text(table.title)}:", "", table_of(table.columns))
        yield from ((plain_text(table.note), "") if table.note else ())


def _facts(said: str, pairs: Facts) -> Iterator[str]:
    if pairs:
        names, values = zip(*pairs, strict=True)
        columns = (Column("what", names, numeric=False), Column("value", values, numeric=False))
        yield from ((said, "") if said else ())
        yield table_of(columns)


def _commands(commands: Iterable[Command]) -> Iterator[str]:
    for each in commands:
        yield from (plain_text(each.what), "", "```sh", each.command, "```", "")
