"""The parameters of a run: bounds, default, unit and meaning of each.

Each is declared here and nowhere else: the rows that kernels read, the fields of sweeps, options,
schemas and their documentation derive from these models. Imports neither numpy nor numba: the
command line and the server read this module when they start.

References
----------
MODEL.md, sections 1 (valid input), 2 (defaults) and 6 (dealers).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from annotated_types import Interval
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.validation import validated, word_of


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
    EXPEL_AGENT = "expel-agent"  # the debtor pays what it has and leaves; the run continues


class OutsideDepth(StrEnum):
    """How much a VBT can buy."""

    BALANCE_SHEET = "balance-sheet"  # as far as its cash goes
    UNLIMITED = "unlimited"  # missing cash comes from outside and is reported


@dataclass(frozen=True, slots=True)
class Axis:
    """Marks a parameter that sweeps vary over their cells.

    Attributes
    ----------
    plural
        Field of a sweep that lists its values.
    symbol
        As MODEL.md writes it.
    logarithmic
        Whether a Latin hypercube spreads its values over their logarithm.
    """

    plural: str
    symbol: str
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Says what the numbers of a parameter measure.

    Attributes
    ----------
    unit
        As a metric's: `1` for a ratio.
    larger
        What a larger value means.
    """

    unit: str
    larger: str


def refuse_boolean(value: object) -> object:
    """Refuse true and false, which Python takes for 1 and 0, where a number is meant."""
    if isinstance(value, bool) or type(value).__name__ in {"bool_", "bool"}:  # numpy's, too
        raise invalid("", bool(value), "a number, not a boolean")
    return value


def _number(value: object) -> object:
    """Read a fraction as a number; refuse booleans."""
    value = refuse_boolean(value)
    try:
        return float(value) if isinstance(value, Fraction) else value
    except OverflowError:
        raise invalid("", value, "a number that a double can hold") from None


