"""Reads the sweep file of the older tool, with sections, as parameters of a sweep and notes.

What a file says is taken, refused, or said in a note not to be taken: nothing is dropped in
silence.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bilancio.cli.parsing import refuse_unknown
from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.experiments.sweep_config import SweepConfig

VERSION = 1
_AXES = ("kappa", "concentration", "mu", "monotonicity")
_LISTS = ("kappas", "concentrations", "mus", "monotonicities")
_TAKEN = (
    "n_agents", "maturity_days", "q_total", "liquidity_mode", "liquidity_agent", "base_seed",
    "default_handling",
)  # fmt: skip
_IGNORED = ("risk_assessment_enabled", "risk_assessment_config")
_RUNNER = (*_TAKEN, "name_prefix", "dealer_enabled", "dealer_config", *_IGNORED)
_SECTIONS = {
    "runner": _RUNNER,
    "grid": ("enabled", *_LISTS),
    "lhs": ("count", *(f"{axis}_range" for axis in _AXES)),
    "frontier": ("enabled", "kappa_low", "kappa_high", "tolerance", "max_iterations"),
}
_OTHERS = ("version", "out_dir")
_AGENT = re.compile(r"H([1-9][0-9]*)")

SEEDS = (
    "Seeds: the older tool gave each run the next number, from base_seed on. Here every cell runs "
    "under the same seeds; n_replicates says how many, 1 where it is not given."
)


def is_older(found: Mapping[str, Any]) -> bool:
    """Return whether a file has the older tool's layout: a version, or one of its sections."""
    return "version" in found or any(isinstance(found.get(name), Mapping) for name in _SECTIONS)


def translated(
    path: Path, found: Mapping[str, Any], model: type[SweepConfig]
) -> tuple[dict[str, Any], list[str]]:
    """Return what an older file says as parameters and `out_dir`, and what differs in sentences.

    Raises
    ------
    InvalidInput
        It is of another version, holds names that do not exist, or asks *model* for dealers that
        its sweeps do not have.
    """
    refuse_unknown(str(path), list(found), [*_OTHERS, *_SECTIONS])
    if str(found.get("version", VERSION)) != str(VERSION):
        raise invalid(f"{path}: version", found["version"], str(VERSION))
    sections = {name: _section(path, found, name) for name in _SECTIONS}
    grid, lhs = sections["grid"], sections["lhs"]
    notes = [f"{path} is in the layout of the older tool; it was translated."]
    asked = _of_runner(path, sections["runner"], model, notes)
    sampled = str(lhs.get("count") or 0) != "0"
    searched = _on(path, "frontier", sections["frontier"], default=False)
    gridded = _on(path, "grid", grid, default=True)
    lists = _LISTS if gridded else _LISTS[1:] if searched else ()  # a search has no kappas
    asked |= {name: grid[name] for name in lists if grid.get(name) is not None}
    if not gridded:
        notes += _not_used("grid", {**grid, **dict.fromkeys(lists)}, "enabled is false")
    if sampled:
        asked |= {"lhs": lhs["count"], "grid": gridded}
        asked |= {name: value for name, value in lhs.items() if name != "count"}
    else:
        notes += _not_used("lhs", lhs, "count is 0")
    if searched:
        asked |= _of_frontier(sections["frontier"], notes)
    else:
        notes += _not_used("frontier", sections["frontier"], "enabled is not true")
    if found.get("out_dir") is not None:
        asked["out_dir"] = found["out_dir"]
    return asked, [*notes, SEEDS]


def _section(path: Path, found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a section, its names checked; an empty one where it is not there."""
    section = found.get(name)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise invalid(f"{path}: {name}", section, f"values by name: {', '.join(_SECTIONS[name])}")
    refuse_unknown(f"{path}: {name}", list(section), _SECTIONS[name])
    return section


def _on(path: Path, name: str, section: Mapping[str, Any], *, default: bool) -> bool:
    """Return whether a section is switched on."""
    enabled = section.get("enabled", default and bool(section))
    if not isinstance(enabled, bool):
        raise invalid(f"{path}: {name}.enabled", enabled, "true or false")
    return enabled


def _of_runner(
    path: Path, runner: Mapping[str, Any], model: type[SweepConfig], notes: list[str]
) -> dict[str, Any]:
    asked = {name: runner[name] for name in _TAKEN if runner.get(name) is not None}
    agent = asked.get("liquidity_agent")
    if isinstance(agent, str) and (named := _AGENT.fullmatch(agent)):
        asked["liquidity_agent"] = int(named[1])
    if "base_seed" in asked and "base_seed" not in model.model_fields:
        asked["seed"] = asked.pop("base_seed")
    _refuse_dealers(path, runner, model)
    notes += _on_dealers(runner, model)
    if runner.get("name_prefix"):
        prefix = shown(runner["name_prefix"])
        notes.append(f"name_prefix {prefix} is not used: a job has a name of its own (--job-id).")
    if any(runner.get(name) for name in _IGNORED):
        notes.append("risk_assessment_* is not used; the older tool ignored it, too.")
    return asked


def _refuse_dealers(path: Path, runner: Mapping[str, Any], model: type[SweepConfig]) -> None:
    if runner.get("dealer_enabled") is True and len(model.arms) == 1:
        sweep_type = model.model_fields["sweep_type"].default
        allowed = f"false for a {sweep_type} sweep, which has no dealers"
        field = f"{path}: runner.dealer_enabled"
        raise InvalidInput([Problem(field, "true", allowed, "a balanced sweep")])


def _on_dealers(runner: Mapping[str, Any], model: type[SweepConfig]) -> Iterator[str]:
    if len(model.arms) > 1 and "dealer_enabled" in runner:
        yield (
            "dealer_enabled was a treatment of its own, not the active arm. Here both arms are "
            "run: dealers that hold, and dealers that trade."
        )
    if config := runner.get("dealer_config"):
        names = ", ".join(map(str, config)) if isinstance(config, Mapping) else shown(config)
        yield (
            f"dealer_config ({names}) is not used: dealers have other parameters here "
            "(`bilancio experiments show balanced`)."
        )


def _of_frontier(frontier: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    ends = [frontier.get(name) for name in ("kappa_low", "kappa_high")]
    asked: dict[str, Any] = {"frontier": True, "kappa_range": ends}
    if frontier.get("tolerance") is not None:
        asked["frontier_delta"] = frontier["tolerance"]
        notes.append(
            "frontier.tolerance was two things: the default rate to reach, which is frontier_delta "
            "here, and the width at which a search ended, which frontier_tolerance says here."
        )
    if frontier.get("max_iterations") is not None:
        notes.append("frontier.max_iterations is not used: a search ends by frontier_tolerance.")
    notes.append("A search stays below kappa_high; the older tool raised it where need be.")
    return asked


def _not_used(name: str, section: Mapping[str, Any], why: str) -> list[str]:
    kept = {"enabled", "count"}
    values = [each for each, value in section.items() if each not in kept and value is not None]
    return [f"{name}: {', '.join(values)} not used, because {why}."] if values else []
