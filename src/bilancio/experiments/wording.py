"""Questions in a researcher's words, read as the names that a sweep has."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bilancio.analysis.conditions import renamed
from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.questions import Question
from bilancio.experiments.vocabulary import columns_of
from bilancio.text import either


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
        found = columns_of(given, known, self._effect, self._families)
        if len(found) > 1:
            raise InvalidInput([Problem(field, shown(given), either(found))])
        return (self._columns(given, known) or (given,))[0]

    def _columns(self, word: str, known: Collection[str]) -> tuple[str, ...]:
        found = columns_of(word, known, self._effect, self._families)
        if found and found != (word,):
            *first, last = found
            self.read[word] = " and ".join(filter(None, (", ".join(first), last)))
        return found

    def question(
        self, asked: Question, parameters: Collection[str], measures: Collection[str]
    ) -> Question:
        """Return a question with the names of parameters and measures.

        Parameters
        ----------
        parameters, measures
            Those that there are.

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
        condition = asked.where
        if condition is not None:
            condition = renamed(condition, lambda word: self.name("where", word, parameters))
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
