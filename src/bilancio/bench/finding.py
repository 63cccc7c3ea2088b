"""One thing that was measured, beside its target."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A value with its unit, and the bound that it is to keep; None where there is none.

    Attributes
    ----------
    what
        At most 38 characters: value and bound stand beside it in a terminal of 80.
    """

    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return its fields by name, as JSON holds them."""
        return asdict(self)


def write(finding: Finding) -> None:
    """Write a finding as a line of JSON, for the process that reads this one's output."""
    sys.stdout.write(json.dumps(finding.as_dict()) + "\n")
    sys.stdout.flush()
