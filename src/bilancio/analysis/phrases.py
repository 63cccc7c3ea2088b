"""Conditions in words, written as signs: `kappa is at most 0.5` is `kappa <= 0.5`.

Words for comparisons are read only between a name and a value, so that a column may be called
`over` or `between`. A comma outside parentheses, `&` and `&&` mean "and", `|` and `||` mean "or",
`∈` means "in", braces are parentheses, and a colon or nothing at all between a name and a number is
`=`.

What only the values of a column can tell, `low kappa` or `kappa is highest`, is left to whoever has
them (`Level`).
"""

import re
from collections.abc import Callable
from typing import NamedTuple

MAX_LENGTH = 5_000

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
      | (?P<word>[^\W\d][\w@.-]*)
      | (?P<quoted>'[^']*'|"[^"]*")
      | (?P<operator><=|>=|!=|==|<>|=|<|>|≤|≥|≠)
      | (?P<sign>&&?|\|\|?|[(),\[\]{}:∈])
    )""",
    re.VERBOSE,
)
_WRITTEN = {"&": "and", "&&": "and", "|": "or", "||": "or", "∈": "in", "{": "(", "}": ")"}
_RESERVED = {"and", "or", "not", "in"}
_BEFORE_A_NAME = {"and", "or", "not", "(", ",", "{", "&", "&&", "|", "||"}
_VALUES = {"number", "word", "quoted"}
_BE = {"is", "are", "was", "were"}
#: What stands between a name and a value, with or without a form of "to be" before it.
_COMPARISONS = {
    tuple(words.split()): sign
    for sign, several in {
        "<": ("below", "under", "beneath", "less than", "smaller than", "lower than"),
        ">": ("above", "over", "beyond", "more than", "greater than", "larger than", "higher than"),
        "<=": ("at most", "up to", "no more than", "not more than", "not above", "not over"),
        ">=": ("at least", "no less than", "not less than", "not below", "not under"),
        "=": ("equals", "equal", "equal to", "exactly"),
        "!=": ("unequal to", "not equal to"),
    }.items()
    for words in several
}
_LONGEST = max(map(len, _COMPARISONS))

Level = Callable[[str, str], str]
"""Word and column → what the word says of it, such as `<= 0.5`; empty where it says nothing."""


class Token(NamedTuple):
    """A piece of a condition, and where it begins in its text."""

    kind: str
    text: str
    start: int

    @property
    def names(self) -> bool:
        """Whether it may be a name, or a part of one."""
        return self.kind == "word" and self.text.lower() not in _RESERVED


def tokens(text: str) -> list[Token]:
    """Return the pieces of a text, the end as one of them; what cannot be read ends it."""
    found = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            found.append(Token("unknown", text[start], start))
            break
        kind = match.lastgroup
        found.append(Token(kind, match[kind], match.start(kind)))
        place = match.end()
    return [*found, Token("end", "", end)]


def written(text: str, *, named: bool = False) -> str:
    """Return a condition with signs in the place of words.

    Parameters
    ----------
    named
        Whether the name that is compared is left out, as in an entry of a mapping.
    """
    return _Writer(text, named=named).text() if len(text) <= MAX_LENGTH else text


class _Writer:
    """Writes a condition from left to right; what it does not know stays as it is."""

    def __init__(self, text: str, *, named: bool) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._named = named
        self._parts: list[str] = []
        self._end = 0  # of what is written

    def text(self) -> str:
        place, depth = 0, 0
        while self._tokens[place].kind not in {"end", "unknown"}:
            token = self._tokens[place]
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0)
            after = place + 1
            if token.text == "," and depth <= 0:
                self._write(place, after, "and")
            elif token.kind == "sign" and token.text in _WRITTEN:
                self._write(place, after, _WRITTEN[token.text])
            elif self._compares(place):
                after = self._comparison(place)
            place = after
        return "".join([*self._parts, self._text[self._end :]])

    def _compares(self, place: int) -> bool:
        """Return whether a comparison can stand here: after a name, or where it is left out."""
        if not place:
            return self._named
        before = self._tokens[place - 1]
        return before.names or (self._named and before.text.lower() in _BEFORE_A_NAME)

    def _comparison(self, place: int) -> int:
        """Write the comparison that begins here, if one does; return the place after it."""
        token, following = self._tokens[place], self._tokens[place + 1]
        if token.text == ":" and following.kind in _VALUES and place:
            return self._write(place, place + 1, "=") + 1
        if token.kind == "number" and not self._named and self._names_begin(place):
            self._write(place, place, "= ")
            return place + 1
        if token.kind != "word":
            return place + 1
        first = place + (token.text.lower() in _BE)
        if self._between(first):
            return self._write_between(place, first)
        sign, after = self._sign(first)
        if not sign and first > place:
            if self._lower(first) == ["in"] or self._lower(first, 2) == ["not", "in"]:
                return self._write(place, first, "")
            negated = self._lower(first) == ["not"]
            sign, after = ("!=" if negated else "="), first + negated
        if not sign or not self._is_value(self._tokens[after], sign):
            return place + 1
        return self._write(place, after, sign) + 1

    def _is_value(self, token: Token, sign: str) -> bool:
        """Return whether a comparison in words may end with this; words have no order.

        A word in an entry of a mapping is a value with all that stands before it: `up to date`.
        """
        if token.kind == "number":
            return True
        return (
            token.kind in _VALUES
            and sign in {"=", "!="}
            and not self._named
            and (token.kind == "quoted" or token.names)
        )

    def _names_begin(self, place: int) -> bool:
        """Return whether the words before a number begin where a comparison begins."""
        first = place
        while first and self._tokens[first - 1].names:
            first -= 1
        return not first or self._tokens[first - 1].text.lower() in _BEFORE_A_NAME

    def _lower(self, place: int, count: int = 1) -> list[str]:
        return [each.text.lower() for each in self._tokens[place : place + count]]

    def _sign(self, first: int) -> tuple[str, int]:
        """Return the sign of the longest comparison in words from here, and the place after it."""
        for count in range(_LONGEST, 0, -1):
            sign = _COMPARISONS.get(tuple(self._lower(first, count)))
            if sign:
                return sign, first + count
        return "", first

    def _between(self, place: int) -> bool:
        kinds = [each.kind for each in self._tokens[place : place + 4]]
        middle = self._lower(place + 2)
        return (
            self._lower(place) == ["between"]
            and kinds == ["word", "number", "word", "number"]
            and middle in (["and"], ["to"])
        )

    def _write_between(self, place: int, first: int) -> int:
        """Write `between a and b`, both included, about the names before it."""
        low, high = self._tokens[first + 1].text, self._tokens[first + 3].text
        if self._named:
            return self._write(place, first + 4, f">= {low} and <= {high}")
        begin = place
        while begin and self._tokens[begin - 1].names:
            begin -= 1
        last = self._tokens[place - 1]
        name = self._text[self._tokens[begin].start : last.start + len(last.text)]
        self._write(place, first + 4, "")
        written_name = self._parts.pop()
        kept = written_name[: len(written_name.rstrip()) - len(name)]
        self._parts.append(f"{kept}{low} <= {name} <= {high}")
        return first + 4

    def _write(self, place: int, after: int, text: str) -> int:
        """Write *text* in the place of some tokens; return the place after them."""
        begin = self._tokens[place].start
        if after > place:
            last = self._tokens[after - 1]
            ends = last.start + len(last.text)
        else:
            ends = begin
        self._parts.append(f"{self._text[self._end : begin]}{self._spaced(begin, text, ends)}")
        self._end = ends
        return after

    def _spaced(self, begin: int, text: str, end: int) -> str:
        """Return a word with spaces where it would touch what is before or after it."""
        if not text.isalpha():
            return text
        before, after = self._text[:begin][-1:], self._text[end : end + 1]
        return f"{' ' * (not before.isspace())}{text}{' ' * (not after.isspace())}"
