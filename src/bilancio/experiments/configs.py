"""The sweeps that are built in: one validated, frozen model for each sweep type.

What they take derives from the parameters of one run (`model/parameters.py`). Grids and other
numbers that are not whole are exact decimals from the door to the manifest; they become doubles at
the kernel's door. Nothing here loads numpy: names, counts and stored configurations are read
without it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.derived import Point, fixed_from, point_of, varied_from
from bilancio.experiments.fields import listed
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.layout import Layout
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model import truncation
from bilancio.model.parameters import (
    Arm,
    BalancedParameters,
    RingParameters,
    axes_of,
    one_way_to_say_q,
)

_AXES = axes_of(RingParameters)


@fixed_from(RingParameters, beside=(*_AXES, "seed"))
class RingSettings(SweepConfig):
    """The parameters of a ring that a sweep holds fixed (MODEL.md, sections 1–5)."""

    if TYPE_CHECKING:  # of the fields that derive from RingParameters, those named here
        n_agents: int
        maturity_days: int
        q_total: Decimal | None
        q_per_agent: Decimal | None

    def run_settings(self) -> dict[str, Any]:
        """Return the fixed parameters under the names that one run takes."""
        names = self.parameter_model().model_fields.keys() & type(self).model_fields.keys()
        return {name: getattr(self, name) for name in sorted(names)}

    @classmethod
    def parameter_model(cls) -> type[RingParameters] | type[BalancedParameters]:
        """Return the model of one run's parameters."""
        return RingParameters

    @property
    def claims(self) -> tuple[float, ...]:
        """The debts of a trader, in proportion to its debt in the ring."""
        return self.parameter_model().model_validate(self.run_settings()).claims

    @property
    def remarks(self) -> tuple[str, ...]:
        """What may not be meant as it was asked: debts that are cut to whole units, or to none."""
        agents, per_agent = self.values_of("n_agents"), self.q_per_agent is not None
        found = truncation.remark(
            [
                (n, float(q) * n if per_agent else float(q))
                for n in agents
                for q in self.values_of("q_per_agent" if per_agent else "q_total")
            ],
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
        per_agent = self.q_per_agent is not None
        return super().implied() | ({"q_total": None} if per_agent else {})

    @model_validator(mode="after")
    def _runs_can_be_made(self) -> Self:
        """Check what concerns several fields by the rules of the model itself."""
        self.parameter_model().model_validate(self.run_settings())
        return self


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
        return float(self.n_agents)


class RingSweep(GridSweep, RingSettings):
    """Plain rings over cells of κ, c, μ and monotonicity."""

    sweep_type: Literal["ring"] = Field(default="ring", description="Plain rings, no dealers.")

    @property
    def cost(self) -> float:
        """Cost of the sweep; one agent of a plain ring costs 1."""
        return float(self.total_runs * self.n_agents)


@point_of(BalancedParameters)
class BalancedPoint(Point):
    """One cell of a balanced comparison by the values of its parameters."""


@fixed_from(BalancedParameters, beside=(*axes_of(BalancedParameters), "seed"))
@varied_from(BalancedParameters, BalancedPoint)
class BalancedSweep(GridSweep, RingSettings):
    """Passive and active arm from the same balance sheets (MODEL.md, sections 2 and 6–7)."""

    arms: ClassVar[tuple[str, ...]] = ("passive", "active")

    sweep_type: Literal["balanced"] = Field(
        default="balanced", description="Dealers that hold against dealers that trade, in pairs."
    )
    frontier_arm: Arm | None = Field(
        default=None, description="With frontier: search this arm only. Default: each on its own."
    )

    @model_validator(mode="before")
    @classmethod
    def _horizon_is_maturity(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("horizon") is None:
            return {**data, "horizon": data.get("maturity_days", 10)}
        return data

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
        return self.arms if self.frontier_arm is None else (self.frontier_arm.value,)

    @property
    def cost(self) -> float:
        """Cost of the sweep: a pair costs about as much as 9 plain rings."""
        return float(self.total_runs * self.n_agents) * 4.5


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset) or bool(getattr(value, "shape", ()))
