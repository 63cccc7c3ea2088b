"""The sweeps that are built in: one validated, frozen model for each sweep type.

Grids and other numbers that are not whole are exact decimals from the door to the
manifest; they become doubles at the kernel's door. Nothing here loads numpy: names,
counts and stored configurations are read without it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bilancio.experiments.fields import (
    DOUBLE,
    NO_BOOL,
    PLAIN,
    BalancedPoint,
    Concentration,
    Kappa,
    MidRatio,
    MidRatioRange,
    Monotonicity,
    Mu,
    RingPoint,
    Seed,
    Sensitivity,
    Share,
    Spread,
    each_once,
)
from bilancio.experiments.grid_sweep import DEFAULT_SEED, GridSweep
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model import parameters as bounds
from bilancio.model.parameters import (
    Arm,
    BalancedParameters,
    DefaultHandling,
    LiquidityMode,
    OutsideDepth,
    RingParameters,
)


class RingSettings(SweepConfig):
    """The parameters of a ring that a sweep holds fixed (MODEL.md, sections 1–5)."""

    n_agents: Annotated[int, bounds.N_AGENTS, NO_BOOL] = Field(
        default=100, description="Traders in the ring, n."
    )
    maturity_days: Annotated[int, bounds.MATURITY_DAYS, NO_BOOL] = Field(
        default=10, description="Horizon: the largest due day, D."
    )
    q_total: Annotated[Decimal, bounds.Q_TOTAL, NO_BOOL, DOUBLE, PLAIN] = Field(
        default=Decimal(10000), description="Nominal total of the ring's debts, Q."
    )
    liquidity_mode: LiquidityMode = Field(
        default=LiquidityMode.UNIFORM, description="How the initial cash is allotted."
    )
    liquidity_agent: Annotated[int, NO_BOOL] | None = Field(
        default=None, description="With single_at: the trader that gets all the cash, from 1."
    )
    liquidity_vector: (
        tuple[Annotated[Decimal, bounds.LIQUIDITY_WEIGHT, NO_BOOL, DOUBLE, PLAIN], ...] | None
    ) = Field(default=None, description="With vector: n weights of the allotment.")
    default_handling: DefaultHandling = Field(
        default=DefaultHandling.EXPEL_AGENT, description="What a default does."
    )
    rollover: bool = Field(default=False, description="Renew the debts that were settled.")
    early_stop: bool = Field(
        default=False, description="Stop after quiet days although debts are live."
    )
    quiet_days: Annotated[int, bounds.QUIET_DAYS, NO_BOOL] = Field(
        default=2, description="Days without impact that make a run stable."
    )

    def run_settings(self) -> dict[str, Any]:
        """Return the fixed parameters under the names that one run takes."""
        names = self.parameter_model().model_fields.keys() & type(self).model_fields.keys()
        return {name: getattr(self, name) for name in sorted(names)}

    @classmethod
    def parameter_model(cls) -> type[RingParameters] | type[BalancedParameters]:
        """Return the model of one run's parameters."""
        return RingParameters

    @model_validator(mode="after")
    def _runs_can_be_made(self) -> Self:
        """Check what concerns several fields by the rules of the model itself."""
        self.parameter_model().model_validate(self.run_settings())
        return self


class SingleRun(RingSettings):
    """One ring (MODEL.md, section 1), one run."""

    sweep_type: Literal["single"] = Field(default="single", description="One ring, one run.")
    kappa: Kappa = Field(default=Decimal(1), description="Liquidity ratio κ.")
    concentration: Concentration = Field(
        default=Decimal(1), description="Dirichlet concentration of debt sizes, c."
    )
    mu: Mu = Field(default=Decimal(0), description="Lead–lag of due days, μ.")
    monotonicity: Monotonicity = Field(default=Decimal(0), description="Ordering of debt sizes, m.")
    seed: Seed = Field(default=DEFAULT_SEED, description="Seed of the scenario.")

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


class BalancedSweep(GridSweep, RingSettings):
    """Passive and active arm from the same balance sheets (MODEL.md, sections 2 and 6–7)."""

    arms: ClassVar[tuple[str, ...]] = ("passive", "active")
    point_model: ClassVar[type[RingPoint]] = BalancedPoint
    listed: ClassVar[dict[str, str]] = {
        "outside_mid_ratio": "outside_mid_ratios",
        **GridSweep.listed,
    }

    sweep_type: Literal["balanced"] = Field(
        default="balanced", description="Dealers that hold against dealers that trade, in pairs."
    )
    rollover: bool = Field(default=True, description="Renew the debts that were settled.")
    outside_mid_ratios: Annotated[
        tuple[MidRatio, ...], Field(min_length=1), AfterValidator(each_once)
    ] = Field(default=(Decimal(1),), description="Outside mid prices per unit of face, ρ.")
    outside_mid_ratio_range: MidRatioRange | None = Field(
        default=None, description="Low:high of ρ, for lhs."
    )
    points: Annotated[tuple[BalancedPoint, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Single cells: kappa, concentration, mu, monotonicity, outside_mid_ratio.",
    )
    frontier_arm: Arm | None = Field(
        default=None, description="With frontier: search this arm only. Default: each on its own."
    )
    face_value: Annotated[int, bounds.FACE_VALUE, NO_BOOL] = Field(
        default=20, description="Ticket size, S."
    )
    vbt_share: Share = Field(default=Decimal("0.25"), description="Share of the VBTs, β_V.")
    dealer_share: Share = Field(default=Decimal("0.125"), description="Share of the dealers, β_D.")
    spread_short: Spread = Field(
        default=Decimal("0.2"), description="Outside spread O of the short bucket."
    )
    spread_mid: Spread = Field(
        default=Decimal("0.3"), description="Outside spread O of the mid bucket."
    )
    spread_long: Spread = Field(
        default=Decimal("0.4"), description="Outside spread O of the long bucket."
    )
    anchor_update: bool = Field(default=True, description="Move the anchors with losses.")
    phi_m: Sensitivity = Field(
        default=Decimal(1), description="Fall of the anchor M for each unit of loss rate, φ_M."
    )
    phi_o: Sensitivity = Field(
        default=Decimal("0.6"), description="Rise of the spread O for each unit of it, φ_O."
    )
    outside_depth: OutsideDepth = Field(
        default=OutsideDepth.BALANCE_SHEET, description="What the VBTs can buy with."
    )
    horizon: Annotated[int, bounds.HORIZON, NO_BOOL] | None = Field(
        default=None, description="Days that traders look ahead, H. Default D."
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
