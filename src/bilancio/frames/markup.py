"""Tables of results as text: Markdown, LaTeX, CSV, and HTML for notebooks.

All but CSV round numbers as the command line does, and write the interval of a measure beside it.
"""

import csv
import html
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bilancio.errors import InvalidInput, Problem
from bilancio.printable import escaped
from bilancio.text import key_text, number, plural
from bilancio.validation import nearest

MAX_HTML_ROWS = 30
LEADING_MEASURES = 4  # of a table in HTML, for which no measures were chosen
_LOW, _HIGH, _ADJUSTED = "_low", "_high", "_adjusted"

_MARKED = re.compile(r"[\\|<*`]")  # what Markdown would take for more than text
_NUMBER = re.compile(r"(?<![\w.])(-?)(\d[\d.]*)(?:e([-+]\d+))?")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "×": r"$\times$",
    "−": "$-$", "…": r"\ldots{}", "κ": r"$\kappa$", "μ": r"$\mu$", "ρ": r"$\rho$",
    "φ": r"$\varphi$", "β": r"$\beta$", "δ": r"$\delta$", "\n": " ", "\t": " ",
}  # fmt: skip
_GREEK = {
    name: f"$\\{name.replace('phi', 'varphi')}$"
    for name in (
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda",
        "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is shown.

    Attributes
    ----------
    numeric
        Whether it holds numbers, which stand to the right.
    """

    name: str
    cells: tuple[str, ...]
    numeric: bool


class Shown:
    """What a table shows: its keys as they are, numbers rounded, an interval beside each measure.

    Parameters
    ----------
    columns, rows, n_keys
        Of the table; the first *n_keys* columns name the row.
    measures
        Which measures are shown; all that the table has where it is empty.

    Raises
    ------
    InvalidInput
        The table does not have such a measure.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        n_keys: int,
        measures: Sequence[str] = (),
    ) -> None:
        self._rows = [dict(zip(columns, row, strict=True)) for row in rows]
        self._keys = columns[:n_keys]
        known = measures_of(columns)
        _check(measures, known)
        hidden = {f"{name}{end}" for name in known for end in (_LOW, _HIGH)}
        hidden |= {f"{name}{end}{_ADJUSTED}" for name in known for end in (_LOW, _HIGH)}
        if measures:
            hidden |= set(known) - set(measures)
            judged = {name for name in known if f"{name}{_LOW}{_ADJUSTED}" in columns}
            hidden |= {"verdict"} if judged and not judged & set(measures) else set()
        self.columns = []
        for name in columns:
            if name not in hidden:
                self.columns += self._shown(name, measured=name in known)

    def _shown(self, name: str, *, measured: bool) -> list[Column]:
        values = [row[name] for row in self._rows]
        numeric = not any(isinstance(value, str | bool) for value in values)
        write = key_text if name in self._keys else _number
        cells = tuple(write(value) for value in values)
        if not measured:
            return [Column(name, cells, numeric)]
        beside = self._intervals(name, "")
        whole = zip(cells, beside, strict=True)
        heading = f"{name} [95 %]" if any(beside) else name
        shown = [Column(heading, tuple(" ".join(filter(None, each)) for each in whole), numeric)]
        adjusted = self._intervals(name, _ADJUSTED)
        return (
            [*shown, Column(f"{name} [95 % adjusted]", adjusted, True)] if any(adjusted) else shown
        )

    def _intervals(self, name: str, suffix: str) -> tuple[str, ...]:
        bounds = ([row.get(f"{name}{end}{suffix}") for end in (_LOW, _HIGH)] for row in self._rows)
        return tuple(
            "" if None in pair else f"[{', '.join(_number(end) for end in pair)}]"
            for pair in bounds
        )


def measures_of(columns: Sequence[str]) -> list[str]:
    """Return those of a table's columns that have an interval."""
    known = set(columns)
    return [name for name in columns if {f"{name}{_LOW}", f"{name}{_HIGH}"} <= known]


def to_markdown(shown: Shown) -> str:
    """Return a table as GitHub's Markdown has it, columns aligned in the text, too."""
    return table_of(shown.columns)


def table_of(shown: Sequence[Column]) -> str:
    """Return columns as a table of GitHub's Markdown, aligned in the text, too."""
    columns = [
        Column(plain_text(each.name), tuple(map(plain_text, each.cells)), each.numeric)
        for each in shown
    ]
    widths = [max(3, len(each.name), *map(len, each.cells), 0) for each in columns]
    sides = [str.rjust if each.numeric else str.ljust for each in columns]
    rules = [
        f"{'-' * (width - 1)}:" if each.numeric else "-" * width
        for each, width in zip(columns, widths, strict=True)
    ]
    body = zip(*(each.cells for each in columns), strict=True)
    lines = [[each.name for each in columns], rules, *body]
    padded = (
        [side(cell, n) for side, cell, n in zip(sides, line, widths, strict=True)] for line in lines
    )
    return "".join(f"| {' | '.join(line)} |\n" for line in padded)


def to_latex(shown: Shown) -> str:
    """Return a table as a LaTeX tabular, with the rules of the package booktabs.

    Names that are Greek letters are written as these; a comment says what brackets hold.
    """
    columns = shown.columns
    sides = "".join("r" if each.numeric else "l" for each in columns)
    heading = [_latex_heading(each.name) for each in columns]
    names = " ".join(each.name for each in columns)
    about = "% [95 %]: interval over the seeds of the row"
    if "[95 % adjusted]" in names:
        about += "; adjusted: for all rows together, as verdicts are"
    cells = [tuple(map(_latex_numbers if each.numeric else _latex, each.cells)) for each in columns]
    body = [_latex_line(row) for row in zip(*cells, strict=True)]
    lines = [
        "% needs \\usepackage{booktabs}",
        *([about] if "[95 %]" in names else []),
        f"\\begin{{tabular}}{{{sides}}}",
        "\\toprule",
        _latex_line(heading),
        "\\midrule",
        *body,
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_heading(name: str) -> str:
    return " ".join(_GREEK.get(word, _latex(word)) for word in name.replace("_", " ").split(" "))


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV: all columns, numbers with all their digits, missing values empty."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue()


def to_html(columns: Sequence[str], rows: Sequence[Sequence[Any]], n_keys: int, total: int) -> str:
    """Return a table as a notebook shows it: the first rows, the first measures.

    Parameters
    ----------
    total
        How many rows there are in all.
    """
    known = measures_of(columns)
    shown = Shown(columns, rows[:MAX_HTML_ROWS], n_keys, known[:LEADING_MEASURES])
    heading = "".join(_html_cell("th", each.name.replace("_", " "), each) for each in shown.columns)
    lines = zip(*(each.cells for each in shown.columns), strict=True)
    body = "".join(
        f"<tr>{''.join(map(_html_cell, ['td'] * len(line), line, shown.columns))}</tr>"
        for line in lines
    )
    left = []
    if total > min(len(rows), MAX_HTML_ROWS):
        left.append(f"{min(len(rows), MAX_HTML_ROWS):,} of {plural(total, 'row')}")
    if others := known[LEADING_MEASURES:]:
        left.append(f"not shown: {', '.join(others)}")
    note = f"<p><small>{html_text('; '.join(left))}</small></p>" if left else ""
    return f"<table><thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table>{note}"


def html_facts(facts: Mapping[str, str]) -> str:
    """Return names and what stands behind them as a table of HTML; what is empty is left out."""
    rows = (
        f'<tr><th style="text-align:left">{html_text(name)}</th>'
        f'<td style="text-align:left">{html_text(value)}</td></tr>'
        for name, value in facts.items()
        if value
    )
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def html_text(text: str) -> str:
    """Return *text* as HTML shows it, whatever it holds."""
    return html.escape(escaped(text))


def _check(measures: Sequence[str], known: Sequence[str]) -> None:
    strangers = [name for name in measures if name not in known]
    if strangers:
        allowed = ", ".join(known) or "none, for the table has no measures"
        raise InvalidInput(
            Problem("measures", repr(name), allowed, nearest(name, known)) for name in strangers
        )


def _number(value: object) -> str:
    """Write a number in four digits, thousands not parted: intervals have commas of their own."""
    return value if isinstance(value, str) else number(value).replace(",", "")


def plain_text(text: str) -> str:
    """Return *text* as Markdown shows it on one line, whatever it holds."""
    return _MARKED.sub(r"\\\g<0>", escaped(text, one_line=True))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(each, each) for each in escaped(text))


def _latex_numbers(text: str) -> str:
    """Write the numbers in a cell with a true minus sign, and powers of ten as such."""
    return _NUMBER.sub(_in_math, text)


def _in_math(found: re.Match[str]) -> str:
    sign, digits, exponent = found.groups()
    if exponent:
        return f"${sign}{digits} \\times 10^{{{int(exponent)}}}$"
    return f"$-{digits}$" if sign else digits


def _latex_line(cells: Iterable[str]) -> str:
    line = " & ".join(cells)
    guarded = f"{{[}}{line[1:]}" if line.startswith("[") else line  # not an argument of the break
    return guarded + r" \\"


def _html_cell(tag: str, text: str, column: Column) -> str:
    side = "right" if column.numeric else "left"
    return f'<{tag} style="text-align:{side}">{html_text(text)}</{tag}>'
