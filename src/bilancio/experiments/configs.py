"""What a sweep is asked to do: one validated, frozen model for each sweep type.

Grids and other numbers that are not whole are exact decimals from the door to the
manifest; they become doubles at the kernel's door. Nothing here loads numpy: names,
counts and stored configurations are read without it.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.model import parameters as bounds
from bilancio.model.parameters import (
    BalancedParameters,
    DefaultHandling,
    LiquidityMode,
    OutsideDepth,
    RingParameters,
)
from bilancio.validation import explained

MAX_RUNS = 10**7
DEFAULT_SEED = 42
HANDLING_FIELDS = ("max_failures", "run_timeout_s", "cloud")
LEADING_FIELDS = ("sweep_type", "n_agents", "kappas", "concentrations", "mus")


def plain(number: Decimal) -> str:
    """Write a decimal as people do: 0.3, 10000, never 1E+4 or 0.30."""
    return format(number.normalize(), "f") if number else "0"


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise invalid("", value, "a number, not true or false")
    return value


def _finite_double(number: Decimal) -> Decimal:
    double = float(number)
    if not math.isfinite(double) or (number and not double):
        raise invalid("", number, "a number that a double can hold")
    return number


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    seen = set()
    for value in values:
        if value in seen:
            raise InvalidInput([Problem("", f"{value} twice", "each value once")])
        seen.add(value)
    return values


_NO_BOOL = BeforeValidator(_no_bool)
_DOUBLE = AfterValidator(_finite_double)
_PLAIN = PlainSerializer(plain, return_type=str)
Kappa = Annotated[Decimal, bounds.KAPPA, _NO_BOOL, _DOUBLE, _PLAIN]
Concentration = Annotated[Decimal, bounds.CONCENTRATION, _NO_BOOL, _DOUBLE, _PLAIN]
Mu = Annotated[Decimal, bounds.MU, _NO_BOOL, _DOUBLE, _PLAIN]
Monotonicity = Annotated[Decimal, bounds.MONOTONICITY, _NO_BOOL, _DOUBLE, _PLAIN]
MidRatio = Annotated[Decimal, bounds.OUTSIDE_MID_RATIO, _NO_BOOL, _DOUBLE, _PLAIN]
Share = Annotated[Decimal, bounds.SHARE, _NO_BOOL, _DOUBLE, _PLAIN]
Spread = Annotated[Decimal, bounds.SPREAD, _NO_BOOL, _DOUBLE, _PLAIN]
Sensitivity = Annotated[Decimal, bounds.SENSITIVITY, _NO_BOOL, _DOUBLE, _PLAIN]
Seed = Annotated[int, bounds.SEED, _NO_BOOL]


class SweepConfig(BaseModel):
    """A sweep: its type and every parameter of it, defaults written out.

    ``SweepConfig(sweep_type="balanced", …)`` gives an instance of the model that the
    registry knows for that type, as ``pathlib.Path`` gives a path of this system.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    arms: ClassVar[tuple[str, ...]] = ("passive",)
    sweep_type: str = Field(description="Which experiment.")
    max_failures: Annotated[int, Field(ge=1)] = Field(
        default=1000, description="Failed runs after which the sweep stops early."
    )
    run_timeout_s: Annotated[float, Field(gt=0, le=10**6)] = Field(
        default=600.0, description="Seconds after which a run in a process of its own is stopped."
    )
    cloud: bool = Field(default=False, description="Compute on Modal instead of this machine.")

    def __new__(cls, **data: Any) -> Self:
        """Choose the model of the sweep type that *data* names."""
        chosen = _model_for(data) if cls is SweepConfig else cls
        return super().__new__(chosen)  # type: ignore[return-value]  # a subclass of cls

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise explained(error, type(self).model_json_schema()) from None

    @model_validator(mode="wrap")
    @classmethod
    def _as_its_type(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if cls is SweepConfig and isinstance(data, Mapping):
            return _model_for(data).model_validate(data)  # type: ignore[return-value]
        return handler(data)

    @property
    def total_runs(self) -> int:
        """Number of runs, all arms and seeds counted."""
        return len(self.arms)

    @property
    def work(self) -> float:
        """Size of the whole sweep in units of work, for estimates."""
        return float(self.total_runs)

    def as_dict(self) -> dict[str, Any]:
        """Return every parameter as JSON holds it: decimals as text, grids first."""
        written = self.model_dump(mode="json")
        leading = {name: written.pop(name) for name in LEADING_FIELDS if name in written}
        handling = {name: written.pop(name) for name in HANDLING_FIELDS}
        return {**leading, **written, **handling}

    def digest(self) -> str:
        """Return a hash of all that the results depend on; how it is carried out is not."""
        parameters = {
            name: value for name, value in self.as_dict().items() if name not in HANDLING_FIELDS
        }
        text = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _model_for(data: Mapping[str, Any]) -> type[SweepConfig]:
    from bilancio.experiments.registry import config_model  # the registry imports this module

    return config_model(data.get("sweep_type"))


class UncheckedSweep(SweepConfig):
    """A stored sweep whose experiment is not installed here: to be shown, not to be run."""

    model_config = ConfigDict(extra="allow")

    def as_dict(self) -> dict[str, Any]:
        """Return what was stored."""
        return self.model_dump(mode="json")


class RingSettings(SweepConfig):
    """The parameters of a ring that a sweep holds fixed (MODEL.md, sections 1–5)."""

    n_agents: Annotated[int, bounds.N_AGENTS] = Field(
        default=100, description="Traders in the ring, n."
    )
    maturity_days: Annotated[int, bounds.MATURITY_DAYS] = Field(
        default=10, description="Horizon: the largest due day, D."
    )
    q_total: Annotated[Decimal, bounds.Q_TOTAL, _NO_BOOL, _DOUBLE, _PLAIN] = Field(
        default=Decimal(10000), description="Nominal total of the ring's debts, Q."
    )
    liquidity_mode: LiquidityMode = Field(
        default=LiquidityMode.UNIFORM, description="How the initial cash is allotted."
    )
    liquidity_agent: int | None = Field(
        default=None, description="With single_at: the trader that gets all the cash, from 1."
    )
    liquidity_vector: (
        tuple[Annotated[Decimal, bounds.LIQUIDITY_WEIGHT, _NO_BOOL, _DOUBLE, _PLAIN], ...] | None
    ) = Field(default=None, description="With vector: n weights of the allotment.")
    default_handling: DefaultHandling = Field(
        default=DefaultHandling.EXPEL_AGENT, description="What a default does."
    )
    rollover: bool = Field(default=False, description="Renew the debts that were settled.")
    early_stop: bool = Field(
        default=False, description="Stop after quiet days although debts are live."
    )
    quiet_days: Annotated[int, bounds.QUIET_DAYS] = Field(
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
    def work(self) -> float:
        """Size of the sweep in units of work: one agent of a plain ring is one."""
        return float(self.n_agents)


class GridSweep(RingSettings):
    """Every combination of the values listed, under every seed."""

    kappas: Annotated[tuple[Kappa, ...], Field(min_length=1), AfterValidator(_each_once)] = Field(
        default=(Decimal(1),), description="Liquidity ratios κ: initial cash / debt."
    )
    concentrations: Annotated[
        tuple[Concentration, ...], Field(min_length=1), AfterValidator(_each_once)
    ] = Field(default=(Decimal(1),), description="Dirichlet concentrations of debt sizes, c.")
    mus: Annotated[tuple[Mu, ...], Field(min_length=1), AfterValidator(_each_once)] = Field(
        default=(Decimal(0),), description="Lead–lags of due days, μ."
    )
    monotonicities: Annotated[
        tuple[Monotonicity, ...], Field(min_length=1), AfterValidator(_each_once)
    ] = Field(default=(Decimal(0),), description="Orderings of debt sizes, m.")
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(_each_once)] | None = (
        Field(default=None, description="Seeds; each cell runs under each of them. Default 42.")
    )
    n_replicates: int | None = Field(
        default=None, ge=1, le=MAX_RUNS, description="Instead of seeds: how many."
    )
    base_seed: Seed | None = Field(
        default=None, description="With n_replicates: the first seed; the others follow."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_way_to_name_seeds(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        shorthand = {
            name: data[name] for name in ("n_replicates", "base_seed") if data.get(name) is not None
        }
        if data.get("seeds") is None:
            if not shorthand:
                return {**data, "seeds": [DEFAULT_SEED]}
            return {"n_replicates": 1, "base_seed": DEFAULT_SEED, **data, **shorthand}
        if shorthand:
            got = " and ".join(f"{name} {value}" for name, value in shorthand.items())
            raise InvalidInput(
                [Problem("seeds", f"a list and {got}", "either seeds or n_replicates, not both")]
            )
        return data

    @model_validator(mode="after")
    def _not_too_many_runs(self) -> Self:
        if self.total_runs > MAX_RUNS:
            got, allowed = f"{self.total_runs:,} runs", f"at most {MAX_RUNS:,} runs in one job"
            raise InvalidInput([Problem("grid", got, allowed)])
        return self

    @property
    def axes(self) -> dict[str, tuple[Decimal, ...]]:
        """The values of each parameter that varies over cells, slowest first."""
        return {
            "kappa": self.kappas,
            "concentration": self.concentrations,
            "mu": self.mus,
            "monotonicity": self.monotonicities,
        }

    @property
    def n_seeds(self) -> int:
        """Number of seeds that every cell runs under."""
        return len(self.seeds) if self.seeds is not None else self.n_replicates or 1

    @property
    def total_runs(self) -> int:
        """Cells × seeds × arms."""
        cells = math.prod(len(values) for values in self.axes.values())
        return cells * self.n_seeds * len(self.arms)

    def all_seeds(self) -> Iterable[int]:
        """Return the seeds in order, the shorthand written out."""
        if self.seeds is not None:
            return self.seeds
        first = self.base_seed or 0
        return range(first, first + self.n_seeds)


class RingSweep(GridSweep):
    """Plain rings over a grid of κ, c, μ and monotonicity."""

    sweep_type: Literal["ring"] = Field(default="ring", description="Plain rings over a grid.")

    @property
    def work(self) -> float:
        """Size of the sweep in units of work: one agent of a plain ring is one."""
        return float(self.total_runs * self.n_agents)


class BalancedSweep(GridSweep):
    """Passive and active arm from the same balance sheets (MODEL.md, sections 2 and 6–7)."""

    arms: ClassVar[tuple[str, ...]] = ("passive", "active")
    sweep_type: Literal["balanced"] = Field(
        default="balanced", description="Dealers that hold against dealers that trade, in pairs."
    )
    rollover: bool = Field(default=True, description="Renew the debts that were settled.")
    outside_mid_ratios: Annotated[
        tuple[MidRatio, ...], Field(min_length=1), AfterValidator(_each_once)
    ] = Field(default=(Decimal(1),), description="Outside mid prices per unit of face, ρ.")
    face_value: Annotated[int, bounds.FACE_VALUE] = Field(default=20, description="Ticket size, S.")
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
    horizon: Annotated[int, bounds.HORIZON] | None = Field(
        default=None, description="Days that traders look ahead, H. Default D."
    )

    @model_validator(mode="before")
    @classmethod
    def _horizon_is_maturity(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("horizon") is None:
            return {**data, "horizon": data.get("maturity_days", 10)}
        return data

    @classmethod
    def parameter_model(cls) -> type[BalancedParameters]:
        """Return the model of one run's parameters."""
        return BalancedParameters

    @property
    def axes(self) -> dict[str, tuple[Decimal, ...]]:
        """The values of each parameter that varies over cells, slowest first."""
        return {"outside_mid_ratio": self.outside_mid_ratios, **super().axes}

    @property
    def work(self) -> float:
        """Size of the sweep in units of work: a pair costs about 15 plain rings."""
        return float(self.total_runs * self.n_agents) * 7.5
