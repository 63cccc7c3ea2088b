"""What is written on pictures: names of parameters and measures, values, how sure they are."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.measures import Measure
from bilancio.experiments.answers import AnswerTable
from bilancio.jobs.models import Job
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.plots.studied import Studied, stem_of
from bilancio.model.parameters import axes_of
from bilancio.printable import shortened
from bilancio.report.pictures import Caption, Estimates, Scale
from bilancio.report.ticks import MINUS, written
from bilancio.text import capitalised, key_text, plural

LEVEL_TEXT = "95 %"
LONG = 60  # characters of a meaning beside a name
SHORT = 40  # … of one that is not cut to its first part
LONG_NAME = 40  # of a parameter
SYMBOLS = {"delta": "δ"}  # of measures, by the first word of their names
DIGITS = 6  # of a value that was not written by hand
FEW = 3  # values by whose distances a scale is told
GEOMETRIC = 0.8  # how much evener distances of logarithms are, on a logarithmic scale


# -- parameters ------------------------------------------------------------------------------


def symbol(job: Job, name: str) -> str:
    """Return a parameter as formulas write it: κ; its name where it has no symbol."""
    model = getattr(job.config, "parameter_model", None)
    mark = axes_of(model()).get(name) if model else None
    return mark.symbol if mark is not None else shortened(name, LONG_NAME)


def parameter_label(studied: Studied, name: str) -> str:
    """Return a parameter's symbol, and beside it what it is."""
    short, about = symbol(studied.job, name), studied.about.of(name)
    meaning = about.meaning.rstrip(".")
    if short != name:  # the meaning repeats the symbol
        meaning = re.sub(rf",? {re.escape(short)}\b(?!\w)", "", meaning)
    if len(meaning) > SHORT:  # what follows a colon tells which way it goes
        meaning = meaning.partition(": ")[0]
    unit = about.unit if about.unit != "1" else ""
    said = ", ".join(filter(None, (_uncapitalised(meaning), unit)))
    return f"{short}  ({shortened(said, LONG)})" if said else short


def _uncapitalised(text: str) -> str:
    """Return a text that continues a sentence: no capital, unless it begins with an acronym."""
    return text if text[1:2].isupper() or text[1:2] == "_" else text[:1].lower() + text[1:]


def symbols(studied: Studied, names: Iterable[str]) -> list[str]:
    """Return the symbols of some parameters."""
    return [symbol(studied.job, name) for name in names]


