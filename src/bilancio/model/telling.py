"""A traced run told day by day: who paid, who failed to pay whom, what was sold at which price.

References
----------
MODEL.md, sections 4 to 8.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bilancio.errors import invalid
from bilancio.model.parameters import BalancedParameters, Parameters
from bilancio.model.trace import DESKS, ROLES, Row
from bilancio.text import plural
from bilancio.validation import nearest

SHOWN_NAMES = 3
#: Events of a day are cut from the end of this list: what matters most comes first.
KINDS = (
    "defaulted", "sold", "injected", "written-off", "rolled-over", "settled", "rebucketed",
)  # fmt: skip
NOTABLE = KINDS[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What happened on a day, or on all of them.

    Attributes
    ----------
    counts
        How many rows there are of each kind of event: one for each debt and holder.
    faces, paid
        Face of these debts, and what was paid for them, in money, by kind.
    defaulting
        Agents that failed to pay, in order.
    """

    counts: dict[str, int]
    faces: dict[str, float]
    paid: dict[str, float]
    defaulting: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All this in a line; empty where nothing happened."""
        return "; ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        count, face, paid = self.counts, self.faces, self.paid
        if "defaulted" in count:
            who = who_defaults(self.defaulting)
            yield f"{who}, paying {money(paid['defaulted'])} of {money(face['defaulted'])}"
        if "sold" in count:
            what = f"{plural(count['sold'], 'ticket')} of face {money(face['sold'])}"
            yield f"{what} sold for {money(paid['sold'])}"
        if "injected" in count:
            yield f"{money(paid['injected'])} comes from outside"
        if "written-off" in count:
            yield f"{money(face['written-off'])} written off"
        if "rolled-over" in count:
            yield f"{money(face['rolled-over'])} rolled over"
        if "settled" in count:
            yield f"{plural(count['settled'], 'payment')} of {money(paid['settled'])}"
        if "rebucketed" in count:
            yield f"{money(face['rebucketed'])} passed on between desks"


def who_defaults(names: Sequence[str]) -> str:
    """Say that these agents default, the first of them by name."""
    who = ", ".join(names[:SHOWN_NAMES])
    more = len(names) - SHOWN_NAMES
    who += f" and {more:,} more" if more > 0 else ""
    return f"{who} {'defaults' if len(names) == 1 else 'default'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDay:
    """What happened on one day, or on each of several on which the same happened.

    Attributes
    ----------
    day, last
        The first and the last of these days.
    told
        All that happened on one of them, counted.
    events
        The first events that matter most, a clause each, in the order in which they happened.
    left_out
        How many more there are.
    """

    day: int
    last: int
    told: Told
    events: tuple[str, ...]
    left_out: int


def told_days(
    rows: Iterable[Row], *, days: Collection[int] = (), agents: Collection[str] = (), limit: int
) -> list[ToldDay]:
    """Return the days on which something happened.

    Parameters
    ----------
    rows
        Of `Trace.event_rows`, in their order; those of one day are held at once.
    days, agents
        Only these days, and events in which one of these agents has a part; all where empty.
    limit
        How many events of a day are told. Payments and rollovers are counted only, unless days or
        agents are named.
    """
    kinds = KINDS if days or agents else NOTABLE
    told: list[ToldDay] = []
    of_days = itertools.groupby(picked(rows, days=days, agents=agents), lambda row: int(row["day"]))
    for day, found in of_days:
        new = _day(day, list(found), limit, kinds)
        before = told[-1] if told else None
        if before and before.last == day - 1 and replace(before, day=day, last=day) == new:
            told[-1] = replace(before, last=day)
        else:
            told.append(new)
    return told


def picked(
    rows: Iterable[Row], *, days: Collection[int] = (), agents: Collection[str] = ()
) -> Iterator[Row]:
    """Yield the events of some days in which some agents have a part; all where none is named."""
    wanted = set(agents)
    for row in rows:
        if days and row["day"] not in days:
            continue
        if not wanted or wanted & {row[role] for role in ROLES}:
            yield row


def totals(rows: Iterable[Row]) -> Told:
    """Count events."""
    counts: dict[str, int] = defaultdict(int)
    faces: dict[str, float] = defaultdict(float)
    paid: dict[str, float] = defaultdict(float)
    defaulting: dict[str, None] = {}
    for row in rows:
        kind = row["event"]
        counts[kind] += 1
        faces[kind] += row["face"]
        paid[kind] += row["cash"]
        if kind == "defaulted":
            defaulting[row["debtor"]] = None
    return Told(
        counts=dict(counts), faces=dict(faces), paid=dict(paid), defaulting=tuple(defaulting)
    )


def _day(day: int, rows: Sequence[Row], limit: int, kinds: Sequence[str]) -> ToldDay:
    """Return a day; events that read the same are told once, with their number."""
    first: dict[str, int] = {}
    times: dict[str, int] = defaultdict(int)
    for place, row in enumerate(rows):
        if row["event"] in kinds:
            said = clause(row)
            first.setdefault(said, place)
            times[said] += 1
    ranked = sorted(first, key=lambda said: (kinds.index(rows[first[said]]["event"]), first[said]))
    shown = sorted(ranked[:limit], key=first.__getitem__)
    return ToldDay(
        day=day,
        last=day,
        told=totals(rows),
        events=tuple(f"{said} (× {times[said]:,})" if times[said] > 1 else said for said in shown),
        left_out=sum(times.values()) - sum(times[said] for said in shown),
    )


def clause(row: Row) -> str:
    """Say what happened in an event."""
    debtor, holder, payer, payee = (row[role] for role in ("debtor", "holder", "payer", "payee"))
    face, cash = money(row["face"]), money(row["cash"])
    match row["event"]:
        case "settled":
            return f"{debtor} pays {holder} {cash}"
        case "defaulted" if row["cash"] == row["face"]:  # one holder of several, paid first
            return f"{debtor} pays {holder} all of {face}, out of a debt in default"
        case "defaulted":
            return f"{debtor} fails to pay {holder}: {cash} of {face}"
        case "written-off":
            return f"{debtor}'s debt of {face} to {holder} is written off"
        case "rolled-over":
            return f"{holder} lends {debtor} {face} again"
        case "sold":
            what = f"{face} owed by {debtor}"
            return f"{holder} sells {payer} {what} for {cash} (price {row['price']:.4g})"
        case "rebucketed":
            return f"{payee} passes {payer} {face} owed by {debtor} for {cash}"
        case _:
            return f"{payee} gets {cash} from outside"


def agent_name(given: str | int) -> str:
    """Return an agent's name; 7 and `h7` stand for the trader H7."""
    return re.sub(r"^[hH]?(\d+)$", r"H\1", str(given).strip())


def check_agents(names: Iterable[str], parameters: Parameters) -> None:
    """Refuse agents that a run does not have.

    Raises
    ------
    InvalidInput
    """
    desks = DESKS if isinstance(parameters, BalancedParameters) else ()
    known = {f"H{i}" for i in range(1, parameters.n_agents + 1)} | set(desks)
    for name in names:
        if name not in known:
            allowed = ", ".join([f"H1 to H{parameters.n_agents}", *desks])
            raise invalid("agent", name, allowed, nearest(name, known))


def money(amount: float) -> str:
    """Write an amount to the hundredth."""
    return f"{amount:,.2f}".rstrip("0").rstrip(".")
