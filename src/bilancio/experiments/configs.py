"""The sweeps that are built in: one validated, frozen model for each sweep type.

What they take derives from the parameters of one run (`model/parameters.py`). Grids and other
numbers that are not whole are exact decimals from the door to the manifest; they become doubles at
the kernel's door. Nothing here loads numpy: names, counts and stored configurations are read
without it.
"""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.derived import ParameterSweep, fixed_from, varied_from
from bilancio.experiments.fields import listed
from bilancio.experiments.frontier_sweep import FrontierSweep
from bilancio.experiments.layout import Layout
from bilancio.experiments.presets import PRESETS, filled
from bilancio.model import truncation
from bilancio.model.metrics import BALANCED_METRICS, Metric
from bilancio.model.parameters import (
    RARE,
    RELATED,
    Arm,
    BalancedParameters,
    LiquidityMode,
    RingParameters,
    axes_of,
    one_way_to_say_q,
)
from bilancio.validation import validated

_AXES = axes_of(RingParameters)


@fixed_from(RingParameters, beside=(*_AXES, "seed"))
class RingSettings(ParameterSweep):
    """The parameters of a ring that have one value in all cells, unless `vary` names them."""

    related: ClassVar[tuple[str, ...]] = RELATED

    if TYPE_CHECKING:  # of the fields that derive from RingParameters, those named here
        n_agents: int | None
        maturity_days: int | None
        q_total: Decimal | None
        q_per_agent: Decimal | None

    @classmethod
    def parameter_model(cls) -> type[RingParameters] | type[BalancedParameters]:
        """Return the model of one run's parameters."""
        return RingParameters

    @property
    def claims(self) -> tuple[float, ...]:
        """The debts of a trader, in proportion to its debt in the ring."""
        numbers = {
            name: min(self.values_of(name))
            for name, each in self.parameters_that_vary().items()
            if each.dtype == "f8" and name not in (*self.related, *self.listed, "q_total")
        }
        return self.parameter_model().model_validate(numbers).claims

    @property
    def remarks(self) -> tuple[str, ...]:
        """What may not be meant as it was asked: debts that are cut to whole units, or to none."""
        debts = [q for q in self.values_of("q_per_agent") if q is not None]
        per_agent = bool(debts)
        n, q = max(self.values_of("n_agents")), float(min(debts or self.values_of("q_total")))
        found = truncation.remark(
            [(n, q * n if per_agent else q)],  # where most is cut off
            [float(each) for each in self.values_of("concentration")],
            self.claims,
            advice="give a larger q_per_agent" if per_agent else "give q_per_agent, such as 100",
        )
        return (*super().remarks, *filter(None, [found]))

    @model_validator(mode="before")
    @classmethod
    def _total_or_per_agent(cls, data: Any) -> Any:
        return one_way_to_say_q(data) if isinstance(data, Mapping) else data

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        per_agent = self.values_of("q_per_agent") != [None]
        return super().implied() | ({"q_total": None} if per_agent else {})

    @model_validator(mode="after")
    def _no_total_beside(self) -> Self:
        if self.q_per_agent is not None:
            self.__dict__["q_total"] = None  # frozen, but not handed out yet
        return self

    def run_of(self, cell: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of the runs of a cell, given the values that it has.

        Where cells differ in how the cash is allotted, what only another of these ways uses is
        left out.
        """
        run = super().run_of(cell)
        for mode, name in _USED_BY_MODE.items():
            if (
                "liquidity_mode" in cell
                and cell["liquidity_mode"] != mode in self._liquidity_modes()
            ):
                run.pop(name, None)
        return run

    def _liquidity_modes(self) -> Collection[str]:
        """Return the ways in which cells allot the cash."""
        return ()


@fixed_from(RingParameters)
class SingleRun(RingSettings):
    """One ring (MODEL.md, section 1), one run."""

    if TYPE_CHECKING:  # of the fields that derive from RingParameters, the one named here
        seed: int

    sweep_type: Literal["single"] = Field(default="single", description="One ring, one run.")

    @model_validator(mode="before")
    @classmethod
    def _lists_of_one(cls, data: Any) -> Any:
        """Take the lists of other sweeps, and lists in place of numbers, if they have one value."""
        if not isinstance(data, Mapping):
            return data
        plurals = {axis.plural: name for name, axis in _AXES.items()} | {"seeds": "seed"}
        given, problems = dict(data), []
        for field in [*plurals, *plurals.values()]:
            name = plurals.get(field, field)
            if given.get(field) is None or (name == field and not _is_list(given[field])):
                continue
            values = listed(given.pop(field))
            if not isinstance(values, list) or len(values) != 1:
                problems.append(Problem(field, shown(values), "one value: this is a single run"))
            elif given.get(name) is not None:
                got = f"{shown(values[0])}, beside {name} {shown(given[name])}"
                problems.append(Problem(field, got, f"either {field} or {name}, not both"))
            else:
                given[name] = values[0]
        if problems:
            raise InvalidInput(problems)
        return given

    @model_validator(mode="after")
    def _run_can_be_made(self) -> Self:
        """Check what concerns several fields by the rules of the model itself."""
        validated(self.parameter_model(), self.run_settings())
        return self

    @property
    def layout(self) -> Layout:
        """How its one run is numbered."""
        return Layout(1, 1, 1)

    def all_seeds(self) -> tuple[int, ...]:
        """Return its one seed."""
        return (self.seed,)

    @property
    def cost(self) -> float:
        """Cost of the sweep; one agent of a plain ring costs 1."""
        return float(self.n_agents or 0)


@varied_from(RingParameters)
class _RingCells(FrontierSweep, RingSettings):
    """Cells of a ring."""

    presets: ClassVar[tuple[str, ...]] = tuple(PRESETS)

    @model_validator(mode="before")
    @classmethod
    def _filled_by_preset(cls, data: Any) -> Any:
        """Fill in what a preset says, before anything else is read."""
        return filled(cls, data) if isinstance(data, Mapping) else data

    def _without_value(self) -> Iterator[str]:
        yield from super()._without_value()
        if "q_per_agent" in self.axes:
            yield "q_total"

    def _lacking(self) -> Iterator[Problem]:
        said = {*self.axes, *self.model_fields_set}
        if {"q_total", "q_per_agent"} <= said and not {"q_total", "q_per_agent"}.isdisjoint(
            self.axes
        ):
            field = "vary" if self.vary else "points"
            yield Problem(field, "q_total and q_per_agent", "either q_total or q_per_agent")
        yield from super()._lacking()

    def _liquidity_modes(self) -> Collection[str]:
        named = [point.get("liquidity_mode") for point in self.points or ()]
        return {*self.axes.get("liquidity_mode", ()), *filter(None, named)}


class RingSweep(_RingCells):
    """Plain rings over cells of κ, c, μ, monotonicity, and what `vary` names."""

    sweep_type: Literal["ring"] = Field(default="ring", description="Plain rings, no dealers.")

    @property
    def cost(self) -> float:
        """Cost of the sweep; one agent of a plain ring costs 1."""
        return self.total_runs * self.mean_of("n_agents")


@fixed_from(BalancedParameters, beside=(*axes_of(BalancedParameters), "seed"))
@varied_from(BalancedParameters)
class BalancedSweep(_RingCells):
    """Passive and active arm from the same balance sheets (MODEL.md, sections 2 and 6–7)."""

    arms: ClassVar[tuple[str, ...]] = ("passive", "active")
    settings_of: ClassVar[dict[str, str]] = {
        **FrontierSweep.settings_of,
        "frontier_arm": "frontier",
    }
    recorded: ClassVar[tuple[Metric, ...]] = BALANCED_METRICS
    paired: ClassVar[tuple[str, ...]] = ("trading_effect", "trading_relief_ratio")

    sweep_type: Literal["balanced"] = Field(
        default="balanced",
        description="Dealers that hold (passive) against dealers that trade (active), in pairs.",
    )
    if TYPE_CHECKING:  # of the fields that derive from BalancedParameters, the one named here
        horizon: int | None

    frontier_arm: Arm | None = Field(
        default=None,
        description="With frontier: search this arm only. Default: each on its own.",
        json_schema_extra=RARE,
    )

    def _dependent_defaults(self) -> dict[str, Any]:
        """Return what fields take that are not given; the horizon of a cell is its maturity."""
        differs = "maturity_days" in self.axes or "horizon" in (self.vary or {})
        horizon = {} if differs else {"horizon": self.maturity_days}
        return super()._dependent_defaults() | horizon

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        return {**super().implied(), "horizon": self.maturity_days}

    @classmethod
    def parameter_model(cls) -> type[BalancedParameters]:
        """Return the model of one run's parameters."""
        return BalancedParameters

    @property
    def searched_arms(self) -> tuple[str, ...]:
        """The arms whose default rate a frontier is searched for, each on its own."""
        return super().searched_arms if self.frontier_arm is None else (self.frontier_arm.value,)

    @property
    def cost(self) -> float:
        """Cost of the sweep: a pair costs about as much as 9 plain rings."""
        return self.total_runs * self.mean_of("n_agents") * 4.5


_USED_BY_MODE = {
    LiquidityMode.SINGLE_AT: "liquidity_agent",
    LiquidityMode.VECTOR: "liquidity_vector",
}


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset) or bool(getattr(value, "shape", ()))