def joined(words: Sequence[str]) -> str:
    """Return words with commas, and an *and* before the last."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def value_text(value: Any) -> str:
    """Write a value: as it was given where it is short, else with six digits."""
    text = key_text(value)
    if isinstance(value, float) and len(text) > DIGITS + 2:
        text = f"{value:.{DIGITS}g}"
    if is_bin(value):
        text = "–".join(f"{float(end):.3g}" for end in value.split(":"))
    return text.replace("-", MINUS) if isinstance(value, int | float) else text


def is_bin(value: Any) -> bool:
    """Return whether a value is the label of a bin: its ends, with a colon between them."""
    ends = value.split(":") if isinstance(value, str) else []
    return len(ends) == 2 and all(map(_is_number, ends))  # noqa: PLR2004 - low and high


def binned(name: str, values: Sequence[Any]) -> str:
    """Say that the values of a parameter stand in bins."""
    return f"{name} in {plural(len(values), 'bin')}" if all(map(is_bin, values)) else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def scale(studied: Studied, name: str, values: Sequence[Any]) -> Scale:
    """Return the axis of a parameter; numbers stand where they are, words in a row.

    Bins stand in the middle of their ends.
    """
    label = parameter_label(studied, name)
    texts = tuple(value_text(value) for value in values)
    if name in studied.subject.ranges and all(map(is_bin, values)):
        ends = np.array([[float(end) for end in each.split(":")] for each in values])
        logarithmic = studied.subject.ranges[name][2]
        middle = np.sqrt(ends.prod(axis=1)) if logarithmic else ends.mean(axis=1)
        return Scale(label=label, texts=texts, places=middle, logarithmic=logarithmic)
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
    if not numbers or not values:
        return Scale(label=label, texts=texts)
    places = np.array(values, np.float64)
    logarithmic = _is_geometric(places)
    return Scale(label=label, texts=texts, places=places, logarithmic=logarithmic)


def _is_geometric(places: NDArray[np.float64]) -> bool:
    """Return whether the logarithms of values are more evenly spread than the values."""
    if len(places) < FEW or places[0] <= 0:
        return False
    plain, logs = np.diff(places), np.diff(np.log(places))
    return bool(logs.std() / logs.mean() < GEOMETRIC * plain.std() / plain.mean())


# -- measures --------------------------------------------------------------------------------


def measure_words(measure: Measure) -> str:
    """Return a measure as a sentence names it."""
    head, colon, _ = measure.meaning.partition(":")
    short = colon and len(head) <= LONG_NAME and "_" not in head and not is_difference(measure)
    name = re.sub("^n_", "number_of_", measure.name).replace("_", " ")
    return _uncapitalised(head) if short else shortened(name, LONG)


def measure_label(studied: Studied, measure: Measure, *, arm: str = "") -> str:
    """Return a measure with its unit, or with what it is made of."""
    words = measure_words(measure)
    if measure.unit not in {"", "1"}:
        return f"{words}  ({shortened(measure.unit, LONG)})"
    if is_difference(measure):
        return f"{words}  ({shortened(meaning(studied, measure), LONG)})"
    about = measure.meaning.rstrip(".").removesuffix(f", {arm} arm").removesuffix(f", {arm}")
    head, colon, rest = about.partition(": ")
    said = rest if colon and _uncapitalised(head) == words else about
    if len(said) > SHORT:
        said = said.partition(", ")[0]
    different = said and said.lower().replace(" ", "_") != measure.name.lower()
    return f"{words}  ({shortened(said, LONG)})" if different else words


def is_difference(measure: Measure) -> bool:
    """Return whether 0 means that two arms do not differ."""
    return any(weight < 0 for weight in measure.numerator.values())


def direction(studied: Studied, measure: Measure) -> str:
    """Say what a value above 0 means; empty where that is not a question."""
    words = studied.subject.verdict_words
    if words is None or measure.name != studied.subject.primary:
        return ""
    return f"above 0: {words[0]}"


def meaning(studied: Studied, measure: Measure) -> str:
    """Return what a difference is made of: default rate, passive less active."""
    if not is_difference(measure):
        return ""
    parts = {weight: column for column, weight in measure.numerator.items()}
    if measure.denominator is None and parts.keys() == {1.0, -1.0}:
        (metric, _, more), (other, _, less) = (parts[sign].partition("@") for sign in (1.0, -1.0))
        if metric == other and (arms := studied.families().get(metric)):
            words = measure_words(replace(arms[0], name=stem_of(arms)))
            return f"{words}, {more} less {less}"
    said = measure.meaning.rstrip(".")
    for each in sorted(studied.subject.measures, key=lambda each: -len(each.name)):
        said = re.sub(rf"\b{re.escape(each.name)}\b", _spoken(each.name), said)
    return shortened(_uncapitalised(said), 90)


def _spoken(name: str) -> str:
    first, _, rest = name.partition("_")
    return f"{SYMBOLS.get(first, first)} {rest.replace('_', ' ')}".rstrip()


def sentence_case(text: str) -> str:
    """Return a text with a capital, unless it begins with a name or a symbol."""
    first, _, _ = text.partition(" ")
    name = "_" in first or not first[:1].isascii() or len(first) == 1
    return text if name else capitalised(text)


# -- how sure it is --------------------------------------------------------------------------


def caption(studied: Studied, asked: Asked, title: str, *said: str) -> Caption:
    """Return title and subtitle: what is said, then what all pictures say of their job."""
    parts = [*said, where_text(asked), *standing(studied)]
    subtitle = "; ".join(filter(None, parts))
    return Caption(
        title=sentence_case(title),
        subtitle=f"{sentence_case(subtitle)}." if subtitle else "",
        corner=studied.job.job_id,
    )


def where_text(asked: Asked) -> str:
    """Say which cells were asked for."""
    if not asked.where:
        return ""
    if isinstance(asked.where, Mapping):
        said = ", ".join(f"{name} {value}" for name, value in asked.where.items())
    else:
        said = asked.where
    return f"where {shortened(said, 100)}"


def standing(studied: Studied) -> list[str]:
    """Say that a job is not complete, or that runs of it failed."""
    job, said = studied.job, []
    done, total = job.completed_runs + job.failed_runs, job.total_runs
    if not job.status.ended or (done < total and not job.config.adaptive):
        said.append(f"so far {done:,} of {total:,} runs")
    if job.failed_runs:
        said.append(f"{plural(job.failed_runs, 'run')} failed, and their seeds are left out")
    return said


def seeds_text(n_seeds: Collection[int]) -> str:
    """Count seeds: the fewest and the most of some groups."""
    low, high = min(n_seeds, default=0), max(n_seeds, default=0)
    return plural(high, "seed") if low == high else f"{low:,} to {high:,} seeds"


def interval_text(what: str, n_seeds: Collection[int], *shown: Estimates) -> str:
    """Say what shows the intervals, and how many seeds are behind them."""
    if max(n_seeds, default=0) == 1:
        return "one seed shows no spread, so there are no intervals"
    if not any(map(has_width, shown)):
        agree = any(np.isfinite(each.low).any() for each in shown)
        return f"all {seeds_text(n_seeds)} agree" if agree else ""
    return f"{what} {LEVEL_TEXT} intervals over {seeds_text(n_seeds)}"


def has_width(found: Estimates) -> bool:
    """Return whether there is an interval that one can see."""
    return bool((found.high > found.low).any())


def averaged_over(studied: Studied, shown: Iterable[str], chosen: NDArray[np.bool_]) -> str:
    """Name the parameters that are averaged over."""
    left = [name for name in studied.varied(chosen) if name not in set(shown)]
    if not left:
        return ""
    few = symbols(studied, left[:4]) + (["others"] if len(left) > 4 else [])  # noqa: PLR2004
    return f"mean over {joined(few)}"


def samples(studied: Studied, shown: Iterable[str], chosen: NDArray[np.bool_]) -> str:
    """Say how many samples are in the bins, where a parameter that is shown was sampled."""
    n = int((chosen & studied.subject.cells.sampled).sum())
    return plural(n, "sample") if any(name in studied.subject.ranges for name in shown) else ""


# -- columns of tables -----------------------------------------------------------------------


def column(table: AnswerTable, name: str) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where there is none."""
    place = table.columns.index(name)
    return np.array([row[place] for row in table.rows], np.float64)


def estimates(table: AnswerTable, measure: str, name: str = "") -> Estimates:
    """Return a measure of a table; groups whose seeds are all equal have an interval of no width.

    What all seeds agree on is as sure as seeds can make it.
    """
    value, low, high = (column(table, f"{measure}{end}") for end in ("", "_low", "_high"))
    equal = np.isnan(low) & (column(table, "n_seeds") > 1)
    return Estimates(
        name=name,
        value=value,
        low=np.where(equal, value, low),
        high=np.where(equal, value, high),
    )


def extremes(found: Estimates, keys: Sequence[str], *, sign: bool) -> str:
    """Say where values are lowest and highest."""
    known = np.flatnonzero(np.isfinite(found.value))
    if not len(known):
        return "not known anywhere"
    form = written(found.value, sign=sign)
    low, high = (int(known[pick(found.value[known])]) for pick in (np.argmin, np.argmax))
    if form(float(found.value[low])) == form(float(found.value[high])):
        return f"{form(float(found.value[low]))} everywhere"
    ends = (f"{form(float(found.value[each]))} ({keys[each]})" for each in (low, high))
    return " to ".join(ends)
