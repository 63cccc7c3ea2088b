"""Presets: sweeps by one word, each of which fills in the fields that are not given.

A sweep that was asked for by a preset is stored with all that it filled in, as if that had been
given: what was computed is said by its fields, whatever a later version means by the word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.changing import changed
from bilancio.experiments.derived import range_of
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.validation import nearest

FIELD = "preset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Fields of a sweep that are asked for by one word.

    Attributes
    ----------
    fields
        As they would be given; a sweep type takes those that it has.
    about, why
        What it is for, and where its values come from: a sentence each.
    """

    fields: Mapping[str, Any]
    about: str
    why: str

    def fields_of(self, model: type[GridSweep]) -> dict[str, Any]:
        """Return the fields that a sweep type has."""
        return {name: value for name, value in self.fields.items() if name in model.model_fields}


PRESETS: Mapping[str, Preset] = {
    "stressed": Preset(
        fields={"kappas": ["0.25", "0.5"], "mus": ["0", "0.5", "1"], "n_replicates": 20},
        about="Cash is short.",
        why=(
            "At the start the ring has cash for a quarter or half of its debts. How much trading "
            "helps depends most on mu: its ends and its middle are compared (docs/study.md)."
        ),
    ),
    "paper": Preset(
        fields={
            "kappas": ["0.25", "0.5", "1", "2", "4"],
            "concentrations": ["0.2", "0.5", "1", "2", "5"],
            "mus": ["0", "0.25", "0.5", "0.75", "1"],
            "outside_mid_ratios": ["0.5", "0.75", "0.9", "1", "1.1"],
            "n_replicates": 20,
        },
        about="The study of docs/study.md, over the model of the paper.",
        why=(
            "The rules are those that docs/MODEL.md restates from the paper, all other parameters "
            "are at its defaults. The values are those of docs/study.md, not a table of the paper."
        ),
    ),
    "quick": Preset(
        fields={"n_agents": 20, "kappas": ["0.5", "1"], "n_replicates": 10},
        about="A first look, in well under a second.",
        why="Small rings, and as many seeds as an interval deserves (docs/statistics.md).",
    ),
}


def filled(
    model: type[GridSweep], given: Mapping[str, Any], *, changes: bool = False
) -> dict[str, Any]:
    """Return the fields of a sweep, those that are not given from the preset that is named.

    What is given of a parameter in another place, as its range or in `vary`, is given, too; None
    keeps a field from being filled in.

    Parameters
    ----------
    changes
        Whether they change another sweep, of which None removes a field: it stays None.

    Raises
    ------
    InvalidInput
        There is no such preset, or it lists values beside a design that takes none.
    """
    rest = {name: value for name, value in given.items() if name != FIELD}
    word = given.get(FIELD)
    if word is None:
        return rest
    fields = _named(word).fields_of(model)
    for axis, plural in model.listed.items():
        if rest.get(range_of(axis)) is not None:
            fields.pop(plural, None)
    whole = changed(model, fields, rest)
    _refuse_other_designs(model, str(word), whole, rest)
    return {**rest, **whole} if changes else whole


def _named(word: object) -> Preset:
    if isinstance(word, str) and word in PRESETS:
        return PRESETS[word]
    meant = nearest(word, PRESETS) if isinstance(word, str) else ""
    raise InvalidInput([Problem(FIELD, shown(word), ", ".join(PRESETS), meant)])


def _refuse_other_designs(
    model: type[GridSweep], word: str, whole: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """Refuse lists of a preset beside samples and points, which take one value or a range."""
    designs = [design for design in GridSweep.designs if given.get(design)]
    lists = [name for name in model.listed.values() if name in whole and name not in given]
    if designs and lists:
        allowed = f"grids only, for it lists {', '.join(lists)}; give these, or their ranges"
        raise InvalidInput([Problem(FIELD, f"{shown(word)} with {designs[0]}", allowed)])
