"""What a run is told: every parameter, its bounds, its default and its meaning.

Imports neither numpy nor numba: the command line and the server read this
module when they start. The bounds are constants of their own, so that a grid of
``Decimal`` values can be held to the same ones: ``Annotated[Decimal, KAPPA]``.

References
----------
MODEL.md, sections 1 (valid input), 2 (defaults) and 6 (dealers).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Interval
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bilancio.errors import InvalidInput, Problem
from bilancio.validation import validated


class Kind(StrEnum):
    """Which scenario is simulated."""

    RING = "ring"  # traders owe each other; no dealers
    BALANCED = "balanced"  # traders also owe VBTs and dealers, who hold the cash for it


class Arm(StrEnum):
    """Who may trade. Arms share seeds, so they differ in nothing else."""

    PASSIVE = "passive"  # VBTs and dealers hold their claims and quote nothing
    ACTIVE = "active"  # dealers quote in every maturity bucket


class LiquidityMode(StrEnum):
    """How the initial cash is allotted to the traders."""

    UNIFORM = "uniform"
    SINGLE_AT = "single_at"
    VECTOR = "vector"


class DefaultHandling(StrEnum):
    """What happens when a debtor cannot pay."""

    FAIL_FAST = "fail-fast"  # the run ends at once
    EXPEL_AGENT = "expel-agent"  # the debtor pays what it has and is out; the run goes on


class OutsideDepth(StrEnum):
    """How much a VBT can buy."""

    BALANCE_SHEET = "balance-sheet"  # as far as its cash goes
    UNLIMITED = "unlimited"  # missing cash comes from outside and is reported


# MODEL.md sets no upper bound for some of these. Those here are far beyond any use and keep
# every amount of cash (2 × 10⁹ × 10³ × 10⁶ micro-units and less) and every double finite.
N_AGENTS = Interval(ge=3, le=10**5)
KAPPA = Interval(gt=0, le=10**3)
CONCENTRATION = Interval(gt=0, le=10**9)
MU = Interval(ge=0, le=1)
MONOTONICITY = Interval(ge=-1, le=1)
MATURITY_DAYS = Interval(ge=1, le=10**3)
Q_TOTAL = Interval(gt=0, le=10**9)
SEED = Interval(ge=0, le=10**12)  # 1_000_003 · (seed + 1), the order flow's seed, fits 63 bits
QUIET_DAYS = Ge(1)
LIQUIDITY_WEIGHT = Interval(gt=0, le=10**9)
FACE_VALUE = Interval(ge=1, le=10**9)
OUTSIDE_MID_RATIO = Interval(ge=0, le=2)
SHARE = Interval(ge=0, le=1)
SPREAD = Interval(ge=0, le=10**6)
SENSITIVITY = Interval(ge=0, le=10**6)
HORIZON = Ge(0)


def _refuse_truth_values(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "a truth value is no number")
    return value


def _split_text(value: object) -> object:
    return value.split() if isinstance(value, str) else value


_Number = BeforeValidator(_refuse_truth_values)

NAgents = Annotated[int, N_AGENTS, _Number, Field(description="Ring traders, n.")]
Kappa = Annotated[
    float, KAPPA, _Number, Field(description="Liquidity ratio: initial cash / face of ring debts.")
]
Concentration = Annotated[
    float,
    CONCENTRATION,
    _Number,
    Field(description="Dirichlet concentration of debt sizes: small is unequal, large is equal."),
]
Mu = Annotated[
    float, MU, _Number, Field(description="Lead-lag of due days: step from one debt to the next.")
]
Monotonicity = Annotated[
    float,
    MONOTONICITY,
    _Number,
    Field(description="Order of debt sizes: 1 decreasing, -1 increasing, 0 as drawn."),
]
MaturityDays = Annotated[int, MATURITY_DAYS, _Number, Field(description="Largest due day, D.")]
QTotal = Annotated[float, Q_TOTAL, _Number, Field(description="Total of ring debts, in money.")]
Seed = Annotated[int, SEED, _Number, Field(description="Seed of the scenario and order flow.")]
LiquidityAgent = Annotated[
    int,
    Ge(1),
    _Number,
    Field(description="Trader that gets all the cash, from 1; with liquidity_mode single_at."),
]
LiquidityVector = Annotated[
    tuple[Annotated[float, LIQUIDITY_WEIGHT, _Number], ...],
    BeforeValidator(_split_text),
    Field(description="One weight per trader for its cash; with liquidity_mode vector."),
]
QuietDays = Annotated[
    int, QUIET_DAYS, _Number, Field(description="Days without settlement after which a run ends.")
]
FaceValue = Annotated[int, FACE_VALUE, _Number, Field(description="Ticket size, in money.")]
OutsideMidRatio = Annotated[
    float,
    OUTSIDE_MID_RATIO,
    _Number,
    Field(description="Outside mid price per unit of face at the start."),
]
VbtShare = Annotated[
    float, SHARE, _Number, Field(description="Claims of each bucket's VBT / its ring debts.")
]
DealerShare = Annotated[
    float, SHARE, _Number, Field(description="Claims of each bucket's dealer / its ring debts.")
]
SpreadShort = Annotated[
    float, SPREAD, _Number, Field(description="Outside spread at the start, 1 to 3 days.")
]
SpreadMid = Annotated[
    float, SPREAD, _Number, Field(description="Outside spread at the start, 4 to 8 days.")
]
SpreadLong = Annotated[
    float, SPREAD, _Number, Field(description="Outside spread at the start, 9 days and more.")
]
PhiM = Annotated[
    float, SENSITIVITY, _Number, Field(description="Fall of the outside mid per loss rate.")
]
PhiO = Annotated[
    float, SENSITIVITY, _Number, Field(description="Rise of the outside spread per loss rate.")
]
Horizon = Annotated[
    int, HORIZON, _Number, Field(description="Days that traders look ahead; default maturity_days.")
]


class _Parameters(BaseModel):
    """What both scenarios share. None and empty text mean that a field is not given."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    n_agents: NAgents = 100
    kappa: Kappa = 1.0
    concentration: Concentration = 1.0
    mu: Mu = 0.0
    monotonicity: Monotonicity = 0.0
    maturity_days: MaturityDays = 10
    q_total: QTotal = 10_000.0
    seed: Seed = 42
    liquidity_mode: Annotated[
        LiquidityMode, Field(description="How the cash is allotted to the traders.")
    ] = LiquidityMode.UNIFORM
    liquidity_agent: LiquidityAgent | None = None
    liquidity_vector: LiquidityVector | None = None
    default_handling: Annotated[
        DefaultHandling, Field(description="What happens when a debtor cannot pay.")
    ] = DefaultHandling.EXPEL_AGENT
    early_stop: Annotated[
        bool, Field(description="With rollover: stop after quiet days though debts are still due.")
    ] = False
    quiet_days: QuietDays = 2

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_not_given(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = {name: _plain(value) for name, value in data.items()}
        return {
            name: value
            for name, value in given.items()
            if value is not None and not (isinstance(value, str) and not value.strip())
        }

    @model_validator(mode="after")
    def _liquidity_fields_fit_the_mode(self) -> Self:
        agent, vector, n = self.liquidity_agent, self.liquidity_vector, self.n_agents
        weights = "nothing" if vector is None else f"{len(vector)} weights"
        if self.liquidity_mode is LiquidityMode.SINGLE_AT:
            if agent is None or agent > n:
                got = "nothing" if agent is None else str(agent)
                raise _refusal("liquidity_agent", got, f"whole numbers from 1 to {n}")
        elif agent is not None:
            allowed = "nothing, unless liquidity_mode is single_at"
            raise _refusal("liquidity_agent", str(agent), allowed)
        if self.liquidity_mode is LiquidityMode.VECTOR:
            if vector is None or len(vector) != n:
                raise _refusal("liquidity_vector", weights, f"{n} positive weights, one per trader")
        elif vector is not None:
            raise _refusal("liquidity_vector", weights, "nothing, unless liquidity_mode is vector")
        return self


class RingParameters(_Parameters):
    """One run of the plain ring (MODEL.md, section 1)."""

    kind: Annotated[Literal[Kind.RING], Field(description="The plain ring.")] = Kind.RING
    arm: Annotated[Literal[Arm.PASSIVE], Field(description="Nobody trades in a plain ring.")] = (
        Arm.PASSIVE
    )
    rollover: Annotated[bool, Field(description="Renew debts that were settled.")] = False


class BalancedParameters(_Parameters):
    """One run of the balanced scenario (MODEL.md, section 2), in either arm."""

    kind: Annotated[Literal[Kind.BALANCED], Field(description="The ring with dealers.")] = (
        Kind.BALANCED
    )
    arm: Annotated[Arm, Field(description="Who may trade.")] = Arm.PASSIVE
    rollover: Annotated[bool, Field(description="Renew debts that were settled.")] = True
    face_value: FaceValue = 20
    outside_mid_ratio: OutsideMidRatio = 1.0
    vbt_share: VbtShare = 0.25
    dealer_share: DealerShare = 0.125
    spread_short: SpreadShort = 0.20
    spread_mid: SpreadMid = 0.30
    spread_long: SpreadLong = 0.40
    anchor_update: Annotated[
        bool, Field(description="Move outside mid and spread by the losses of each day.")
    ] = True
    phi_m: PhiM = 1.0
    phi_o: PhiO = 0.6
    outside_depth: Annotated[OutsideDepth, Field(description="How much a VBT can buy.")] = (
        OutsideDepth.BALANCE_SHEET
    )
    horizon: Horizon | None = None


Parameters = RingParameters | BalancedParameters


class _KindOnly(BaseModel):
    """Reads the field that says which model the others belong to."""

    kind: Annotated[Kind, Field(description="Which scenario is simulated.")]


def parameters_of(data: Mapping[str, Any]) -> Parameters:
    """Return *data* as the parameters of one run, chosen by its ``kind``.

    Raises
    ------
    InvalidInput
        Names each wrong field, the value got and the values allowed.
    """
    kind = validated(_KindOnly, {"kind": data["kind"]} if "kind" in data else {}).kind
    if kind is Kind.RING:
        return validated(RingParameters, data)
    return validated(BalancedParameters, data)


def _refusal(field: str, got: str, allowed: str) -> InvalidInput:
    return InvalidInput([Problem(field, got, allowed)])


def _plain(value: Any) -> Any:
    """Return numpy's scalars and arrays as Python's own; numpy itself is not needed for it."""
    return value.tolist() if hasattr(value, "tolist") else value
