"""One run's own account of itself: what happened, at which quotes, and who had what when.

References
----------
MODEL.md, sections 3 to 7.
"""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # numpy loads when a run is simulated, not when this is imported
    import numpy as np

    from bilancio.model.kernels.books import Books


MICRO = 10**6
BUCKETS = ("short", "mid", "long")
DESKS = tuple(f"{holder}_{bucket}" for bucket in BUCKETS for holder in ("vbt", "dealer"))
ROLES = ("debtor", "creditor", "holder", "payer", "payee")  # of agents in an event
_BLOCK = 10_000  # events that are held as rows at once
EVENT_COLUMNS = ("day", "event", *ROLES, "face", "cash", "price")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """What a traced run wrote down.

    Attributes
    ----------
    agents
        Names in the order of ``Run.cash``: H1 … Hn, in balanced runs then ``DESKS``.
    events : EVENTS (n_events,)
        Settlements, defaults, write-offs, rollovers, sales, what desks pass on to each other and
        cash from outside, in the order in which they happened. No cash moves otherwise.
    quotes : QUOTES (3 · days,)
        In active runs, how each bucket opened each day; else empty.
    balances : int64 (days + 1, n_agents), micro-units
        Cash of all agents at the start and after each day, also after a day on which the run ended.
    """

    agents: tuple[str, ...]
    events: "np.ndarray"
    quotes: "np.ndarray"
    balances: "np.ndarray"

    def event_rows(self) -> Iterator[Row]:
        """Yield each event by ``EVENT_COLUMNS``: agents by name, ``cash`` in money.

        A debt that several hold has a row for each of them. ``creditor`` is whom a debt was made
        to, ``holder`` who had it, or a part of it, just before: a seller, in a sale. ``face`` is
        what the holder had of it, and ``cash`` what the payer gave to the payee, so that all
        balances follow from those of the start. What does not apply is None; cash from outside
        has no payer.
        """
        for start in range(0, len(self.events), _BLOCK):
            yield from self._rows(self.events[start : start + _BLOCK])

    def day_rows(self, day: int) -> Iterator[Row]:
        """Yield the events of one day, as `event_rows` does."""
        first, end = self.events["day"].searchsorted([day, day + 1])
        yield from self._rows(self.events[first:end])

    def first_defaults(self) -> dict[str, int]:
        """Return the day on which each agent that has defaulted did so first, in this order."""
        from bilancio.model.tables import SimEvent, code  # as below

        found = self.events[self.events["event"] == code(SimEvent.DEFAULTED)]
        days: dict[str, int] = {}
        for debtor, day in zip(found["debtor"].tolist(), found["day"].tolist(), strict=True):
            days.setdefault(self.agents[debtor], day)
        return days

    @property
    def n_traders(self) -> int:
        """How many of the agents are no desks; they come first."""
        return sum(name not in DESKS for name in self.agents)

    def _rows(self, events: "np.ndarray") -> Iterator[Row]:
        from bilancio.model.tables import SimEvent  # numpy, which importing this does not load

        names = [event.value for event in SimEvent]
        n_traders = self.n_traders
        agents: tuple[str | None, ...] = (*self.agents, None)  # which -1 finds
        for (
            price,
            face,
            micro,
            debtor,
            holder,
            payer,
            payee,
            day,
            event,
            claim,
        ) in events.tolist():
            of_ring = claim == 0 and debtor >= 0
            creditor = (debtor + 1) % n_traders if of_ring else holder
            yield {
                "day": day,
                "event": names[event],
                "debtor": agents[debtor],
                "creditor": agents[creditor],
                "holder": agents[holder],
                "payer": agents[payer],
                "payee": agents[payee],
                "face": face,
                "cash": micro / MICRO,
                "price": _known(price),
            }

    def quote_rows(self) -> Iterator[Row]:
        """Yield how each bucket opened each day."""
        names = (self.quotes.dtype.names or ())[:-2]
        for *values, day, bucket in self.quotes.tolist():
            known = map(_known, values)
            yield {"day": day, "bucket": BUCKETS[bucket], **dict(zip(names, known, strict=True))}

    def balance_rows(self) -> Iterator[Row]:
        """Yield everybody's cash in money after each day; ``after_day`` -1 is the start."""
        for position, balances in enumerate(self.balances.tolist()):
            cash = (each / MICRO for each in balances)
            yield {"after_day": position - 1, **dict(zip(self.agents, cash, strict=True))}

    def write(self, folder: Path) -> list[Path]:
        """Write events.csv, events.jsonl, quotes.csv and balances.csv; return what was written.

        Files of these names are replaced. Quotes are written of active runs only.
        """
        folder.mkdir(parents=True, exist_ok=True)
        events, quotes = list(self.event_rows()), list(self.quote_rows())
        written = [
            _write_csv(folder / "events.csv", EVENT_COLUMNS, events),
            _write_lines(folder / "events.jsonl", events),
            _write_csv(folder / "balances.csv", ("after_day", *self.agents), self.balance_rows()),
        ]
        if quotes:
            written.append(_write_csv(folder / "quotes.csv", tuple(quotes[0]), quotes))
        else:
            (folder / "quotes.csv").unlink(missing_ok=True)
        return written


def trace(
    table: "np.ndarray", weights: "np.ndarray", metrics: "np.ndarray"
) -> tuple[Trace, "Books"]:
    """Simulate a run twice: to count what happens, and to write it down.

    Parameters
    ----------
    table : PARAMETER_ROW (1,)
    weights : float64 (n_weights,)
    metrics : METRIC_ROW (1,)
        Output.
    """
    # Heavy: loaded when a run is traced, not when this module is imported.
    import numpy as np

    from bilancio.model.kernels.books import Recorder
    from bilancio.model.metrics import End
    from bilancio.model.parameters import Arm, Kind
    from bilancio.model.rows import simulate_rows
    from bilancio.model.tables import EVENTS, QUOTES, code

    (row,) = table
    days = max(30, int(row["maturity_days"]) + 5)
    n_agents = int(row["n_agents"]) + (6 if row["kind"] == code(Kind.BALANCED) else 0)
    room = 0
    for _ in range(2):
        recorder = Recorder(
            events=np.zeros(room, EVENTS),
            n_events=np.zeros(1, np.int64),
            quotes=np.zeros(3 * days, QUOTES),
            balances=np.zeros((days + 1, n_agents), np.int64),
        )
        books = simulate_rows(table, weights, metrics, recorder)
        room = int(recorder.n_events[0])
    ended_at_once = metrics["end"][0] in {code(End.DEFAULT), code(End.ALL_DEFAULTED)}
    days = int(metrics["days_simulated"][0]) + int(ended_at_once)
    active = row["arm"] == code(Arm.ACTIVE)
    traders = tuple(f"H{i}" for i in range(1, int(row["n_agents"]) + 1))
    account = Trace(
        agents=traders + (DESKS if n_agents > len(traders) else ()),
        events=recorder.events,
        quotes=recorder.quotes[: 3 * days if active else 0],
        balances=recorder.balances[: days + 1],
    )
    return account, books


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return path


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)
    return path
