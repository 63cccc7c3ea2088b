"""What is known of Modal without its client: who pays, what containers are like and cost."""

import functools
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

CORES = 1.0  # of each container; Modal's are physical ones
MEMORY_MIB = 1024
MIB_OF_A_GIB = 1024
BATCH_S = 4.0  # that a batch should take: a call needs a fifth of a second to get there and back

Token = tuple[str, str]


class Prices(NamedTuple):
    """What Modal asked for on a day, in US dollars, without plans, credits and regions.

    Attributes
    ----------
    date
        ISO 8601.
    per_core_s, per_gib_s
        For a second of a core, and of a GiB of memory.
    """

    date: str
    per_core_s: float
    per_gib_s: float

    def of_containers(self, seconds: float) -> float:
        """Return what containers cost that are there for so many seconds in all."""
        return seconds * (CORES * self.per_core_s + MEMORY_MIB / MIB_OF_A_GIB * self.per_gib_s)


@functools.cache
def prices() -> Prices:
    """Return the price table that is shipped."""
    table = json.loads(Path(__file__).with_name("modal_prices.json").read_text("utf-8"))
    return Prices(*(table[name] for name in Prices._fields))


def token() -> Token | None:
    """Return the id and secret of Modal's token, from where Modal's own client looks for them.

    That is MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, and what they leave out from the active profile
    in ``~/.modal.toml``. None where either is missing.
    """
    profile = _profile()
    found = [
        os.environ.get(f"MODAL_{name.upper()}") or profile.get(name, "")
        for name in ("token_id", "token_secret")
    ]
    return (str(found[0]), str(found[1])) if all(found) else None


def _profile() -> dict[str, Any]:
    """Return the active profile of Modal's configuration; an empty one where it has none."""
    import tomllib  # only where somebody asks for Modal

    file = Path(os.environ.get("MODAL_CONFIG_PATH") or Path.home() / ".modal.toml")
    try:
        profiles = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    tables = {name: each for name, each in profiles.items() if isinstance(each, dict)}
    active = next((name for name, each in tables.items() if each.get("active")), "default")
    return tables.get(os.environ.get("MODAL_PROFILE") or active, {})
