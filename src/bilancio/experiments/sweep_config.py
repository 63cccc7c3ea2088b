"""What every sweep is asked: a validated, frozen model for each sweep type."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import to_jsonable_python

from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.fields import NUMBER, Range, plain
from bilancio.experiments.vocabulary import in_fields
from bilancio.model.parameters import RARE
from bilancio.validation import explained, word_of

HANDLING_FIELDS = ("max_failures", "run_timeout_s", "run_order", "cloud")
UNOFFERED_FIELDS = ("run_order",)
"""Fields that a stored sweep has and nobody needs to give: they are in no option and no schema."""
LEADING_FIELDS = ("sweep_type", "n_agents", "kappas", "concentrations", "mus")


class SweepConfig(BaseModel):
    """A sweep: its type and every parameter of it, defaults written out."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    arms: ClassVar[tuple[str, ...]] = ("passive",)
    presets: ClassVar[tuple[str, ...]] = ()
    """Names that `preset` takes: each fills in fields that are not given."""

    sweep_type: str = Field(description="Which experiment.")
    max_failures: Annotated[int, Field(ge=1, le=10**9), NUMBER] = Field(
        default=1000,
        description="Failed runs after which the sweep stops early.",
        json_schema_extra=RARE,
    )
    run_timeout_s: Annotated[float, Field(gt=0, le=10**6), NUMBER] = Field(
        default=600.0,
        description="Seconds after which a run in its own process is stopped.",
        json_schema_extra=RARE,
    )
    cloud: bool = Field(
        default=False, description="Compute on Modal, not here.", json_schema_extra=RARE
    )

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            found = explained(error, type(self).model_json_schema())
            raise in_fields(found, type(self).model_fields) from None

    @field_validator("*", mode="before")
    @classmethod
    def _few_words(cls, value: object, info: ValidationInfo) -> object:
        return word_of(cls.model_fields[info.field_name or ""].annotation, value)

    @property
    def total_runs(self) -> int:
        """Number of runs, all arms and seeds counted; of an adaptive sweep, the most."""
        return len(self.arms)

    @property
    def fixed_runs(self) -> int:
        """Number of runs that are known from the start; those past them are a search's."""
        return self.total_runs

    @property
    def first_runs(self) -> int:
        """Number of runs that are computed before any result decides on other ones."""
        return self.fixed_runs

    @property
    def adaptive(self) -> bool:
        """Whether results decide how many runs there are."""
        return self.first_runs < self.total_runs

    @property
    def paired_runs(self) -> int:
        """Number of runs at the beginning that stand next to those of all other arms."""
        return self.total_runs

    def arm_of(self, index: int) -> str:
        """Return the arm of a run."""
        return self.arms[index % len(self.arms)]

    @property
    def searches(self) -> bool:
        """Whether results decide on the parameters of further runs."""
        return self.fixed_runs < self.total_runs

    @property
    def cost(self) -> float:
        """Cost of the whole sweep, for estimates; one agent of a plain ring costs 1."""
        return float(self.total_runs)

    def grown(self, n_replicates: int) -> "SweepConfig":
        """Return this sweep with so many seeds; the runs that it has keep their numbers.

        Raises
        ------
        InvalidInput
            It has as many seeds already, or its runs are not numbered by seeds.
        """
        raise not_grown(n_replicates, f"a {self.sweep_type} sweep has no n_replicates")

    @property
    def remarks(self) -> tuple[str, ...]:
        """What may not be meant as it was asked: a sentence each, for whoever creates a job."""
        return ()

    def values_of(self, parameter: str) -> list[Any]:
        """Return the values that a parameter has in the cells; of a range its ends."""
        return [getattr(self, parameter)]

    def as_dict(self) -> dict[str, Any]:
        """Return every parameter as JSON holds it: decimals as text, grids first."""
        written = self.model_dump(mode="json")
        leading = {name: written.pop(name) for name in LEADING_FIELDS if name in written}
        handling = {name: written.pop(name) for name in HANDLING_FIELDS if name in written}
        return {**leading, **written, **handling}

    def implied(self) -> dict[str, Any]:
        """Return the values that fields not asked for take from other fields."""
        return {}

    def asked(self) -> dict[str, Any]:
        """Return the parameters that are not at their defaults, as JSON holds them."""
        implied = self.implied()
        fields = type(self).model_fields
        leading = [name for name in LEADING_FIELDS if name in fields]
        asked = {}
        for name in dict.fromkeys([*leading, *fields]):
            field = fields[name]
            value = canonical(getattr(self, name))
            defaults = [implied[name]] if name in implied else []
            if not field.is_required():
                default = field.get_default(call_default_factory=True, validated_data=self.__dict__)
                defaults.append(default)
            if value not in map(canonical, defaults):
                asked[name] = value
        return asked

    def digest(self) -> str:
        """Return a hash of what was asked for that the results depend on.

        Left out are parameters at their defaults, so that a parameter added later, with the
        default that stands for what was done before, changes no hash; and how the sweep is
        carried out.
        """
        asked = {name: value for name, value in self.asked().items() if name not in HANDLING_FIELDS}
        return _hash(asked | {"sweep_type": self.sweep_type})


def about(config: SweepConfig) -> str:
    """Return what an experiment does, in its own words; empty where it is not installed here."""
    if isinstance(config, UncheckedSweep):
        return ""
    return type(config).model_fields["sweep_type"].description or ""


def not_grown(n_replicates: int, why: str) -> InvalidInput:
    """Return the error for a sweep that cannot have more seeds, *why* being a clause."""
    allowed = f"nothing, because {why}; create a new job"
    return InvalidInput([Problem("n_replicates", f"{n_replicates:,}", allowed)])


def check_grows(n_seeds: int, n_replicates: int) -> None:
    """Refuse a number of seeds that is not larger than the one that a sweep has.

    Raises
    ------
    InvalidInput
    """
    if n_replicates <= n_seeds:
        allowed = f"more than {n_seeds:,}, the number of seeds that it has"
        raise InvalidInput([Problem("n_replicates", f"{n_replicates:,}", allowed)])


def digest_now(config: SweepConfig, stored: Mapping[str, Any], config_hash: str) -> str:
    """Return the hash that was stored with a sweep, in the form that `digest` has today.

    Version 0.1 hashed all parameters, defaults too. Where *config_hash* is what it gave the
    *stored* parameters, the answer is the digest of *config*, which was read from them; else it
    is *config_hash*.
    """
    return config.digest() if config_hash == legacy_digest(stored) else config_hash


def legacy_digest(stored: Mapping[str, Any]) -> str:
    """Return the hash of a sweep's parameters, as JSON holds them, that version 0.1 stored."""
    given = {
        name: value
        for name, value in stored.items()
        if name not in HANDLING_FIELDS and value is not None
    }
    return _hash(given)


def canonical(value: object) -> Any:
    """Return a parameter's value as JSON holds it, equal numbers written the same."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Range):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): canonical(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(each) for each in value]
    return to_jsonable_python(value)


def _hash(parameters: Mapping[str, Any]) -> str:
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class UncheckedSweep(SweepConfig):
    """A stored sweep whose experiment is not installed here: to be shown, not to be run."""

    model_config = ConfigDict(extra="allow")

    def as_dict(self) -> dict[str, Any]:
        """Return what was stored."""
        return self.model_dump(mode="json")

    def asked(self) -> dict[str, Any]:
        """Return all that was stored: which of it is a default only the experiment knows."""
        return self.as_dict()
