"""Questions in a researcher's words, read as the names that a sweep has."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.conditions import Condition, renamed
from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.questions import Question
from bilancio.experiments.vocabulary import columns_of, end_of
from bilancio.text import either, key_text


class Wording:
    """Reads names, and remembers what was read otherwise than it was written.

    Names that mean nothing stay as they are: whoever looks for them refuses them.

    Parameters
    ----------
    effect
        The measure that compares arms; empty where there is none.
    families
        Metrics that stand for several measures: metric → measures.

    Attributes
    ----------
    read
        Word → what it was read as.
    """

    def __init__(self, effect: str, families: Mapping[str, tuple[str, ...]]) -> None:
        self._effect = effect
        self._families = families
        self.read: dict[str, str] = {}

    def names(self, given: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
        """Return the columns that words mean, each once; a word may mean several."""
        found = [each for word in given for each in self._columns(word, known) or (word,)]
        return tuple(dict.fromkeys(found)) if self.read else tuple(found)

    def name(self, field: str, given: str, known: Collection[str]) -> str:
        """Return the one column that a word means.

        Raises
        ------
        InvalidInput
            It may mean several.
        """
        found = self._meant(given, known)
        if len(found) > 1:
            raise InvalidInput([Problem(field, shown(given), either(found))])
        return (self._columns(given, known) or (given,))[0]

    def _meant(self, word: str, known: Collection[str]) -> tuple[str, ...]:
        """Return those of the columns known that a word means."""
        found = columns_of(word, known, self._effect, self._families)
        return tuple(each for each in found if each in known)

    def _columns(self, word: str, known: Collection[str]) -> tuple[str, ...]:
        found = self._meant(word, known)
        if found and found != (word,):
            *first, last = found
            self.read[word] = " and ".join(filter(None, (", ".join(first), last)))
        return found

    def condition(
        self,
        given: Condition | None,
        known: Collection[str],
        columns: Mapping[str, NDArray[Any]],
        named: Callable[[str], object] | None = None,
    ) -> Condition | None:
        """Return a condition with the names of columns, and values for `low` and `highest`.

        Parameters
        ----------
        known
            Columns that it may name.
        columns
            Values of the parameters among them.
        named
            Is told each column.

        Raises
        ------
        InvalidInput
            A word stands for several columns, or for values that cannot be told apart.
        """

        def read(word: str) -> str:
            name = self.name("where", word, known)
            if named is not None:
                named(name)
            return name

        def level(word: str, name: str) -> str:
            values, end = columns.get(name), end_of(word)
            if end is None or values is None or values.dtype.kind not in "iuf":
                return ""
            said, told = _level(word, name, np.unique(values[np.isfinite(values)]), *end)
            self.read[f"{word} {name}"] = told
            return said

        return None if given is None else renamed(given, read, level)

    def question(
        self,
        asked: Question,
        parameters: Collection[str],
        measures: Collection[str],
        columns: Mapping[str, NDArray[Any]],
    ) -> Question:
        """Return a question with the names of parameters and measures.

        Parameters
        ----------
        parameters, measures
            Those that there are.
        columns
            Values of the parameters, by name.

        Raises
        ------
        InvalidInput
            A word stands for several columns where there can be one.
        """
        rows = [*parameters, "seed"]
        shown_ones = self.names(asked.measures, measures)
        ordered = [self._ordering(each, [*rows, *measures]) for each in asked.order_by]
        by_measures = [each.lstrip("-") for each in ordered if each.lstrip("-") in measures]
        if shown_ones and not asked.pivot:
            shown_ones += tuple(each for each in by_measures if each not in shown_ones)
        condition = self.condition(asked.where, parameters, columns)
        return replace(
            asked,
            group_by=self.names(asked.group_by, rows),
            measures=shown_ones,
            where=condition,
            order_by=tuple(ordered),
            contrast=self.name("contrast", asked.contrast, parameters),
            pivot=self.name("pivot", asked.pivot, parameters),
        )

    def _ordering(self, given: str, known: Collection[str]) -> str:
        sign = "-" if given.startswith("-") else ""
        return sign + self.name("order_by", given.removeprefix("-").strip(), known)


def _level(word: str, name: str, values: NDArray[Any], sign: str, extreme: bool) -> tuple[str, str]:
    """Return which values a word means, for a condition and as one reads it.

    The lower half of the values are low, the upper half high; of an odd number the middle one is
    neither.

    Raises
    ------
    InvalidInput
        There is one value.
    """
    if len(values) < 2:  # noqa: PLR2004 - one is neither high nor low
        there = "".join(map(key_text, values.tolist()))
        allowed = f"{name} = {there}, its only value" if there else f"nothing: {name} is not set"
        raise InvalidInput([Problem("where", f"{word} {name}", allowed)])
    half = 1 if extreme else len(values) // 2
    value = values[half - 1 if sign == "<=" else -half].item()
    sign = "=" if extreme else sign
    return f"{sign} {value!r}", f"{name} {sign} {key_text(value)}"