def _split_text(value: object) -> object:
    """Read weights in text, with spaces or commas between them."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


# 1_000_003 · (seed + 1), the order flow's seed, fits 63 bits.
SEED = Interval(ge=0, le=10**12)
_NUMBER = BeforeValidator(_number)
MAX_DEBTS = 10**9  # Q in money
_MONEY = Interval(gt=0, le=MAX_DEBTS)
_MANY = Interval(ge=1, le=10**9)
_SHARE = Interval(ge=0, le=1)
_SPREAD = Interval(ge=0, le=10**6)
_SENSITIVITY = Interval(ge=0, le=10**6)

_SPREAD_OF_PRICES = Scale("1", "VBTs buy for less and sell for more")

Share = Annotated[float, _SHARE, _NUMBER]
Spread = Annotated[float, _SPREAD, _NUMBER]
Sensitivity = Annotated[float, _SENSITIVITY, _NUMBER]
Weights = Annotated[
    tuple[Annotated[float, Interval(gt=0, le=10**9), _NUMBER], ...], BeforeValidator(_split_text)
]


RELATED = ("n_agents", "q_per_agent", "liquidity_mode", "liquidity_agent", "liquidity_vector")
"""The parameters whose values depend on each other; every other one may have any of its values."""


RARE: dict[str, Any] = {"rare": True}
"""Marks a field that few sweeps need: it is not described where room is short."""


class _Parameters(BaseModel):
    """What both scenarios share. None and empty text mean that a field is not given.

    MODEL.md sets no upper bound for some parameters. Those here are far beyond any use and keep
    every amount of cash (2 × 10⁹ × 10³ × 10⁶ micro-units and less) and every double finite.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    n_agents: Annotated[
        int, Interval(ge=3, le=10**5), _NUMBER, Scale("agents", "a longer ring")
    ] = Field(default=100, description="Traders in the ring, n.")
    kappa: Annotated[
        float,
        Interval(gt=0, le=10**3),
        _NUMBER,
        Axis("kappas", "κ", logarithmic=True),
        Scale("1", "more cash for the same debts"),
    ] = Field(default=1.0, description="Liquidity ratio κ: cash / debt of the ring.")
    concentration: Annotated[
        float,
        Interval(gt=0, le=10**9),
        _NUMBER,
        Axis("concentrations", "c", logarithmic=True),
        Scale("1", "debts are more equal"),
    ] = Field(
        default=1.0,
        description="Concentration of debt sizes, c: larger is more equal debts.",
    )
    mu: Annotated[
        float,
        Interval(ge=0, le=1),
        _NUMBER,
        Axis("mus", "μ"),
        Scale("1", "more traders have to pay before they are paid"),
    ] = Field(
        default=0.0,
        description="Lead–lag of due days, μ: 0 all on day 1; larger, more pay before being paid.",
    )
    monotonicity: Annotated[
        float,
        Interval(ge=-1, le=1),
        _NUMBER,
        Axis("monotonicities", "m"),
        Scale("1", "debts fall around the ring rather than rise"),
    ] = Field(
        default=0.0,
        description="Order of debt sizes around the ring, m: 1 falling, -1 rising, 0 as drawn.",
    )
    maturity_days: Annotated[
        int, Interval(ge=1, le=10**3), _NUMBER, Scale("days", "debts fall due over a longer time")
    ] = Field(default=10, description="Horizon: the largest due day, D.")
    q_total: Annotated[
        Annotated[float, _MONEY, _NUMBER] | None,
        Scale("money", "more debt, and cash in proportion"),
    ] = Field(default=10_000.0, description="Total of the ring's debts in money, Q.")
    q_per_agent: Annotated[
        Annotated[float, _MONEY, _NUMBER] | None,
        Scale("money", "more debt, and cash in proportion"),
    ] = Field(default=None, description="Instead of q_total: Q / n.", json_schema_extra=RARE)
    seed: Annotated[int, SEED, _NUMBER] = Field(
        default=42, description="Seed of all draws.", json_schema_extra=RARE
    )
    liquidity_mode: LiquidityMode = Field(
        default=LiquidityMode.UNIFORM,
        description="How the initial cash is allotted.",
        json_schema_extra=RARE,
    )
    liquidity_agent: Annotated[int, _MANY, _NUMBER] | None = Field(
        default=None,
        description="With single_at: the trader with all cash, from 1.",
        json_schema_extra=RARE,
    )
    liquidity_vector: Weights | None = Field(
        default=None, description="With vector: n weights of the allotment.", json_schema_extra=RARE
    )
    default_handling: DefaultHandling = Field(
        default=DefaultHandling.EXPEL_AGENT, description="What a default does."
    )
    early_stop: bool = Field(
        default=False,
        description="Stop after quiet days although debts are live.",
        json_schema_extra=RARE,
    )
    quiet_days: Annotated[int, _MANY, _NUMBER, Scale("days", "runs end later")] = Field(
        default=2, description="Days without impact that end a run.", json_schema_extra=RARE
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_not_given(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = {name: _plain(value) for name, value in data.items()}
        return one_way_to_say_q(
            {
                name: value
                for name, value in given.items()
                if value is not None and not (isinstance(value, str) and not value.strip())
            }
        )

    @field_validator("*", mode="before")
    @classmethod
    def _few_words(cls, value: object, info: ValidationInfo) -> object:
        return word_of(cls.model_fields[info.field_name or ""].annotation, value)

    @model_validator(mode="after")
    def _debts_are_bounded(self) -> Self:
        if self.q_per_agent is not None and self.q_per_agent * self.n_agents > MAX_DEBTS:
            most = MAX_DEBTS / self.n_agents
            allowed = f"at most {most:g} with n_agents {self.n_agents}: Q is at most {MAX_DEBTS:,}"
            raise _refusal("q_per_agent", f"{self.q_per_agent:g}", allowed)
        return self

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

    kind: Literal[Kind.RING] = Field(default=Kind.RING, description="The plain ring.")
    arm: Literal[Arm.PASSIVE] = Field(
        default=Arm.PASSIVE, description="There is no trade in a plain ring."
    )
    rollover: bool = Field(default=False, description="Renew the debts that were settled.")

    @property
    def claims(self) -> tuple[float, ...]:
        """The debts of a trader, in proportion to its debt in the ring."""
        return (1.0,)


class BalancedParameters(_Parameters):
    """One run of the balanced scenario (MODEL.md, section 2), in either arm."""

    kind: Literal[Kind.BALANCED] = Field(
        default=Kind.BALANCED, description="The ring with dealers."
    )
    arm: Arm = Field(default=Arm.PASSIVE, description="Who may trade.")
    rollover: bool = Field(default=True, description="Renew the debts that were settled.")
    outside_mid_ratio: Annotated[
        float,
        Interval(ge=0, le=2),
        _NUMBER,
        Axis("outside_mid_ratios", "ρ"),
        Scale("1", "who sells claims is paid more"),
    ] = Field(
        default=1.0,
        description="Outside mid price per face, ρ: larger pays sellers of claims more.",
    )
    face_value: Annotated[
        int, Interval(ge=1, le=10**9), _NUMBER, Scale("money", "fewer, larger tickets")
    ] = Field(default=20, description="Ticket size in money, S.", json_schema_extra=RARE)
    vbt_share: Annotated[Share, Scale("1", "VBTs begin with more claims and cash")] = Field(
        default=0.25, description="Share of the VBTs, β_V."
    )
    dealer_share: Annotated[Share, Scale("1", "dealers begin with more claims and cash")] = Field(
        default=0.125, description="Share of the dealers, β_D."
    )
    spread_short: Annotated[Spread, _SPREAD_OF_PRICES] = Field(
        default=0.20, description="Outside spread O, 1 to 3 days.", json_schema_extra=RARE
    )
    spread_mid: Annotated[Spread, _SPREAD_OF_PRICES] = Field(
        default=0.30, description="Outside spread O, 4 to 8 days.", json_schema_extra=RARE
    )
    spread_long: Annotated[Spread, _SPREAD_OF_PRICES] = Field(
        default=0.40, description="Outside spread O, from 9 days.", json_schema_extra=RARE
    )
    anchor_update: bool = Field(
        default=True, description="Move the anchors with losses.", json_schema_extra=RARE
    )
    phi_m: Annotated[Sensitivity, Scale("1", "prices fall further after losses")] = Field(
        default=1.0, description="Fall of the anchor M per loss rate, φ_M.", json_schema_extra=RARE
    )
    phi_o: Annotated[Sensitivity, Scale("1", "spreads widen further after losses")] = Field(
        default=0.6, description="Rise of the spread O per loss rate, φ_O.", json_schema_extra=RARE
    )
    outside_depth: OutsideDepth = Field(
        default=OutsideDepth.BALANCE_SHEET,
        description="What the VBTs can buy with.",
        json_schema_extra=RARE,
    )
    horizon: Annotated[
        Annotated[int, Interval(ge=0, le=10**9), _NUMBER] | None,
        Scale("days", "traders sell for shortfalls further ahead"),
    ] = Field(
        default=None,
        description="Days that traders look ahead, H. Default D.",
        json_schema_extra=RARE,
    )

    @property
    def claims(self) -> tuple[float, ...]:
        """The debts of a trader, in proportion to its debt in the ring."""
        return (1.0, self.vbt_share, self.dealer_share)


Parameters = RingParameters | BalancedParameters


def one_way_to_say_q(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is *given* of a run or sweep with either ``q_total`` or ``q_per_agent``.

    With the latter ``q_total`` is None, so that each says which was given.

    Raises
    ------
    InvalidInput
        Both are given.
    """
    total, each = given.get("q_total"), given.get("q_per_agent")
    if each is None:
        return {
            name: value for name, value in given.items() if name != "q_total" or total is not None
        }
    if total is not None:
        got = f"{shown(each)}, beside q_total {shown(total)}"
        raise _refusal("q_per_agent", got, "either q_per_agent or q_total, not both")
    return {**given, "q_total": None}


def axes_of(model: type[BaseModel]) -> dict[str, Axis]:
    """Return the parameters of *model* that sweeps vary, by name, in their order."""
    marks = {name: field.metadata for name, field in model.model_fields.items()}
    return {name: mark for name, found in marks.items() for mark in found if isinstance(mark, Axis)}


def scale_of(field: FieldInfo) -> Scale | None:
    """Return what the numbers of a parameter measure; None where it is not said."""
    return next((mark for mark in field.metadata if isinstance(mark, Scale)), None)


class _KindOnly(BaseModel):
    """Reads the field that says which model the others belong to."""

    kind: Annotated[Kind, Field(description="Which scenario is simulated.")]

    @field_validator("kind", mode="before")
    @classmethod
    def _few_words(cls, value: object) -> object:
        return word_of(Kind, value)


def parameters_of(data: Mapping[str, Any]) -> Parameters:
    """Return *data* as the parameters of one run, chosen by its ``kind``.

    Raises
    ------
    InvalidInput
        Names each wrong field, the value got and the values allowed.
    """
    given = {"kind": data["kind"]} if "kind" in data else {}
    kind = validated(_KindOnly, given).kind
    if kind is Kind.RING:
        return validated(RingParameters, data)
    return validated(BalancedParameters, data)


def _refusal(field: str, got: str, allowed: str) -> InvalidInput:
    return InvalidInput([Problem(field, got, allowed)])


def _plain(value: Any) -> Any:
    """Return numpy's scalars and arrays as Python's own; numpy itself is not needed for it."""
    return value.tolist() if hasattr(value, "tolist") else value
